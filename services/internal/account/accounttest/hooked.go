package accounttest

import (
	"context"
	"time"

	"spillway.example/services/internal/account"
)

// Hook stands in front of the calls to a port. It has a call, whose name is such as
// "Claims.Find", made by f, or does not; an error is what the call fails with instead.
type Hook func(call string, f func()) error

func hooked[T any](h Hook, call string, f func() (T, error)) (v T, err error) {
	if failed := h(call, func() { v, err = f() }); failed != nil {
		var none T
		return none, failed
	}
	return v, err
}

func hookedErr(h Hook, call string, f func() error) (err error) {
	if failed := h(call, func() { err = f() }); failed != nil {
		return failed
	}
	return err
}

// HookDirectory puts a hook in front of a directory, and of its [account.SessionLister] where
// it is one.
func HookDirectory(d account.Directory, h Hook) account.Directory {
	directory := hookedDirectory{d, h}
	if lister, ok := d.(account.SessionLister); ok {
		return struct {
			hookedDirectory
			hookedSessionLister
		}{directory, hookedSessionLister{lister, h}}
	}
	return directory
}

// HookClaims puts a hook in front of the table of names and addresses.
func HookClaims(to account.Claims, h Hook) account.Claims { return hookedClaims{to, h} }

// HookProfiles puts a hook in front of the table of profiles.
func HookProfiles(to account.Profiles, h Hook) account.Profiles { return hookedProfiles{to, h} }

// HookDenials puts a hook in front of a deny list.
func HookDenials(to account.Denials, h Hook) account.Denials { return hookedDenials{to, h} }

// HookCounters puts a hook in front of counters.
func HookCounters(to account.Counters, h Hook) account.Counters { return hookedCounters{to, h} }

// HookRecords puts a hook in front of records of requests.
func HookRecords(to account.Records, h Hook) account.Records { return hookedRecords{to, h} }

// HookMailer puts a hook in front of a mailer.
func HookMailer(to account.Mailer, h Hook) account.Mailer { return hookedMailer{to, h} }

type (
	hookedDirectory struct {
		to   account.Directory
		hook Hook
	}
	hookedSessionLister struct {
		to   account.SessionLister
		hook Hook
	}
	hookedClaims struct {
		to   account.Claims
		hook Hook
	}
	hookedProfiles struct {
		to   account.Profiles
		hook Hook
	}
	hookedDenials struct {
		to   account.Denials
		hook Hook
	}
	hookedCounters struct {
		to   account.Counters
		hook Hook
	}
	hookedRecords struct {
		to   account.Records
		hook Hook
	}
	hookedMailer struct {
		to   account.Mailer
		hook Hook
	}
)

func (d hookedDirectory) SignUp(ctx context.Context, u account.NewUser) (account.SignedUp, error) {
	return hooked(d.hook, "Directory.SignUp", func() (account.SignedUp, error) { return d.to.SignUp(ctx, u) })
}

func (d hookedDirectory) PretendSignUp(ctx context.Context, u account.NewUser) error {
	return hookedErr(d.hook, "Directory.PretendSignUp", func() error { return d.to.PretendSignUp(ctx, u) })
}

func (d hookedDirectory) Confirm(ctx context.Context, username, code string) error {
	return hookedErr(d.hook, "Directory.Confirm", func() error { return d.to.Confirm(ctx, username, code) })
}

func (d hookedDirectory) ResendCode(ctx context.Context, username string) error {
	return hookedErr(d.hook, "Directory.ResendCode", func() error { return d.to.ResendCode(ctx, username) })
}

func (d hookedDirectory) SignIn(ctx context.Context, username, password string) (account.Tokens, error) {
	return hooked(d.hook, "Directory.SignIn", func() (account.Tokens, error) { return d.to.SignIn(ctx, username, password) })
}

func (d hookedDirectory) RespondToChallenge(ctx context.Context, a account.ChallengeAnswer) (account.Tokens, error) {
	return hooked(d.hook, "Directory.RespondToChallenge", func() (account.Tokens, error) { return d.to.RespondToChallenge(ctx, a) })
}

func (d hookedDirectory) Refresh(ctx context.Context, refreshToken string) (account.Tokens, error) {
	return hooked(d.hook, "Directory.Refresh", func() (account.Tokens, error) { return d.to.Refresh(ctx, refreshToken) })
}

func (d hookedDirectory) SignOut(ctx context.Context, refreshToken string) error {
	return hookedErr(d.hook, "Directory.SignOut", func() error { return d.to.SignOut(ctx, refreshToken) })
}

func (d hookedDirectory) SignOutEverywhere(ctx context.Context, accessToken string) error {
	return hookedErr(d.hook, "Directory.SignOutEverywhere", func() error { return d.to.SignOutEverywhere(ctx, accessToken) })
}

func (d hookedDirectory) ForgotPassword(ctx context.Context, username string) error {
	return hookedErr(d.hook, "Directory.ForgotPassword", func() error { return d.to.ForgotPassword(ctx, username) })
}

func (d hookedDirectory) ResetPassword(ctx context.Context, username, code, password string) error {
	return hookedErr(d.hook, "Directory.ResetPassword", func() error { return d.to.ResetPassword(ctx, username, code, password) })
}

func (d hookedDirectory) ChangePassword(ctx context.Context, accessToken, current, password string) error {
	return hookedErr(d.hook, "Directory.ChangePassword", func() error { return d.to.ChangePassword(ctx, accessToken, current, password) })
}

func (d hookedDirectory) GetUser(ctx context.Context, accessToken string) (account.User, error) {
	return hooked(d.hook, "Directory.GetUser", func() (account.User, error) { return d.to.GetUser(ctx, accessToken) })
}

func (d hookedDirectory) FindUser(ctx context.Context, username string) (account.User, error) {
	return hooked(d.hook, "Directory.FindUser", func() (account.User, error) { return d.to.FindUser(ctx, username) })
}

func (d hookedDirectory) ConfirmUser(ctx context.Context, username string) error {
	return hookedErr(d.hook, "Directory.ConfirmUser", func() error { return d.to.ConfirmUser(ctx, username) })
}

func (d hookedDirectory) SetTemporaryPassword(ctx context.Context, username, password string) error {
	return hookedErr(d.hook, "Directory.SetTemporaryPassword", func() error { return d.to.SetTemporaryPassword(ctx, username, password) })
}

func (d hookedDirectory) SetEmail(ctx context.Context, username, email string) error {
	return hookedErr(d.hook, "Directory.SetEmail", func() error { return d.to.SetEmail(ctx, username, email) })
}

func (d hookedDirectory) DeleteUser(ctx context.Context, id account.UserID) error {
	return hookedErr(d.hook, "Directory.DeleteUser", func() error { return d.to.DeleteUser(ctx, id) })
}

func (d hookedSessionLister) ListSessions(ctx context.Context, accessToken string) ([]account.Session, error) {
	return hooked(d.hook, "Directory.ListSessions", func() ([]account.Session, error) { return d.to.ListSessions(ctx, accessToken) })
}

func (d hookedSessionLister) EndSession(ctx context.Context, accessToken, id string) error {
	return hookedErr(d.hook, "Directory.EndSession", func() error { return d.to.EndSession(ctx, accessToken, id) })
}

func (t hookedClaims) Acquire(ctx context.Context, c account.Claim) (held account.Claim, acquired bool, err error) {
	held, err = hooked(t.hook, "Claims.Acquire", func() (v account.Claim, err error) {
		v, acquired, err = t.to.Acquire(ctx, c)
		return v, err
	})
	return held, acquired, err
}

func (t hookedClaims) Supersede(ctx context.Context, old, c account.Claim) error {
	return hookedErr(t.hook, "Claims.Supersede", func() error { return t.to.Supersede(ctx, old, c) })
}

func (t hookedClaims) Find(ctx context.Context, username string) (account.Claim, error) {
	return hooked(t.hook, "Claims.Find", func() (account.Claim, error) { return t.to.Find(ctx, username) })
}

func (t hookedClaims) Attach(ctx context.Context, c account.Claim, p account.Profile) error {
	return hookedErr(t.hook, "Claims.Attach", func() error { return t.to.Attach(ctx, c, p) })
}

func (t hookedClaims) Extend(ctx context.Context, username, attempt string, until time.Time) error {
	return hookedErr(t.hook, "Claims.Extend", func() error { return t.to.Extend(ctx, username, attempt, until) })
}

func (t hookedClaims) Settle(ctx context.Context, s account.Settlement) (bool, error) {
	return hooked(t.hook, "Claims.Settle", func() (bool, error) { return t.to.Settle(ctx, s) })
}

func (t hookedClaims) Release(ctx context.Context, username, attempt string) error {
	return hookedErr(t.hook, "Claims.Release", func() error { return t.to.Release(ctx, username, attempt) })
}

func (t hookedClaims) PutEmailChange(ctx context.Context, c account.EmailChange) error {
	return hookedErr(t.hook, "Claims.PutEmailChange", func() error { return t.to.PutEmailChange(ctx, c) })
}

func (t hookedClaims) TryEmailChange(ctx context.Context, id account.UserID) (account.EmailChange, error) {
	return hooked(t.hook, "Claims.TryEmailChange", func() (account.EmailChange, error) { return t.to.TryEmailChange(ctx, id) })
}

func (t hookedClaims) FindEmailChange(ctx context.Context, id account.UserID) (account.EmailChange, error) {
	return hooked(t.hook, "Claims.FindEmailChange", func() (account.EmailChange, error) { return t.to.FindEmailChange(ctx, id) })
}

func (t hookedClaims) MoveEmail(ctx context.Context, m account.EmailMove) (bool, error) {
	return hooked(t.hook, "Claims.MoveEmail", func() (bool, error) { return t.to.MoveEmail(ctx, m) })
}

func (t hookedClaims) DropEmailChange(ctx context.Context, id account.UserID) error {
	return hookedErr(t.hook, "Claims.DropEmailChange", func() error { return t.to.DropEmailChange(ctx, id) })
}

func (t hookedClaims) Retire(ctx context.Context, username string, id account.UserID, at time.Time) error {
	return hookedErr(t.hook, "Claims.Retire", func() error { return t.to.Retire(ctx, username, id, at) })
}

func (t hookedClaims) Erase(ctx context.Context, username string, id account.UserID) error {
	return hookedErr(t.hook, "Claims.Erase", func() error { return t.to.Erase(ctx, username, id) })
}

func (t hookedClaims) Retired(ctx context.Context) ([]account.Claim, error) {
	return hooked(t.hook, "Claims.Retired", func() ([]account.Claim, error) { return t.to.Retired(ctx) })
}

func (t hookedClaims) MarkMailed(ctx context.Context, username string, use account.MailUse, now time.Time, interval time.Duration) (bool, error) {
	return hooked(t.hook, "Claims.MarkMailed", func() (bool, error) { return t.to.MarkMailed(ctx, username, use, now, interval) })
}

func (t hookedClaims) EmailOwner(ctx context.Context, email string) (account.UserID, error) {
	return hooked(t.hook, "Claims.EmailOwner", func() (account.UserID, error) { return t.to.EmailOwner(ctx, email) })
}

func (q hookedProfiles) PutIfAbsent(ctx context.Context, p account.Profile) error {
	return hookedErr(q.hook, "Profiles.PutIfAbsent", func() error { return q.to.PutIfAbsent(ctx, p) })
}

func (q hookedProfiles) Get(ctx context.Context, id account.UserID) (account.Profile, error) {
	return hooked(q.hook, "Profiles.Get", func() (account.Profile, error) { return q.to.Get(ctx, id) })
}

func (q hookedProfiles) Update(ctx context.Context, p account.Profile) (account.Profile, error) {
	return hooked(q.hook, "Profiles.Update", func() (account.Profile, error) { return q.to.Update(ctx, p) })
}

func (q hookedProfiles) Delete(ctx context.Context, id account.UserID) error {
	return hookedErr(q.hook, "Profiles.Delete", func() error { return q.to.Delete(ctx, id) })
}

func (l hookedDenials) DenyUser(ctx context.Context, id account.UserID, began, until time.Time) error {
	return hookedErr(l.hook, "Denials.DenyUser", func() error { return l.to.DenyUser(ctx, id, began, until) })
}

func (l hookedDenials) DenySession(ctx context.Context, session string, until time.Time) error {
	return hookedErr(l.hook, "Denials.DenySession", func() error { return l.to.DenySession(ctx, session, until) })
}

func (l hookedDenials) Denied(ctx context.Context, who account.Identity) (bool, error) {
	return hooked(l.hook, "Denials.Denied", func() (bool, error) { return l.to.Denied(ctx, who) })
}

func (c hookedCounters) Take(ctx context.Context, key string, l account.Limit, keep time.Duration, now time.Time) (account.Taken, error) {
	return hooked(c.hook, "Counters.Take", func() (account.Taken, error) { return c.to.Take(ctx, key, l, keep, now) })
}

func (c hookedCounters) Trust(ctx context.Context, key string, until time.Time) error {
	return hookedErr(c.hook, "Counters.Trust", func() error { return c.to.Trust(ctx, key, until) })
}

func (c hookedCounters) Refund(ctx context.Context, key string, l account.Limit) error {
	return hookedErr(c.hook, "Counters.Refund", func() error { return c.to.Refund(ctx, key, l) })
}

func (k hookedRecords) Begin(ctx context.Context, r account.Record, now time.Time) (standing account.Record, begun bool, err error) {
	standing, err = hooked(k.hook, "Records.Begin", func() (v account.Record, err error) {
		v, begun, err = k.to.Begin(ctx, r, now)
		return v, err
	})
	return standing, begun, err
}

func (k hookedRecords) Finish(ctx context.Context, r account.Record) error {
	return hookedErr(k.hook, "Records.Finish", func() error { return k.to.Finish(ctx, r) })
}

func (k hookedRecords) Abandon(ctx context.Context, r account.Record) error {
	return hookedErr(k.hook, "Records.Abandon", func() error { return k.to.Abandon(ctx, r) })
}

func (k hookedRecords) Forget(ctx context.Context, owner string, now time.Time) error {
	return hookedErr(k.hook, "Records.Forget", func() error { return k.to.Forget(ctx, owner, now) })
}

func (x hookedMailer) Send(ctx context.Context, m account.Mail) error {
	return hookedErr(x.hook, "Mailer.Send", func() error { return x.to.Send(ctx, m) })
}
