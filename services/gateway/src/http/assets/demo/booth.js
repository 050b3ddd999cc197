// Where a voice note is recorded, heard again, and sent.
import { careful, find } from './dom.js';
import { Take, seconds } from './sound.js';

let take = null;
let recorded = null;

function show({ open, text = '', playing = false }) {
  find('take').hidden = !open;
  find('take-state').textContent = text;
  find('level').hidden = playing;
  find('take-stop').hidden = playing;
  find('preview').hidden = !playing;
  find('take-send').hidden = !playing;
}

async function begin() {
  await drop();
  if (!Take.possible()) throw new Error('This browser does not record what the platform takes.');
  take = new Take();
  show({ open: true, text: 'Waiting for the microphone …' });
  try {
    await take.begin((loudness, elapsed) => {
      find('level').value = loudness;
      find('take-state').textContent = `Recording ${seconds(elapsed)}`;
    }, careful(stop));
  } catch (error) {
    await drop();
    throw error.name === 'NotAllowedError' ? new Error('The browser does not give this page the microphone.') : error;
  }
}

async function stop() {
  if (!take) return;
  recorded = await take.end();
  take = null;
  find('preview').src = URL.createObjectURL(recorded);
  show({ open: true, text: 'Listen to it, then send it.', playing: true });
}

/** Forgets what was recorded. */
export async function drop() {
  const ended = take?.end();
  take = null;
  recorded = null;
  const player = find('preview');
  if (player.src) URL.revokeObjectURL(player.src);
  player.removeAttribute('src');
  show({ open: false });
  // One that never got the microphone has nothing to end.
  await ended?.catch(() => {});
}

/** `send` gets the recording. */
export function prepare(send) {
  find('record').addEventListener('click', careful(begin));
  find('take-stop').addEventListener('click', careful(stop));
  find('take-drop').addEventListener('click', careful(drop));
  find('take-send').addEventListener('click', careful(async () => {
    const file = recorded;
    if (!file) return;
    await send(file);
    await drop();
  }));
}
