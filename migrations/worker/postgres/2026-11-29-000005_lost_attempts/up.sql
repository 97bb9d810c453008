-- A submission that the provider took, or most probably took, and of which there is nothing to ask or to fetch: it may
-- have been charged, and is never made again.
ALTER TABLE attempt DROP CONSTRAINT attempt_state_check;
ALTER TABLE attempt ADD CONSTRAINT attempt_state_check
    CHECK (state IN ('submitting', 'accepted', 'rejected', 'unknown', 'failed', 'finished', 'lost'));
