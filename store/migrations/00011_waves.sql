-- Whoever waits for a scarce product is told in waves.
ALTER TABLE products ADD COLUMN wave_told BIGINT NOT NULL DEFAULT 0;    -- for how many pieces people were told in the present one
ALTER TABLE products ADD COLUMN wave_ends_ms BIGINT NOT NULL DEFAULT 0; -- when the next begins
