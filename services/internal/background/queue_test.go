package background_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/background"
)

func TestWaitUntilAllIsDone(t *testing.T) {
	t.Parallel()
	q := background.New(background.Config{Workers: 2})
	if err := q.Wait(t.Context()); err != nil {
		t.Errorf("Wait for nothing: %v", err)
	}
	var mu sync.Mutex
	done := 0
	count := func(context.Context) { mu.Lock(); done++; mu.Unlock() }
	request, end := context.WithCancel(t.Context())
	defer end()
	for range 50 {
		err := q.Do(request, func(ctx context.Context) {
			if ctx.Err() != nil {
				t.Error("work ends with the request that asked for it")
			}
			count(ctx)
			if err := q.Do(ctx, count); err != nil { // work makes work, as a reset makes a mail
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		end()
	}
	if err := q.Wait(t.Context()); err != nil || done != 100 {
		t.Errorf("Wait: %v with %d of 100 done", err, done)
	}
}

// A queue that is full says so, one that does not end is left, and a panic is a log line.
func TestBounds(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	q := background.New(background.Config{Workers: 1, Size: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	begun, goOn := make(chan struct{}), make(chan struct{})
	if err := q.Do(t.Context(), func(context.Context) { close(begun); <-goOn; panic("of the work") }); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := q.Do(t.Context(), func(context.Context) {}); err != nil {
		t.Fatal(err)
	}
	if err := q.Do(t.Context(), func(context.Context) {}); account.CodeOf(err) != account.CodeUnavailable {
		t.Errorf("Do when full: %v, want unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait that was ended: %v", err)
	}
	close(goOn)
	if err := q.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"pending=2", "of the work"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log.String())
		}
	}
}

// What a request was promised is done, though requests are refused by then.
func TestRoomForWhatWorkAsksFor(t *testing.T) {
	t.Parallel()
	q := background.New(background.Config{Workers: 1, Size: 2})
	goOn := make(chan struct{})
	var sent mailbox
	admitted, refused := 0, 0
	for range 9 {
		err := q.Do(t.Context(), func(ctx context.Context) {
			<-goOn
			if err := q.Mailer(&sent).Send(ctx, account.Mail{}); err != nil {
				t.Errorf("a mail that was promised: %v", err)
			}
			if err := q.Do(ctx, func(context.Context) { sent.add() }); err != nil {
				t.Errorf("work that was promised: %v", err)
			}
		})
		if err == nil {
			admitted++
		} else {
			refused++
		}
	}
	close(goOn)
	if err := q.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if admitted != 3 || sent.n != 2*admitted {
		t.Errorf("%d admitted and %d refused, %d of their mails and works done; want 3, 6 and 6", admitted, refused, sent.n)
	}
}

// mailbox counts what it gets.
type mailbox struct {
	mu sync.Mutex
	n  int
}

func (m *mailbox) add() { m.mu.Lock(); m.n++; m.mu.Unlock() }

func (m *mailbox) Send(context.Context, account.Mail) error { m.add(); return nil }

// stalled is a mail server that does not answer until it is told to.
type stalled chan struct{}

func (s stalled) Send(context.Context, account.Mail) error { <-s; return nil }

// A mail server that does not answer holds up mails, and nothing else.
func TestMailHoldsUpNoOtherWork(t *testing.T) {
	t.Parallel()
	q := background.New(background.Config{Workers: 2})
	server := make(stalled)
	for range 2000 { // about as many as there may be before requests are refused, which promise more
		if err := q.Mailer(server).Send(t.Context(), account.Mail{}); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	time.AfterFunc(100*time.Millisecond, func() { // when every worker that takes mails has one
		if err := q.Do(t.Context(), func(context.Context) { close(done) }); err != nil {
			t.Error(err)
		}
	})
	<-done
	close(server)
	if err := q.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// A mail that waits to be tried again holds up no other mail.
func TestPausesHoldUpNoMail(t *testing.T) {
	t.Parallel()
	q := background.New(background.Config{Workers: 1})
	order := make(chan string, 9)
	first := true
	server := sender(func(m account.Mail) error {
		order <- m.Subject
		if m.Subject == "fails once" && first {
			first = false
			return errors.New("not now")
		}
		return nil
	})
	for _, subject := range []string{"fails once", "another"} {
		if err := q.Mailer(server).Send(t.Context(), account.Mail{Subject: subject}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // each has a timer of its own
	}
	if err := q.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(order)
	var got []string
	for s := range order {
		got = append(got, s)
	}
	if want := []string{"fails once", "another", "fails once"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

type sender func(account.Mail) error

func (f sender) Send(_ context.Context, m account.Mail) error { return f(m) }

// What is refused for good is tried once, and told.
func TestRefusedMailIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	failed := 0
	q := background.New(background.Config{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Count:  func(context.Context, string) { failed++ },
	})
	tries := 0
	server := sender(func(account.Mail) error { tries++; return fmt.Errorf("550: %w", account.ErrMailRefused) })
	if err := q.Mailer(server).Send(t.Context(), account.Mail{Subject: "Hello"}); err != nil {
		t.Fatal(err)
	}
	if err := q.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tries != 1 || failed != 1 || !strings.Contains(log.String(), "mail not sent") {
		t.Errorf("tried %d times, counted %d, log %q", tries, failed, log.String())
	}
}

// A mail that a process has not sent when it must end is counted. Other work is no mail.
func TestMailsLostAtTheEnd(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	failed := map[string]int{}
	q := background.New(background.Config{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Count:  func(_ context.Context, event string) { failed[event]++ },
	})
	if err := q.Drain(t.Context()); err != nil || len(failed) != 0 {
		t.Fatalf("Drain of nothing: %v, counted %v", err, failed)
	}
	reached, goOn := make(chan struct{}, 3), make(chan struct{})
	stalled := sender(func(account.Mail) error { reached <- struct{}{}; <-goOn; return nil })
	for range 2 {
		if err := q.Mailer(stalled).Send(t.Context(), account.Mail{To: "alice@example.com", Subject: "Hello"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Do(t.Context(), func(context.Context) { reached <- struct{}{}; <-goOn }); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-reached
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Drain that was ended: %v", err)
	}
	if failed["MailsFailed"] != 2 || !strings.Contains(log.String(), "mails=2") || strings.Contains(log.String(), "@") {
		t.Errorf("counted %v, log %q, want two mails and no address", failed, log.String())
	}
	close(goOn)
	if err := q.Drain(t.Context()); err != nil || failed["MailsFailed"] != 2 {
		t.Errorf("Drain to the end: %v, counted %v", err, failed)
	}
}

// failing is a mail server that takes only the last of so many tries.
type failing struct{ left int }

func (f *failing) Send(context.Context, account.Mail) error {
	if f.left--; f.left >= 0 {
		return errors.New("not now")
	}
	return nil
}

func TestMailIsTriedAgain(t *testing.T) {
	t.Parallel()
	for refusals, wantLog := range map[int]bool{0: false, 1: false, 9: true} {
		var log bytes.Buffer
		q := background.New(background.Config{Timeout: 2 * time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		server := &failing{left: refusals}
		if err := q.Mailer(server).Send(t.Context(), account.Mail{To: "a@example.com", Subject: "Hello"}); err != nil {
			t.Fatal(err)
		}
		if err := q.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if sent := server.left < 0; sent == wantLog || (log.Len() > 0) != wantLog || strings.Contains(log.String(), "@") {
			t.Errorf("after %d refusals: sent %v, log %q", refusals, sent, log.String())
		}
	}
}

// refuses is a mailer that sends nothing.
type refuses struct{}

func (refuses) Send(context.Context, account.Mail) error { return errors.New("refused") }

// counted are counters that note what is given back.
type counted struct {
	account.Counters
	refunds chan string
}

func (counted) Take(context.Context, string, account.Limit, time.Duration, time.Time) (account.Taken, error) {
	return account.Taken{Admitted: true}, nil
}

func (c counted) Refund(_ context.Context, key string, _ account.Limit) error {
	c.refunds <- key
	return nil
}

// sends is a directory that says that its mail will go out.
type sends struct {
	account.Directory
	mailer account.Mailer
}

func (s sends) ResendCode(ctx context.Context, username string) error {
	return s.mailer.Send(ctx, account.Mail{To: username})
}

func (sends) FindUser(_ context.Context, username string) (account.User, error) {
	return account.User{ID: "id", Username: username, Email: "alice@example.com"}, nil
}

// waiting are claims of which each waits for its code.
type waiting struct{ account.Claims }

func (waiting) Find(context.Context, string) (account.Claim, error) {
	return account.Claim{UserID: "id", Email: "alice@example.com"}, nil
}

func (waiting) EmailOwner(context.Context, string) (account.UserID, error) { return "", nil }

func (waiting) MarkMailed(context.Context, string, account.MailUse, time.Time, time.Duration) (bool, error) {
	return true, nil
}

// A mail that fails in the background, long after its answer, is given back to its budget.
func TestFailedMailIsGivenBack(t *testing.T) {
	t.Parallel()
	q := background.New(background.Config{})
	c := counted{refunds: make(chan string, 9)}
	r := account.NewRegistrar(account.RegistrarConfig{
		Directory: sends{mailer: q.Mailer(refuses{})}, Claims: waiting{}, Background: q,
		Limits: account.NewLimits(account.LimitsConfig{Counters: c, Policies: account.DefaultPolicies(), Key: []byte("key")}),
	})
	if err := r.Resend(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if err := q.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.refunds) != 2 {
		t.Errorf("%d budgets were given back, want the name's and the mailbox's", len(c.refunds))
	}
}
