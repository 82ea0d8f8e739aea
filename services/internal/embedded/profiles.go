package embedded

import (
	"context"
	"database/sql"
	"errors"

	"spillway.example/services/internal/account"
)

func errConflict() error {
	return account.Errorf(account.CodeConflict, nil, "The record is there already, or has changed.")
}

func errNotFound() error {
	return account.Errorf(account.CodeNotFound, nil, "There is no such record.")
}

// PutIfAbsent implements [account.Profiles].
func (s *Store) PutIfAbsent(ctx context.Context, p account.Profile) error {
	return s.update(ctx, "storing a profile", func(tx *sql.Tx) error {
		absent, err := insertProfile(ctx, tx, p)
		if err == nil && !absent {
			err = errConflict()
		}
		return err
	})
}

// insertProfile stores a new profile at version 1 unless the user has one.
func insertProfile(ctx context.Context, tx *sql.Tx, p account.Profile) (absent bool, err error) {
	return changed(tx.ExecContext(ctx, `
		INSERT INTO profiles (user_id, username, email, email_verified, display_name, locale, created_at, updated_at, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (user_id) DO NOTHING`,
		p.UserID, p.Username, p.Email, p.EmailVerified, p.DisplayName, p.Locale, stamp(p.CreatedAt), stamp(p.UpdatedAt)))
}

// Get implements [account.Profiles].
func (s *Store) Get(ctx context.Context, id account.UserID) (account.Profile, error) {
	p, err := findProfile(ctx, s.read, id)
	return p, failure("reading a profile", err)
}

// findProfile reads a profile. CodeNotFound.
func findProfile(ctx context.Context, q queryer, id account.UserID) (account.Profile, error) {
	p := account.Profile{UserID: id}
	err := q.QueryRowContext(ctx, `
		SELECT username, email, email_verified, display_name, locale, created_at, updated_at, version
		FROM profiles WHERE user_id = ?`, id).
		Scan(&p.Username, &p.Email, &p.EmailVerified, &p.DisplayName, &p.Locale,
			(*stamp)(&p.CreatedAt), (*stamp)(&p.UpdatedAt), &p.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Profile{}, errNotFound()
	}
	return p, err
}

// Update implements [account.Profiles].
func (s *Store) Update(ctx context.Context, p account.Profile) (account.Profile, error) {
	err := s.update(ctx, "changing a profile", func(tx *sql.Tx) error {
		stored, err := findProfile(ctx, tx, p.UserID)
		switch {
		case err != nil:
			return err
		case stored.Version != p.Version:
			return errConflict()
		}
		return updateProfile(ctx, tx, p)
	})
	if err != nil {
		return account.Profile{}, err
	}
	p.Version++
	return p, nil
}

// updateProfile stores p over the profile that the user has.
func updateProfile(ctx context.Context, tx *sql.Tx, p account.Profile) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE profiles SET username = ?, email = ?, email_verified = ?, display_name = ?, locale = ?,
			created_at = ?, updated_at = ?, version = version + 1
		WHERE user_id = ?`,
		p.Username, p.Email, p.EmailVerified, p.DisplayName, p.Locale, stamp(p.CreatedAt), stamp(p.UpdatedAt), p.UserID)
	return err
}

// Delete implements [account.Profiles].
func (s *Store) Delete(ctx context.Context, id account.UserID) error {
	return s.update(ctx, "deleting a profile", func(tx *sql.Tx) error { return deleteProfile(ctx, tx, id) })
}

func deleteProfile(ctx context.Context, tx *sql.Tx, id account.UserID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM profiles WHERE user_id = ?`, id)
	return err
}
