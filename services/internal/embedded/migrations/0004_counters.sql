-- Budgets of attempts. Their keys are keyed hashes, so no row says of whom it is.

CREATE TABLE counters (
	key           TEXT PRIMARY KEY,
	time0         INTEGER,
	time1         INTEGER,
	time2         INTEGER,
	trusted_until INTEGER,
	expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_by_end ON counters (expires_at);

-- Random keys that belong to the file.

CREATE TABLE secrets (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
