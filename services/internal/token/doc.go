// Package token is package verify as the domain sees it: the bearer of an access token as
// an [account.Identity], failures as the domain's errors, and the deny list asked of each
// session now and then, so that one that has ended stops to count.
package token
