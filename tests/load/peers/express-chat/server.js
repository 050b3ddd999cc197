// A chat on Express, socket.io and PostgreSQL. PORT, DATABASE_URL and JWT_SECRET come from the environment.
import { createServer } from 'node:http';

import express from 'express';
import jwt from 'jsonwebtoken';
import { Server } from 'socket.io';

import * as store from './store.js';

const { PORT = 3000, JWT_SECRET } = process.env;
const app = express();
const server = createServer(app);
const io = new Server(server, { serveClient: false });
app.disable('x-powered-by');
app.use(express.json({ limit: '64kb' }));

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

function verified(token) {
  try {
    return jwt.verify(token, JWT_SECRET, { algorithms: ['HS256'] });
  } catch {
    throw new Refused(401, 'INVALID_TOKEN', 'Sign in again');
  }
}

async function member(sessionId, userId) {
  const found = await store.membership(sessionId, userId);
  if (!found) throw new Refused(403, 'CHAT_ACCESS_DENIED', 'This conversation is not yours');
  return found;
}

const profile = ({ first_name, last_name, avatar_url }) => ({ first_name, last_name, avatar_url });

const shown = (message, sender, isRead, reactions) => ({
  id: message.id,
  session_id: message.session_id,
  sender_id: message.sender_id,
  content: message.content,
  type: message.type,
  file_url: null,
  file_name: null,
  file_size: null,
  is_read: isRead,
  metadata: message.metadata,
  created_at: message.created_at,
  profiles: profile(sender),
  message_reactions: reactions,
});

const told = (message, sender) => ({
  id: message.id,
  session_id: message.session_id,
  content: message.content,
  type: message.type,
  sender: { id: message.sender_id, name: sender.first_name, avatar: sender.avatar_url },
  timestamp: message.created_at,
  metadata: message.metadata,
});

function byMessage(reactions) {
  const groups = new Map();
  for (const { message_id: id, user_id, reaction, ...of } of reactions) {
    groups.set(id, [...(groups.get(id) ?? []), { user_id, reaction, profiles: profile(of) }]);
  }
  return groups;
}

/** Checks and stores it; the room is told by who calls. */
async function say(userId, sessionId, { content, type, metadata }) {
  if (typeof content !== 'string' || content.length < 1 || content.length > 4000) {
    throw new Refused(400, 'VALIDATION_ERROR', 'content must have 1 to 4000 characters');
  }
  const sender = await member(sessionId, userId);
  if (sender.status !== 'active') throw new Refused(409, 'SESSION_INACTIVE', 'The conversation is over');
  return { sender, message: await store.addMessage(sessionId, userId, { content, type, metadata }) };
}

app.use('/api', (req, res, next) => {
  req.user = verified(req.headers.authorization?.slice('Bearer '.length));
  next();
});

app.post('/api/chat/messages', async (req, res) => {
  const { session_id: sessionId, ...body } = req.body;
  const { sender, message } = await say(req.user.sub, sessionId, body);
  io.to(`session:${sessionId}`).emit('new_message', told(message, sender));
  res.status(201).json({ success: true, data: shown(message, sender, false, []) });
});

app.get('/api/chat/messages', async (req, res) => {
  const { session_id: sessionId } = req.query;
  const limit = Math.min(Number(req.query.limit ?? 50), 100);
  const page = Math.max(Number(req.query.page ?? 1), 1);
  const { last_read_at: read } = await member(sessionId, req.user.sub);
  const { messages, reactions } = await store.history(sessionId, limit, (page - 1) * limit);
  const reactionsOf = byMessage(reactions);
  const rows = messages.slice(0, limit).map((message) =>
    shown(message, message, read >= message.created_at, reactionsOf.get(message.id) ?? []));
  res.json({ success: true, data: { messages: rows, has_more: messages.length > limit } });
});

// Express knows an error's handler by its four parameters.
app.use((error, req, res, _next) => {
  if (!error.status) console.error(error);
  res.status(error.status ?? 500).json({ success: false, code: error.code ?? 'INTERNAL_ERROR', error: error.message });
});

io.use((socket, next) => {
  try {
    socket.data.userId = verified(socket.handshake.auth.token).sub;
    next();
  } catch (error) {
    next(error);
  }
});

const events = {
  async join_chat(socket, { session_id: sessionId, last_message_id: last }) {
    await member(sessionId, socket.data.userId);
    const missed = last ? await store.after(sessionId, last) : [];
    missed.forEach((message) => socket.emit('new_message', told(message, message)));
    await socket.join(`session:${sessionId}`);
    const joined = { session_id: sessionId, last_message_id: last, missed: missed.length };
    socket.emit('chat_joined', joined);
    socket.to(`session:${sessionId}`).emit('user_joined', { session_id: sessionId, user_id: socket.data.userId });
    return joined;
  },

  async send_message(socket, { session_id: sessionId, message: body }) {
    const { sender, message } = await say(socket.data.userId, sessionId, body);
    socket.to(`session:${sessionId}`).emit('new_message', told(message, sender));
    const sent = { message_id: message.id, session_id: sessionId, timestamp: message.created_at };
    socket.emit('message_sent', sent);
    return sent;
  },
};

io.on('connection', async (socket) => {
  for (const [name, handle] of Object.entries(events)) {
    socket.on(name, async (body, ack) => {
      try {
        const data = await handle(socket, body);
        ack?.({ success: true, data });
      } catch (error) {
        const refusal = { code: error.code ?? 'INTERNAL_ERROR', error: error.message, event: name };
        socket.emit('error', refusal);
        ack?.({ success: false, ...refusal });
      }
    });
  }
  const { id, first_name: name, avatar_url: avatar, roles } = await store.user(socket.data.userId);
  await socket.join(`user:${id}`);
  socket.emit('authenticated', { user: { id, name, avatar, roles } });
});

await store.prepare();
server.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on ${PORT}`));
process.on('SIGTERM', () => process.exit(0));
