-- When the owner of an account began to delete it.

ALTER TABLE claims ADD COLUMN retired_at INTEGER;
CREATE INDEX claims_retired ON claims (retired_at) WHERE retired_at IS NOT NULL;
CREATE INDEX email_owners_by_user ON email_owners (user_id);
