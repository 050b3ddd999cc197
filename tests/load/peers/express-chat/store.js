// What the chat asks of its database. Every statement has a name, so that pg prepares it once for each connection.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });

const ask = async (name, text, values) => (await pool.query({ name, text, values })).rows;

export async function prepare() {
  await pool.query(await readFile(new URL('schema.sql', import.meta.url), 'utf8'));
}

export async function user(id) {
  const [row] = await ask('user', 'SELECT id, first_name, last_name, avatar_url, roles FROM users WHERE id = $1', [id]);
  return row;
}

/** The caller's place in a session, or nothing when they have none. */
export async function membership(sessionId, userId) {
  const [row] = await ask('membership',
    `SELECT s.status, p.last_read_at, u.first_name, u.last_name, u.avatar_url
     FROM sessions s JOIN participants p ON p.session_id = s.id JOIN users u ON u.id = p.user_id
     WHERE s.id = $1 AND p.user_id = $2`, [sessionId, userId]);
  return row;
}

export async function addMessage(sessionId, senderId, { content, type = 'text', metadata = {} }) {
  const [row] = await ask('add',
    `INSERT INTO messages (id, session_id, sender_id, content, type, metadata) VALUES ($1, $2, $3, $4, $5, $6)
     RETURNING id, session_id, sender_id, content, type, metadata, created_at`,
    [randomUUID(), sessionId, senderId, content, type, metadata]);
  await ask('touch', 'UPDATE sessions SET last_message_at = $2 WHERE id = $1', [sessionId, row.created_at]);
  return row;
}

/** One more than `limit`, which tells whether there are older ones. */
export async function history(sessionId, limit, offset) {
  const messages = await ask('history',
    `SELECT m.id, m.session_id, m.sender_id, m.content, m.type, m.metadata, m.created_at,
            u.first_name, u.last_name, u.avatar_url
     FROM messages m JOIN users u ON u.id = m.sender_id
     WHERE m.session_id = $1 ORDER BY m.created_at DESC, m.id DESC LIMIT $2 OFFSET $3`, [sessionId, limit + 1, offset]);
  const reactions = await ask('reactions',
    `SELECT r.message_id, r.user_id, r.reaction, u.first_name, u.last_name, u.avatar_url
     FROM message_reactions r JOIN users u ON u.id = r.user_id WHERE r.message_id = ANY($1)`,
    [messages.map(({ id }) => id)]);
  return { messages, reactions };
}

export async function after(sessionId, messageId) {
  return ask('after',
    `SELECT m.id, m.session_id, m.sender_id, m.content, m.type, m.metadata, m.created_at,
            u.first_name, u.last_name, u.avatar_url
     FROM messages m JOIN users u ON u.id = m.sender_id
     WHERE m.session_id = $1 AND m.created_at > (SELECT created_at FROM messages WHERE id = $2)
     ORDER BY m.created_at, m.id LIMIT 500`, [sessionId, messageId]);
}
