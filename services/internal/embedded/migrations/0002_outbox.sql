-- The mails that would have gone out, had there been a mail server.

CREATE TABLE outbox (
	id        INTEGER PRIMARY KEY,
	recipient TEXT NOT NULL,
	subject   TEXT NOT NULL,
	text      TEXT NOT NULL,
	sent_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_recipient ON outbox (recipient);
