-- Written to where a name is unknown, so that a refusal costs as much as for a known one.

CREATE TABLE decoy (
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	writes INTEGER NOT NULL
) STRICT;
INSERT INTO decoy (id, writes) VALUES (1, 0);
