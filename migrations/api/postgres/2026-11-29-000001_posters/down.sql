ALTER TABLE generation_job DROP COLUMN posters;
