// A mail server that is not ours. Its setup is the first argument, as JSON:
//   { key, cert, mode: "tls" | "starttls", user?, password? }
// Says {"port"} on the first line, then each mail it took, one JSON object a line. Ends
// with its standard input.
import { createInterface } from 'node:readline';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

const setup = JSON.parse(process.argv[2]);
const say = (object) => process.stdout.write(JSON.stringify(object) + '\n');

const server = new SMTPServer({
  secure: setup.mode === 'tls',
  key: setup.key,
  cert: setup.cert,
  authOptional: !setup.user,
  disabledCommands: setup.user ? [] : ['AUTH'],
  onAuth({ username, password }, _session, done) {
    const known = username === setup.user && password === setup.password;
    done(known ? null : new Error('who are you?'), { user: username });
  },
  onMailFrom(_address, session, done) {
    done(session.secure ? null : new Error('not without TLS'));
  },
  async onData(stream, session, done) {
    const mail = await simpleParser(stream);
    say({
      from: session.envelope.mailFrom.address,
      to: session.envelope.rcptTo.map(({ address }) => address),
      user: session.user ?? null,
      subject: mail.subject,
      text: mail.text,
      html: mail.html,
      message_id: mail.messageId,
      headers: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line])),
    });
    done(null, 'queued as abc123');
  },
});
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => say({ port: server.server.address().port }));
createInterface(process.stdin).on('close', () => process.exit());
