-- Tables of worker-service. The set for the other database has the same names and columns.

CREATE TABLE job (
    id TEXT NOT NULL PRIMARY KEY,
    generation_id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    revision BIGINT NOT NULL, -- of the desired state that was taken
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT NOT NULL,
    parameters jsonb NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0, -- greater goes first
    status TEXT NOT NULL CHECK (status IN ('pending', 'pending_confirmation', 'confirmed', 'active', 'completed', 'failed', 'cancelled')),
    stage TEXT,
    progress INTEGER NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    eta_seconds BIGINT,
    sequence BIGINT NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    retry_count INTEGER NOT NULL DEFAULT 0,
    max_retries INTEGER NOT NULL,
    run_after timestamptz,
    lease_owner TEXT,
    lease_epoch BIGINT NOT NULL DEFAULT 0, -- rises with every claim, rescue, release and cancel: the fencing token
    lease_until timestamptz, -- by the database's clock
    lost_leases INTEGER NOT NULL DEFAULT 0, -- since anything was last persisted
    result jsonb,
    error jsonb,
    discarded BOOLEAN NOT NULL DEFAULT FALSE,
    traceparent TEXT,
    created_at timestamptz NOT NULL,
    queued_at timestamptz,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz
);
CREATE INDEX job_queue ON job (priority DESC, queued_at, id) WHERE status = 'confirmed';
CREATE INDEX job_active ON job (lease_until) WHERE status = 'active';
CREATE INDEX job_active_user ON job (user_id) WHERE status = 'active';

-- A terminal job never changes its status or its outcome.
CREATE FUNCTION refuse_terminal_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a terminal job never changes: %', OLD.id USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER job_terminal BEFORE UPDATE ON job
    FOR EACH ROW WHEN (OLD.status IN ('completed', 'failed', 'cancelled') AND (NEW.status, NEW.result, NEW.error) IS DISTINCT FROM (OLD.status, OLD.result, OLD.error)) EXECUTE FUNCTION refuse_terminal_job();

-- One attempt is at most one POST to the provider (I15).
CREATE TABLE attempt (
    job_id TEXT NOT NULL REFERENCES job (id),
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('submitting', 'accepted', 'rejected', 'unknown', 'failed', 'finished')),
    operation TEXT, -- the provider's name for it, once accepted
    resubmission BOOLEAN NOT NULL DEFAULT FALSE, -- made after an unknown submission
    error jsonb,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (job_id, number)
);

-- Every object that was ever begun, so that none is forgotten (I19).
CREATE TABLE object (
    key TEXT NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES job (id),
    lease_epoch BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('uploading', 'live', 'garbage')),
    created_at timestamptz NOT NULL
);
CREATE INDEX object_job_id ON object (job_id);
CREATE INDEX object_state ON object (state, created_at);

-- The outbox of webhooks (I7).
CREATE TABLE webhook (
    id TEXT NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES job (id),
    generation_id TEXT NOT NULL,
    type TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    body TEXT NOT NULL, -- as it is signed and sent, byte for byte
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'superseded', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, -- when it is given up
    traceparent TEXT,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX webhook_due ON webhook (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_job_id ON webhook (job_id, sequence);
CREATE INDEX webhook_state ON webhook (state, id);

CREATE TABLE webhook_try (
    webhook_id TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    status INTEGER, -- of the answer, if there was one
    duration_ms BIGINT NOT NULL,
    answer TEXT, -- its beginning
    error TEXT,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (webhook_id, number)
);

-- An endpoint that answered 410 rests.
CREATE TABLE webhook_endpoint (
    url TEXT NOT NULL PRIMARY KEY,
    paused_until timestamptz NOT NULL
);

-- The ids of signed requests, remembered so that a captured one cannot be sent again.
CREATE TABLE seen_request (
    id TEXT NOT NULL PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
CREATE INDEX seen_request_seen_at ON seen_request (seen_at);

CREATE TABLE worker (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE, -- stays over restarts, so that a worker takes back its own leases
    status TEXT NOT NULL CHECK (status IN ('running', 'stopping', 'stopped')),
    started_at timestamptz NOT NULL,
    last_heartbeat timestamptz NOT NULL
);
