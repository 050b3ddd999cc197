-- How many goals were set by each account.
CREATE TABLE counts (
    account_id uuid PRIMARY KEY,
    goals bigint NOT NULL
);
