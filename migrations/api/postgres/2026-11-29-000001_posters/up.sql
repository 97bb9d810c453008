-- The first picture of a finished video in several sizes: [{width, height, url, key}], the smallest first, the URLs
-- unsigned. Videos that were made before there were any have none.
ALTER TABLE generation_job ADD COLUMN posters jsonb;
