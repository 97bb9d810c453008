DROP INDEX attempt_operation;
ALTER TABLE attempt DROP COLUMN noticed_at;
