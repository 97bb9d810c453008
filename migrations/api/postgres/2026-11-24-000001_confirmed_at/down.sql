ALTER TABLE generation_job DROP COLUMN confirmed_at;
