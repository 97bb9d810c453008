-- What comes nearest: it came to nothing. That it may be charged is lost.
UPDATE attempt SET state = 'failed' WHERE state = 'lost';
ALTER TABLE attempt DROP CONSTRAINT attempt_state_check;
ALTER TABLE attempt ADD CONSTRAINT attempt_state_check
    CHECK (state IN ('submitting', 'accepted', 'rejected', 'unknown', 'failed', 'finished'));
