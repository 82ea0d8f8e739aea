package account

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// together are the scripts that one name may mix, beside its being in one script alone:
// those that are written together (UTS #39 section 5.2, highly restrictive).
var together = [][]string{
	{"Latin", "Han", "Hiragana", "Katakana"},
	{"Latin", "Han", "Bopomofo"},
	{"Latin", "Han", "Hangul"},
}

// latinLike are the small letters of other scripts that look like Latin ones: those of UTS
// #39's intentional.txt, and what else only a font of its own tells apart.
const latinLike = "аԁеһіјкӏмопрԛѕтсуԝхѵьґгԍҽҁ" + // Cyrillic
	"αγεικνορτυχωϲϳ" + // Greek
	"ցհոօսզյ" // Armenian

// maxMarks is how many marks may stand on one letter (UTS #39 section 5.4).
const maxMarks = 4

// lookalike says why a folded username could be taken for another one, or gives "".
func lookalike(name string) string {
	if !norm.NFKC.IsNormalString(name) {
		return "must not contain characters that are other ones in another shape, such as full-width or mathematical letters"
	}
	var scripts []string
	marks, foreign := 0, false
	for _, r := range name {
		if unicode.Is(unicode.M, r) {
			if marks++; marks > maxMarks {
				return fmt.Sprintf("must not have more than %d marks on one letter", maxMarks)
			}
		} else {
			marks = 0
		}
		if s := scriptOf(r, scripts); s != "" && !slices.Contains(scripts, s) {
			scripts = append(scripts, s)
		}
		foreign = foreign || unicode.IsLetter(r) && !strings.ContainsRune(latinLike, r)
	}
	switch {
	case len(scripts) > 1 && !slices.ContainsFunc(together, func(set []string) bool {
		return !slices.ContainsFunc(scripts, func(s string) bool { return !slices.Contains(set, s) })
	}):
		slices.Sort(scripts)
		return fmt.Sprintf("must not mix letters of different scripts (%s)", strings.Join(scripts, ", "))
	case !foreign && len(scripts) > 0:
		return fmt.Sprintf("must not look as if it were in Latin letters (it is in %s)", scripts[0])
	}
	return ""
}

// scriptOf gives the script of a character, first among those given, or "" for one that
// is of all: punctuation, marks, most digits.
func scriptOf(r rune, first []string) string {
	switch {
	case r <= unicode.MaxASCII && !unicode.IsLetter(r):
		return ""
	case unicode.Is(unicode.Latin, r):
		return "Latin"
	case r >= 0x660 && r <= 0x669: // digits that Arabic, Thaana and Yezidi share
		return "Arabic"
	case unicode.In(r, unicode.Common, unicode.Inherited):
		return ""
	}
	for _, s := range first {
		if unicode.Is(unicode.Scripts[s], r) {
			return s
		}
	}
	for s, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return s
		}
	}
	return ""
}

// undot takes away the dot above a letter that has one already: i with one more looks
// like i (UTS #39 section 5.4, hidden overlays). Turkish İ becomes i by it.
func undot(s string) string {
	var last rune
	return strings.Map(func(r rune) rune {
		if r == 0x307 && unicode.Is(unicode.Soft_Dotted, last) {
			return -1
		}
		last = r
		return r
	}, s)
}
