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

// forgetMails deletes the mails to the addresses of an account that is being deleted, and
// those past their time.
func (s *Store) forgetMails(ctx context.Context, tx *sql.Tx, c account.Claim) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM outbox WHERE sent_at <= ?1 OR recipient IN (
			SELECT ?2
			UNION SELECT email FROM email_owners WHERE user_id = ?3
			UNION SELECT email FROM profiles WHERE user_id = ?3
			UNION SELECT email_from FROM email_changes WHERE user_id = ?3
			UNION SELECT email_to FROM email_changes WHERE user_id = ?3)`,
		stamp(s.Now().Add(-keptFor)), c.Email, c.UserID)
	return err
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
