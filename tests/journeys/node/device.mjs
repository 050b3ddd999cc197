// A device that encrypts by itself, with nothing but Node's own crypto.
//
// Keys are agreed as X3DH describes (signal.org/docs/specifications/x3dh, revision 1), on
// X25519, HKDF and SHA-256; then each direction has a chain of keys of its own, one for each
// message, as the symmetric-key ratchet of the Double Ratchet has them. Signatures are by an
// Ed25519 key beside the X25519 one, so that an identity key is both, 64 bytes.
import { createCipheriv, createDecipheriv, createHmac, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, sign, verify } from 'node:crypto';

const INFO = 'parlour-journeys-x3dh-1';
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const bytes = (text) => Buffer.from(text, 'base64');

/** The 32 bytes of a public key, and the key of 32 bytes. */
const raw = (key) => Buffer.from(key.export({ format: 'jwk' }).x, 'base64url');
const open = (crv, x) => createPublicKey({ key: { kty: 'OKP', crv, x: Buffer.from(x).toString('base64url') }, format: 'jwk' });
const agree = (own, theirs) => diffieHellman({ privateKey: own, publicKey: theirs });

/** The secret of an agreement: 32 bytes of ones before it, so that no key of the curve is what is hashed. */
function secret(...agreed) {
  const material = Buffer.concat([Buffer.alloc(32, 0xff), ...agreed]);
  return Buffer.from(hkdfSync('sha256', material, Buffer.alloc(32), INFO, 64));
}

const step = (chain, label) => createHmac('sha256', chain).update(Uint8Array.of(label)).digest();

/** What is said in one direction: each message has a key that its successors do not lead back to. */
class Chain {
  #key;
  #next = 0;

  constructor(key) { this.#key = key; }

  /** The number, the key and the nonce of the message that is due. */
  due() {
    const material = Buffer.from(hkdfSync('sha256', step(this.#key, 1), Buffer.alloc(32), `${INFO}-message`, 44));
    return { number: this.#next, key: material.subarray(0, 32), nonce: material.subarray(32) };
  }

  /** It is said: its key is forgotten. */
  pass() {
    this.#key = step(this.#key, 2);
    this.#next += 1;
  }
}

/** What two devices have between them. */
class Pair {
  #out;
  #in;
  #bound;
  #first;

  /** `first` goes with everything that is sent until the other device has answered. */
  constructor(agreed, begins, bound, first) {
    const [mine, theirs] = begins ? [0, 32] : [32, 0];
    this.#out = new Chain(agreed.subarray(mine, mine + 32));
    this.#in = new Chain(agreed.subarray(theirs, theirs + 32));
    this.#bound = bound;
    this.#first = first;
  }

  /** The content of a message of the type `encrypted`. */
  seal(session, text) {
    const { number, key, nonce } = this.#out.due();
    const head = { v: 1, number, ...(this.#first && { first: this.#first }) };
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(this.#aad(session, head));
    const box = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    this.#out.pass();
    return JSON.stringify({ head, box: base64(box) });
  }

  /** What was said. A message again, out of order, changed, or of another conversation is refused. */
  open(session, content) {
    const { head, box } = JSON.parse(content);
    const { number, key, nonce } = this.#in.due();
    if (head.number !== number) throw new Error(`number ${head.number} where ${number} is due`);
    const sealed = bytes(box);
    const cipher = createDecipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(this.#aad(session, head));
    cipher.setAuthTag(sealed.subarray(-16));
    const text = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]).toString('utf8');
    // Only what is genuine moves the chain on.
    this.#in.pass();
    this.#first = undefined;
    return text;
  }

  #aad(session, head) {
    return Buffer.concat([this.#bound, Buffer.from(session + JSON.stringify(head))]);
  }
}

export class Device {
  #agreeing = generateKeyPairSync('x25519');
  #signing = generateKeyPairSync('ed25519');
  #signed = { id: 1, pair: generateKeyPairSync('x25519') };
  #once = new Map();

  constructor(name, prekeys) {
    this.name = name;
    for (let id = 1; id <= prekeys; id++) this.#once.set(id, generateKeyPairSync('x25519'));
  }

  get identity() { return Buffer.concat([raw(this.#agreeing.publicKey), raw(this.#signing.publicKey)]); }

  /** The body of `PUT /api/chat/keys`. */
  bundle() {
    const key = raw(this.#signed.pair.publicKey);
    return {
      device_id: this.name,
      identity_key: base64(this.identity),
      signed_prekey: { id: this.#signed.id, key: base64(key), signature: base64(sign(null, key, this.#signing.privateKey)) },
      one_time_prekeys: [...this.#once].map(([id, pair]) => ({ id, key: base64(raw(pair.publicKey)) })),
    };
  }

  /** Begins with a device whose keys `GET /api/chat/keys/:user_id` answered. */
  begin({ identity_key, signed_prekey, one_time_prekey }) {
    const identity = bytes(identity_key);
    const signed = bytes(signed_prekey.key);
    const signer = open('Ed25519', identity.subarray(32));
    if (!verify(null, signed, signer, bytes(signed_prekey.signature))) throw new Error('the signed prekey is not signed by its device');
    const [theirs, prekey] = [open('X25519', identity.subarray(0, 32)), open('X25519', signed)];
    const ephemeral = generateKeyPairSync('x25519');
    const agreed = secret(
      agree(this.#agreeing.privateKey, prekey),
      agree(ephemeral.privateKey, theirs),
      agree(ephemeral.privateKey, prekey),
      ...(one_time_prekey ? [agree(ephemeral.privateKey, open('X25519', bytes(one_time_prekey.key)))] : []),
    );
    const first = {
      identity: base64(this.identity), ephemeral: base64(raw(ephemeral.publicKey)),
      signed_prekey: signed_prekey.id, one_time_prekey: one_time_prekey?.id ?? null,
    };
    return new Pair(agreed, true, Buffer.concat([this.identity, identity]), first);
  }

  /** Takes the first message of another device. Its one-time prekey is gone afterwards. */
  accept(content) {
    const { first } = JSON.parse(content).head;
    if (first.signed_prekey !== this.#signed.id) throw new Error('the signed prekey is not ours');
    const once = this.#once.get(first.one_time_prekey);
    if (first.one_time_prekey !== null && !once) throw new Error('the one-time prekey was used before');
    this.#once.delete(first.one_time_prekey);
    const identity = bytes(first.identity);
    const [theirs, ephemeral] = [open('X25519', identity.subarray(0, 32)), open('X25519', bytes(first.ephemeral))];
    const agreed = secret(
      agree(this.#signed.pair.privateKey, theirs),
      agree(this.#agreeing.privateKey, ephemeral),
      agree(this.#signed.pair.privateKey, ephemeral),
      ...(once ? [agree(once.privateKey, ephemeral)] : []),
    );
    return new Pair(agreed, false, Buffer.concat([identity, this.identity]), undefined);
  }
}
