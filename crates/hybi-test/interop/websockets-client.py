"""Client on the Python package websockets: proves that a server echoes.

    websockets-client URL N [--deflate=on|off] [--no-context-takeover] [--window-bits=N] [--subprotocol=NAME]
        [--short=M] [--timeout=S] [--ca=FILE]

Sends N rounds, each a text message, a binary message and a ping, and waits for both echoes and the pong before the
next round. Sizes go round: 0, 1, 125, 126, 127, 65535, 65536 octets, 1 MiB; every third round is sent in three
fragments. Then sends M short messages that have much in common, twenty under way at a time, text and binary in turn,
and expects each back. Then closes with 1000 `done` and expects 1000 back. Prints one line and ends with status 0:

    ok messages=32 pings=16 octets=2360000 close=1000 extensions=permessage-deflate subprotocol=-

Anything else is a message on stderr and status 1, and so is a run longer than --timeout (60 seconds).
"""
import argparse
import asyncio
import os
import random
import ssl
import sys

import websockets
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

SIZES = (0, 1, 125, 126, 127, 65535, 65536, 1 << 20)
ALPHABET = "aé€😀"      # one, two, three and four octets: ten in all


class Failed(Exception):
    pass


def text_of(size):
    """Text of exactly so many octets, with characters of every length as far as they fit."""
    return ALPHABET * (size // 10) + "x" * (size % 10)


def binary_of(size, seed):
    """Octets that look random and are the same in every run."""
    return random.Random(seed).randbytes(size)


def in_three(data):
    step = -(-len(data) // 3)
    return [data[:step], data[step:2 * step], data[2 * step:]]


def report(n):
    """Each refers to the ones before it, if the compressor may."""
    text = f'{{"station":{n % 7},"tide":"{ALPHABET}","depths":[{n * 31},{n * 17},{n}]}}'
    return text.encode() if n % 2 else text


def extensions(args):
    if args.deflate == "off":
        return None  # not an empty list: that would become a header without an element
    return [ClientPerMessageDeflateFactory(
        server_no_context_takeover=args.no_context_takeover,
        client_no_context_takeover=args.no_context_takeover,
        server_max_window_bits=args.window_bits,
        client_max_window_bits=args.window_bits or True,
    )]


async def one_round(ws, n):
    size = SIZES[n % len(SIZES)]
    sent = (text_of(size), binary_of(size, n))

    async def say():
        for message in sent:
            await ws.send(in_three(message) if n % 3 == 2 else message)
        return await ws.ping(f"ping {n}")

    # At the same time, so that a large echo never waits for us.
    saying = asyncio.create_task(say())
    for message in sent:
        back = await ws.recv()
        if type(back) is not type(message):
            raise Failed(f"round {n}: {type(message).__name__} came back as {type(back).__name__}")
        if back != message:
            raise Failed(f"round {n}: {type(message).__name__} of {size} octets came back different")
    await (await saying)        # the pong with this ping's payload
    return 2 * size


async def short_messages(ws, count):
    under_way, octets = 20, 0
    for n in range(count + under_way):
        if n < count:
            message = report(n)
            await ws.send(message)
            octets += len(message if n % 2 else message.encode())
        if n >= under_way and await ws.recv() != report(n - under_way):     # text never equals octets
            raise Failed(f"short message {n - under_way} came back different")
    return octets


async def main(args):
    async with connect(
        args.url, compression=None, extensions=extensions(args), max_size=64 << 20, open_timeout=10, close_timeout=10,
        subprotocols=[args.subprotocol] if args.subprotocol else None, ping_interval=None, proxy=None,
        **({"ssl": ssl.create_default_context(cafile=args.ca)} if args.ca else {}),
    ) as ws:
        octets = 0
        for n in range(args.rounds):
            octets += await one_round(ws, n)
        octets += await short_messages(ws, args.short)
        await ws.close(1000, "done")
    close = ws.protocol.close_rcvd
    if close is None or close.code != 1000:
        raise Failed(f"close was answered with {close}")
    names = ", ".join(e.name for e in ws.protocol.extensions)
    print(f"ok messages={2 * args.rounds + args.short} pings={args.rounds} octets={octets} close={close.code} "
          f"extensions={names or '-'} subprotocol={ws.subprotocol or '-'}")


async def bounded(args):
    try:
        await asyncio.wait_for(main(args), args.timeout)
        return 0
    except TimeoutError as e:
        problem = f"timed out ({e})" if str(e) else f"not finished after {args.timeout:g} s"
    except ConnectionClosed as e:
        problem = f"closed too early: {e}"
    except (Failed, WebSocketException, OSError) as e:
        problem = f"{type(e).__name__}: {e}"
    print(f"websockets-client: {problem}", file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("rounds", type=int, metavar="N")
    parser.add_argument("--deflate", choices=("on", "off"), default="on")
    parser.add_argument("--no-context-takeover", action="store_true")
    parser.add_argument("--window-bits", type=int)
    parser.add_argument("--subprotocol")
    parser.add_argument("--short", type=int, default=0)
    parser.add_argument("--ca")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--version", action="version", version=f"websockets {websockets.__version__}")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("N is at least 1")
    sys.exit(asyncio.run(bounded(arguments)))
