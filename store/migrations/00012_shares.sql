-- Another node that has fewer may ask for a lease; its holder hands it on when the work under it has ended.
ALTER TABLE leases ADD COLUMN asked TEXT NOT NULL DEFAULT '';          -- the process that asks; '' for none
ALTER TABLE leases ADD COLUMN asked_session BIGINT NOT NULL DEFAULT 0; -- its advisory lock
