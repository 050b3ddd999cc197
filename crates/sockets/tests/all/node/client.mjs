// One life of a client: in, heard, away, back, and sent away for good. Says what it saw as JSON.
//
//   node client.mjs URL TRANSPORT[,TRANSPORT]
import { io } from 'socket.io-client';

const [url, transports] = process.argv.slice(2);
const PATIENCE = 20_000;
const options = {
  transports: transports.split(','),
  auth: { token: 'abc' },
  reconnectionDelay: 50,
  reconnectionDelayMax: 200,
};

/** The arguments of the next event of this name. */
function next(emitter, name) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${name} came`)), PATIENCE);
    emitter.once(name, (...said) => {
      clearTimeout(late);
      resolve(said);
    });
  });
}

const seen = {};
const socket = io(url, options);
let auth = next(socket, 'auth');
await next(socket, 'connect');
const { engine } = socket.io;
if (transports === 'polling,websocket' && engine.transport.name === 'polling') await next(engine, 'upgrade');
seen.transport = engine.transport.name;
[seen.auth] = await auth;

// Acknowledgements, with bytes in them, many at a time and each its own.
const bytes = Buffer.from([1, 2, 3]);
const [said, back] = await new Promise((resolve) => {
  socket.emit('message', { deep: [true, null, 'é'] }, bytes, (...answer) => resolve(answer));
});
seen.acknowledged = said;
seen.bytes = [...new Uint8Array(back)];
const many = Array.from({ length: 50 }, (_, number) => socket.timeout(PATIENCE).emitWithAck('message', number));
seen.many = await Promise.all(many);

// Namespaces share the connection.
const custom = socket.io.socket('/custom', { auth: { token: 'def' } });
auth = next(custom, 'auth');
[seen.custom] = await auth;
const nowhere = socket.io.socket('/nowhere', {});
seen.nowhere = (await next(nowhere, 'connect_error'))[0].message;
custom.disconnect();
nowhere.disconnect();

// The server ends the connection: the client comes back by itself, as somebody else.
const before = socket.id;
let gone = next(socket, 'disconnect');
const again = next(socket, 'connect');
socket.emit('close');
seen.closed = (await gone)[0];
await again;
seen.renamed = socket.id !== before;
seen.back = await socket.timeout(PATIENCE).emitWithAck('message', 'back');

// The server sends the client away: it does not come back.
gone = next(socket, 'disconnect');
socket.emit('leave');
seen.left = (await gone)[0];
let attempts = 0;
socket.io.on('reconnect_attempt', () => { attempts += 1; });
await new Promise((resolve) => setTimeout(resolve, 1000));
seen.after = { active: socket.active, connected: socket.connected, attempts };

process.stdout.write(JSON.stringify(seen));
process.exit(0);
