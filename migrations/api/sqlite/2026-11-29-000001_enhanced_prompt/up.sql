-- What the provider is asked for in place of the prompt; the prompt stays the user's own words.
ALTER TABLE generation_job ADD COLUMN enhanced_prompt TEXT;
