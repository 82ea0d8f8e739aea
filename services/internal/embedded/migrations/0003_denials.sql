-- Whose access tokens are void before they expire.

CREATE TABLE denied_users (
	user_id    TEXT PRIMARY KEY,
	began      INTEGER NOT NULL, -- sessions that began by then, in Unix seconds as in their tokens
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE denied_sessions (
	id         TEXT PRIMARY KEY, -- the tokens' origin_jti
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX denied_sessions_by_end ON denied_sessions (expires_at);
