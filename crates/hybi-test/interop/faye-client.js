// Client on the npm package faye-websocket: proves that a server echoes.
//
//   faye-client URL N [--subprotocol=NAME] [--deflate=off] [--timeout=S] [--ca=FILE]
//
// Says and does what ws-client does, without fragments: N rounds of a text message, a binary message and a ping.
'use strict';
const fs = require('fs');
const WebSocket = require('faye-websocket');
const { flags } = require('./ws-flags.js');

const { words, flag } = flags(['deflate', 'subprotocol', 'timeout', 'ca']);
const [url, rounds] = [words[0], Number(words[1])];
if (words.length !== 2 || !(rounds >= 1) || (flag('deflate') || 'off') !== 'off') {
  console.error('usage: faye-client URL N [options]');
  process.exit(2);
}

const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1 << 20];
const fail = (message) => {
  console.error(`faye-client: ${message}`);
  process.exit(1);
};
const limit = Number(flag('timeout') || 60);
setTimeout(() => fail(`not finished after ${limit} s`), limit * 1000).unref();

const ws = new WebSocket.Client(url, flag('subprotocol') ? [flag('subprotocol')] : [], {
  ...(flag('ca') && { tls: { ca: fs.readFileSync(flag('ca')) } }),
});
const expected = [];
let octets = 0;
let ended = false;

function round(n) {
  if (n === rounds) {
    ended = true;
    return ws.close(1000, 'done');
  }
  const size = SIZES[n % SIZES.length];
  for (const data of ['t'.repeat(size), Buffer.alloc(size, n)]) {
    expected.push(data);
    octets += size;
    ws.send(data);
  }
  // The pong comes behind both echoes: a server answers in order.
  ws.ping(`ping ${n}`, () => {
    if (expected.length) fail(`round ${n}: ${expected.length} did not come back`);
    round(n + 1);
  });
}

ws.on('open', () => round(0));
ws.on('message', ({ data }) => {
  const sent = expected.shift();
  const same = typeof sent === 'string' ? data === sent : Buffer.isBuffer(data) && data.equals(sent);
  if (!same) fail('a message came back different');
});
ws.on('error', (event) => fail(event.message));
ws.on('close', ({ code, reason }) => {
  if (!ended) fail(`closed too early: ${code} ${reason}`);
  if (code !== 1000) fail(`close was answered with ${code} ${reason}`);
  console.log(`ok messages=${2 * rounds} pings=${rounds} octets=${octets} close=${code} extensions=- ` +
    `subprotocol=${ws.protocol || '-'}`);
});
