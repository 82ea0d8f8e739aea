package account

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The bounds of a password, in characters (Unicode code points).
const (
	MinPassword = 8
	MaxPassword = 128
)

// NormalizePassword gives the one form of a password that the directory sees:
// Unicode NFC, so that the same keys on two keyboards make the same password
// (RFC 8265 section 4.2.2). Case and everything else stay.
func NormalizePassword(s string) string { return norm.NFC.String(s) }

// CheckPassword holds a normalized password to the rules for new ones (NIST SP
// 800-63B section 3.1.1): 8 to 128 characters, no space at either end, no control
// characters, not the username, not one of the 10,000 commonest. There are no rules
// of composition. It fails with CodeInvalid on the field "password".
func CheckPassword(password, username string) error {
	if why := weakness(password, username); why != "" {
		return ErrInvalid("password", why)
	}
	return nil
}

func weakness(password, username string) string {
	first, _ := utf8.DecodeRuneInString(password)
	last, _ := utf8.DecodeLastRuneInString(password)
	lower := strings.ToLower(password)
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "must be valid UTF-8"
	case n < MinPassword:
		return fmt.Sprintf("must have at least %d characters", MinPassword)
	case n > MaxPassword:
		return fmt.Sprintf("must have at most %d characters", MaxPassword)
	case unicode.IsSpace(first) || unicode.IsSpace(last):
		return "must not begin or end with a space"
	case strings.ContainsFunc(password, unicode.IsControl):
		return "must not contain control characters"
	case lower == strings.ToLower(username):
		return "must not be the username"
	case common()[lower]:
		return "is one of the commonest passwords; choose another"
	}
	return ""
}

//go:embed common_passwords.txt
var commonPasswords string

// common is the set of the commonest passwords, made at the first sign-up: a
// process that serves none must not pay for it when it starts.
var common = sync.OnceValue(func() map[string]bool {
	set := make(map[string]bool, 10_000)
	for p := range strings.Lines(commonPasswords) {
		set[strings.ToLower(strings.TrimSuffix(p, "\n"))] = true
	}
	return set
})
