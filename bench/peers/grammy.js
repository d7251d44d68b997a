// The same bot on grammY, its sessions in SQLite with a full sync for every message.
const http = require('node:http');
const Database = require('better-sqlite3');
const { Bot, session, webhookCallback } = require('grammy');

const [file, api] = process.argv.slice(2);

function storage() {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE session (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');
  const get = db.prepare('SELECT value FROM session WHERE key = ?').pluck();
  const set = db.prepare('INSERT INTO session (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  const del = db.prepare('DELETE FROM session WHERE key = ?');
  return {
    read: (key) => { const value = get.get(key); return value === undefined ? undefined : JSON.parse(value); },
    write: (key, value) => { set.run(key, JSON.stringify(value)); },
    delete: (key) => { del.run(key); },
  };
}

const bot = new Bot('3:grammy', {
  client: { apiRoot: api },
  botInfo: {
    id: 3, is_bot: true, first_name: 'Bench', username: 'bench_bot',
    can_join_groups: true, can_read_all_group_messages: false, supports_inline_queries: false,
  },
});
bot.use(session({ initial: () => ({ step: 0, n: 0, pad: 'x'.repeat(180) }), storage: storage() }));
bot.on('message:text', (ctx) => {
  const s = ctx.session;
  s.step = (s.step % 5) + 1;
  s.n += 1;
  return ctx.reply(`This is step ${s.step} of 5, and your message number ${s.n}. ${'reply text '.repeat(15)}`);
});
bot.catch((err) => console.error('grammy:', err.message));

const server = http.createServer(webhookCallback(bot, 'http'));
server.listen(0, '127.0.0.1', 4096, () => console.log(`ready 127.0.0.1:${server.address().port}`));
