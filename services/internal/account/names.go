package account

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The bounds of a username, in characters (Unicode code points) after folding, and
// of an e-mail address, in bytes (RFC 5321 section 4.5.3.1, RFC 3696 erratum 1690).
const (
	MinUsername = 3
	MaxUsername = 64
	MaxEmail    = 254
	maxLocal    = 64
	uuidLength  = 36 // other lengths are spellings that are nobody's id
)

// FoldUsername gives the one form of a username that the directory and the table
// know: Unicode NFC, case folded. The directory compares names byte by byte, so two
// spellings of a name meet here or nowhere. Folding is idempotent.
//
// A username has 3 to 64 characters: letters, marks, digits, punctuation and
// symbols, none of them invisible, in one script or in several that are written together,
// and not in letters that look like Latin ones (docs/attacks.md). None has the shape of a
// [UserID], for which Cognito would take it. One with an @ must be an
// e-mail address. Anything else fails with CodeInvalid on the field "username".
func FoldUsername(s string) (string, error) {
	folded, why := foldName(s)
	if why == "" {
		switch n := utf8.RuneCountInString(folded); {
		case n < MinUsername:
			why = fmt.Sprintf("must have at least %d characters", MinUsername)
		case n > MaxUsername:
			why = fmt.Sprintf("must have at most %d characters", MaxUsername)
		case strings.Contains(folded, "@"):
			if folded, why = foldEmail(s); why != "" {
				why = "with an @ must be an e-mail address: " + why
			} else if utf8.RuneCountInString(folded) > MaxUsername { // its domain is in ASCII now
				why = fmt.Sprintf("must have at most %d characters, its domain in ASCII", MaxUsername)
			}
		case isUUID(folded):
			why = "must not be a UUID"
		default:
			why = lookalike(folded)
		}
	}
	if why != "" {
		return "", ErrInvalid("username", why)
	}
	return folded, nil
}

// isUUID says whether a text is a UUID as it is written (RFC 9562 section 4), whatever its
// version.
func isUUID(s string) bool { return len(s) == uuidLength && uuid.Validate(s) == nil }

// FoldEmail gives the one form of an e-mail address that the table knows: the local
// part as [FoldUsername] folds a name, the domain in lower-case ASCII (RFC 5891).
// Anything that is not a plain address (RFC 5322 dot-atom, with RFC 6531's letters)
// fails with CodeInvalid on the field "email".
func FoldEmail(s string) (string, error) {
	folded, why := foldEmail(s)
	if why != "" {
		return "", ErrInvalid("email", why)
	}
	return folded, nil
}

// IsEmail says whether a folded username is an e-mail address.
func IsEmail(username string) bool { return strings.Contains(username, "@") }

// ErrInvalid is about one field, and why it breaks a rule.
func ErrInvalid(field, why string) *Error {
	return &Error{
		Code:    CodeInvalid,
		Message: "A field breaks a rule.",
		Fields:  []Field{{Name: field, Message: why}},
	}
}

// foldName gives the folded form, or why there is none.
func foldName(s string) (folded, why string) {
	if !utf8.ValidString(s) {
		return "", "must be valid UTF-8"
	}
	for _, r := range s {
		if !visible(r) {
			return "", fmt.Sprintf("must not contain white space, control or invisible characters (%U)", r)
		}
	}
	// Case folding can take a text out of NFC and NFC can bring a foldable
	// character back, so go round until nothing changes; two rounds suffice for
	// everything in Unicode, the bound is for what is to come.
	folded = norm.NFC.String(s)
	for range 4 {
		next := norm.NFC.String(undot(strings.Map(foldRune, cases.Fold().String(folded))))
		if next == folded {
			break
		}
		folded = next
	}
	// A leading mark would join with whatever stands before it on a page.
	if r, _ := utf8.DecodeRuneInString(folded); unicode.Is(unicode.M, r) {
		return "", "must not begin with a combining mark"
	}
	return folded, ""
}

// foldRune gives one character for all that differ from r in case alone: the lower
// case of the first of them. cases.Fold, which knows that ß folds to ss, leaves out
// some that Unicode's simple folding has, such as Cherokee.
func foldRune(r rune) rune {
	first := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		first = min(first, next)
	}
	return unicode.ToLower(first)
}

// visible admits the general categories that Cognito admits in a username (L, M, S,
// N, P), less those that leave no ink: two names that look the same must not differ
// by them.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.S, unicode.N, unicode.P) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
		r != 0x2800 && r != utf8.RuneError // a symbol by category, but blank; what broken text turns into
}

func foldEmail(s string) (folded, why string) {
	if len(s) > MaxEmail {
		return "", fmt.Sprintf("must have at most %d bytes", MaxEmail)
	}
	address, err := mail.ParseAddress(s)
	if err != nil || address.Name != "" || address.Address != s || strings.ContainsAny(s, `"[]<>,;:()\`) {
		return "", "must be an address like name@example.com"
	}
	at := strings.LastIndexByte(s, '@')
	local, why := foldName(s[:at])
	if why != "" {
		return "", why
	}
	if len(local) > maxLocal {
		return "", fmt.Sprintf("must have at most %d bytes before the @", maxLocal)
	}
	domain, err := idna.Lookup.ToASCII(s[at+1:])
	if err != nil || !strings.Contains(domain, ".") {
		return "", "must have a domain like example.com after the @"
	}
	if folded = local + "@" + strings.ToLower(domain); len(folded) > MaxEmail {
		return "", fmt.Sprintf("must have at most %d bytes, its domain in ASCII", MaxEmail)
	}
	return folded, ""
}
