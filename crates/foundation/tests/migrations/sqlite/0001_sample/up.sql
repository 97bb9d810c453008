CREATE TABLE sample (
    id TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    data BLOB NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER
);
