package background

import (
	"context"
	"fmt"
	"time"

	"spillway.example/services/internal/account"
)

// pauses are how long to wait before a mail that was refused is tried again.
var pauses = []time.Duration{500 * time.Millisecond, 2 * time.Second}

// Mailer gives a mailer that sends by m in the background, and tries again where m fails.
// Its Send fails only where too much is waiting.
func (q *Queue) Mailer(m account.Mailer) account.Mailer { return mailer{q, m} }

type mailer struct {
	queue *Queue
	next  account.Mailer
}

// Send implements [account.Mailer].
func (m mailer) Send(ctx context.Context, mail account.Mail) error {
	return m.queue.Do(ctx, func(ctx context.Context) {
		if err := m.try(ctx, mail); err != nil {
			account.MailFailed(ctx)
			m.queue.Count.Add(ctx, "MailsFailed")
			m.queue.Logger.WarnContext(ctx, "mail not sent", "subject", mail.Subject, "err", err)
		}
	})
}

func (m mailer) try(ctx context.Context, mail account.Mail) error {
	err := m.next.Send(ctx, mail)
	for _, pause := range pauses {
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("giving up: %w", err)
		}
		err = m.next.Send(ctx, mail)
	}
	return err
}
