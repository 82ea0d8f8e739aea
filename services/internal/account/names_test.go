package account_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"spillway.example/services/internal/account"
)

func TestFoldUsername(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{ // an empty want is a refusal
		{"alice", "alice"},
		{"Alice", "alice"},
		{"ALİCE", "alice"}, // a dot on i is one dot
		{"ali\u0307ce", "alice"},
		{"аlice", ""},            // Cyrillic а
		{"аӏісе", ""},            // Cyrillic alone, all of which looks Latin
		{"αιν", ""},              // Greek, the same
		{"gοοgle", ""},           // Greek omicron
		{"g\u0585\u0585gle", ""}, // Armenian oh
		{"g٥٥gle", ""},           // Arabic five
		{"ａｌｉｃｅ", ""},            // full width
		{"𝒶lice", ""},            // a mathematical letter
		{"ﬁfi", "fifi"},          // a ligature, which folds
		{"a\u0323\u0335\u0336\u0337\u0338\u0339lice", ""}, // a pile of marks
		{"алиса", "алиса"},
		{"саша2", "саша2"},
		{"ali-ce_2!", "ali-ce_2!"},
		{"tanaka田中たなかタナカー", "tanaka田中たなかタナカー"},
		{"김-kim", "김-kim"},
		{"דנה", "דנה"},
		{"नमस्ते", "नमस्ते"},
		{"สมชาย", "สมชาย"},
		{"สมชายthai", ""}, // not written together
		{"alice🙂", "alice🙂"},
		{"Straße", "strasse"},
		{"Σίσυφος", "σίσυφοσ"},
		{"e\u0301milie", "\u00e9milie"}, // NFC
		{"王小明", "王小明"},
		{"\u13a0\u13a1\u13a2", "\uab70\uab71\uab72"}, // Cherokee
		{"a.b-c_d+1", "a.b-c_d+1"},
		{"Alice@Example.COM", "alice@example.com"},
		{"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a", ""}, // a user's id
		{"7D0F6A3E-5B1C-4B7E-9A55-1F2E3D4C5B6A", ""},
		{"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5bﬀ", ""}, // one when folded
		{"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6g", "7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6g"},
		{"7d0f6a3e5b1c4b7e9a551f2e3d4c5b6a", "7d0f6a3e5b1c4b7e9a551f2e3d4c5b6a"},
		{"al", ""},
		{strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{strings.Repeat("a", 65), ""},
		{strings.Repeat("ß", 33), ""}, // 66 when folded
		{"", ""},
		{"al ice", ""},
		{"alice ", ""},
		{"al\u00a0ice", ""}, // no-break space
		{"al\tice", ""},
		{"al\u200bice", ""}, // zero width space
		{"al\u200dice", ""}, // zero width joiner
		{"al\u202eice", ""}, // right-to-left override
		{"al\u00adice", ""}, // soft hyphen
		{"al\ufe0fice", ""}, // variation selector
		{"al\u3164ice", ""}, // Hangul filler, a letter by category
		{"al\u034fice", ""}, // combining grapheme joiner
		{"al\u2800ice", ""}, // blank braille
		{"al\x00ice", ""},
		{"al\xffice", ""},
		{"\u0301alice", ""}, // nothing to combine with
		{"alice@", ""},
		{"@example.com", ""},
		{"alice@localhost", ""},
		{"alice@@example.com", ""},
		{"<alice@example.com>", ""},
		{"Alice <alice@example.com>", ""},
		{`"al ice"@example.com`, ""},
		{"alice@bücher.example", "alice@xn--bcher-kva.example"},
		{"alice@xn--bcher-kva.example", "alice@xn--bcher-kva.example"},
		{"alice@exa mple.com", ""},
		{"alice@-example.com", ""},
	}
	for _, tt := range tests {
		got, err := account.FoldUsername(tt.in)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("FoldUsername(%+q): got %+q, %v, want %+q", tt.in, got, err, tt.want)
		}
		if err != nil && field(t, err) != "username" {
			t.Errorf("FoldUsername(%+q) blames the field %q", tt.in, field(t, err))
		}
	}
}

// field gives the name of the one field that an error blames.
func field(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*account.Error](err)
	if !ok || e.Code != account.CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Message == "" {
		t.Fatalf("got %#v, want an invalid_request that blames one field", err)
	}
	return e.Fields[0].Name
}

func TestFoldUsernameProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`\pL{1,40}[\pL\pM\pN\pS\pP]{0,40}`),
			rapid.StringMatching(`[A-Za-z.+]{1,10}@[A-Za-z0-9-]{1,10}\.[a-z]{2,5}`),
			rapid.StringMatching(`[a-z]{1,20}@[a-zà-öα-ρσ-ωа-я]{1,30}\.(com|рф)`), // longer in ASCII; ß and ς have domains of their own
		).Draw(t, "name")
		once, err := account.FoldUsername(in)
		if err != nil {
			return
		}
		if n := utf8.RuneCountInString(once); n < account.MinUsername || n > account.MaxUsername {
			t.Fatalf("%q folds to %d characters", in, n)
		}
		for _, again := range []string{once, swapCase(in)} {
			twice, err := account.FoldUsername(again)
			if err != nil || twice != once {
				t.Fatalf("%+q folds to %+q, and %+q to %+q (%v)", in, once, again, twice, err)
			}
		}
	})
}

// A user's id is no name, or who is named like it would be taken for its user.
func TestFoldUsernameRefusesIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`).Draw(t, "id")
		if got, err := account.FoldUsername(id); account.CodeOf(err) != account.CodeInvalid {
			t.Fatalf("%q is a name: %q, %v", id, got, err)
		}
		for _, name := range []string{id + "x", id[:35]} {
			if _, err := account.FoldUsername(name); err != nil {
				t.Fatalf("%q is no name: %v", name, err)
			}
		}
	})
}

// swapCase gives each character another of its case orbit, where there is one.
func swapCase(s string) string { return strings.Map(unicode.SimpleFold, s) }

func TestFoldEmailProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`[a-zß-öα-ω.]{1,30}@([a-zß-öα-ωа-я]{1,30}\.){1,9}(com|рф)`).Draw(t, "email")
		once, err := account.FoldEmail(in)
		if err != nil {
			return
		}
		if twice, err := account.FoldEmail(once); err != nil || twice != once || len(once) > account.MaxEmail {
			t.Fatalf("%+q folds to %+q (%d bytes), and that to %+q (%v)", in, once, len(once), twice, err)
		}
	})
}

func TestFoldEmail(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 65) + "@example.com"
	for in, want := range map[string]string{
		"Bob@EXAMPLE.com":       "bob@example.com",
		"bob+tag@example.co.uk": "bob+tag@example.co.uk",
		long:                    "",
		"bob":                   "",
		"":                      "",
		"bob@example.com\r\nBcc: eve@example.com": "",
		strings.Repeat("a", 250) + "@b.cd":        "",
	} {
		got, err := account.FoldEmail(in)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("FoldEmail(%q): got %q, %v, want %q", in, got, err, want)
		}
		if err != nil && field(t, err) != "email" {
			t.Errorf("FoldEmail(%q) blames the field %q", in, field(t, err))
		}
	}
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for password, good := range map[string]bool{
		"correct horse battery staple": true,
		"пароль-у-меня":                true,
		"ünïcödé!":                     true, // eight characters, more bytes
		"1234567":                      false,
		"short":                        false,
		strings.Repeat("ab", 64):       true,
		strings.Repeat("ab", 64) + "c": false,
		" leading space":               false,
		"trailing space ":              false,
		"with\ta tab":                  false,
		"with\x00a nul":                false,
		"bad\xffbytes":                 false,
		"somebody":                     false, // the username
		"SomeBody":                     false,
		"password":                     false,
		"Password1":                    false,
		"QWERTYUIOP":                   false,
		"iloveyou1":                    false,
	} {
		err := account.CheckPassword(account.NormalizePassword(password), "somebody")
		if (err == nil) != good {
			t.Errorf("CheckPassword(%q): got %v, want good %v", password, err, good)
		}
		if err != nil {
			if field(t, err) != "password" {
				t.Errorf("CheckPassword(%q) blames the field %q", password, field(t, err))
			}
			if password != "password" && strings.Contains(err.Error(), password) {
				t.Errorf("CheckPassword repeats the password in %q", err)
			}
		}
	}
}

func TestNormalizePassword(t *testing.T) {
	t.Parallel()
	if a, b := account.NormalizePassword("cafe\u0301 au lait"), account.NormalizePassword("caf\u00e9 au lait"); a != b {
		t.Errorf("two spellings of one password: %+q and %+q", a, b)
	}
	if got := account.NormalizePassword("Mixed CASE"); got != "Mixed CASE" {
		t.Errorf("NormalizePassword changed %q", got)
	}
}
