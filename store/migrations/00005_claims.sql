-- Which process has a part under way. One that was killed may still commit a claim after its successor has looked: the name tells.
ALTER TABLE parts ADD COLUMN claimed_by TEXT NOT NULL DEFAULT '';
