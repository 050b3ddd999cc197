DROP TABLE rate_buckets;
DROP TABLE idempotency_keys;
