-- Pictures that users have uploaded; the worker keeps them. A row is there before its picture is stored, so that the
-- places are counted.
CREATE TABLE upload (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    content_type TEXT NOT NULL CHECK (content_type IN ('image/jpeg', 'image/png')),
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL, -- hexadecimal
    stored BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX upload_user_id ON upload (user_id);
CREATE INDEX upload_expires_at ON upload (expires_at);
