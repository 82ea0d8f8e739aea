package accounttest

import (
	"context"
	"errors"
	"strings"

	"spillway.example/services/internal/account"
)

func lifeProfile(s *saga) {
	ctx := context.Background()
	email := Address("profile")
	who := account.Identity{UserID: s.join(email, email), Username: email}
	p, err := s.registrar.Profile(ctx, who)
	must(s.T, "Profile", p, err)
	update := func(of account.Versions, name, locale string) (account.Profile, error) {
		return s.registrar.UpdateProfile(ctx, who, of, account.ProfileChange{DisplayName: &name, Locale: &locale})
	}
	for what, tt := range map[string]struct{ name, locale, field string }{
		"a long name":            {strings.Repeat("a", account.MaxDisplayName+1), "", "display_name"},
		"a line break":           {"Ada\nLovelace", "", "display_name"},
		"a direction override":   {"Ada\u202eecalevoL", "", "display_name"},
		"what is no language":    {"Ada", "no such language", "locale"},
		"an undefined language":  {"Ada", "und", "locale"},
		"a very long one":        {"Ada", "de-" + strings.Repeat("x-abcdefgh-", 9) + "y", "locale"},
		"what is no valid UTF-8": {"Ada\xff", "", "display_name"},
	} {
		_, err := update(account.AnyVersion, tt.name, tt.locale)
		wantCode(s.T, "UpdateProfile with "+what, err, account.CodeInvalid)
		if e, _ := errors.AsType[*account.Error](err); len(e.Fields) != 1 || e.Fields[0].Name != tt.field {
			s.Errorf("UpdateProfile with %s blames %v", what, e.Fields)
		}
	}
	for what, of := range map[string]account.Versions{
		"another version": {p.Version + 1}, "no version": {},
	} {
		_, err := update(of, "Eve", "en")
		wantCode(s.T, "UpdateProfile of "+what, err, account.CodeVersionChanged)
	}
	const family = "👩\u200d👩\u200d👧"
	next, err := update(account.Versions{p.Version + 1, p.Version}, "  Ada "+family+" ", "DE-at")
	must(s.T, "UpdateProfile", next, err)
	if next.Version != p.Version+1 || next.DisplayName != "Ada "+family || next.Locale != "de-AT" || !next.UpdatedAt.Equal(s.clock.Now()) {
		s.Errorf("UpdateProfile: got %+v", next)
	}
	_, err = update(account.Versions{p.Version}, "Eve", "en")
	wantCode(s.T, "UpdateProfile of a version that is gone", err, account.CodeVersionChanged)
	// What is not named stays, and so does all that is not its owner's to change.
	none := ""
	got, err := s.registrar.UpdateProfile(ctx, who, account.AnyVersion, account.ProfileChange{Locale: &none})
	must(s.T, "UpdateProfile", got, err)
	if got.DisplayName != next.DisplayName || got.Locale != "" || got.Email != email || !got.EmailVerified || got.Username != email {
		s.Errorf("UpdateProfile of the locale alone: got %+v", got)
	}
	_, err = s.registrar.UpdateProfile(ctx, account.Identity{UserID: "nobody"}, account.AnyVersion, account.ProfileChange{})
	wantCode(s.T, "UpdateProfile of nobody", err, account.CodeNotFound)
}
