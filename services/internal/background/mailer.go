package background

import (
	"context"
	"errors"
	"time"

	"spillway.example/services/internal/account"
)

// pauses are how long to wait before a mail that did not go out is tried again.
var pauses = []time.Duration{500 * time.Millisecond, 2 * time.Second}

// Mailer gives a mailer that sends by m in the background, and tries again where m fails,
// unless with [account.ErrMailRefused]. Its Send fails only where too much is waiting.
func (q *Queue) Mailer(m account.Mailer) account.Mailer { return mailer{q, m} }

type mailer struct {
	queue *Queue
	next  account.Mailer
}

// Send implements [account.Mailer].
func (m mailer) Send(ctx context.Context, mail account.Mail) error {
	return m.queue.mail(ctx, m.attempt(mail, pauses))
}

// attempt sends a mail, or has it tried again after the first of the pauses. No worker
// waits for that.
func (m mailer) attempt(mail account.Mail, pauses []time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		err := m.next.Send(ctx, mail)
		switch {
		case err == nil:
		case len(pauses) > 0 && !errors.Is(err, account.ErrMailRefused):
			m.queue.mu.Lock()
			defer m.queue.mu.Unlock()
			m.queue.schedule(ctx, &m.queue.mails, pauses[0], m.attempt(mail, pauses[1:]))
		default:
			account.MailFailed(ctx)
			m.queue.Count.Add(ctx, "MailsFailed")
			m.queue.Logger.WarnContext(ctx, "mail not sent", "subject", mail.Subject, "err", err)
		}
	}
}
