-- What goes out in lanes: 0 answers, 1 campaigns (alerts, reminders), 2 receipts. A lane is claimed in the order of its index, however
-- much waits in the others.
ALTER TABLE parts ADD COLUMN lane BIGINT NOT NULL DEFAULT 0;

UPDATE parts
SET lane = (SELECT CASE WHEN m.class = 'receipt' THEN 2 WHEN m.class IN ('notification', 'reminder') THEN 1 ELSE 0 END
	FROM messages m WHERE m.key = parts.message_key)
WHERE edit = 0 AND state NOT IN ('sent', 'delivered', 'read');

DROP INDEX parts_open;
CREATE INDEX parts_open ON parts (account, state, lane, due_ms, key) WHERE state IN ('queued', 'sending');
CREATE INDEX parts_chat ON parts (conversation_key, key) WHERE state IN ('queued', 'sending');

-- Parts that were tried and given up, until somebody has them sent again.
CREATE INDEX parts_dead ON parts (account, key) WHERE state IN ('failed', 'unknown') AND attempts > 0 AND edit = 0;

-- Reports of networks about messages whose sending is not noted yet: kept until it is.
CREATE TABLE early_receipts (
	conversation_key BIGINT NOT NULL REFERENCES conversations (key),
	network_id       TEXT NOT NULL,
	account          TEXT NOT NULL,
	state            TEXT NOT NULL,
	at_ms            BIGINT NOT NULL,
	PRIMARY KEY (conversation_key, network_id)
);
CREATE INDEX early_receipts_account ON early_receipts (account, at_ms);
