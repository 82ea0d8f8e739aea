package embedded

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"spillway.example/services/internal/account"
)

// Retire implements [account.Claims].
func (s *Store) Retire(ctx context.Context, username string, id account.UserID, at time.Time) error {
	return s.update(ctx, "retiring a claim", func(tx *sql.Tx) error {
		held, err := findClaim(ctx, tx, username)
		switch {
		case err != nil:
			return err
		case held.UserID != id || !held.Confirmed:
			return errConflict()
		case !held.RetiredAt.IsZero():
			return nil
		}
		held.RetiredAt = at
		return storeClaim(ctx, tx, held)
	})
}

// Erase implements [account.Claims]. The mails that the outbox keeps for the account's
// addresses go with it.
func (s *Store) Erase(ctx context.Context, username string, id account.UserID) error {
	err := s.update(ctx, "erasing an account", func(tx *sql.Tx) error {
		held, err := findClaim(ctx, tx, username)
		switch {
		case account.CodeOf(err) == account.CodeNotFound, err == nil && held.UserID != id:
			return nil
		case err != nil:
			return err
		case held.RetiredAt.IsZero():
			return errConflict()
		}
		if err := s.forgetMails(ctx, tx, held); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM email_owners WHERE user_id = ?`, id)
		return errors.Join(err, dropEmailChange(ctx, tx, id), deleteProfile(ctx, tx, id), deleteClaim(ctx, tx, username))
	})
	if err == nil {
		s.emptyLog(ctx)
	}
	return err
}

// emptyLog empties the write-ahead log, which still has the pages that were overwritten in
// the file. While another process reads the older pages that is left to the next time: the
// last to close the file removes the log.
func (s *Store) emptyLog(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, emptyTime)
	defer cancel()
	var busy, pages, moved int
	err := s.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(truncate)`).Scan(&busy, &pages, &moved)
	if err != nil || busy != 0 {
		s.Logger.DebugContext(ctx, "the write-ahead log was not emptied", "busy", busy, "err", err)
	}
}

// emptyTime is how long other writers may have to wait while the log is being emptied.
const emptyTime = time.Second

// Retired implements [account.Claims].
func (s *Store) Retired(ctx context.Context) ([]account.Claim, error) {
	const doing = "listing retired claims"
	rows, err := s.read.QueryContext(ctx, `SELECT username, user_id, retired_at FROM claims WHERE retired_at IS NOT NULL ORDER BY retired_at`)
	if err != nil {
		return nil, failure(doing, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	var claims []account.Claim
	for rows.Next() {
		c := account.Claim{Confirmed: true}
		if err := rows.Scan(&c.Username, &c.UserID, (*stamp)(&c.RetiredAt)); err != nil {
			return nil, failure(doing, err)
		}
		claims = append(claims, c)
	}
	return claims, failure(doing, rows.Err())
}
