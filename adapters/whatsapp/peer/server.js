// Serves the OpenAPI description named by its argument with Prism, on loopback and a port of its own choice, until standard
// input ends.
'use strict';
const net = require('node:net');
const path = require('node:path');

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

const probe = net.createServer();
probe.listen(0, '127.0.0.1', () => {
  const { port } = probe.address();
  probe.close(() => {
    const prism = path.join(__dirname, 'node_modules', '@stoplight', 'prism-cli', 'dist', 'index.js');
    process.argv = [process.argv[0], prism, 'mock', '-h', '127.0.0.1', '-p', String(port), '--multiprocess', 'false', process.argv[2]];
    require(prism);
    const ask = () => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        process.stderr.write(`port ${port}\n`);
      });
      socket.on('error', () => setTimeout(ask, 100));
    };
    ask();
  });
});
