-- Tables of api-service. The set for the other database has the same names and columns.

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE, -- lower case
    name TEXT,
    password_hash TEXT NOT NULL, -- argon2id, PHC string
    created_at INTEGER NOT NULL
);

CREATE TABLE session (
    token_hash TEXT NOT NULL PRIMARY KEY, -- SHA-256 of the token, hexadecimal
    user_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX session_user_id ON session (user_id);
CREATE INDEX session_expires_at ON session (expires_at);

CREATE TABLE conversation (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES account (id),
    title TEXT,
    last_cursor BIGINT NOT NULL DEFAULT 0, -- of its events: gap-free, in commit order
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
);
CREATE INDEX conversation_user_id ON conversation (user_id, id DESC);

CREATE TABLE message (
    id TEXT NOT NULL PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversation (id),
    position BIGINT NOT NULL, -- the cursor of the event that told it: the order within the conversation
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    type TEXT NOT NULL CHECK (type IN ('text', 'clarification', 'confirmation', 'generation_result', 'error')),
    content TEXT NOT NULL,
    generation_id TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (conversation_id, position)
);

CREATE TABLE generation (
    id TEXT NOT NULL PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversation (id),
    message_id TEXT NOT NULL REFERENCES message (id),
    user_id TEXT NOT NULL REFERENCES account (id),
    type TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending_clarification', 'pending_confirmation', 'confirmed', 'queued', 'processing', 'completed', 'failed', 'cancelled')),
    prompt TEXT NOT NULL,
    parameters BLOB NOT NULL,
    clarification_questions BLOB,
    clarification_responses BLOB,
    worker_job_id TEXT,
    progress INTEGER NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    queue_position BIGINT,
    estimated_cost BLOB,
    result_url TEXT, -- unsigned
    thumbnail_url TEXT, -- unsigned
    duration DOUBLE, -- seconds
    file_size BIGINT, -- bytes
    resolution TEXT,
    format TEXT,
    processing_time DOUBLE, -- seconds
    error_code TEXT,
    error_message TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    failed_at INTEGER,
    cancelled_at INTEGER
);
CREATE INDEX generation_user_id ON generation (user_id, id DESC);
CREATE INDEX generation_conversation_id ON generation (conversation_id, id DESC);
CREATE INDEX generation_open ON generation (status, updated_at) WHERE status NOT IN ('completed', 'failed', 'cancelled');

-- What the worker's side adds to a generation.
CREATE TABLE generation_job (
    generation_id TEXT NOT NULL PRIMARY KEY REFERENCES generation (id),
    retry_of TEXT,
    stage TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    eta_seconds BIGINT,
    sequence BIGINT NOT NULL DEFAULT -1, -- of the last snapshot that was applied
    revision BIGINT NOT NULL DEFAULT 0, -- of the desired state that the worker is told
    video_key TEXT,
    thumbnail_key TEXT,
    sha256 TEXT,
    heard_at INTEGER NOT NULL -- when the worker last told something, or was told
);
CREATE INDEX generation_job_heard_at ON generation_job (heard_at);

-- I2: a terminal row never changes.
CREATE TRIGGER generation_terminal BEFORE UPDATE ON generation
    FOR EACH ROW WHEN OLD.status IN ('completed', 'failed', 'cancelled')
BEGIN
    SELECT RAISE(ABORT, 'a terminal generation never changes');
END;

-- What listeners are told, kept for a day.
CREATE TABLE event (
    conversation_id TEXT NOT NULL REFERENCES conversation (id),
    cursor BIGINT NOT NULL,
    name TEXT NOT NULL CHECK (name IN ('message.created', 'generation.updated')),
    generation_id TEXT,
    payload BLOB NOT NULL, -- the object in its GET form, links unsigned
    created_at INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, cursor)
);
CREATE INDEX event_created_at ON event (created_at);

-- The outbox of commands to the worker: one row a generation, its newest desired state (I6).
CREATE TABLE command (
    generation_id TEXT NOT NULL PRIMARY KEY REFERENCES generation (id),
    revision BIGINT NOT NULL,
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX command_next_attempt_at ON command (next_attempt_at);

-- The inbox of webhooks: what was applied, kept for seven days (I8).
CREATE TABLE inbox (
    webhook_id TEXT NOT NULL PRIMARY KEY,
    received_at INTEGER NOT NULL
);
CREATE INDEX inbox_received_at ON inbox (received_at);

CREATE TABLE idempotency_key (
    user_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL, -- SHA-256, hexadecimal
    status INTEGER, -- of the answer; absent while the first request is in flight
    answer BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, method, path, key)
);
CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at);
