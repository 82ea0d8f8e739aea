// Package mail sends the services' mails: [SMTP] by a mail server, [Outbox] nowhere
// at all, for a developer's machine that has none: it shows them on the terminal and
// keeps them to be read over HTTP.
package mail
