-- When the user said yes, whatever has become of the generation since: a second yes does nothing then.
ALTER TABLE generation_job ADD COLUMN confirmed_at INTEGER;
UPDATE generation_job SET confirmed_at = (
    SELECT COALESCE(generation.started_at, generation.updated_at) FROM generation
    WHERE generation.id = generation_job.generation_id
        AND (generation.status IN ('confirmed', 'queued', 'processing', 'completed', 'failed')
            OR generation.started_at IS NOT NULL)
);
