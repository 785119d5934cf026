// What the README of the npm package ws shows, as programs to talk to.
//
//   ws-readme SERVER PORT [--max-seconds=S] [--tls-cert=FILE --tls-key=FILE]
//       simple, echo, compression, paths, authentication, broadcast, heartbeat, address
//   ws-readme CLIENT URL [--timeout=S] [--ca=FILE] [--proxy=HOST:PORT] [--forwarded-for=LIST]
//       [--protocol-version=N]
//       text, binary, round-trip, stream, compressed, plain, paths, authentication, broadcast, listening, silent
//
// A server prints `listening PORT`, and then what it sees. A client prints one line and ends with status 0:
// `ok ...`; anything else is a message on stderr and status 1.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const { WebSocket, WebSocketServer, createWebSocketStream } = require('ws');
const { flags } = require('./ws-flags.js');

const { words, flag } = flags(['max-seconds', 'timeout', 'tls-cert', 'tls-key', 'ca', 'proxy', 'forwarded-for',
  'protocol-version']);
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
  echo(web) {
    new WebSocketServer({ server: web }).on('connection', (ws) => {
      ws.on('message', (data, binary) => ws.send(data, { binary }));
    });
  },
  compression(web) {
    const perMessageDeflate = {
      zlibDeflateOptions: { chunkSize: 1024, memLevel: 7, level: 3 },
      zlibInflateOptions: { chunkSize: 10 * 1024 },
      clientNoContextTakeover: true,
      serverNoContextTakeover: true,
      serverMaxWindowBits: 10,
      concurrencyLimit: 10,
      threshold: 1024,
    };
    new WebSocketServer({ server: web, perMessageDeflate }).on('connection', (ws) => {
      console.log(`extensions: ${ws.extensions}`);
      ws.on('message', (data, binary) => ws.send(data, { binary }));
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
  address(web) {
    new WebSocketServer({ server: web }).on('connection', (ws, request) => {
      const forwarded = request.headers['x-forwarded-for'].split(',')[0].trim();
      console.log(`${request.socket.remoteAddress} for ${forwarded}`);
    });
  },
};

// What an agent for proxies does: CONNECT, and the handshake goes through the tunnel.
class ProxyAgent extends http.Agent {
  createConnection(options, callback) {
    const [host, port] = flag('proxy').split(':');
    const asked = http.request({ host, port, method: 'CONNECT', path: `${options.host}:${options.port}` });
    asked.on('connect', (response, socket) => callback(null, socket));
    asked.on('error', callback);
    asked.end();
  }
}

// The next connection to the same place, with other options or at another path.
const again = (options, path = '') => new WebSocket(new URL(path, where), options);

// Every message comes back in the compressed form or in its own, and is the same.
const comesBack = (ws) => {
  const text = 'high water '.repeat(200);
  ws.on('open', () => ws.send(text));
  ws.on('message', (data) => (String(data) === text ? ok(`extensions: ${ws.extensions}`) : fail('another text')));
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
  compressed: comesBack,
  plain: [{ perMessageDeflate: false }, comesBack],
  paths(ws) {
    ws.on('message', (foo) => again({}, '/bar').on('message', (bar) => {
      again({}, '/tide').on('unexpected-response', (_, { statusCode }) => ok(`${foo}, ${bar}, ${statusCode}`));
    }));
  },
  authentication(ws) {
    ws.on('unexpected-response', (_, { statusCode }) => {
      again({ headers: { Cookie: 'session=7' } }).on('message', (data) => ok(`${statusCode}, then ${data}`));
    });
  },
  broadcast(ws) {
    const all = [ws, again({}), again({})];
    const heard = [[], [], []];
    all.forEach((each, n) => {
      each.on('message', (data, binary) => {
        if (`${data}` === 'all are here') {
          if (n === 0) ['high water', Buffer.of(1, 2)].forEach((message) => ws.send(message));
          return;
        }
        heard[n].push(binary ? [...data] : `${data}`);
        if (heard[1].length === 2 && heard[2].length === 2) ok(JSON.stringify(heard));
      });
    });
  },
  // Whoever does not answer pings is found to be gone.
  silent: [{ autoPong: false }, (ws) => ws.on('close', (code) => ok(`closed ${code}`))],
};

if (servers[name] && /^\d+$/.test(where)) {
  const web = flag('tls-cert')
    ? https.createServer({ cert: fs.readFileSync(flag('tls-cert')), key: fs.readFileSync(flag('tls-key')) })
    : http.createServer();
  servers[name](web);
  web.listen(Number(where), '127.0.0.1', () => console.log(`listening ${web.address().port}`));
  process.on('SIGTERM', () => process.exit(0));
  setTimeout(() => fail('--max-seconds are over'), 1000 * Number(flag('max-seconds') || 300)).unref();
} else if (clients[name] && where) {
  setTimeout(() => fail('not finished in time'), 1000 * Number(flag('timeout') || 60)).unref();
  const [options, use] = typeof clients[name] === 'function' ? [{}, clients[name]] : clients[name];
  if (flag('ca')) options.ca = fs.readFileSync(flag('ca'));
  if (flag('proxy')) options.agent = new ProxyAgent();
  if (flag('forwarded-for')) options.headers = { 'X-Forwarded-For': flag('forwarded-for') };
  if (flag('protocol-version')) options.protocolVersion = Number(flag('protocol-version'));
  const ws = new WebSocket(where, options);
  ws.on('error', (error) => fail(error.message));
  use(ws);
} else {
  console.error('usage: ws-readme NAME PORT|URL [options]');
  process.exit(2);
}
