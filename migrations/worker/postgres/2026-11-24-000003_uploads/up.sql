-- Every picture whose upload was begun, ever, so that none is forgotten (I19).
CREATE TABLE upload (
    id TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL,
    sha256 TEXT NOT NULL, -- hexadecimal
    size BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('uploading', 'live', 'garbage')),
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    keep_until timestamptz NOT NULL
);
CREATE INDEX upload_state ON upload (state, keep_until);
