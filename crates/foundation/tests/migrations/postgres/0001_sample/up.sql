CREATE TABLE sample (
    id TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    data jsonb NOT NULL,
    at timestamptz NOT NULL,
    until timestamptz
);
