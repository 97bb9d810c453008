-- When a provider last told a replica that there is news of an attempt: the heartbeat of the one that runs the job
-- brings it along.
ALTER TABLE attempt ADD COLUMN noticed_at INTEGER;

-- A provider that tells of an operation knows its own name for it and no other.
CREATE INDEX attempt_operation ON attempt (operation) WHERE operation IS NOT NULL;
