// Runs emulate's Slack on a free port until standard input ends. It binds every interface, so the test that starts it gives
// it a network namespace of its own.
'use strict';
const net = require('node:net');

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

const probe = net.createServer();
probe.listen(0, '127.0.0.1', () => {
  const { port } = probe.address();
  probe.close(async () => {
    const { createEmulator } = await import('emulate');
    await createEmulator({ service: 'slack', port, seed: { tokens: { [process.argv[2]]: { login: 'admin' } } } });
    console.log(port);
  });
});
