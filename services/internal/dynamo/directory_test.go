package dynamo_test

import (
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/dynamo"
)

// A service that is set up with the wrong user pool finds none of the table's users there,
// and clears nobody away. One with the right pool clears away whom an operator deleted.
func TestWrongDirectory(t *testing.T) {
	t.Parallel()
	s, ctx, clock := dynamo.New(client(t), table), t.Context(), &accounttest.Clock{}
	right, wrong := accounttest.NewMemory(clock.Now), accounttest.NewMemory(clock.Now)
	over := func(d account.Directory, id string) *account.Registrar {
		return account.NewRegistrar(account.RegistrarConfig{
			Directory: d, DirectoryID: id, Claims: s, Profiles: s, Mailer: right, Now: clock.Now,
		})
	}
	in := account.Registration{Username: accounttest.Name("alice"), Password: accounttest.Password}
	made, err := over(right, "right").Register(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	if _, err := over(wrong, "wrong").Register(ctx, in); account.CodeOf(err) != account.CodeUsernameTaken {
		t.Errorf("Register over the wrong directory: %v, want taken", err)
	}
	if p, err := s.Get(ctx, made.UserID); err != nil || p.Username != in.Username {
		t.Errorf("the profile: %+v, %v", p, err)
	}
	if err := right.DeleteUser(ctx, made.UserID); err != nil {
		t.Fatal(err)
	}
	if _, err := over(wrong, "wrong").Register(ctx, in); account.CodeOf(err) != account.CodeUsernameTaken {
		t.Errorf("Register over the wrong directory: %v, want taken", err)
	}
	if again, err := over(right, "right").Register(ctx, in); err != nil || again.UserID == made.UserID {
		t.Errorf("Register over the right directory, which has the user no more: %+v, %v", again, err)
	}
}
