package register

import (
	"context"
	"time"
)

// export is all that is held of an account.
type export struct {
	Disposition string `header:"Content-Disposition" example:"attachment; filename=\"account.json\""`
	Body        struct {
		ExportedAt time.Time  `json:"exported_at" example:"2026-01-15T09:30:00Z"`
		Profile    ownProfile `json:"profile" doc:"What the users table has"`
		Directory  struct {
			UserID        string     `json:"user_id" example:"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a"`
			Username      string     `json:"username" example:"alice"`
			Email         string     `json:"email,omitempty" example:"alice@example.com"`
			EmailVerified bool       `json:"email_verified"`
			CreatedAt     *time.Time `json:"created_at,omitempty" example:"2026-01-15T09:30:00Z"`
		} `json:"directory" doc:"What the directory has, beside the password's hash"`
		SignUp struct {
			At time.Time `json:"at" example:"2026-01-15T09:30:00Z"`
		} `json:"sign_up"`
		MailedAt struct {
			SignUp       *time.Time `json:"sign_up,omitempty" example:"2026-01-15T09:30:00Z"`
			Confirmation *time.Time `json:"confirmation,omitempty" example:"2026-01-15T09:31:00Z"`
			Reset        *time.Time `json:"reset,omitempty" example:"2026-02-01T12:00:00Z"`
		} `json:"mailed_at" doc:"When the last mail of each use went out that anybody could cause"`
		Wish     *exportedWish     `json:"email_change,omitempty" doc:"The wish for another address, until its code is confirmed"`
		Sessions []exportedSession `json:"sessions,omitempty" doc:"Where the directory knows them one by one"`
	}
}

type exportedWish struct {
	Email     string    `json:"email" example:"ada@example.com"`
	ExpiresAt time.Time `json:"expires_at" doc:"Of the code" example:"2026-01-15T10:30:00Z"`
}

type exportedSession struct {
	ID        string    `json:"id" example:"0b9f4c1e6d7a4f02"`
	CreatedAt time.Time `json:"created_at" example:"2026-01-15T09:30:00Z"`
	ExpiresAt time.Time `json:"expires_at" example:"2026-02-14T09:30:00Z"`
}

func (a Account) export(ctx context.Context, in *own) (*export, error) {
	who, token, err := a.who(ctx, &in.Bearer)
	if err != nil {
		return nil, err
	}
	e, err := a.Registrar.Export(ctx, who, token)
	if err != nil {
		return nil, err
	}
	out := &export{Disposition: `attachment; filename="account.json"`}
	b := &out.Body
	b.ExportedAt, b.Profile = e.At, body(e.Profile)
	b.Directory.UserID, b.Directory.Username = string(e.User.ID), e.User.Username
	b.Directory.Email, b.Directory.EmailVerified = e.User.Email, e.User.EmailVerified
	b.Directory.CreatedAt = unlessZero(e.User.CreatedAt)
	b.SignUp.At = e.SignedUp
	b.MailedAt.SignUp, b.MailedAt.Confirmation, b.MailedAt.Reset = unlessZero(e.Mailed.SignUp), unlessZero(e.Mailed.Confirmation), unlessZero(e.Mailed.Reset)
	if e.Wish.To != "" {
		b.Wish = &exportedWish{e.Wish.To, e.Wish.ExpiresAt}
	}
	for _, s := range e.Sessions {
		b.Sessions = append(b.Sessions, exportedSession{s.ID, s.CreatedAt, s.ExpiresAt})
	}
	return out, nil
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
