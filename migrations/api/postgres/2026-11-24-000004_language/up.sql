-- The language that a video was asked for in, so that whatever is said of it later is said in that language.
ALTER TABLE generation_job ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
