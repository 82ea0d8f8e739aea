-- Until when a password that was given to the user signs in; null where it is their own.

ALTER TABLE users ADD COLUMN password_expires_at INTEGER;
UPDATE users SET password_expires_at = (unixepoch() + 7 * 24 * 3600) * 1000000000 WHERE password_given;
ALTER TABLE users DROP COLUMN password_given;
