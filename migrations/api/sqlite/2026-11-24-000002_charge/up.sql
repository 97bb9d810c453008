-- What videos cost their users: held at the yes, settled once the provider has accepted the submission and has not said
-- that it came to nothing, and released otherwise.
CREATE TABLE charge (
    generation_id TEXT NOT NULL PRIMARY KEY REFERENCES generation (id),
    user_id TEXT NOT NULL REFERENCES account (id),
    amount BIGINT NOT NULL, -- ten-thousandths of a US dollar
    state TEXT NOT NULL CHECK (state IN ('held', 'settled', 'released')),
    created_at INTEGER NOT NULL, -- when the user said yes: the day and the month that it counts for
    updated_at INTEGER NOT NULL
);
CREATE INDEX charge_user_id ON charge (user_id, created_at);
CREATE INDEX charge_held ON charge (created_at) WHERE state = 'held';

-- What the operator allows a user instead of what the settings say. What is NULL is as the settings say.
CREATE TABLE allowance (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    budget_per_day BIGINT, -- ten-thousandths of a US dollar
    budget_per_month BIGINT, -- likewise
    videos_per_day BIGINT,
    queued BIGINT -- videos in the making at a time
);
