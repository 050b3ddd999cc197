// Puts the page together: signing in, the connection, the lists, the open conversation.
import { call, me, signIn, signOut, signUp } from './account.js';
import * as booth from './booth.js';
import { careful, complain, find, say } from './dom.js';
import { Line } from './line.js';
import * as lists from './lists.js';
import { Talk } from './talk.js';

let line = null;
let talk = null;

/** The official client is not part of the server: development installs it beside. */
async function client() {
  try {
    return (await import('/demo/socket.io.js')).io;
  } catch {
    throw new Error('The client of Socket.IO is not installed: run `make demo` once, then load this page again.');
  }
}

function view(name) {
  document.body.dataset.view = name;
  find('door').hidden = name !== 'door';
  find('house').hidden = name === 'door';
  find('leave').hidden = name === 'door';
  find('talk').hidden = !talk;
  find('nothing-open').hidden = Boolean(talk);
}

const refresh = () => lists.sessions(careful(open), talk?.id);

const told = {
  state(text, kind) {
    find('line').textContent = text;
    find('line').dataset.state = kind;
  },
  ready: careful(async () => {
    await talk?.join();
    await refresh();
  }),
  lost: () => talk?.lost(),
  out: careful(async () => {
    close();
    throw new Error('The sign-in has ended.');
  }),
  heard(event, argument) {
    if (event === 'notification') {
      lists.notice(argument);
      say(`Notification: ${argument.title}`);
    } else if (event === 'notification_read') {
      lists.noticed(argument);
    } else if (event === 'session_joined' || event === 'session_left') {
      refresh().catch(complain);
    } else {
      talk?.heard(event, argument);
    }
  },
};

const name = () => me().display_name || me().email || 'Parlour';

async function enter() {
  const io = await client();
  find('me').textContent = name();
  find('my-id').textContent = me().id;
  document.title = `${name()}: talk by hand`;
  view('list');
  line = new Line(io, told);
  await lists.notices();
}

function close() {
  talk?.end();
  talk = null;
  line?.end();
  line = null;
  booth.drop();
  told.state('not connected', 'off');
  find('me').textContent = '';
  view('door');
}

async function open(session) {
  if (talk?.id === session) return view('talk');
  talk?.end();
  booth.drop();
  talk = new Talk(line, session);
  view('talk');
  await talk.open();
  await refresh();
  find('text').focus();
  return undefined;
}

function back() {
  talk?.end();
  talk = null;
  view('list');
  return refresh();
}

function send(event) {
  event.preventDefault();
  const field = find('text');
  const text = field.value.trim();
  if (!text || !talk) return undefined;
  field.value = '';
  return talk.send(text);
}

const answers = (form) => Object.fromEntries(new FormData(form));

function onSubmit(id, work) {
  find(id).addEventListener('submit', (event) => {
    event.preventDefault();
    careful(work)(answers(event.target), event.target);
  });
}

onSubmit('sign-in', async ({ email, password }) => {
  await signIn(email, password);
  await enter();
});
onSubmit('sign-up', async (account) => {
  await signUp(account);
  await enter();
});
onSubmit('begin', async ({ with: other }, form) => {
  const session = await call('POST', '/api/chat/sessions', { session_type: 'direct', participants: [other] });
  form.reset();
  await open(session.id);
});
find('say').addEventListener('submit', careful(send));
find('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  find('say').requestSubmit();
});
find('text').addEventListener('input', () => (find('text').value ? talk?.types() : talk?.stopped_typing()));
find('text').addEventListener('blur', () => talk?.stopped_typing());
find('pick').addEventListener('click', () => find('file').click());
find('file').addEventListener('change', careful(async () => {
  const [file] = find('file').files;
  find('file').value = '';
  if (file) await talk.upload('/api/chat/files', 'file', file, file.name);
}));
booth.prepare((file) => talk.upload('/api/chat/voice-notes', 'voice_note', file, 'voice-note'));
find('older').addEventListener('click', careful(() => talk.older()));
find('back').addEventListener('click', careful(back));
find('leave').addEventListener('click', careful(async () => {
  close();
  await signOut();
}));
document.addEventListener('visibilitychange', () => talk?.seen());

if (me()) await careful(enter)();
