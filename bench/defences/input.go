package main

const (
	problemFile = "services/internal/httpapi/problem.go"
	namesFile   = "services/internal/account/names.go"
	likeFile    = "services/internal/account/lookalikes.go"
	replaysFile = "services/internal/account/replays.go"
	requestFile = "services/internal/telemetry/request.go"
)

// lax has the schema of a body take members that it does not name.
const lax = "\t\t_ struct{} `json:\"-\" additionalProperties:\"true\"`\n"

// input are the defences against what is written into requests, and kept of them.
func input() []defence {
	return []defence{{
		attack:  "members that nobody may set, in any spelling",
		without: "the refusal of unknown members by sign-up",
		edits: []edit{{
			"services/register/register.go", "type registration struct {\n\thttpapi.Idempotent\n\tBody struct {\n",
			"type registration struct {\n\thttpapi.Idempotent\n\tBody struct {\n" + lax,
		}},
		tests: []string{"local.TestMassAssignment"},
	}, {
		attack:  "members that nobody may set, in any spelling",
		without: "`ValidateStrictCasing`",
		edits:   []edit{{problemFile, "huma.ValidateStrictCasing = true", "huma.ValidateStrictCasing = false"}},
		tests:   []string{"local.TestMassAssignment"},
	}, {
		attack:  "members that an operation forgot to refuse",
		without: "the refusal of unknown members by one operation",
		edits: []edit{{
			"services/register/register.go", "type resend struct {\n\thttpapi.Idempotent\n\tBody struct {\n",
			"type resend struct {\n\thttpapi.Idempotent\n\tBody struct {\n" + lax,
		}},
		tests: []string{"local.TestNoBodyTakesUnknownMembers"},
	}, {
		attack:  "line ends in headers, names, addresses, paths",
		without: "the pattern of request ids",
		edits:   []edit{{requestFile, "saneID.MatchString(id)", `id != ""`}},
		tests:   []string{"local.TestInjection"},
	}, {
		attack:  "line ends in headers, names, addresses, paths",
		without: "no control characters in names",
		edits:   []edit{{namesFile, "if !visible(r) {", "if !visible(r) && !unicode.IsControl(r) && r != ' ' {"}},
		tests:   []string{"local.TestInjection"},
	}, {
		attack:  "line ends in headers, names, addresses, paths",
		without: "no control characters in addresses, nor what net/mail refuses",
		edits: []edit{
			{namesFile, "local, why := foldName(s[:at])", "local, why := s[:at], \"\""},
			{namesFile, "address, err := mail.", "_, _ = mail."},
			{namesFile, `if err != nil || address.Name != "" || address.Address != s || strings`, "if false && strings"},
			{namesFile, "domain, err := idna.Lookup.ToASCII(s[at+1:])\n\tif err != nil ||", "domain := s[at+1:]\n\tif _, err := idna.ToASCII(domain); err != nil && false ||"},
		},
		tests: []string{"local.TestInjection"},
	}, {
		attack:  "line ends in headers, names, addresses, paths",
		without: "the log in JSON",
		edits:   []edit{{"services/internal/telemetry/log.go", "h := slog.NewJSONHandler(w, ", "h := slog.NewTextHandler(w, "}},
		tests:   []string{"local.TestInjection"},
	}, {
		attack:  "line ends in headers, names, addresses, paths",
		without: "routes in the log: it has paths",
		edits:   []edit{{requestFile, "Operation: operationUnmatched, ", "Operation: operationUnmatched, Route: r.URL.Path, "}},
		tests:   []string{"local.TestInjection"},
	}, {
		attack:  "deep, endless, huge or broken JSON",
		without: "64 KiB",
		edits:   []edit{{"services/internal/httpapi/api.go", "MaxBodyBytes: MaxBody + 1", "MaxBodyBytes: -1"}},
		tests:   []string{"local.TestHostileJSON", "local.TestOversizedBodyIsNotRead"},
	}, {
		attack:  "deep, endless, huge or broken JSON",
		without: "20 errors said",
		edits:   []edit{{problemFile, " && len(p.Errors) < maxErrors", ""}},
		tests:   []string{"local.TestHostileJSON"},
	}, {
		attack:  "deep, endless, huge or broken JSON",
		without: "short names",
		edits:   []edit{{problemFile, "if len(name) > maxFieldName {", "if false {"}},
		tests:   []string{"local.TestHostileJSON"},
	}, {
		attack:  "a name that looks like another",
		without: "folding",
		edits:   []edit{{namesFile, "strings.Map(foldRune, cases.Fold().String(folded))", "strings.Map(foldRune, cases.Fold().String(folded))[:0]+folded"}},
		tests:   []string{"local.TestLookalikeNames", "account.TestFoldUsername"},
	}, {
		attack:  "a name that looks like another",
		without: "one dot on an i",
		edits:   []edit{{likeFile, "unicode.Is(unicode.Soft_Dotted, last)", "false && unicode.Is(unicode.Soft_Dotted, last)"}},
		tests:   []string{"local.TestLookalikeNames", "account.TestFoldUsername"},
	}, {
		attack:  "a name that looks like another",
		without: "no invisible characters",
		edits:   []edit{{namesFile, "if !visible(r) {", "if !visible(r) && r <= unicode.MaxASCII {"}},
		tests:   []string{"local.TestLookalikeNames", "account.TestFoldUsername"},
	}, {
		attack:  "a name that looks like another",
		without: "one script",
		edits:   []edit{{likeFile, "case len(scripts) > 1 && ", "case false && "}},
		tests:   []string{"local.TestLookalikeNames", "account.TestFoldUsername"},
	}, {
		attack:  "a name that looks like another",
		without: "no letters alone that look Latin",
		edits:   []edit{{likeFile, "case !foreign && len(scripts) > 0:", "case false && !foreign:"}},
		tests:   []string{"account.TestFoldUsername"},
	}, {
		attack:  "a name that looks like another",
		without: "no compatibility forms",
		edits:   []edit{{likeFile, "if !norm.NFKC.IsNormalString(name) {", "if false && !norm.NFKC.IsNormalString(name) {"}},
		tests:   []string{"local.TestLookalikeNames", "account.TestFoldUsername"},
	}, {
		attack:  "a name that looks like another",
		without: "four marks on a letter",
		edits:   []edit{{likeFile, "marks++; marks > maxMarks", "marks++; false"}},
		tests:   []string{"account.TestFoldUsername"},
	}, {
		attack:  "a name that is somebody's user id, for which Cognito would take it",
		without: "no name is a UUID",
		edits:   []edit{{namesFile, "case isUUID(folded):", "case false && isUUID(folded):"}},
		tests:   []string{"account.TestFoldUsernameRefusesIDs"},
	}, {
		attack:  "a name that is somebody's user id, for which Cognito would take it",
		without: "a user of another name than asked for is nobody",
		edits:   []edit{{"services/internal/cognito/users.go", "if u.Username != username {", "if false {"}},
		tests:   []string{"cognito.TestSubIsNoUsername"},
	}, {
		attack:  "reading answers, tokens or passwords out of the records",
		without: "sealing",
		edits: []edit{
			{replaysFile, "return r.cipher(c).Seal(nil, nil, answer, []byte(of.Key))", "return answer"},
			{replaysFile, "r.cipher(c).Open(nil, nil, of.Answer, []byte(of.Key))", "of.Answer, error(nil)"},
		},
		tests: []string{"local.TestRecordsHoldNoSecret"},
	}, {
		attack:  "reading answers, tokens or passwords out of the records",
		without: "the request and its key in what seals: the service's secret alone",
		edits:   []edit{{replaysFile, `aes.NewCipher(r.derive("answer", c))`, `aes.NewCipher(keyed(r.Key, "answer"))`}},
		tests:   []string{"account.TestRecordsOpenForTheirRequestAlone"},
	}, {
		attack:  "meeting, or taking, another's idempotency key",
		without: "a key for each caller",
		edits:   []edit{{replaysFile, `r.hash("key", c.Operation, string(c.Caller), c.Key)`, `r.hash("key", c.Operation, c.Key)`}},
		tests:   []string{"local.TestReplayProblems", "local.TestReplayOfABearersRequest"},
	}, {
		attack:  "meeting, or taking, another's idempotency key",
		without: "a key for each operation",
		edits:   []edit{{replaysFile, `r.hash("key", c.Operation, string(c.Caller), c.Key)`, `r.hash("key", string(c.Caller), c.Key)`}},
		tests:   []string{"local.TestReplayAcrossDoors"},
	}, {
		attack:  "meeting, or taking, another's idempotency key",
		without: "the caller and the request in what tells a request: whoever has the key has the answer",
		edits: []edit{
			{replaysFile, `r.hash("key", c.Operation, string(c.Caller), c.Key)`, `r.hash("key", c.Operation, c.Key)`},
			{replaysFile, "return keyed(r.Key, use, c.Operation, string(c.Caller), c.Key, c.Request)", "return keyed(r.Key, use, c.Operation, c.Key)"},
		},
		tests: []string{"local.TestReplayProblems", "local.TestReplayOfABearersRequest"},
	}}
}
