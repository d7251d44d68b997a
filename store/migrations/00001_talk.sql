-- Merchants, people, conversations and what is said in them. Keys are BIGKEY, times unix milliseconds, 0 for never.

CREATE TABLE merchants (
	key        BIGKEY,
	name       TEXT NOT NULL UNIQUE,
	title      TEXT NOT NULL,
	created_ms BIGINT NOT NULL
);

CREATE TABLE accounts (
	name        TEXT PRIMARY KEY,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	adapter     TEXT NOT NULL,
	state       TEXT NOT NULL,
	problem     TEXT NOT NULL DEFAULT '',
	changed_ms  BIGINT NOT NULL
);

CREATE TABLE account_state (
	account TEXT NOT NULL,
	name    TEXT NOT NULL,
	value   TEXT NOT NULL,
	PRIMARY KEY (account, name)
);

-- Keys that this installation made for itself.
CREATE TABLE secrets (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);

-- Flow sets are kept as they were compiled, so that a conversation ends in the version it began in.
CREATE TABLE flow_sets (
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	hash        TEXT NOT NULL,
	files       TEXT NOT NULL,
	created_ms  BIGINT NOT NULL,
	PRIMARY KEY (merchant_id, hash)
);

CREATE TABLE contacts (
	key              BIGKEY,
	id               TEXT NOT NULL UNIQUE,
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	name             TEXT NOT NULL DEFAULT '',
	language         TEXT NOT NULL DEFAULT '',
	language_source  TEXT NOT NULL DEFAULT '',
	time_zone        TEXT NOT NULL DEFAULT '',
	time_zone_source TEXT NOT NULL DEFAULT '',
	external_ids     TEXT NOT NULL DEFAULT '{}',
	created_ms       BIGINT NOT NULL
);

CREATE TABLE addresses (
	key         BIGKEY,
	id          TEXT NOT NULL UNIQUE,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	contact_key BIGINT NOT NULL REFERENCES contacts (key),
	account     TEXT NOT NULL,
	channel     TEXT NOT NULL,
	network_id  TEXT NOT NULL,
	state       TEXT NOT NULL,
	created_ms  BIGINT NOT NULL,
	UNIQUE (account, network_id)
);
CREATE INDEX addresses_contact ON addresses (contact_key);

CREATE TABLE consents (
	key         BIGKEY,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	contact_key BIGINT NOT NULL REFERENCES contacts (key),
	address_key BIGINT NOT NULL DEFAULT 0, -- 0 until the address is known: a link that was not opened yet
	purpose     TEXT NOT NULL,
	wording     TEXT NOT NULL,
	version     TEXT NOT NULL,
	evidence    TEXT NOT NULL,
	at_ms       BIGINT NOT NULL,
	revoked_ms  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX consents_contact ON consents (contact_key, purpose);

CREATE TABLE conversations (
	key         BIGKEY,
	id          TEXT NOT NULL UNIQUE,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	account     TEXT NOT NULL,
	channel     TEXT NOT NULL,
	chat        TEXT NOT NULL,
	contact_key BIGINT NOT NULL REFERENCES contacts (key),
	address_key BIGINT NOT NULL REFERENCES addresses (key),
	owner       TEXT NOT NULL DEFAULT 'bot', -- bot, waiting, or the id of a person of the staff
	reason      TEXT NOT NULL DEFAULT '',    -- why it waits
	waiting_ms  BIGINT NOT NULL DEFAULT 0,
	session     TEXT NOT NULL DEFAULT '{}',
	created_ms  BIGINT NOT NULL,
	changed_ms  BIGINT NOT NULL,
	UNIQUE (account, chat)
);
CREATE INDEX conversations_contact ON conversations (contact_key);
CREATE INDEX conversations_owned ON conversations (merchant_id, owner, waiting_ms) WHERE owner <> 'bot';
CREATE INDEX conversations_recent ON conversations (merchant_id, changed_ms);

-- What came in once does not count twice.
CREATE TABLE inbound (
	account    TEXT NOT NULL,
	chat       TEXT NOT NULL,
	network_id TEXT NOT NULL,
	at_ms      BIGINT NOT NULL,
	PRIMARY KEY (account, chat, network_id)
);

-- A turn that failed alone and again: confirmed to its network, kept with its cause, retried from here.
CREATE TABLE parked (
	key         BIGKEY,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	account     TEXT NOT NULL,
	channel     TEXT NOT NULL,
	event       TEXT NOT NULL,
	cause       TEXT NOT NULL,
	attempts    BIGINT NOT NULL DEFAULT 0,
	due_ms      BIGINT NOT NULL,
	done_ms     BIGINT NOT NULL DEFAULT 0,
	created_ms  BIGINT NOT NULL
);
CREATE INDEX parked_due ON parked (due_ms) WHERE done_ms = 0;

CREATE TABLE messages (
	key              BIGKEY,
	id               TEXT NOT NULL UNIQUE,
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	conversation_key BIGINT NOT NULL REFERENCES conversations (key),
	author           TEXT NOT NULL, -- contact, bot, system, or the id of a person of the staff
	kind             TEXT NOT NULL, -- of the event that came in; reply for what goes out
	text             TEXT NOT NULL,
	choices          TEXT NOT NULL DEFAULT '[]',
	image            TEXT NOT NULL DEFAULT '',
	context          TEXT NOT NULL DEFAULT '',
	class            TEXT NOT NULL DEFAULT '',
	network_id       TEXT NOT NULL DEFAULT '',
	created_ms       BIGINT NOT NULL
);
CREATE INDEX messages_thread ON messages (conversation_key, key);

-- The outbox: each message that goes out has one part or more.
CREATE TABLE parts (
	key              BIGKEY,
	message_key      BIGINT NOT NULL REFERENCES messages (key),
	conversation_key BIGINT NOT NULL REFERENCES conversations (key),
	account          TEXT NOT NULL,
	position         BIGINT NOT NULL,
	text             TEXT NOT NULL,
	choices          TEXT NOT NULL DEFAULT '[]',
	image            TEXT NOT NULL DEFAULT '',
	state            TEXT NOT NULL, -- queued, sending, sent, delivered, read, failed, unknown
	attempts         BIGINT NOT NULL DEFAULT 0,
	due_ms           BIGINT NOT NULL,
	network_id       TEXT NOT NULL DEFAULT '',
	problem          TEXT NOT NULL DEFAULT '',
	changed_ms       BIGINT NOT NULL
);
CREATE INDEX parts_open ON parts (account, conversation_key, key) WHERE state IN ('queued', 'sending');
CREATE INDEX parts_message ON parts (message_key);
CREATE INDEX parts_network ON parts (account, network_id) WHERE network_id <> '';

CREATE TABLE timers (
	key              BIGKEY,
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	conversation_key BIGINT NOT NULL REFERENCES conversations (key),
	event            TEXT NOT NULL, -- the name it raises
	context          TEXT NOT NULL,
	due_ms           BIGINT NOT NULL,
	done_ms          BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX timers_due ON timers (due_ms) WHERE done_ms = 0;

-- Where in a conversation the outcome of something that goes on outside (a payment) is waited for.
CREATE TABLE awaited (
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	subject          TEXT NOT NULL, -- the public id of what goes on
	conversation_key BIGINT NOT NULL REFERENCES conversations (key),
	context          TEXT NOT NULL,
	PRIMARY KEY (merchant_id, subject)
);

CREATE TABLE events (
	key         BIGKEY,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	kind        TEXT NOT NULL,
	subject     TEXT NOT NULL,
	data        TEXT NOT NULL,
	at_ms       BIGINT NOT NULL
);
CREATE INDEX events_merchant ON events (merchant_id, key);

CREATE TABLE visitors (
	id          TEXT PRIMARY KEY, -- public, grants nothing
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	secret_hash TEXT NOT NULL UNIQUE,
	created_ms  BIGINT NOT NULL
);

CREATE TABLE staff (
	id          TEXT PRIMARY KEY,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	email       TEXT NOT NULL,
	role        TEXT NOT NULL, -- merchant or admin
	created_ms  BIGINT NOT NULL,
	UNIQUE (merchant_id, email)
);

CREATE TABLE sign_ins (
	secret_hash TEXT PRIMARY KEY,
	staff_id    TEXT NOT NULL REFERENCES staff (id),
	expires_ms  BIGINT NOT NULL,
	used_ms     BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE staff_sessions (
	secret_hash TEXT PRIMARY KEY,
	staff_id    TEXT NOT NULL REFERENCES staff (id),
	created_ms  BIGINT NOT NULL,
	seen_ms     BIGINT NOT NULL,
	expires_ms  BIGINT NOT NULL
);

CREATE TABLE api_keys (
	id          TEXT PRIMARY KEY,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	name        TEXT NOT NULL,
	scopes      TEXT NOT NULL,
	secret_hash TEXT NOT NULL UNIQUE,
	created_ms  BIGINT NOT NULL,
	used_ms     BIGINT NOT NULL DEFAULT 0,
	revoked_ms  BIGINT NOT NULL DEFAULT 0
);

-- Answers to POSTs that carried an Idempotency-Key, for a day.
CREATE TABLE idempotency (
	merchant_id  BIGINT NOT NULL REFERENCES merchants (key),
	key_id       TEXT NOT NULL,
	name         TEXT NOT NULL,
	request_hash TEXT NOT NULL,
	status       BIGINT NOT NULL DEFAULT 0, -- 0 while the first request is at work
	content_type TEXT NOT NULL DEFAULT '',
	body         TEXT NOT NULL DEFAULT '',
	created_ms   BIGINT NOT NULL,
	PRIMARY KEY (merchant_id, key_id, name)
);
