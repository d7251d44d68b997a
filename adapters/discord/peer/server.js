// Runs discord-digital-twin until standard input ends, with a control port for the person at the other end. The twin listens
// on every interface, so that this belongs into a network namespace of its own.
import { DigitalDiscord } from 'discord-digital-twin';
import http from 'node:http';

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

const twin = new DigitalDiscord({
  guild: { name: 'Shop' },
  channels: [{ name: 'general', type: 0 }],
  users: [{ username: 'Ann' }],
});
await twin.start();
const channel = (await twin.prisma.channel.findMany())[0].id;
const user = await twin.getFirstNonBotUserId();
const where = (q) => twin.channel(q.get('channel') ?? channel);
const ann = (q) => where(q).user(user);

const deeds = {
  '/say': (q) => ann(q).sendMessage({ content: q.get('text') }),
  '/edit': (q) => ann(q).editMessage({ messageId: q.get('message'), content: q.get('text') }),
  '/delete': (q) => ann(q).deleteMessage({ messageId: q.get('message') }),
  '/messages': (q) => where(q).getMessages(),
  '/threads': (q) => where(q).getThreads(),
  '/click': (q) => ann(q).clickButton({ messageId: q.get('message'), customId: q.get('id') }),
  '/pick': (q) => twin.simulateSelectMenu({
    channelId: channel, userId: user, messageId: q.get('message'), customId: q.get('id'), values: [q.get('value')],
  }),
  '/typing': (q) => where(q).getTypingEvents(),
  '/answered': async () => (await twin.prisma.interactionResponse.findMany()).map((r) => (r.acknowledged ? r.type : 0)),
};

const control = http.createServer(async (request, response) => {
  try {
    const url = new URL(request.url, 'http://control');
    const out = await deeds[url.pathname](url.searchParams);
    response.end(JSON.stringify(out ?? null, (_, v) => (typeof v === 'bigint' ? String(v) : v)));
  } catch (err) {
    response.statusCode = 500;
    response.end(String(err.stack));
  }
});
control.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({
    rest: twin.restUrl, token: twin.botToken, bot: twin.botUserId, channel, user, control: control.address().port,
  }));
});
