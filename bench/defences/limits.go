package main

const (
	sessionsFile = "services/internal/account/sessions.go"
	limitsFile   = "services/internal/account/limits.go"
	unseenFile   = "services/internal/account/unseen.go"
	codesFile    = "services/internal/embedded/codes.go"
	changeFile   = "services/internal/account/change.go"
)

// limits are the defences against guessing and filling.
func limits() []defence {
	return []defence{{
		attack:  "a thousand sign-ups for one name at once",
		without: "the claim: whoever asks gets the name",
		edits: []edit{{
			"services/internal/embedded/claims.go",
			"acquired = held.Attempt == c.Attempt // by a call whose answer was lost\n\t\t\treturn decoy(ctx, tx)",
			"held, acquired = c, true\n\t\t\treturn storeClaim(ctx, tx, c)",
		}},
		tests: []string{"local.TestThousandSignUpsForOneName"},
	}, {
		attack:  "leaked credentials tried from one address on many accounts",
		without: "`guess.address`",
		edits:   []edit{{limitsFile, "if _, err := l.take(ctx, GuessAddress, client); err != nil {", "if err := error(nil); err != nil {"}},
		tests:   []string{"local.TestCredentialStuffing"},
	}, {
		attack:  "the same from thousands of addresses on one account",
		without: "`sign_in.account`",
		edits:   []edit{{limitsFile, "l.guess(short, SignInAccount, name)", `l.guess(short, "none", name)`}},
		tests:   []string{"local.TestCredentialStuffing"},
	}, {
		attack:  "locking somebody out by failing in their name",
		without: "the budget of a known address",
		edits:   []edit{{limitsFile, "if err != nil || l.Now().Before(taken.TrustedUntil) {", "if err != nil {"}},
		tests:   []string{"local.TestCredentialStuffing", "account.TestStrangersCannotLockAnAccount"},
	}, {
		attack:  "going on by the other door, or at another copy",
		without: "the client's address under Lambda, so that each door counts by itself",
		edits:   []edit{{"frontdoor/request.go", "r.RemoteAddr = e.remote(", "r.RemoteAddr = \"192.0.2.99:0\"\n\t_ = e.remote("}},
		tests:   []string{"local.TestLimitsAcrossDoors"},
	}, {
		attack:  "going on by the other door, or at another copy",
		without: "counters in the store: each process has its own",
		edits: []edit{
			{"services/internal/embedded/counters.go", `s.count(ctx, "counting an attempt", key, func`, `s.count(ctx, "counting an attempt", fmt.Sprintf("%s of %p", key, s), func`},
		},
		tests: []string{"embedded.TestCountersOfTwoProcesses"},
	}, {
		attack:  "keeping the embedded store's file busy, so that guesses go on uncounted",
		without: "the 429: a busy file is an outage, in which signing in goes on",
		edits: []edit{{
			"services/internal/embedded/counters.go", `return account.ErrThrottled(fmt.Errorf("%s: others write: %w", doing, err))`,
			"_ = fmt.Errorf\n\t\treturn failure(doing, err)",
		}},
		tests: []string{"embedded.TestBusyFileAdmitsNobodyUncounted"},
	}, {
		attack:  "a crowd of sign-ins, to have everybody wait",
		without: "how many may wait",
		edits:   []edit{{"services/internal/embedded/passwords.go", "const maxChecks = 64", "const maxChecks = 1 << 30"}},
		tests:   []string{"embedded.TestHashingIsBounded"},
	}, {
		attack:  "signing up with somebody's address, to keep their code for a new password back",
		without: "the minute of each use: one minute is for all",
		edits:   []edit{{unseenFile, "u.claims.MarkMailed(ctx, name, w.use, now, MailInterval)", "u.claims.MarkMailed(ctx, name, MailSignUp, now, MailInterval)"}},
		tests:   []string{"accounttest.RunLife/forgotten password"},
	}, {
		attack:  "a new address for each guess, written into X-Forwarded-For",
		without: "the right-most hop: the left-most counts",
		edits:   []edit{{"frontdoor/address.go", "if n--; n == 0 || comma < 0 {", "comma = -1\n\t\tall, _, _ = strings.Cut(all, \",\")\n\t\tif n--; n == 0 || comma < 0 {"}},
		tests:   []string{"local.TestForgedAddresses", "frontdoor.TestTrustedProxies"},
	}, {
		attack:  "a new address for each guess, written into X-Forwarded-For",
		without: "RemoteAddr alone: the API reads X-Forwarded-For",
		edits: []edit{{
			"services/internal/httpapi/middleware.go", "a.serve(w, r.WithContext(withClient(r.Context(), r.RemoteAddr)))",
			"remote := r.RemoteAddr\n\t\tif said := r.Header.Get(\"X-Forwarded-For\"); said != \"\" {\n\t\t\tremote = said + \":0\"\n\t\t}\n\t\ta.serve(w, r.WithContext(withClient(r.Context(), remote)))",
		}},
		tests: []string{"local.TestForgedAddresses"},
	}, {
		attack:  "a new IPv6 address of one's own network for each guess",
		without: "counting by /64",
		edits:   []edit{{"services/internal/account/client.go", "return netip.PrefixFrom(addr, 64).Masked().String()", "return addr.String()"}},
		tests:   []string{"account.TestIPv6IsCountedByNetwork"},
	}, {
		attack:  "learning which address waits, or whose it is, from whose mails are throttled",
		without: "the budget of the codes that sign-ins send: they count as those that are asked for",
		edits: []edit{{
			sessionsFile, "admitted, err := code.Unseen(ctx, mailOfSignIn, name)",
			"err := code.take(ctx, MailRecipient, string(MailConfirmation), name)\n\t\tadmitted := err == nil",
		}},
		tests: []string{"account.TestSignInsTellOfNoWaitingAddress"},
	}, {
		attack:  "learning which address waits, or whose it is, from whose mails are throttled",
		without: "the budget of the codes that go to a handle's address: they count as those that are asked for under it",
		edits:   []edit{{limitsFile, `string(use)+", unseen"`, "string(use)"}},
		tests:   []string{"account.TestHandlesTellOfNoAddress"},
	}, {
		attack:  "guessing a password as the new one of a change",
		without: "the count of the new one",
		edits:   []edit{{changeFile, "if guess, err = s.Limits.SignIn(ctx, user.Username); err != nil {", "if err = nil; err != nil {"}},
		tests:   []string{"account.TestChangePasswordIsNoFasterGuess"},
	}, {
		attack:  "learning who has an account from who is throttled",
		without: "counting a sign-in before looking for the name",
		edits: []edit{{
			sessionsFile, "guess, err := s.Limits.SignIn(ctx, name)",
			"if _, err := s.Directory.FindUser(ctx, name); CodeOf(err) == CodeNotFound {\n\t\treturn Tokens{}, ErrCredentials(err)\n\t}\n\tguess, err := s.Limits.SignIn(ctx, name)",
		}},
		tests: []string{"account.TestUnknownNamesAreCounted"},
	}, {
		attack:  "learning who has an account from who is throttled",
		without: "counting a code to confirm with before looking for the name",
		edits: []edit{{
			"services/internal/account/confirm.go", "code, err := r.Limits.Mail(ctx, MailConfirmation, name)",
			"if _, err := r.Directory.FindUser(ctx, name); CodeOf(err) == CodeNotFound {\n\t\treturn nil\n\t}\n\tcode, err := r.Limits.Mail(ctx, MailConfirmation, name)",
		}},
		tests: []string{"account.TestUnknownNamesAreCounted"},
	}, {
		attack:  "learning who has an account from who is throttled",
		without: "counting a code for a new password before looking for the name",
		edits: []edit{{
			"services/internal/account/reset.go", "code, err := s.Limits.Mail(ctx, MailReset, name)",
			"if _, err := s.Directory.FindUser(ctx, name); CodeOf(err) == CodeNotFound {\n\t\treturn nil\n\t}\n\tcode, err := s.Limits.Mail(ctx, MailReset, name)",
		}},
		tests: []string{"account.TestUnknownNamesAreCounted"},
	}, {
		attack:  "guessing codes, with all the new codes that can be had",
		without: "`code.account`",
		edits:   []edit{{limitsFile, "l.guess(ctx, CodeAccount, name, how...)", `l.guess(ctx, "none", name, how...)`}},
		tests:   []string{"local.TestCodeGuessing"},
	}, {
		attack:  "guessing codes, with all the new codes that can be had",
		without: "five tries a code",
		edits:   []edit{{codesFile, "case p.guessable() && tries > maxTries, ", "case "}},
		tests:   []string{"embedded.TestCodeTries"},
	}, {
		attack:  "guessing codes, with all the new codes that can be had",
		without: "the end of a code that was used",
		edits:   []edit{{codesFile, "DELETE FROM codes WHERE user_id = ? AND purpose = ?", "DELETE FROM codes WHERE user_id = ? AND purpose = ? AND false"}},
		tests:   []string{"embedded.TestCodeIsGoodOnce"},
	}, {
		attack:  "closing somebody's challenge by wrong answers, which takes only a name",
		without: "what tells a challenge's session from a code: five wrong answers use it up",
		edits:   []edit{{codesFile, "return p != newPassword", "return true"}},
		tests:   []string{"accounttest.RunDirectory/challenge of a temporary password"},
	}, {
		attack:  "using up, by wrong codes, what somebody may try of a second factor or for another address",
		without: "the budget of second factors: one for all codes",
		edits:   []edit{{"services/internal/account/challenge.go", `s.Limits.Code(ctx, name, "factor")`, "s.Limits.Code(ctx, name)"}},
		tests:   []string{"account.TestStrangersUseUpNoCodes"},
	}, {
		attack:  "using up, by wrong codes, what somebody may try of a second factor or for another address",
		without: "the budget of codes for another address: one for all codes",
		edits:   []edit{{"services/internal/account/email.go", `r.Limits.Code(ctx, string(who.UserID), "email")`, "r.Limits.Code(ctx, who.Username)"}},
		tests:   []string{"account.TestStrangersUseUpNoCodes"},
	}, {
		attack:  "using up, by wrong codes, what somebody may try of a second factor or for another address",
		without: "the seal of a challenge's session: any is taken",
		edits:   []edit{{"services/internal/account/challenge.go", "return session, hmac.Equal(", "return session, true || hmac.Equal("}},
		tests:   []string{"account.TestStrangersUseUpNoCodes"},
	}, {
		attack:  "filling somebody's mailbox, by many names too",
		without: "`mail.recipient`, of the name that is asked for and of the address behind it",
		edits: []edit{
			{limitsFile, "return s, s.take(ctx, MailRecipient, string(use), recipient)", "return s, nil"},
			{unseenFile, "admitted, err := sending.Unseen(ctx, w.use, user.Email); err != nil || !admitted", "err := error(nil); err != nil"},
		},
		tests: []string{"local.TestCodeGuessing"},
	}, {
		attack:  "filling somebody's mailbox, by many names too",
		without: "`mail.recipient` of an address that is asked for as a name",
		edits:   []edit{{limitsFile, "return s, s.take(ctx, MailRecipient, string(use), recipient)", "return s, nil"}},
		tests:   []string{"account.TestOneMailboxOfAName"},
	}, {
		attack:  "filling somebody's mailbox, by many names too",
		without: "once a minute for a name",
		edits:   []edit{{unseenFile, "case claimed && !due:", "case false && !due:"}},
		tests:   []string{"accounttest.RunLife/forgotten password"},
	}, {
		attack:  "filling somebody's mailbox, by many names too",
		without: "`mail.recipient` of the address behind a name",
		edits:   []edit{{unseenFile, "admitted, err := sending.Unseen(ctx, w.use, user.Email); err != nil || !admitted", "err := error(nil); err != nil"}},
		tests:   []string{"account.TestOneMailboxOfManyNames"},
	}, {
		attack:  "reading names and addresses out of the counters",
		without: "the hash of a counter's key",
		edits:   []edit{{limitsFile, "return base64.RawURLEncoding.EncodeToString(keyed(l.Key, append([]string{string(p)}, of...)...)[:18])", "return base64.RawURLEncoding.EncodeToString(l.Key) + fmt.Sprint(p, of)"}},
		tests:   []string{"account.TestCountersHoldNoNames"},
	}, {
		attack:  "reading names and addresses out of the counters",
		without: "the secret in it: whoever has the counters can try names",
		edits:   []edit{{limitsFile, "hmac.New(sha256.New, key)", "hmac.New(sha256.New, nil)"}},
		tests:   []string{"account.TestCountersHoldNoNames"},
	}}
}
