-- When an object last changed its state: the grace of garbage runs from there.
ALTER TABLE object ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
UPDATE object SET changed_at = created_at;
DROP INDEX object_state;
CREATE INDEX object_state ON object (state, key);

-- A sequence is told once.
DELETE FROM webhook WHERE EXISTS (
    SELECT 1 FROM webhook AS earlier
    WHERE earlier.job_id = webhook.job_id AND earlier.sequence = webhook.sequence AND earlier.id < webhook.id
);
DROP INDEX webhook_job_id;
CREATE UNIQUE INDEX webhook_job_id ON webhook (job_id, sequence);
