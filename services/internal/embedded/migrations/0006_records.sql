-- Requests that may come again. Keys and owners are keyed hashes, answers are sealed under
-- a key that only whoever makes the same request can derive.

CREATE TABLE records (
	key         TEXT PRIMARY KEY,
	fingerprint BLOB NOT NULL,
	owner       TEXT NOT NULL,
	attempt     TEXT NOT NULL,
	lease_until INTEGER NOT NULL,
	answer      BLOB,
	expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX records_by_owner ON records (owner);
CREATE INDEX records_by_end ON records (expires_at);
