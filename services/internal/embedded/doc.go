// Package embedded is the directory and the `users` table with no AWS behind them:
// one SQLite file that holds users, sessions, signing keys, profiles and claims. It
// behaves as Cognito and DynamoDB do behind the same ports, so that a user can run,
// test and show the services with nothing but a folder.
//
// Any number of processes on one machine may have the file open at once, as register
// and login do. The file must be on a local disk: SQLite's write-ahead log does not
// work over a network file system (https://www.sqlite.org/wal.html).
package embedded
