// A browser and a push service that are not ours: checks the token of a push message by
// RFC 8292 and decrypts its content by RFC 8291. Reads one JSON object,
//   { private_key, auth, authorization, body }    (base64url, but for authorization)
// and answers { token: { header, claims, is_signed }, public_key, content }.
import { createECDH, createPublicKey, verify } from 'node:crypto';
import { text } from 'node:stream/consumers';
import ece from 'http_ece';

const told = JSON.parse(await text(process.stdin));
const bytes = (base64url) => Buffer.from(base64url, 'base64url');

const [, token, publicKey] = /^vapid t=([^,]+), ?k=([\w-]+)$/.exec(told.authorization);
const [header, claims, signature] = token.split('.');
const point = bytes(publicKey);
const key = createPublicKey({
  format: 'jwk',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  },
});

const receiver = createECDH('prime256v1');
receiver.setPrivateKey(bytes(told.private_key));
const content = ece.decrypt(bytes(told.body), {
  version: 'aes128gcm',
  privateKey: receiver,
  authSecret: told.auth,
});

process.stdout.write(
  JSON.stringify({
    token: {
      header: JSON.parse(bytes(header)),
      claims: JSON.parse(bytes(claims)),
      is_signed: verify(
        'sha256',
        Buffer.from(`${header}.${claims}`),
        { key, dsaEncoding: 'ieee-p1363' },
        bytes(signature),
      ),
    },
    public_key: publicKey,
    content: JSON.parse(content),
  }),
);
