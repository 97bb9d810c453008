-- What comes nearest: it came to nothing. That it may be charged is lost.
CREATE TABLE attempt_old (
    job_id TEXT NOT NULL REFERENCES job (id),
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('submitting', 'accepted', 'rejected', 'unknown', 'failed', 'finished')),
    operation TEXT, -- the provider's name for it, once accepted
    resubmission BOOLEAN NOT NULL DEFAULT FALSE, -- made after an unknown submission
    error BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    cancel_asked_at INTEGER,
    PRIMARY KEY (job_id, number)
);
INSERT INTO attempt_old (job_id, number, state, operation, resubmission, error, created_at, updated_at, cancel_asked_at)
    SELECT job_id, number, CASE state WHEN 'lost' THEN 'failed' ELSE state END, operation, resubmission, error, created_at, updated_at, cancel_asked_at FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_old RENAME TO attempt;
CREATE INDEX attempt_accepted ON attempt (job_id) WHERE state = 'accepted' AND cancel_asked_at IS NULL;
