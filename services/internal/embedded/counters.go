package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"spillway.example/services/internal/account"
)

// sweep is how many rows past their time one count clears away: more than it makes.
const sweep = 8

var _ account.Counters = (*Store)(nil)

// Take implements [account.Counters].
func (s *Store) Take(ctx context.Context, key string, l account.Limit, keep time.Duration, now time.Time) (taken account.Taken, err error) {
	err = s.count(ctx, "counting an attempt", key, func(old account.Counter) (next account.Counter, until time.Time) {
		next, taken = old.Take(l, now)
		return next, now.Add(keep)
	})
	return taken, err
}

// Trust implements [account.Counters].
func (s *Store) Trust(ctx context.Context, key string, until time.Time) error {
	return s.count(ctx, "noting a success", key, func(account.Counter) (account.Counter, time.Time) {
		return account.Counter{TrustedUntil: until}, until
	})
}

// Refund implements [account.Counters].
func (s *Store) Refund(ctx context.Context, key string, l account.Limit) error {
	return s.count(ctx, "giving an attempt back", key, func(old account.Counter) (account.Counter, time.Time) {
		return old.Refund(l), s.Now().Add(l.Longest())
	})
}

// count changes a counter in one transaction, which a power cut may undo: unlike all else
// in the file it is not worth a wait for the disk (PRAGMA synchronous).
func (s *Store) count(ctx context.Context, doing, key string, change func(account.Counter) (next account.Counter, until time.Time)) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return crowded(doing, err)
	}
	defer conn.Close() //nolint:errcheck // gives it back, as it was before
	// A transaction that is cut off may be rolled back after the connection is given back,
	// and with it would go what makes it durable again.
	ctx = context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(ctx, `PRAGMA synchronous = normal`); err != nil {
		return failure(doing, err)
	}
	defer conn.ExecContext(ctx, `PRAGMA synchronous = full`) //nolint:errcheck // it cannot fail outside a transaction
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return crowded(doing, err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it has nothing to do
	old, kept, err := findCounter(ctx, tx, key)
	if err != nil {
		return failure(doing, err)
	}
	next, until := change(old)
	if next == old {
		return nil
	}
	if until.Before(kept) {
		until = kept
	}
	_, err = tx.ExecContext(ctx, `
		INSERT OR REPLACE INTO counters (key, time0, time1, time2, trusted_until, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
		key, stamp(next.Times[0]), stamp(next.Times[1]), stamp(next.Times[2]), stamp(next.TrustedUntil), stamp(until))
	if err != nil {
		return failure(doing, err)
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
		stamp(s.Now()), sweep)
	if err != nil {
		return failure(doing, err)
	}
	return failure(doing, tx.Commit())
}

// crowded is [failure] for the wait for the file's one writer. That others write is no outage: an
// attempt that cannot be counted for it must not be made, or whoever keeps the file busy could
// guess without end. CodeTooManyRequests.
func crowded(doing string, err error) error {
	if busy(err) || errors.Is(err, context.DeadlineExceeded) {
		return account.ErrThrottled(fmt.Errorf("%s: others write: %w", doing, err))
	}
	return failure(doing, err)
}

// findCounter reads a counter and until when it is kept; zero where nothing is counted.
func findCounter(ctx context.Context, q queryer, key string) (c account.Counter, kept time.Time, err error) {
	err = q.QueryRowContext(ctx, `SELECT time0, time1, time2, trusted_until, expires_at FROM counters WHERE key = ?`, key).
		Scan((*stamp)(&c.Times[0]), (*stamp)(&c.Times[1]), (*stamp)(&c.Times[2]), (*stamp)(&c.TrustedUntil), (*stamp)(&kept))
	if errors.Is(err, sql.ErrNoRows) {
		return account.Counter{}, time.Time{}, nil
	}
	return c, kept, err
}
