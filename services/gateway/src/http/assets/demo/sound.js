// Recording by the microphone, and how recordings look.

/** What the platform takes, the first that this browser records. */
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/webm'];
/** The longest recording, in milliseconds. */
const LONGEST = 5 * 60_000;
const SVG = 'http://www.w3.org/2000/svg';

export function seconds(count) {
  if (!Number.isFinite(count)) return '';
  const whole = Math.max(1, Math.round(count));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** The shape of a recording: a bar for each of its points, from 0 to 255. */
export function wave(points) {
  const picture = document.createElementNS(SVG, 'svg');
  picture.setAttribute('viewBox', `0 0 ${points.length} 32`);
  picture.setAttribute('preserveAspectRatio', 'none');
  picture.setAttribute('aria-hidden', 'true');
  points.forEach((point, at) => {
    const height = Math.max(1, (point / 255) * 32);
    const bar = document.createElementNS(SVG, 'rect');
    for (const [name, value] of Object.entries({ x: at, y: (32 - height) / 2, width: 0.7, height })) {
      bar.setAttribute(name, value);
    }
    picture.append(bar);
  });
  return picture;
}

/** One recording. */
export class Take {
  #recorder;
  #stream;
  #sound;
  #frame;
  #limit;
  #pieces = [];

  static possible() {
    return Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder && Take.#type());
  }

  static #type() {
    return TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  }

  /** Begins. `level` hears how loud it is, from 0 to 1, and for how long it has gone on; `full` that it is long enough. */
  async begin(level, full) {
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    this.#recorder = new MediaRecorder(this.#stream, { mimeType: Take.#type() });
    this.#recorder.addEventListener('dataavailable', ({ data }) => this.#pieces.push(data));
    this.#recorder.start();
    this.#listen(level);
    this.#limit = setTimeout(full, LONGEST);
  }

  #listen(level) {
    this.#sound = new AudioContext();
    const meter = this.#sound.createAnalyser();
    this.#sound.createMediaStreamSource(this.#stream).connect(meter);
    const samples = new Float32Array(meter.fftSize);
    const began = performance.now();
    const look = () => {
      meter.getFloatTimeDomainData(samples);
      const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      level(loudest, (performance.now() - began) / 1000);
      this.#frame = requestAnimationFrame(look);
    };
    look();
  }

  /** Ends it and answers the recording. */
  async end() {
    if (this.#recorder.state !== 'inactive') {
      const ended = new Promise((done) => { this.#recorder.addEventListener('stop', done, { once: true }); });
      this.#recorder.stop();
      await ended;
    }
    this.#release();
    return new Blob(this.#pieces, { type: this.#recorder.mimeType });
  }

  #release() {
    clearTimeout(this.#limit);
    cancelAnimationFrame(this.#frame);
    for (const track of this.#stream.getTracks()) track.stop();
    if (this.#sound.state !== 'closed') this.#sound.close();
  }
}
