// A person on WhatsApp with Baileys as the client. It reads a command a line from its input and writes what happens, a line
// each; it ends with its input.
import dns from 'node:dns';
import net from 'node:net';
import readline from 'node:readline';

// Nothing here may leave this machine, whatever the library has in mind.
const local = (host) => ['127.0.0.1', 'localhost', '::1', undefined].includes(host);
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = typeof args[0] === 'object' && !Array.isArray(args[0]) ? args[0] : Array.isArray(args[0]) ? args[0][0] : { host: args[1] };
  if (!options?.path && !local(options?.host)) throw new Error('refused to leave for ' + options?.host);
  return connect.apply(this, args);
};
dns.lookup = (host, options, done) => (done ?? options)(new Error('refused to look up ' + host));

const { default: library, WA_CERT_DETAILS, initAuthCreds } = await import('@whiskeysockets/baileys');
const { default: pino } = await import('pino');
const makeSocket = library.default ?? library;

const [base, root] = process.argv.slice(2);
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(root, 'hex');

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const creds = initAuthCreds();
const kept = {};
const keys = {
  get: async (kind, ids) => Object.fromEntries(ids.filter((id) => kept[kind]?.[id] != null).map((id) => [id, kept[kind][id]])),
  set: async (data) => {
    for (const kind in data) {
      kept[kind] ??= {};
      for (const id in data[kind]) kept[kind][id] = data[kind][id];
    }
  },
};

let socket;
function start() {
  socket = makeSocket({
    auth: { creds, keys }, logger: pino({ level: 'silent' }), waWebSocketUrl: base.replace('http', 'ws') + '/ws/chat',
    syncFullHistory: false, fireInitQueries: false, markOnlineOnConnect: false, generateHighQualityLinkPreview: false,
  });
  socket.ev.on('creds.update', (update) => Object.assign(creds, update));
  socket.ev.on('connection.update', (update) => {
    if (update.qr) say({ type: 'qr', text: update.qr });
    if (update.connection === 'open') say({ type: 'open' });
    if (update.connection === 'close') setTimeout(start, 100);
  });
  socket.ev.on('messages.upsert', ({ messages }) => {
    for (const m of messages) {
      if (m.key.fromMe) continue;
      const text = m.message?.conversation ?? m.message?.extendedTextMessage?.text ?? m.message?.imageMessage?.caption ?? '';
      say({ type: 'message', id: m.key.id, text, from: m.key.remoteJid, also: m.key.remoteJidAlt ?? '', image: m.message?.imageMessage?.mimetype ?? '' });
    }
  });
  socket.ev.on('messages.update', (updates) => {
    for (const { key, update } of updates) if (update.status) say({ type: 'status', id: key.id, status: update.status });
  });
  socket.ev.on('presence.update', ({ presences }) => {
    for (const p of Object.values(presences)) say({ type: 'presence', text: p.lastKnownPresence });
  });
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const command = JSON.parse(line);
  try {
    if (command.do === 'send') {
      const sent = await socket.sendMessage(command.to + '@s.whatsapp.net', { text: command.text });
      say({ type: 'sent', id: sent.key.id });
    }
    if (command.do === 'read') await socket.readMessages([{ remoteJid: command.to, id: command.id, fromMe: false }]);
  } catch (err) {
    say({ type: 'error', text: String(err) });
  }
}).on('close', () => process.exit(0));

start();
