-- When the last mail of each use went out about a name; mailed_at is the sign-up's.

ALTER TABLE claims ADD COLUMN mailed_confirmation_at INTEGER;
ALTER TABLE claims ADD COLUMN mailed_reset_at INTEGER;
