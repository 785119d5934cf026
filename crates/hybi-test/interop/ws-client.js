// Client on the npm package ws: proves that a server echoes.
//
//   ws-client URL N [--deflate=on|off] [--no-context-takeover] [--window-bits=N] [--subprotocol=NAME] [--short=M]
//       [--timeout=S] [--ca=FILE]
//
// Sends N rounds, each a text message, a binary message and a ping, and waits for both echoes and the pong before the
// next round. Sizes go round: 0, 1, 125, 126, 127, 65535, 65536 octets, 1 MiB; every third round is sent in three
// fragments. Then sends M short messages that have much in common, twenty under way at a time, text and binary in turn,
// and expects each back. Then closes with 1000 `done` and expects 1000 back. Prints one line and ends with status 0:
//
//   ok messages=32 pings=16 octets=2360000 close=1000 extensions=permessage-deflate subprotocol=-
//
// Anything else is a message on stderr and status 1, and so is a run longer than --timeout (60 seconds).
'use strict';
const fs = require('fs');
const { WebSocket } = require('ws');
const { flags, deflateOptions, version } = require('./ws-flags.js');

const { words, flag } = flags(['deflate', 'no-context-takeover', 'window-bits', 'subprotocol', 'short', 'timeout', 'ca',
  'version']);
if (flag('version')) version();
const [url, rounds] = [words[0], Number(words[1])];
if (words.length !== 2 || !(rounds >= 1)) {
  console.error('usage: ws-client URL N [options]');
  process.exit(2);
}

const SHORT = Number(flag('short') || 0);
const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1 << 20];
const ALPHABET = Buffer.from('aé€😀'); // one, two, three and four octets

const fail = (message) => {
  console.error(`ws-client: ${message}`);
  process.exit(1);
};

// Text of exactly so many octets, with characters of every length as far as they fit.
function textOf(size) {
  const whole = Math.floor(size / ALPHABET.length);
  return Buffer.concat([...Array(whole).fill(ALPHABET), Buffer.alloc(size - whole * ALPHABET.length, 'x')]);
}

// Octets that look random and are the same in every run.
function binaryOf(size, seed) {
  const data = Buffer.alloc(size);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state >>> 24;
  }
  return data;
}

// Each refers to the ones before it, if the compressor may.
const report = (n) => Buffer.from(`{"station":${n % 7},"tide":"${ALPHABET}","depths":[${n * 31},${n * 17},${n}]}`);

function send(ws, data, binary, fragments) {
  const step = Math.ceil(data.length / fragments);
  for (let n = 0; n < fragments; n++) {
    const piece = data.subarray(n * step, n === fragments - 1 ? undefined : (n + 1) * step);
    ws.send(piece, { binary, fin: n === fragments - 1 });
  }
}

// What has come in and was not asked for yet, per kind; whoever waits is woken.
const inbox = { message: [], pong: [] };
const waiting = {};
function put(kind, value) {
  inbox[kind].push(value);
  if (waiting[kind]) waiting[kind]();
}
async function take(kind) {
  while (inbox[kind].length === 0) await new Promise((wake) => (waiting[kind] = wake));
  return inbox[kind].shift();
}

async function main(ws) {
  let octets = 0;
  for (let n = 0; n < rounds; n++) {
    const size = SIZES[n % SIZES.length];
    const sent = [[textOf(size), false], [binaryOf(size, n), true]];
    const ping = Buffer.from(`ping ${n}`);
    for (const [data, binary] of sent) {
      send(ws, data, binary, n % 3 === 2 ? 3 : 1);
      octets += data.length;
    }
    ws.ping(ping);
    for (const [data, binary] of sent) {
      const [back, backBinary] = await take('message');
      const kind = binary ? 'binary' : 'text';
      if (backBinary !== binary) fail(`round ${n}: ${kind} came back as ${backBinary ? 'binary' : 'text'}`);
      if (!back.equals(data)) fail(`round ${n}: ${kind} of ${data.length} octets came back different (${back.length})`);
    }
    const pong = await take('pong');
    if (!pong.equals(ping)) fail(`round ${n}: pong has ${pong.toString('hex')}`);
  }
  octets += await shortMessages(ws);
  if (inbox.message.length || inbox.pong.length) fail('more came back than was sent');
  ended = { messages: 2 * rounds + SHORT, pings: rounds, octets };
  ws.close(1000, 'done');
}

async function shortMessages(ws) {
  const underWay = 20;
  let octets = 0;
  for (let n = 0; n < SHORT + underWay; n++) {
    if (n < SHORT) {
      const data = report(n);
      ws.send(data, { binary: n % 2 === 1 });
      octets += data.length;
    }
    if (n < underWay) continue;
    const [back, binary] = await take('message');
    const good = back.equals(report(n - underWay)) && binary === (n - underWay) % 2 > 0;
    if (!good) fail(`short message ${n - underWay} came back different`);
  }
  return octets;
}

let ended = null; // set when everything came back and the close frame is sent
const limit = Number(flag('timeout') || 60);
setTimeout(() => fail(`not finished after ${limit} s`), limit * 1000).unref();

const ws = new WebSocket(url, flag('subprotocol') ? [flag('subprotocol')] : [], {
  perMessageDeflate: deflateOptions(flag),
  maxPayload: 64 << 20,
  handshakeTimeout: 10000,
  ...(flag('ca') && { ca: fs.readFileSync(flag('ca')) }),
});
ws.on('open', () => main(ws).catch((error) => fail(error.stack)));
ws.on('message', (data, isBinary) => put('message', [data, isBinary]));
ws.on('pong', (data) => put('pong', data));
ws.on('error', (error) => fail(error.message));
ws.on('close', (code, reason) => {
  if (!ended) fail(`closed too early: ${code} ${reason}`);
  if (code !== 1000) fail(`close was answered with ${code} ${reason}`);
  const { messages, pings, octets } = ended;
  console.log(`ok messages=${messages} pings=${pings} octets=${octets} close=${code} ` +
    `extensions=${ws.extensions || '-'} subprotocol=${ws.protocol || '-'}`);
});
