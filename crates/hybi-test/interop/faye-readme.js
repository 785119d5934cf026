// What the README of the npm package faye-websocket shows, as programs to talk to.
//
//   faye-readme SERVER PORT [--max-seconds=S] [--tls-cert=FILE --tls-key=FILE]
//       echo, pipe, ping, subprotocols, deflate, options, headers
//   faye-readme CLIENT URL [--timeout=S] [--proxy=URL] [--ca=FILE]
//       hello, ping, subprotocols, deflate, options
//
// A server prints `listening PORT`, and then what it sees. A client prints one line and ends with status 0:
// `ok ...`; anything else is a message on stderr and status 1.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const WebSocket = require('faye-websocket');
const deflate = require('permessage-deflate');
const { flags } = require('./ws-flags.js');

const { words, flag } = flags(['max-seconds', 'timeout', 'proxy', 'tls-cert', 'tls-key', 'ca']);
const [name, where] = words;

const ok = (what) => {
  console.log(`ok ${what}`);
  process.exit(0);
};
const fail = (what) => {
  console.error(`faye-readme ${name}: ${what}`);
  process.exit(1);
};

const echo = (ws) => {
  ws.on('message', (event) => ws.send(event.data));
  ws.on('close', (event) => console.log('close', event.code, event.reason));
};
const protocols = ['irc', 'amqp'];
// Made when the request is there: (request, socket, body).
const servers = {
  echo: (...from) => echo(new WebSocket(...from)),
  pipe(...from) {
    const ws = new WebSocket(...from);
    ws.pipe(ws);
  },
  ping(...from) {
    const ws = new WebSocket(...from);
    ws.on('open', () => ws.ping('Mic check, one, two', () => console.log('pong')));
  },
  subprotocols(...from) {
    const ws = new WebSocket(...from, protocols);
    ws.on('open', () => ws.send(`speaking ${ws.protocol}`));
  },
  deflate: (...from) => echo(new WebSocket(...from, [], { extensions: [deflate] })),
  options: (...from) => echo(new WebSocket(...from, [], { headers: { 'X-Tide': 'high' }, maxLength: 1000, ping: 0.05 })),
  headers(request, socket, body) {
    console.log(`cookie ${request.headers.cookie}`);
    echo(new WebSocket(request, socket, body));
  },
};

const clients = {
  hello: [[], {}, (ws) => {
    let heard = '';
    ws.on('open', () => ws.send('Hello, world!'));
    ws.on('message', (event) => {
      heard = event.data;
      ws.close(1000, 'heard');
    });
    ws.on('close', (event) => ok(`${ws.statusCode} ${ws.headers['x-tide']} message ${heard} close ${event.code} ${event.reason}`));
  }],
  ping: [[], {}, (ws) => ws.on('open', () => ws.ping('Mic check, one, two', () => ok('pong')))],
  subprotocols: [protocols, {}, (ws) => ws.on('open', () => ok(`speaking ${ws.protocol}`))],
  deflate: [[], { extensions: [deflate] }, (ws) => {
    const text = 'high water '.repeat(1000);
    ws.on('open', () => ws.send(text));
    ws.on('message', (event) => (event.data === text ? ok('the same') : fail('another text')));
  }],
  options: [[], { headers: { Cookie: 'a=1' }, maxLength: 1000, ping: 0.05 }, (ws) => {
    ws.on('close', (event) => ok(`${ws.version} close ${event.code}`));
  }],
};

if (servers[name] && /^\d+$/.test(where)) {
  const server = flag('tls-cert')
    ? https.createServer({ cert: fs.readFileSync(flag('tls-cert')), key: fs.readFileSync(flag('tls-key')) })
    : http.createServer();
  server.on('upgrade', (request, socket, body) => {
    if (WebSocket.isWebSocket(request)) servers[name](request, socket, body);
  });
  server.listen(Number(where), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
  process.on('SIGTERM', () => process.exit(0));
  setTimeout(() => fail('--max-seconds are over'), 1000 * Number(flag('max-seconds') || 300)).unref();
} else if (clients[name] && where) {
  setTimeout(() => fail('not finished in time'), 1000 * Number(flag('timeout') || 60)).unref();
  const [offered, options, use] = clients[name];
  if (flag('proxy')) options.proxy = { origin: flag('proxy'), headers: { 'User-Agent': 'node' } };
  if (flag('ca')) options.tls = { ca: fs.readFileSync(flag('ca')) };
  const ws = new WebSocket.Client(where, offered, options);
  if (name !== 'options') ws.on('error', (event) => fail(event.message)); // there it is what is wanted, and for information
  use(ws);
} else {
  console.error('usage: faye-readme NAME PORT|URL [options]');
  process.exit(2);
}
