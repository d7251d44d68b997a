-- Rows of messages, parts and events refer to what is read in the same transaction. That SQLite looks up each of these again, and
-- keeps every page as it was until it has, was a tenth of a turn; Postgres has done without since 6. The program takes the references
-- out of the schema (dropHotReferences).
SELECT 1;
