package main

const (
	refreshFile = "services/internal/embedded/refresh.go"
	endFile     = "services/internal/embedded/sessions.go"
)

// sessions are the defences of sessions, from their refresh to their end.
func sessions() []defence {
	return []defence{{
		attack:  "twenty tabs that refresh at once",
		without: "the grace",
		edits:   []edit{{refreshFile, "case now.Sub(replaced) >= grace:", "case true || now.Sub(replaced) >= grace:"}},
		tests:   []string{"local.TestRefreshRaceAndReplay", "embedded.TestTabsAtOnce", "embedded.TestRefreshModel"},
	}, {
		attack:  "twenty tabs that refresh at once",
		without: "the same next one for all",
		edits:   []edit{{refreshFile, "case replaced.IsZero() && t != came:", "case false && t != came:"}},
		tests:   []string{"local.TestRefreshRaceAndReplay", "embedded.TestTabsAtOnce", "embedded.TestRefreshModel"},
	}, {
		attack:  "long chains of refresh tokens, which hold up all who write",
		without: "how often a token is replaced within the grace",
		edits:   []edit{{refreshFile, "case recent >= rotations:", "case recent >= 1000*rotations:"}},
		tests:   []string{"embedded.TestRefreshChainsEnd"},
	}, {
		attack:  "playing a stolen refresh token again",
		without: "the end of the grace",
		edits:   []edit{{refreshFile, "case now.Sub(replaced) >= grace:", "case false && now.Sub(replaced) >= grace:"}},
		tests:   []string{"local.TestRefreshRaceAndReplay", "embedded.TestReuseEndsTheSession"},
	}, {
		attack:  "playing a stolen refresh token again",
		without: "the end of the session",
		edits:   []edit{{refreshFile, "return d.endSession(ctx, tx, ses.id)", "return nil"}},
		tests:   []string{"local.TestRefreshRaceAndReplay", "embedded.TestReuseEndsTheSession"},
	}, {
		attack:  "playing a stolen refresh token again",
		without: "the end of its access tokens",
		edits:   []edit{{endFile, "return d.store.denySession(ctx, tx, id, d.store.Now().Add(account.DenialLifetime))", "return nil"}},
		tests:   []string{"local.TestRefreshRaceAndReplay"},
	}, {
		attack:  "playing a stolen refresh token again",
		without: "the end of the session at Cognito",
		edits:   []edit{{"services/internal/cognito/directory.go", "errors.Join(err, d.SignOut(ctx, refreshToken))", "errors.Join(err, ctx.Err())"}},
		tests:   []string{"cognito.TestRotation"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "the deny list: nobody asks it",
		edits: []edit{
			{"services/internal/token/verifier.go", "config.Revocations = list{c.Denials}", "_ = list{c.Denials}"},
			{"services/internal/token/verifier.go", "if !good || denied {", "if !good || denied && false {"},
		},
		tests: []string{"local.TestSignOutStopsAccessTokens", "token.TestSignOutReachesVerifiers"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "a look at it every ten seconds: one answer is for good",
		edits:   []edit{{revocationsFile, "fresh: within / 3", "fresh: within * 3"}},
		tests:   []string{"local.TestSignOutStopsAccessTokens", "token.TestSignOutReachesVerifiers", "verify.TestRevokedWithin"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "what closes while it is away",
		edits:   []edit{{revocationsFile, "if there && r.clock.since(kept.asked) < r.stale {", "if there {"}},
		tests:   []string{"verify.TestRevokedWithin", "token.TestDenyListAway"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "the entry that a sign-out makes in the embedded store",
		edits:   []edit{{endFile, "return d.store.denySession(ctx, tx, id, d.store.Now().Add(account.DenialLifetime))", "return nil"}},
		tests:   []string{"local.TestSignOutStopsAccessTokens"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "the entry that a sign-out makes by the access token, for Cognito",
		edits:   []edit{{sessionsFile, "return s.Revoker.RevokeSession(ctx, who.SessionID)", "_ = who\n\t\treturn nil"}},
		tests:   []string{"account.TestSignOutVoidsAccessTokens"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "the entry that a sign-out everywhere makes, and those of its sessions",
		edits: []edit{{
			"services/internal/embedded/sessions.go", "SELECT id, ? FROM sessions WHERE user_id = ?\n\t\tON CONFLICT (id)",
			"SELECT id, ? FROM sessions WHERE user_id = ? AND false\n\t\tON CONFLICT (id)",
		}, {sessionsFile, "return s.Revoker.RevokeUser(ctx, user.ID, func(ctx context.Context) error {\n\t\treturn s.Directory.SignOutEverywhere(ctx, accessToken)\n\t})", "_ = user\n\treturn s.Directory.SignOutEverywhere(ctx, accessToken)"}},
		tests: []string{"local.TestSignOutStopsAccessTokens"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "the entry that a new password makes by a code, and a temporary one",
		edits:   []edit{{"services/internal/account/reset.go", "return s.Revoker.RevokeUser(ctx, user.ID, end)", "_ = user\n\tif end == nil {\n\t\treturn nil\n\t}\n\treturn end(ctx)"}},
		tests:   []string{"accounttest.RunLife/forgotten password", "accounttest.RunLife/challenge"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "the entry that a changed password makes",
		edits:   []edit{{changeFile, "if err := s.SignOutEverywhere(ctx, accessToken); err != nil {", "if err := s.Directory.SignOutEverywhere(ctx, accessToken); err != nil {"}},
		tests:   []string{"accounttest.RunLife/change the password"},
	}, {
		attack:  "going on with an access token after the sign-out, the new password, the end of the account",
		without: "the entry that the end of an account makes",
		edits:   []edit{{"services/internal/account/delete.go", "if r.Revoker != nil {", "if false {"}},
		tests:   []string{"accounttest.RunLife/delete"},
	}, {
		attack:  "signing in while a sign-out everywhere is under way, to keep that access token",
		without: "the second entry, once the sessions have ended",
		edits:   []edit{{"services/internal/account/denials.go", "ended.After(began) {", "ended.After(began) && false {"}},
		tests:   []string{"account.TestSignOutEverywhereInTheMiddle", "account.TestRevokeUser"},
	}, {
		attack:  "signing everybody else out by a token that was revoked",
		without: "asking the directory first: what the token says counts",
		edits: []edit{{
			sessionsFile, "user, err := s.Directory.GetUser(ctx, accessToken)",
			"who, err := s.Verifier.(interface {\n\t\tOffline(ctx context.Context, accessToken string) (Identity, error)\n\t}).Offline(ctx, accessToken)\n\tuser := User{ID: who.UserID}",
		}},
		tests: []string{"local.TestSignOutStopsAccessTokens"},
	}}
}
