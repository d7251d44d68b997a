-- The staff desk in a messenger: a thread in a room of the shop for each conversation that was handed to a person. The thread is a
-- conversation too, so that the outbox serves it, its order and its recovery; desk_of is the key of the shopper's.

ALTER TABLE conversations ADD COLUMN desk_of BIGINT NOT NULL DEFAULT 0;
CREATE INDEX conversations_desk ON conversations (desk_of) WHERE desk_of <> 0;

-- Where a conversation stands, or is to stand, in a room.
CREATE TABLE desks (
	key              BIGKEY,
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	conversation_key BIGINT NOT NULL REFERENCES conversations (key), -- the shopper's
	account          TEXT NOT NULL,
	room             TEXT NOT NULL,
	state            TEXT NOT NULL,            -- due, asked (the network was, no answer is noted), open, lost, idle
	thread_key       BIGINT NOT NULL DEFAULT 0, -- the conversation that is the thread; 0 before the first is open
	card_key         BIGINT NOT NULL DEFAULT 0, -- the message there whose buttons hold
	seen_key         BIGINT NOT NULL DEFAULT 0, -- how far the shopper's transcript stands there
	attempts         BIGINT NOT NULL DEFAULT 0,
	problem          TEXT NOT NULL DEFAULT '',
	due_ms           BIGINT NOT NULL,
	UNIQUE (conversation_key, account, room)
);
CREATE INDEX desks_due ON desks (due_ms) WHERE state IN ('due', 'asked');

-- Who of the staff works in a messenger: an id such as telegram:12345, and the name that they have there.
CREATE TABLE desk_people (
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	id          TEXT NOT NULL,
	name        TEXT NOT NULL,
	PRIMARY KEY (merchant_id, id)
);

-- 1: the part changes what the message's part at this position has shown.
ALTER TABLE parts ADD COLUMN edit BIGINT NOT NULL DEFAULT 0;
