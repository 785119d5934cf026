// What the README of the npm package ws shows, as programs to talk to.
//
//   ws-readme SERVER PORT [--max-seconds=S]      simple, paths, authentication, broadcast, heartbeat
//   ws-readme CLIENT URL [--timeout=S]           text, binary, round-trip, stream, listening
//
// A server prints `listening PORT`, and then what it sees. A client prints one line and ends with status 0:
// `ok ...`; anything else is a message on stderr and status 1.
'use strict';
const http = require('http');
const { WebSocket, WebSocketServer, createWebSocketStream } = require('ws');
const { flags } = require('./ws-flags.js');

const { words, flag } = flags(['max-seconds', 'timeout']);
const [name, where] = words;

const ok = (what) => {
  console.log(`ok ${what}`);
  process.exit(0);
};
const fail = (what) => {
  console.error(`ws-readme ${name}: ${what}`);
  process.exit(1);
};

const servers = {
  simple(web) {
    new WebSocketServer({ server: web }).on('connection', (ws) => {
      ws.on('message', (data) => console.log(`received: ${data}`));
      ws.send('something');
    });
  },
  paths(web) {
    const of = { '/foo': new WebSocketServer({ noServer: true }), '/bar': new WebSocketServer({ noServer: true }) };
    for (const [path, server] of Object.entries(of)) {
      server.on('connection', (ws) => ws.send(`this is ${path.slice(1)}`));
    }
    web.on('upgrade', (request, socket, head) => {
      const server = of[new URL(request.url, 'ws://h').pathname];
      if (!server) return socket.destroy();
      server.handleUpgrade(request, socket, head, (ws) => server.emit('connection', ws, request));
    });
  },
  authentication(web) {
    const server = new WebSocketServer({ noServer: true });
    web.on('upgrade', (request, socket, head) => {
      if (request.headers.cookie !== 'session=7') {
        return socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
      }
      server.handleUpgrade(request, socket, head, (ws) => ws.send('welcome, 7'));
    });
  },
  broadcast(web) {
    const server = new WebSocketServer({ server: web });
    server.on('connection', (ws) => {
      console.log(`here ${server.clients.size}`);
      ws.on('message', (data, binary) => {
        for (const client of server.clients) {
          if (client !== ws && client.readyState === WebSocket.OPEN) client.send(data, { binary });
        }
      });
    });
  },
  heartbeat(web) {
    const server = new WebSocketServer({ server: web });
    server.on('connection', (ws) => {
      ws.on('pong', () => console.log('alive'));
      ws.ping();
    });
  },
};

const clients = {
  text(ws) {
    ws.on('open', () => ws.send('something'));
    ws.on('message', (data) => ok(`received: ${data}`));
  },
  binary(ws) {
    const numbers = Float32Array.from({ length: 5 }, (_, i) => i / 2);
    ws.on('open', () => ws.send(numbers));
    ws.on('message', (data, binary) => {
      const same = binary && data.equals(Buffer.from(numbers.buffer));
      if (same) ok(`${data.length} octets`);
      else fail('other octets came back');
    });
  },
  'round-trip'(ws) {
    ws.on('open', () => ws.send(Date.now()));
    ws.on('message', (data) => {
      if (Number(data) <= Date.now()) ok('round trip');
      else fail(`no time: ${data}`);
    });
  },
  stream(ws) {
    const duplex = createWebSocketStream(ws, { encoding: 'utf8' });
    let heard = '';
    duplex.on('data', (data) => {
      heard += data;
      if (heard === 'high water?') duplex.end();
    });
    duplex.on('error', (error) => fail(error.message));
    duplex.on('end', () => ok(`heard: ${heard}`));
    duplex.write('high ');
    duplex.write('water?');
  },
  listening(ws) {
    ws.on('ping', () => ws.close(1000, 'heard a ping'));
    ws.on('close', (code) => ok(`closed ${code}`));
  },
};

if (servers[name] && /^\d+$/.test(where)) {
  const web = http.createServer();
  servers[name](web);
  web.listen(Number(where), '127.0.0.1', () => console.log(`listening ${web.address().port}`));
  process.on('SIGTERM', () => process.exit(0));
  setTimeout(() => fail('--max-seconds are over'), 1000 * Number(flag('max-seconds') || 300)).unref();
} else if (clients[name] && where) {
  setTimeout(() => fail('not finished in time'), 1000 * Number(flag('timeout') || 60)).unref();
  const ws = new WebSocket(where);
  ws.on('error', (error) => fail(error.message));
  clients[name](ws);
} else {
  console.error('usage: ws-readme NAME PORT|URL [options]');
  process.exit(2);
}
