-- A key is there for others to fetch before it signs, and after, until its last token has
-- expired. Whichever began to sign last, signs.
ALTER TABLE signing_keys ADD COLUMN signs_from INTEGER NOT NULL DEFAULT 0;
UPDATE signing_keys SET signs_from = created_at;
