-- The schedule of a webhook that is delivered again on request begins anew: after the tries that were made before.
ALTER TABLE webhook ADD COLUMN attempts_before INTEGER NOT NULL DEFAULT 0;
