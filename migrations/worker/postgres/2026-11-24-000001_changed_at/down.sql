DROP INDEX webhook_job_id;
CREATE INDEX webhook_job_id ON webhook (job_id, sequence);
DROP INDEX object_state;
CREATE INDEX object_state ON object (state, created_at);
ALTER TABLE object DROP COLUMN changed_at;
