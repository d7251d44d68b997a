-- Telling all who watch a product. What happened to it is one row of occurrences; a chore of the clock spreads that in chunks over
-- thin rows, one for each watch to be told, and the text is made when it is sent.

-- The accounts by number: a thin row has no room for their names. What waits for one account then holds up no other.
CREATE TABLE lanes (
	key     BIGKEY,
	account TEXT NOT NULL UNIQUE
);
INSERT INTO lanes (account) SELECT DISTINCT account FROM addresses ORDER BY account;

-- The lane of the watch's address; 0 while it has none.
ALTER TABLE watches ADD COLUMN lane BIGINT NOT NULL DEFAULT 0;
UPDATE watches
SET lane = COALESCE((SELECT l.key FROM addresses a JOIN lanes l ON l.account = a.account WHERE a.key = watches.address_key), 0)
WHERE address_key <> 0;

-- Spreading reads the armed watches of a product in the order in which they were made, and nothing but these. watches_price stays:
-- it tells whether there is any whose wish a price meets.
DROP INDEX watches_stock;
CREATE INDEX watches_below ON watches (product_key, lane, key, threshold_minor, quantity, currency) WHERE state = 'armed' AND event = 'price_below';
CREATE INDEX watches_back ON watches (product_key, lane, key, quantity) WHERE state = 'armed' AND event = 'back_in_stock';
DROP INDEX watches_fired;
CREATE INDEX watches_fired ON watches (product_key, event, key, currency, rearm_minor, lower_minor) WHERE state = 'fired';

ALTER TABLE occurrences ADD COLUMN state TEXT NOT NULL DEFAULT 'done'; -- arming, spreading, sending, done, cancelling, cancelled
ALTER TABLE occurrences ADD COLUMN paused BIGINT NOT NULL DEFAULT 0;
ALTER TABLE occurrences ADD COLUMN single BIGINT NOT NULL DEFAULT 0;        -- 1: for one watch, which was met when it was made
ALTER TABLE occurrences ADD COLUMN high_minor BIGINT NOT NULL DEFAULT 0;    -- the prices since arming began, which arm fired watches
ALTER TABLE occurrences ADD COLUMN low_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE occurrences ADD COLUMN cursor_lane BIGINT NOT NULL DEFAULT 0;   -- how far arming or spreading has come
ALTER TABLE occurrences ADD COLUMN cursor_key BIGINT NOT NULL DEFAULT 0;
ALTER TABLE occurrences ADD COLUMN announced BIGINT NOT NULL DEFAULT 0;     -- how many of deliveries the events have told of
ALTER TABLE occurrences ADD COLUMN was_ms BIGINT NOT NULL DEFAULT 0;        -- how far it was at the mark before the last,
ALTER TABLE occurrences ADD COLUMN was_handled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE occurrences ADD COLUMN mark_ms BIGINT NOT NULL DEFAULT 0;       -- and at the last
ALTER TABLE occurrences ADD COLUMN mark_handled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE occurrences ADD COLUMN done_ms BIGINT NOT NULL DEFAULT 0;

-- What became of the deliveries of an occurrence: sent, or why not.
CREATE TABLE tallies (
	occurrence_key BIGINT NOT NULL REFERENCES occurrences (key),
	outcome        TEXT NOT NULL,
	n              BIGINT NOT NULL,
	PRIMARY KEY (occurrence_key, outcome)
);
INSERT INTO tallies (occurrence_key, outcome, n)
SELECT occurrence_key, CASE WHEN state = 'sent' THEN 'sent' ELSE cause END, count(*)
FROM deliveries
WHERE state <> 'due'
GROUP BY occurrence_key, CASE WHEN state = 'sent' THEN 'sent' ELSE cause END;

ALTER TABLE deliveries RENAME TO deliveries_before;
CREATE TABLE deliveries (
	occurrence_key BIGINT NOT NULL,
	lane           BIGINT NOT NULL,
	watch_key      BIGINT NOT NULL,
	PRIMARY KEY (occurrence_key, lane, watch_key)
) WITHOUT ROWID;

-- Deliveries that wait for a time: the end of the night, another try. Few, beside the others.
CREATE TABLE held (
	occurrence_key BIGINT NOT NULL,
	lane           BIGINT NOT NULL,
	due_ms         BIGINT NOT NULL,
	watch_key      BIGINT NOT NULL,
	single         BIGINT NOT NULL DEFAULT 0, -- as its occurrence is
	PRIMARY KEY (occurrence_key, lane, due_ms, watch_key)
) WITHOUT ROWID;
CREATE INDEX held_single ON held (lane, due_ms) WHERE single = 1;

-- What is due is told as ever. A watch fires when it is told, not before, so that those who wait are armed again.
INSERT INTO held (occurrence_key, lane, due_ms, watch_key, single)
SELECT d.occurrence_key, w.lane, d.due_ms, d.watch_key, 1
FROM deliveries_before d
JOIN watches w ON w.key = d.watch_key
WHERE d.state = 'due';
UPDATE occurrences SET state = 'sending', single = 1 WHERE key IN (SELECT occurrence_key FROM held);
UPDATE watches SET state = 'armed' WHERE state = 'fired' AND key IN (SELECT watch_key FROM held);
UPDATE occurrences SET announced = deliveries;
DROP TABLE deliveries_before;

CREATE UNIQUE INDEX occurrences_open ON occurrences (product_key, event) WHERE single = 0 AND state IN ('arming', 'spreading', 'sending');
CREATE INDEX occurrences_spreading ON occurrences (key) WHERE state IN ('arming', 'spreading', 'cancelling');
CREATE INDEX occurrences_sending ON occurrences (merchant_id, key) WHERE single = 0 AND state IN ('spreading', 'sending');
CREATE INDEX occurrences_list ON occurrences (merchant_id, key) WHERE single <> 1;
