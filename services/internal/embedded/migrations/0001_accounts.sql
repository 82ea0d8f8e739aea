-- Times are Unix nanoseconds, null where there is none.

-- What the directory knows.

CREATE TABLE users (
	id             TEXT PRIMARY KEY,
	username       TEXT NOT NULL UNIQUE,
	email          TEXT NOT NULL,
	email_verified INTEGER NOT NULL,
	confirmed      INTEGER NOT NULL,
	password       TEXT NOT NULL, -- argon2id, with its parameters and salt
	created_at     INTEGER NOT NULL
) STRICT;

-- At most one live code for a user and purpose; a newer one takes its place.
CREATE TABLE codes (
	user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	purpose    TEXT NOT NULL,
	salt       BLOB NOT NULL,
	hash       BLOB NOT NULL, -- HMAC-SHA-256 of the code under the salt
	tries      INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (user_id, purpose)
) STRICT, WITHOUT ROWID;

-- A session that has ended is gone.
CREATE TABLE sessions (
	id         TEXT PRIMARY KEY,     -- the tokens' origin_jti
	family     BLOB NOT NULL UNIQUE, -- SHA-256 of what all its refresh tokens begin with
	user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at INTEGER NOT NULL,     -- the tokens' auth_time
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- A session's newest refresh token, and those it replaced within the grace.
CREATE TABLE refresh_tokens (
	hash        BLOB PRIMARY KEY, -- SHA-256 of the token
	session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
	replaced_at INTEGER,
	salt        BLOB              -- what the next token was made with, once replaced
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- The newest key signs; all of them check.
CREATE TABLE signing_keys (
	id         TEXT PRIMARY KEY, -- the kid: RFC 7638 thumbprint
	private    BLOB NOT NULL,    -- PKCS #8
	created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the table `users` is on AWS: profiles by user id, claims by name, owners by
-- address. The directory's users are another system's there, so nothing refers to them.

CREATE TABLE profiles (
	user_id        TEXT PRIMARY KEY,
	username       TEXT NOT NULL,
	email          TEXT NOT NULL,
	email_verified INTEGER NOT NULL,
	created_at     INTEGER,
	updated_at     INTEGER,
	version        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claims (
	username    TEXT PRIMARY KEY,
	attempt     TEXT NOT NULL,
	token_hash  BLOB,
	user_id     TEXT NOT NULL,
	email       TEXT NOT NULL,
	confirmed   INTEGER NOT NULL,
	lease_until INTEGER,
	mailed_at   INTEGER,
	created_at  INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE email_owners (
	email   TEXT PRIMARY KEY,
	user_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
