-- What came in: a log in full, and a narrow table of hashes that tells repeats. The rows of the old table are moved by the program
-- (moveInbound), since the hashes are made there.
ALTER TABLE inbound RENAME TO inbound_before;

CREATE TABLE inbound (
	key        BIGKEY,
	hash       BIGINT NOT NULL,
	account    TEXT NOT NULL,
	chat       TEXT NOT NULL,
	network_id TEXT NOT NULL,
	at_ms      BIGINT NOT NULL
);

CREATE TABLE repeats (
	hash BIGKEY,
	log  BIGINT NOT NULL -- the key in inbound
);

-- 1: a part may be held back for later.
ALTER TABLE conversations ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
UPDATE conversations SET held = 1
WHERE key IN (SELECT conversation_key FROM parts WHERE state IN ('queued', 'sending') AND due_ms > 0);

-- Nothing looks for a merchant's latest conversations any more, and each turn had to keep the index.
DROP INDEX conversations_recent;
CREATE INDEX conversations_address ON conversations (address_key);

-- Postgres looks up what a row refers to by a query of its own for each, and locks that row: a third of what a turn costs there. Rows
-- of these tables are made by turns alone, from keys read in the same transaction. Conversations are changed by each turn, in
-- place while their page has room.
-- On Postgres: ALTER TABLE messages DROP CONSTRAINT messages_merchant_id_fkey, DROP CONSTRAINT messages_conversation_key_fkey;
-- On Postgres: ALTER TABLE parts DROP CONSTRAINT parts_message_key_fkey, DROP CONSTRAINT parts_conversation_key_fkey;
-- On Postgres: ALTER TABLE events DROP CONSTRAINT events_merchant_id_fkey;
-- On Postgres: ALTER TABLE conversations SET (fillfactor = 80);
