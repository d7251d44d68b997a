-- Notifications whose buttons are shown: what they offer is looked at until it no longer holds, and then the buttons go.

CREATE TABLE notices (
	message_key      BIGINT PRIMARY KEY REFERENCES messages (key),
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	conversation_key BIGINT NOT NULL REFERENCES conversations (key),
	account          TEXT NOT NULL,
	quote_key        BIGINT NOT NULL REFERENCES quotes (key),
	product_key      BIGINT NOT NULL REFERENCES products (key),
	watch_key        BIGINT NOT NULL DEFAULT 0,
	unit_minor       BIGINT NOT NULL,
	quantity         BIGINT NOT NULL,
	state            TEXT NOT NULL, -- standing, or why it ended
	due_ms           BIGINT NOT NULL -- when to look at it: at the latest when its quote expires
);
CREATE INDEX notices_due ON notices (account, due_ms) WHERE state = 'standing';
CREATE INDEX notices_price ON notices (product_key, unit_minor) WHERE state = 'standing';
CREATE INDEX notices_stock ON notices (product_key, quantity) WHERE state = 'standing';
CREATE INDEX notices_quote ON notices (quote_key) WHERE state = 'standing';
CREATE INDEX notices_watch ON notices (watch_key) WHERE state = 'standing';

-- 1: price or stock have changed, and notices of the product are to be looked at.
ALTER TABLE products ADD COLUMN unseen BIGINT NOT NULL DEFAULT 0;
CREATE INDEX products_unseen ON products (key) WHERE unseen = 1;
