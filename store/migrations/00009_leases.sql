-- What one node of several does at a time: an account's connection and its outbox, the clock, the calls to payment providers.
CREATE TABLE leases (
	name     TEXT PRIMARY KEY,
	holder   TEXT NOT NULL,            -- the process; '' for nobody
	session  BIGINT NOT NULL,          -- the advisory lock that its connection holds while it lives; 0 for none
	epoch    BIGINT NOT NULL,          -- grows with each change of hands
	until_ms BIGINT NOT NULL           -- by the database's clock
);
