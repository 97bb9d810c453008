-- Operations that nobody waits for any more are called off at the provider, once each.
ALTER TABLE attempt ADD COLUMN cancel_asked_at timestamptz;
CREATE INDEX attempt_accepted ON attempt (job_id) WHERE state = 'accepted' AND cancel_asked_at IS NULL;

-- How long the videos of each model took lately.
CREATE TABLE latency (
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    seconds DOUBLE PRECISION NOT NULL, -- a running estimate
    seen BIGINT NOT NULL, -- how many it was made of
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (provider, model)
);
