// Runs telegram-test-api on loopback, on a port of its own choice, until standard input ends.
'use strict';
const net = require('node:net');
const TelegramServer = require('telegram-test-api');

// The package throws where nobody catches when a webhook answers 300 or more, and would end.
process.on('unhandledRejection', (err) => console.error('unhandled:', err.message));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

const probe = net.createServer();
probe.listen(0, '127.0.0.1', () => {
  const { port } = probe.address();
  probe.close(async () => {
    const server = new TelegramServer({ port, host: '127.0.0.1', storeTimeout: 600 });
    await server.start();
    console.log(port);
  });
});
