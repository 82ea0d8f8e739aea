package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// MaxDisplayName is the longest display name, in characters (Unicode code points).
const MaxDisplayName = 128

// Profile gives the profile of whoever a verified access token belongs to.
// CodeNotFound where the account is gone but its token has not yet expired.
func (r *Registrar) Profile(ctx context.Context, who Identity) (Profile, error) {
	p, err := r.Profiles.Get(ctx, who.UserID)
	return p, orGone(err)
}

// ProfileChange is what the owner of a profile wants changed. What is nil stays, what is
// empty goes.
type ProfileChange struct {
	DisplayName *string
	Locale      *string
}

// UpdateProfile changes the profile of whoever a verified access token belongs to, if its
// version is one of those given; AnyVersion is every one. CodeInvalid; CodeVersionChanged;
// CodeNotFound.
func (r *Registrar) UpdateProfile(ctx context.Context, who Identity, of Versions, change ProfileChange) (Profile, error) {
	if err := change.fold(); err != nil {
		return Profile{}, err
	}
	p, err := r.Profile(ctx, who)
	switch {
	case err != nil:
		return Profile{}, err
	case !of.have(p.Version):
		return Profile{}, errVersion(nil)
	}
	if change.DisplayName != nil {
		p.DisplayName = *change.DisplayName
	}
	if change.Locale != nil {
		p.Locale = *change.Locale
	}
	p.UpdatedAt = r.Now().UTC()
	p, err = r.Profiles.Update(ctx, p)
	if CodeOf(err) == CodeConflict {
		return Profile{}, errVersion(err)
	}
	return p, orGone(err)
}

// Versions are the versions of a record that a change may be of.
type Versions []int64

// AnyVersion is a change of whatever version there is.
var AnyVersion Versions

func (v Versions) have(version int64) bool {
	return v == nil || slices.Contains(v, version)
}

func errVersion(cause error) error {
	return Errorf(CodeVersionChanged, cause, "The profile has changed; read it again.")
}

// fold gives the values their one form. CodeInvalid names every field that breaks a rule.
func (c *ProfileChange) fold() error {
	var fields []Field
	if c.DisplayName != nil {
		name := norm.NFC.String(strings.TrimSpace(*c.DisplayName))
		if why := displayName(name); why != "" {
			fields = append(fields, Field{"display_name", why})
		}
		c.DisplayName = &name
	}
	if c.Locale != nil && *c.Locale != "" {
		tag, err := language.Parse(*c.Locale)
		if err != nil || tag == language.Und || len(*c.Locale) > 35 { // RFC 5646 section 4.4.1
			fields = append(fields, Field{"locale", "must be a language tag, such as de-AT"})
		}
		locale := tag.String()
		c.Locale = &locale
	}
	if len(fields) > 0 {
		return &Error{Code: CodeInvalid, Message: "Some fields break a rule.", Fields: fields}
	}
	return nil
}

// displayName says why a text is no name to show. It may look like anybody's: only the
// username tells people apart.
func displayName(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "must be valid UTF-8"
	case utf8.RuneCountInString(s) > MaxDisplayName:
		return fmt.Sprintf("must have at most %d characters", MaxDisplayName)
	}
	for _, r := range s {
		if r != ' ' && !visible(r) && r != '\u200d' && !unicode.Is(unicode.Variation_Selector, r) { // emoji are joined so
			return fmt.Sprintf("must not contain control or invisible characters (%U)", r)
		}
	}
	return ""
}
