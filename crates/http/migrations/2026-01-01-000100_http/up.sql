-- Answers that are given again to the same Idempotency-Key.
CREATE TABLE idempotency_keys (
    id bytea PRIMARY KEY,
    body_hash bytea NOT NULL,
    answer_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

-- Token buckets that all replicas share. The theoretical arrival time says it
-- all (GCRA): a bucket whose time has passed is full and may be deleted.
CREATE TABLE rate_buckets (
    id bytea PRIMARY KEY,
    arrival timestamptz NOT NULL
);
CREATE INDEX rate_buckets_arrival ON rate_buckets (arrival);
