ALTER TABLE webhook DROP COLUMN attempts_before;
