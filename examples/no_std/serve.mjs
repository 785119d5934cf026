// Gives the module sockets: an echo server in Node whose protocol is the core in WebAssembly.
//
//     node serve.mjs MODULE.wasm PORT
//     node serve.mjs MODULE.wasm --check      talks to itself, and says `ok`
//
// The module imports nothing. It is told what arrived and what time it is, and asked what follows.

import { readFile } from "node:fs/promises";
import { createServer, connect } from "node:net";
import { once } from "node:events";
import assert from "node:assert/strict";

const [, , file, argument] = process.argv;
const module = await WebAssembly.compile(await readFile(file));
assert.deepEqual(WebAssembly.Module.imports(module), []);

function serve(socket) {
  // Each connection has an instance, and so memory, of its own.
  const core = new WebAssembly.Instance(module, {}).exports;
  const guest = core.open();
  const page = () => new Uint8Array(core.memory.buffer, core.page(guest), core.page_len());
  let timer;

  const drain = () => {
    for (let n; (n = core.transmit(guest)) > 0; ) socket.write(page().slice(0, n));
    clearTimeout(timer);
    if (core.is_over(guest)) return void socket.end();
    const due = core.deadline(guest);
    if (due < Infinity) timer = setTimeout(tick, Math.max(0, due - performance.now() + 1));
  };
  const tick = () => {
    core.receive(guest, 0, performance.now());
    drain();
  };
  socket.on("data", (data) => {
    for (let at = 0; at < data.length; at += core.page_len()) {
      const piece = data.subarray(at, at + core.page_len());
      page().set(piece);
      core.receive(guest, piece.length, performance.now());
      drain();
    }
  });
  socket.on("end", () => { core.receive_eof(guest); drain(); });
  socket.on("close", () => { clearTimeout(timer); core.close(guest); });
  socket.on("error", () => socket.destroy());
  tick(); // the deadline of the handshake
}

const server = createServer({ allowHalfOpen: true }, serve);
server.listen(argument === "--check" ? 0 : Number(argument), "127.0.0.1");
await once(server, "listening");
if (argument === "--check") {
  await check(server.address().port);
  server.close();
  console.log("ok");
} else {
  console.log(`listening on ws://127.0.0.1:${server.address().port}/`);
}

// ---- the check: a request, a text message in one read and in many, a close frame

async function check(port) {
  const socket = connect(port, "127.0.0.1");
  let there = Buffer.alloc(0), ended = false, wake = () => {};
  socket.on("data", (data) => { there = Buffer.concat([there, data]); wake(); });
  socket.on("end", () => { ended = true; wake(); });
  const read = async (until) => {
    let n;
    while ((n = until(there)) <= 0) {
      assert(!ended, "the server is still there");
      await new Promise((resolve) => (wake = resolve));
    }
    const taken = there.subarray(0, n);
    there = there.subarray(n);
    return taken;
  };
  const exactly = (octets) => read((there) => (there.length >= octets.length ? octets.length : 0))
    .then((taken) => assert.deepEqual(taken, octets));

  socket.write("GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  const head = String(await read((there) => (there.includes("\r\n\r\n") ? there.indexOf("\r\n\r\n") + 4 : 0)));
  assert.match(head, /^HTTP\/1\.1 101 /);
  assert.match(head, /s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);

  const hello = Buffer.from("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "latin1"); // RFC 6455 section 5.7
  socket.write(hello);
  await exactly(Buffer.from("\x81\x05Hello", "latin1"));
  for (const octet of hello) socket.write(Buffer.from([octet]));
  await exactly(Buffer.from("\x81\x05Hello", "latin1"));

  const long = Buffer.alloc(10_000, "a");
  socket.write(Buffer.concat([Buffer.from([0x82, 0xfe, 10_000 >> 8, 10_000 & 255, 0, 0, 0, 0]), long]));
  await exactly(Buffer.concat([Buffer.from([0x82, 126, 10_000 >> 8, 10_000 & 255]), long]));

  socket.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]));
  await exactly(Buffer.from([0x88, 2, 0x03, 0xe8]));
  if (!ended) await once(socket, "end");
  socket.end();
}
