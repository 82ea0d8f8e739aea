// Package token checks access tokens as Amazon Cognito shapes them, without asking
// the directory that made them: signature, issuer, client, use and times (RFC 7519,
// RFC 8725, and "Verifying JSON web tokens" of the Cognito developer guide). What it
// cannot see is that a session has ended: that, only the directory knows.
package token
