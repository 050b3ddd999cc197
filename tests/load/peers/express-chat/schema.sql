CREATE TABLE IF NOT EXISTS users (
  id uuid PRIMARY KEY,
  first_name text,
  last_name text,
  avatar_url text,
  roles text[] NOT NULL DEFAULT '{client}'
);

CREATE TABLE IF NOT EXISTS sessions (
  id uuid PRIMARY KEY,
  status text NOT NULL DEFAULT 'active',
  last_message_at timestamptz
);

CREATE TABLE IF NOT EXISTS participants (
  session_id uuid NOT NULL REFERENCES sessions,
  user_id uuid NOT NULL REFERENCES users,
  last_read_at timestamptz,
  PRIMARY KEY (session_id, user_id)
);

CREATE TABLE IF NOT EXISTS messages (
  id uuid PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions,
  sender_id uuid NOT NULL REFERENCES users,
  content text NOT NULL,
  type text NOT NULL DEFAULT 'text',
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS messages_page ON messages (session_id, created_at DESC, id DESC);

CREATE TABLE IF NOT EXISTS message_reactions (
  message_id uuid NOT NULL REFERENCES messages,
  user_id uuid NOT NULL REFERENCES users,
  reaction text NOT NULL,
  PRIMARY KEY (message_id, user_id, reaction)
);
