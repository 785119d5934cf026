// Echo server on the npm package ws.
//
//   ws-server PORT [--deflate=on|off] [--no-context-takeover] [--window-bits=N] [--subprotocol=NAME] [--max-seconds=S]
//       [--tls-cert=FILE --tls-key=FILE]
//
// Listens on 127.0.0.1:PORT (0 = any free port) and prints `listening PORT`. Echoes text as text and binary as binary.
// Per connection it prints `open EXTENSIONS|- SUBPROTOCOL|-` and, at the end, `closed CODE REASON` (1006: without a
// closing handshake) after `error MESSAGE` if there was one. Ends with status 0 on SIGTERM, and with 3 after
// --max-seconds (300), so that none is left behind.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const { WebSocketServer } = require('ws');
const { flags, deflateOptions, version } = require('./ws-flags.js');

const { words, flag } = flags(['deflate', 'no-context-takeover', 'window-bits', 'subprotocol', 'max-seconds', 'tls-cert',
  'tls-key', 'version']);
if (flag('version')) version();
if (words.length !== 1 || !/^\d+$/.test(words[0])) {
  console.error('usage: ws-server PORT [options]');
  process.exit(2);
}

const subprotocol = flag('subprotocol');
const transport = flag('tls-cert')
  ? https.createServer({ cert: fs.readFileSync(flag('tls-cert')), key: fs.readFileSync(flag('tls-key')) })
  : http.createServer();
const server = new WebSocketServer({
  server: transport,
  maxPayload: 64 << 20,
  perMessageDeflate: deflateOptions(flag),
  handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
});
server.on('listening', () => console.log(`listening ${transport.address().port}`));
server.on('error', (error) => {
  console.error(`ws-server: ${error.message}`);
  process.exit(1);
});
server.on('connection', (ws) => {
  console.log(`open ${ws.extensions || '-'} ${ws.protocol || '-'}`);
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  ws.on('error', (error) => console.log(`error ${error.message}`));
  ws.on('close', (code, reason) => console.log(`closed ${code} ${reason}`.trimEnd()));
});

transport.listen(Number(words[0]), '127.0.0.1');

process.on('SIGTERM', () => process.exit(0));
setTimeout(() => {
  console.error('ws-server: --max-seconds are over');
  process.exit(3);
}, 1000 * Number(flag('max-seconds') || 300)).unref();
