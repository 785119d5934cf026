// Echo server on the npm package faye-websocket.
//
//   faye-server PORT [--subprotocol=NAME] [--deflate=off] [--max-seconds=S] [--tls-cert=FILE --tls-key=FILE]
//
// Says and does what ws-server does; it has no permessage-deflate.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const WebSocket = require('faye-websocket');
const { flags } = require('./ws-flags.js');

const { words, flag } = flags(['deflate', 'subprotocol', 'max-seconds', 'tls-cert', 'tls-key', 'version']);
if (flag('version')) {
  console.log(`faye-websocket ${require('faye-websocket/package.json').version}`);
  process.exit(0);
}
if (words.length !== 1 || !/^\d+$/.test(words[0]) || (flag('deflate') || 'off') !== 'off') {
  console.error('usage: faye-server PORT [options]');
  process.exit(2);
}

const server = flag('tls-cert')
  ? https.createServer({ cert: fs.readFileSync(flag('tls-cert')), key: fs.readFileSync(flag('tls-key')) })
  : http.createServer();
server.on('upgrade', (request, socket, body) => {
  if (!WebSocket.isWebSocket(request)) return socket.destroy();
  const ws = new WebSocket(request, socket, body, flag('subprotocol') ? [flag('subprotocol')] : []);
  ws.on('open', () => console.log(`open - ${ws.protocol || '-'}`));
  ws.on('message', (event) => ws.send(event.data));
  ws.on('close', (event) => console.log(`closed ${event.code} ${event.reason}`.trimEnd()));
});
server.listen(Number(words[0]), '127.0.0.1', () => console.log(`listening ${server.address().port}`));

process.on('SIGTERM', () => process.exit(0));
setTimeout(() => {
  console.error('faye-server: --max-seconds are over');
  process.exit(3);
}, 1000 * Number(flag('max-seconds') || 300)).unref();
