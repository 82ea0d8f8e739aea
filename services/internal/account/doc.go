// Package account is the domain of the register and login services: what an
// account is, the rules for names, passwords and addresses, the saga that makes
// an account over two systems that share no transaction, and the one error type.
//
// It knows two ports and nothing of what is behind them: a [Directory] proves who
// somebody is (Amazon Cognito, or the embedded store), and the `users` table,
// seen as [Profiles] and [Claims], holds what is known of them (DynamoDB, or the
// embedded store). Package accounttest holds the behaviour that every adapter of
// these ports must show.
package account
