DROP TABLE latency;
DROP INDEX attempt_accepted;
ALTER TABLE attempt DROP COLUMN cancel_asked_at;
