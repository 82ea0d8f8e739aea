-- Whether the password was given to the user, who must choose their own.

ALTER TABLE users ADD COLUMN password_given INTEGER NOT NULL DEFAULT 0;
