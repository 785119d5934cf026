"""Streams of frames, mostly legal, judged by hybi and by wsproto, which is another implementation in another language
and another process. Usage: streams.py SHIM STREAMS [SEED]

Both are given the same octets, whole frames of them, as a server and as a client. They have to deliver the same
messages, pings and pongs in the same order, to be told the same of the closing handshake, and to fail with the same
close code where they fail.
"""
import collections
import json
import random
import subprocess
import sys
from importlib.metadata import version

from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed

BATCH = 5_000
CHARS = ["a", "~", "\0", "é", "ß", "߿", "ࠀ", "世", "€", "\ud7ff", "\ue000", "\uffff", "𐀀", "🦀", "\U0010ffff"]
WRONG = [b"\x80", b"\xc0\xaf", b"\xc3(", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xff"]
CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
BAD_CODES = [0, 999, 1005, 1006, 1015]


class Maker:
    """Makes a stream: what a peer might say, and now and then what it must not."""

    def __init__(self, dice, masked):
        self.dice, self.masked, self.out = dice, masked, bytearray()

    def one_in(self, n):
        return self.dice.randrange(n) == 0

    def frame(self, opcode, payload, fin=True):
        dice, rsv, masked = self.dice, 0, self.masked
        if self.one_in(150):
            rsv = dice.choice((0x10, 0x20, 0x40))
        if self.one_in(150):
            masked = not masked
        if self.one_in(150):
            opcode = dice.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15))
        n = len(payload)
        form = 0 if n < 126 else 2 if n < 65536 else 8
        if self.one_in(150):
            form = dice.choice((2, 8))      # perhaps longer than it need be
        self.out.append((0x80 if fin else 0) | rsv | opcode)
        self.out.append((0x80 if masked else 0) | {0: n, 2: 126, 8: 127}[form])
        self.out += n.to_bytes(form, "big") if form else b""
        if masked:
            key = dice.randbytes(4)
            self.out += key
            payload = bytes(octet ^ key[i & 3] for i, octet in enumerate(payload))
        self.out += payload

    def text(self):
        text = "".join(self.dice.choices(CHARS, k=self.length()))
        octets = text.encode()
        if self.one_in(12):
            at = self.dice.randrange(len(octets) + 1)
            octets = octets[:at] + self.dice.choice(WRONG) + octets[at:]
        if self.one_in(25) and octets:
            octets = octets[:-1]
        return octets

    def length(self):
        return self.dice.choice((0, 1, 2, 3, 5, 8, 20, 40)) if not self.one_in(40) else self.dice.choice((125, 126, 127, 300))

    def message(self):
        opcode = self.dice.choice((1, 1, 2))
        octets = self.text() if opcode == 1 else self.dice.randbytes(self.length())
        pieces = self.dice.choice((1, 1, 1, 2, 3))
        cuts = sorted(self.dice.randrange(len(octets) + 1) for _ in range(pieces - 1))
        for i, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(octets)])):
            self.frame(opcode if i == 0 else 0, octets[a:b], fin=i == pieces - 1)
            if i < pieces - 1:
                if self.one_in(3):
                    self.control()
                if self.one_in(60):
                    return          # never finished: what comes next is wrong, or ends it

    def control(self):
        payload = self.dice.randbytes(self.dice.choice((0, 1, 4, 125)) if not self.one_in(60) else 126)
        self.frame(self.dice.choice((9, 9, 10)), payload, fin=not self.one_in(100))

    def close(self):
        body = b""
        if not self.one_in(4):
            code = self.dice.choice(CODES) if not self.one_in(6) else self.dice.choice(BAD_CODES)
            reason = "".join(self.dice.choices(CHARS, k=self.dice.randrange(6))).encode()
            body = code.to_bytes(2, "big") + reason + (self.dice.choice(WRONG) if self.one_in(12) else b"")
            if self.one_in(20):
                body = body[:1]
        self.frame(8, body)

    def stream(self):
        for _ in range(self.dice.randrange(1, 6)):
            what = self.dice.randrange(20)
            if what < 13:
                self.message()
            elif what < 18:
                self.control()
            elif what < 19:
                self.frame(0, self.text())      # continues a message, or nothing
            else:
                self.close()
        if self.one_in(3):
            self.close()
        return bytes(self.out)


def wsproto(octets, role):
    """What it delivers, and the close code with which it fails."""
    protocol = FrameProtocol(client=role == "client", extensions=[])
    protocol.receive_bytes(octets)
    events, message = [], []
    try:
        for frame in protocol.received_frames():
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
                message.append(frame.payload.encode() if isinstance(frame.payload, str) else bytes(frame.payload))
                if frame.message_finished:
                    events.append((frame.opcode.name.lower(), b"".join(message).hex()))
                    message = []
            elif frame.opcode is Opcode.CLOSE:
                code, reason = frame.payload
                events.append(("close", int(code), (reason or "").encode().hex()))
                return events, None
            else:
                events.append((frame.opcode.name.lower(), bytes(frame.payload).hex()))
    except ParseFailed as failed:
        return events, int(failed.code)
    return events, None


def hybi(answer):
    events = []
    for event in answer["events"]:
        if event["type"] == "close":
            events.append(("close", event["code"], event["hex"]))
        else:
            events += [(event["type"], event["hex"])] * event["count"]
    return events, answer["error"] and answer["error"]["close_code"]


def agree(role, octets, ours, theirs):
    """Whether both say the same. One thing may differ, which RFC 6455 leaves open (8.1): octets that begin no character
    fail hybi at once. Python takes some of them (ED A0) and looks at the third, so wsproto fails with a later frame, and
    tells of pings or a close before. Where the stream is over by then, it is given one more: the end of the message."""
    if ours == theirs:
        return True
    (events, code), (others, other_code) = ours, theirs
    later = [event[0] for event in others[len(events):]]
    if other_code is None and "close" not in later:
        _, other_code = wsproto(octets + (b"\x80\x80\0\0\0\0" if role == "server" else b"\x80\0"), role)
    return (code == 1007 and others[:len(events)] == events and set(later) <= {"ping", "pong", "close"}
            and (other_code is not None or "close" in later))


def main():
    shim, streams = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    dice = random.Random(seed)
    print(f"seed {seed}, wsproto {version('wsproto')}", flush=True)
    seen, done = collections.Counter(), 0
    while done < streams:
        batch = []
        for i in range(min(BATCH, streams - done)):
            role = "server" if i & 1 else "client"
            batch.append((role, Maker(dice, role == "server").stream()))
        asked = "".join(
            json.dumps({"id": "1", "kind": "frames", "role": role, "options": {},
                        "input": [{"op": "recv", "hex": octets.hex()}]}) + "\n" for role, octets in batch)
        answers = subprocess.run([shim], input=asked, capture_output=True, text=True, check=True).stdout.splitlines()
        for (role, octets), answer in zip(batch, answers, strict=True):
            ours, theirs = hybi(json.loads(answer)), wsproto(octets, role)
            if not agree(role, octets, ours, theirs):
                print(f"{role} {octets.hex()}\n  hybi    {ours}\n  wsproto {theirs}")
                return 1
            seen["later"] += ours != theirs
            seen["failed" if ours[1] else "closed" if ours[0] and ours[0][-1][0] == "close" else "open"] += 1
            seen["events"] += len(ours[0])
        done += len(batch)
        if done % 100_000 == 0 or done == streams:
            print(f"{done} streams, {seen['events']} events: {seen['failed']} fail, {seen['later']} of them later in "
                  f"wsproto, {seen['closed']} are closed, {seen['open']} stay open", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
