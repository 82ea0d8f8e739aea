-- The address that an account is to have, until it is proven.

CREATE TABLE email_changes (
	user_id    TEXT PRIMARY KEY,
	email_from TEXT NOT NULL,
	email_to   TEXT NOT NULL,
	salt       BLOB NOT NULL,
	hash       BLOB NOT NULL, -- HMAC-SHA-256 of the code under the salt
	tries      INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
