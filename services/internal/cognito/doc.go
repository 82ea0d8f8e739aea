// Package cognito is the directory over an Amazon Cognito user pool.
//
// The pool has plain usernames (neither UsernameAttributes nor AliasAttributes: those
// refuse or confuse names that look like addresses), its client has refresh token
// rotation and the USER_PASSWORD_AUTH flow. [Ensure] makes such a pool.
package cognito
