ALTER TABLE generation_job DROP COLUMN enhanced_prompt;
