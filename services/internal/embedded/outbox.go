package embedded

import (
	"context"
	"database/sql"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/mail"
)

const (
	// keptMails is how many mails are kept for one address.
	keptMails = 10
	// keptFor is how long they are kept: a code is no good any longer by then.
	keptFor = confirmLifetime
)

var _ mail.Keeper = (*Store)(nil)

// KeepMail implements [mail.Keeper]: the newest ten mails of an address, for a day.
func (s *Store) KeepMail(ctx context.Context, m account.Mail) error {
	return s.update(ctx, "keeping a mail", func(tx *sql.Tx) error {
		now := s.Now()
		_, err := tx.ExecContext(ctx, `INSERT INTO outbox (recipient, subject, text, sent_at) VALUES (?, ?, ?, ?)`,
			m.To, m.Subject, m.Text, stamp(now))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			DELETE FROM outbox WHERE sent_at <= ? OR recipient = ? AND id NOT IN
				(SELECT id FROM outbox WHERE recipient = ? ORDER BY id DESC LIMIT ?)`,
			stamp(now.Add(-keptFor)), m.To, m.To, keptMails)
		return err
	})
}

// KeptMails implements [mail.Keeper].
func (s *Store) KeptMails(ctx context.Context, to string) ([]mail.Kept, error) {
	const doing = "reading the outbox"
	rows, err := s.read.QueryContext(ctx, `
		SELECT subject, text, sent_at FROM outbox WHERE recipient = ? AND sent_at > ? ORDER BY id DESC`,
		to, stamp(s.Now().Add(-keptFor)))
	if err != nil {
		return nil, failure(doing, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	var mails []mail.Kept
	for rows.Next() {
		m := mail.Kept{Mail: account.Mail{To: to}}
		if err := rows.Scan(&m.Subject, &m.Text, (*stamp)(&m.SentAt)); err != nil {
			return nil, failure(doing, err)
		}
		mails = append(mails, m)
	}
	return mails, failure(doing, rows.Err())
}
