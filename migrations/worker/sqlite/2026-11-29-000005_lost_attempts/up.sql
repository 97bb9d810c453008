-- A submission that the provider took, or most probably took, and of which there is nothing to ask or to fetch: it may
-- have been charged, and is never made again. SQLite changes no check of a table, so the table is made anew.
CREATE TABLE attempt_new (
    job_id TEXT NOT NULL REFERENCES job (id),
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('submitting', 'accepted', 'rejected', 'unknown', 'failed', 'finished', 'lost')),
    operation TEXT, -- the provider's name for it, once accepted
    resubmission BOOLEAN NOT NULL DEFAULT FALSE, -- made after an unknown submission
    error BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    cancel_asked_at INTEGER,
    PRIMARY KEY (job_id, number)
);
INSERT INTO attempt_new (job_id, number, state, operation, resubmission, error, created_at, updated_at, cancel_asked_at)
    SELECT job_id, number, state, operation, resubmission, error, created_at, updated_at, cancel_asked_at FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_new RENAME TO attempt;
CREATE INDEX attempt_accepted ON attempt (job_id) WHERE state = 'accepted' AND cancel_asked_at IS NULL;
