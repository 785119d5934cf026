"""Echo server on the Python package websockets.

    websockets-server PORT [--deflate=on|off] [--no-context-takeover] [--window-bits=N] [--subprotocol=NAME]
        [--max-seconds=S] [--tls-cert=FILE --tls-key=FILE]

Listens on 127.0.0.1:PORT (0 = any free port) and prints `listening PORT`. Echoes text as text and binary as binary.
Per connection it prints `open EXTENSIONS|- SUBPROTOCOL|-` and, at the end, `closed CODE REASON` (1006: without a
closing handshake). Ends with status 0 on SIGTERM, and with 3 after --max-seconds (300), so that none is left behind.
"""
import argparse
import asyncio
import os
import signal
import ssl
import sys

import websockets
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory


def extensions(args):
    if args.deflate == "off":
        return []
    return [ServerPerMessageDeflateFactory(
        server_no_context_takeover=args.no_context_takeover,
        client_no_context_takeover=args.no_context_takeover,
        server_max_window_bits=args.window_bits,
        client_max_window_bits=args.window_bits,
    )]


def tls(args):
    if not args.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.tls_cert, args.tls_key)
    return context


async def echo(ws):
    names = ", ".join(e.name for e in ws.protocol.extensions)
    print(f"open {names or '-'} {ws.subprotocol or '-'}", flush=True)
    try:
        while True:
            await ws.send(await ws.recv())
    except ConnectionClosed:
        pass
    await ws.wait_closed()
    print(f"closed {ws.close_code} {ws.close_reason}".rstrip(), flush=True)


async def main(args):
    stop = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set_result, None)
    async with serve(
        echo, "127.0.0.1", args.port, compression=None, extensions=extensions(args), max_size=64 << 20,
        ssl=tls(args),
        subprotocols=[args.subprotocol] if args.subprotocol else None,
        select_subprotocol=lambda _, offered: args.subprotocol if args.subprotocol in offered else None,
    ) as server:
        print(f"listening {server.sockets[0].getsockname()[1]}", flush=True)
        try:
            await asyncio.wait_for(stop, args.max_seconds)
        except TimeoutError:
            print("websockets-server: --max-seconds are over", file=sys.stderr)
            os._exit(3)
    os._exit(0)     # without waiting for connections that are still open


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--deflate", choices=("on", "off"), default="on")
    parser.add_argument("--no-context-takeover", action="store_true")
    parser.add_argument("--window-bits", type=int)
    parser.add_argument("--subprotocol")
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--max-seconds", type=float, default=300)
    parser.add_argument("--version", action="version", version=f"websockets {websockets.__version__}")
    asyncio.run(main(parser.parse_args()))
