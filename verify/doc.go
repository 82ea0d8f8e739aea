// Package verify checks the tokens that Spillway's login gives out, in services of your
// own: those of an Amazon Cognito user pool, and those of the embedded store, which have
// the same shape. It asks nobody for each token: signature, issuer, client, use, scopes
// and times are all in it (RFC 7519, RFC 8725, and "Verifying JSON web tokens" of the
// Cognito developer guide).
//
// What a token cannot tell is that it was revoked: by a sign-out everywhere, a new
// password, or the end of the account. Give [Config] a [NewIntrospector], and a revoked
// token stops to count within half a minute; without one it counts until it expires.
//
// Keys are fetched when they are used and a quarter of an hour old, behind the back of
// whoever uses them, and count for an hour at most: a key that the issuer has withdrawn is
// good no longer than that, however long nothing came in. Where they cannot be fetched,
// and a token names a key that is not known, or those that are known are too old, the
// check fails with [ErrUnavailable]: 503 with Retry-After, CodeUnavailable of Connect. See
// [JWKS].
//
// [Verifier.Middleware] is for net/http; package verifyconnect has an interceptor for
// Connect and gRPC.
package verify
