-- Products, who watches them, and what is offered, ordered and paid. Amounts are minor units beside their currency; 0 in a
-- limit, a counter or a reference to another table means none.

CREATE TABLE products (
	key          BIGKEY,
	merchant_id  BIGINT NOT NULL REFERENCES merchants (key),
	sku          TEXT NOT NULL,
	title        TEXT NOT NULL,
	description  TEXT NOT NULL DEFAULT '',
	url          TEXT NOT NULL DEFAULT '',
	image        TEXT NOT NULL DEFAULT '',
	currency     TEXT NOT NULL,
	price_minor  BIGINT NOT NULL CHECK (price_minor > 0),
	was_minor    BIGINT NOT NULL DEFAULT 0,
	floor_minor  BIGINT NOT NULL DEFAULT 0,
	accept_minor BIGINT NOT NULL DEFAULT 0,
	on_hand      BIGINT NOT NULL DEFAULT 0,
	held         BIGINT NOT NULL DEFAULT 0,
	version      BIGINT NOT NULL DEFAULT 1,
	created_ms   BIGINT NOT NULL,
	changed_ms   BIGINT NOT NULL,
	UNIQUE (merchant_id, sku),
	CHECK (held >= 0),
	CHECK (held <= on_hand)
);

-- on_hand and held of a product are the sums of its movements.
CREATE TABLE stock_movements (
	key         BIGKEY,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	product_key BIGINT NOT NULL REFERENCES products (key),
	on_hand     BIGINT NOT NULL,
	held        BIGINT NOT NULL,
	cause       TEXT NOT NULL, -- set, hold, release, sold, returned
	order_key   BIGINT NOT NULL DEFAULT 0,
	at_ms       BIGINT NOT NULL
);
CREATE INDEX stock_movements_product ON stock_movements (product_key, key);

CREATE TABLE prices (
	key         BIGKEY,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	product_key BIGINT NOT NULL REFERENCES products (key),
	price_minor BIGINT NOT NULL,
	currency    TEXT NOT NULL,
	at_ms       BIGINT NOT NULL
);
CREATE INDEX prices_product ON prices (product_key, at_ms);

CREATE TABLE watches (
	key             BIGKEY,
	id              TEXT NOT NULL UNIQUE,
	merchant_id     BIGINT NOT NULL REFERENCES merchants (key),
	product_key     BIGINT NOT NULL REFERENCES products (key),
	contact_key     BIGINT NOT NULL REFERENCES contacts (key),
	address_key     BIGINT NOT NULL DEFAULT 0, -- 0 while pending
	event           TEXT NOT NULL,
	fields          TEXT NOT NULL DEFAULT '{}',
	currency        TEXT NOT NULL DEFAULT '',
	threshold_minor BIGINT NOT NULL DEFAULT 0,
	rearm_minor     BIGINT NOT NULL DEFAULT 0, -- a price from here on arms a fired watch again
	lower_minor     BIGINT NOT NULL DEFAULT 0, -- and so does one down to here
	told_minor      BIGINT NOT NULL DEFAULT 0, -- the price at the latest firing
	quantity        BIGINT NOT NULL DEFAULT 1,
	not_at_night    BIGINT NOT NULL DEFAULT 0,
	state           TEXT NOT NULL, -- pending, armed, fired, cancelled
	token_hash      TEXT NOT NULL DEFAULT '',
	link_expires_ms BIGINT NOT NULL DEFAULT 0,
	epoch           BIGINT NOT NULL DEFAULT 0, -- how often it has fired
	occurrence_key  BIGINT NOT NULL DEFAULT 0, -- the latest one it fired at
	created_ms      BIGINT NOT NULL,
	changed_ms      BIGINT NOT NULL
);
CREATE UNIQUE INDEX watches_standing ON watches (contact_key, product_key, event) WHERE state IN ('armed', 'fired');
CREATE UNIQUE INDEX watches_token ON watches (token_hash) WHERE token_hash <> '';
CREATE INDEX watches_price ON watches (product_key, threshold_minor) WHERE state = 'armed' AND event = 'price_below';
CREATE INDEX watches_stock ON watches (product_key) WHERE state = 'armed' AND event = 'back_in_stock';
CREATE INDEX watches_fired ON watches (product_key, event) WHERE state = 'fired';
CREATE INDEX watches_contact ON watches (contact_key, state);

CREATE TABLE occurrences (
	key         BIGKEY,
	id          TEXT NOT NULL UNIQUE,
	merchant_id BIGINT NOT NULL REFERENCES merchants (key),
	product_key BIGINT NOT NULL REFERENCES products (key),
	event       TEXT NOT NULL,
	price_minor BIGINT NOT NULL,
	was_minor   BIGINT NOT NULL,
	currency    TEXT NOT NULL,
	available   BIGINT NOT NULL,
	deliveries  BIGINT NOT NULL,
	at_ms       BIGINT NOT NULL
);

-- One watch to be told of one occurrence: at most once an epoch.
CREATE TABLE deliveries (
	key            BIGKEY,
	merchant_id    BIGINT NOT NULL REFERENCES merchants (key),
	occurrence_key BIGINT NOT NULL REFERENCES occurrences (key),
	watch_key      BIGINT NOT NULL REFERENCES watches (key),
	epoch          BIGINT NOT NULL,
	product_key    BIGINT NOT NULL,
	contact_key    BIGINT NOT NULL,
	address_key    BIGINT NOT NULL,
	not_at_night   BIGINT NOT NULL,
	state          TEXT NOT NULL, -- due, sent, dropped
	cause          TEXT NOT NULL DEFAULT '',
	due_ms         BIGINT NOT NULL,
	done_ms        BIGINT NOT NULL DEFAULT 0,
	UNIQUE (watch_key, epoch)
);
CREATE INDEX deliveries_due ON deliveries (due_ms, key) WHERE state = 'due';

CREATE TABLE quotes (
	key              BIGKEY,
	id               TEXT NOT NULL UNIQUE,
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	product_key      BIGINT NOT NULL REFERENCES products (key),
	contact_key      BIGINT NOT NULL REFERENCES contacts (key),
	conversation_key BIGINT NOT NULL DEFAULT 0,
	quantity         BIGINT NOT NULL CHECK (quantity > 0),
	unit_minor       BIGINT NOT NULL CHECK (unit_minor > 0),
	total_minor      BIGINT NOT NULL CHECK (total_minor > 0),
	currency         TEXT NOT NULL,
	kind             TEXT NOT NULL, -- list, deal
	cause            TEXT NOT NULL DEFAULT '',
	created_ms       BIGINT NOT NULL,
	expires_ms       BIGINT NOT NULL
);
CREATE UNIQUE INDEX quotes_cause ON quotes (merchant_id, cause) WHERE cause <> '';
CREATE INDEX quotes_deals ON quotes (product_key, expires_ms) WHERE kind = 'deal';

CREATE TABLE orders (
	key              BIGKEY,
	id               TEXT NOT NULL UNIQUE,
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	quote_key        BIGINT NOT NULL REFERENCES quotes (key),
	contact_key      BIGINT NOT NULL REFERENCES contacts (key),
	conversation_key BIGINT NOT NULL DEFAULT 0,
	state            TEXT NOT NULL, -- awaiting_payment, paid, declined, cancelled, expired
	total_minor      BIGINT NOT NULL,
	currency         TEXT NOT NULL,
	provider         TEXT NOT NULL,
	outside          BIGINT NOT NULL DEFAULT 0,
	refunds          BIGINT NOT NULL DEFAULT 0,
	test             BIGINT NOT NULL DEFAULT 0,
	reference        TEXT NOT NULL DEFAULT '',
	hold_expires_ms  BIGINT NOT NULL DEFAULT 0,
	paid_ms          BIGINT NOT NULL DEFAULT 0,
	created_ms       BIGINT NOT NULL,
	changed_ms       BIGINT NOT NULL,
	UNIQUE (merchant_id, quote_key)
);
CREATE INDEX orders_contact ON orders (contact_key, key);
CREATE INDEX orders_state ON orders (merchant_id, state, key);
CREATE INDEX orders_waiting ON orders (hold_expires_ms) WHERE state = 'awaiting_payment';

CREATE TABLE order_items (
	order_key   BIGINT NOT NULL REFERENCES orders (key),
	position    BIGINT NOT NULL,
	product_key BIGINT NOT NULL REFERENCES products (key),
	sku         TEXT NOT NULL,
	quantity    BIGINT NOT NULL CHECK (quantity > 0),
	price_minor BIGINT NOT NULL,
	PRIMARY KEY (order_key, position)
);

-- The ledger: lines are added, never changed.
CREATE TABLE payments (
	key          BIGKEY,
	merchant_id  BIGINT NOT NULL REFERENCES merchants (key),
	order_key    BIGINT NOT NULL REFERENCES orders (key),
	kind         TEXT NOT NULL,
	amount_minor BIGINT NOT NULL,
	currency     TEXT NOT NULL,
	provider     TEXT NOT NULL,
	reference    TEXT NOT NULL DEFAULT '',
	cause        TEXT NOT NULL DEFAULT '',
	actor        TEXT NOT NULL DEFAULT '',
	note         TEXT NOT NULL DEFAULT '',
	at_ms        BIGINT NOT NULL
);
CREATE INDEX payments_order ON payments (order_key, key);

-- Calls to providers that are still to be made.
CREATE TABLE payment_tasks (
	key          BIGKEY,
	merchant_id  BIGINT NOT NULL REFERENCES merchants (key),
	order_key    BIGINT NOT NULL REFERENCES orders (key),
	kind         TEXT NOT NULL, -- charge, refund
	provider     TEXT NOT NULL,
	amount_minor BIGINT NOT NULL,
	currency     TEXT NOT NULL,
	reference    TEXT NOT NULL DEFAULT '',
	idem         TEXT NOT NULL UNIQUE,
	state        TEXT NOT NULL, -- due, done, dropped, failed
	attempts     BIGINT NOT NULL DEFAULT 0,
	due_ms       BIGINT NOT NULL,
	problem      TEXT NOT NULL DEFAULT ''
);
CREATE INDEX payment_tasks_order ON payment_tasks (order_key);
CREATE INDEX payment_tasks_due ON payment_tasks (due_ms) WHERE state = 'due';

CREATE TABLE offers (
	key              BIGKEY,
	id               TEXT NOT NULL UNIQUE,
	merchant_id      BIGINT NOT NULL REFERENCES merchants (key),
	product_key      BIGINT NOT NULL REFERENCES products (key),
	contact_key      BIGINT NOT NULL REFERENCES contacts (key),
	conversation_key BIGINT NOT NULL DEFAULT 0,
	quantity         BIGINT NOT NULL,
	amount_minor     BIGINT NOT NULL,
	counter_minor    BIGINT NOT NULL DEFAULT 0,
	currency         TEXT NOT NULL,
	state            TEXT NOT NULL, -- open, countered, accepted, declined, expired, void
	answer           TEXT NOT NULL, -- what the shopper was answered first
	last_try         BIGINT NOT NULL DEFAULT 0,
	quote_key        BIGINT NOT NULL DEFAULT 0,
	actor            TEXT NOT NULL DEFAULT '',
	cause            TEXT NOT NULL DEFAULT '',
	created_ms       BIGINT NOT NULL,
	changed_ms       BIGINT NOT NULL,
	expires_ms       BIGINT NOT NULL
);
CREATE UNIQUE INDEX offers_cause ON offers (merchant_id, cause) WHERE cause <> '';
CREATE INDEX offers_of ON offers (contact_key, product_key, key);
CREATE INDEX offers_state ON offers (merchant_id, state, key);
CREATE INDEX offers_waiting ON offers (expires_ms) WHERE state IN ('open', 'countered');
