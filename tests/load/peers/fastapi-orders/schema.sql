CREATE TABLE users (id uuid PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, role text NOT NULL);
CREATE TABLE services (
  id uuid PRIMARY KEY, kind text NOT NULL, name text NOT NULL, price bigint NOT NULL, currency text NOT NULL,
  active boolean NOT NULL DEFAULT true);
CREATE TABLE orders (
  id uuid PRIMARY KEY, service_id uuid NOT NULL REFERENCES services, client_id uuid NOT NULL REFERENCES users,
  reader_id uuid REFERENCES users, status text NOT NULL, price bigint NOT NULL, currency text NOT NULL, notes text,
  revision integer NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON orders (client_id, created_at DESC);
CREATE INDEX ON orders (reader_id, created_at DESC);
CREATE TABLE results (
  order_id uuid NOT NULL REFERENCES orders, revision integer NOT NULL, text text NOT NULL, media_ids uuid[] NOT NULL,
  submitted_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (order_id, revision));
CREATE TABLE order_history (
  id bigserial PRIMARY KEY, order_id uuid NOT NULL REFERENCES orders, at timestamptz NOT NULL DEFAULT now(),
  actor_id uuid NOT NULL, action text NOT NULL, from_status text, to_status text NOT NULL);
CREATE INDEX ON order_history (order_id, id);
CREATE TABLE events (id bigserial PRIMARY KEY, type text NOT NULL, payload jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE audit_log (
  id bigserial PRIMARY KEY, actor_id uuid NOT NULL, action text NOT NULL, target uuid NOT NULL, address text NOT NULL,
  at timestamptz NOT NULL DEFAULT now());
