package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/mail"
)

var alice = account.NewUser{Username: "alice", Password: accounttest.Password, Email: "alice@example.com"}

func signUp(t *testing.T, d account.Directory, u account.NewUser) account.SignedUp {
	t.Helper()
	made, err := d.SignUp(t.Context(), u)
	if err != nil {
		t.Fatalf("SignUp: %v", err)
	}
	return made
}

// wrong gives a code of the same form that is not the one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestCodeExpires(t *testing.T) {
	t.Parallel()
	clock, box := &accounttest.Clock{}, &postbox{}
	d := open(t, t.TempDir(), on(clock)).Directory(box)
	signUp(t, d, alice)
	clock.Advance(24 * time.Hour)
	wantCode(t, "Confirm after a day", d.Confirm(t.Context(), "alice", box.code(t)), account.CodeExpired)
	wantCode(t, "ResendCode", d.ResendCode(t.Context(), "alice"), "")
	clock.Advance(24*time.Hour - time.Second)
	wantCode(t, "Confirm just within a day", d.Confirm(t.Context(), "alice", box.code(t)), "")
}

func TestCodeTries(t *testing.T) {
	t.Parallel()
	box := &postbox{}
	d := open(t, t.TempDir()).Directory(box)
	signUp(t, d, alice)
	for i := range 5 {
		wantCode(t, fmt.Sprintf("wrong code %d", i+1), d.Confirm(t.Context(), "alice", wrong(box.code(t))), account.CodeMismatch)
	}
	wantCode(t, "the right code after five wrong ones", d.Confirm(t.Context(), "alice", box.code(t)), account.CodeExpired)

	// A new one starts anew, and its fifth try may be the right one.
	wantCode(t, "ResendCode", d.ResendCode(t.Context(), "alice"), "")
	for range 4 {
		wantCode(t, "wrong code", d.Confirm(t.Context(), "alice", wrong(box.code(t))), account.CodeMismatch)
	}
	wantCode(t, "the right code at the fifth try", d.Confirm(t.Context(), "alice", box.code(t)), "")
}

func TestCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	dir, box := t.TempDir(), &postbox{}
	d := open(t, dir).Directory(box)
	signUp(t, d, alice)
	wantCode(t, "Confirm", d.Confirm(t.Context(), "alice", box.code(t)), "")
	if left := column[string](t, dir, `SELECT user_id FROM codes`); len(left) != 0 {
		t.Errorf("got codes of %v after their use, want none", left)
	}
}

// TestGuessesAtOnce tries a hundred codes at once: each is counted, so that only the first
// five could have been right, and none is told of that: it would tell that there is a code.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	dir, box := t.TempDir(), &postbox{}
	one, two := open(t, dir).Directory(box), open(t, dir).Directory(box)
	signUp(t, one, alice)
	guess := wrong(box.code(t))
	results := make(chan account.Code, 100)
	for i := range 100 {
		d := one
		if i%2 == 1 {
			d = two
		}
		go func() { results <- account.CodeOf(d.Confirm(context.Background(), "alice", guess)) }()
	}
	got := map[account.Code]int{}
	for range 100 {
		got[<-results]++
	}
	if got[account.CodeMismatch] != 100 {
		t.Errorf("got %v, want 100 mismatches", got)
	}
	if tries := column[int](t, dir, `SELECT tries FROM codes`); len(tries) != 1 || tries[0] != 100 {
		t.Errorf("got %v tries, want 100", tries)
	}
	wantCode(t, "the right code after them", one.Confirm(t.Context(), "alice", box.code(t)), account.CodeExpired)
}

func TestMailFails(t *testing.T) {
	t.Parallel()
	box := &postbox{err: errors.New("no mail today")}
	d := open(t, t.TempDir()).Directory(box)
	if made := signUp(t, d, alice); made.CodeSent || made.UserID == "" {
		t.Errorf("SignUp: got %+v, want a user and no code sent", made)
	}
	wantCode(t, "ResendCode while mail fails", d.ResendCode(t.Context(), "alice"), account.CodeUnavailable)
	box.err = nil
	wantCode(t, "ResendCode", d.ResendCode(t.Context(), "alice"), "")
	wantCode(t, "Confirm", d.Confirm(t.Context(), "alice", box.code(t)), "")
}

func TestResendWithoutAddress(t *testing.T) {
	t.Parallel()
	box := &postbox{}
	d := open(t, t.TempDir()).Directory(box)
	signUp(t, d, account.NewUser{Username: "bob", Password: accounttest.Password})
	wantCode(t, "ResendCode", d.ResendCode(t.Context(), "bob"), account.CodeNotFound)
	wantCode(t, "Confirm with no code sent", d.Confirm(t.Context(), "bob", ""), account.CodeMismatch)
	if len(box.mails) != 0 {
		t.Errorf("got mails %v, want none", box.mails)
	}
}

// TestOutboxIsShared sees the mails of one process in the other, and after a restart.
func TestOutboxIsShared(t *testing.T) {
	t.Parallel()
	dir, clock := t.TempDir(), &accounttest.Clock{}
	one, two := open(t, dir, on(clock)), open(t, dir, on(clock))
	box := mail.NewOutbox(one, io.Discard)
	for i := range 12 {
		clock.Advance(time.Minute)
		for _, to := range []string{"alice@example.com", "bob@example.com"} {
			if err := box.Send(t.Context(), account.Mail{To: to, Subject: fmt.Sprint(i), Text: "text"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	mails, err := two.KeptMails(t.Context(), "alice@example.com")
	if err != nil || len(mails) != 10 || mails[0].Subject != "11" || mails[9].Subject != "2" {
		t.Fatalf("got %d mails, %v, want the newest 10, newest first: %v", len(mails), err, mails)
	}
	if want := clock.Now(); !mails[0].SentAt.Equal(want) || mails[0].To != "alice@example.com" || mails[0].Text != "text" {
		t.Errorf("got %+v, want one sent at %v", mails[0], want)
	}
	clock.Advance(24*time.Hour - 90*time.Second)
	if mails, err = two.KeptMails(t.Context(), "alice@example.com"); err != nil || len(mails) != 2 {
		t.Errorf("a day later: got %d mails, %v, want the 2 that are younger", len(mails), err)
	}
	clock.Advance(time.Hour)
	if err := box.Send(t.Context(), account.Mail{To: "carol@example.com"}); err != nil {
		t.Fatal(err)
	}
	if left := column[string](t, dir, `SELECT recipient FROM outbox`); len(left) != 1 {
		t.Errorf("got mails of %v in the file, want carol's alone", left)
	}
}
