"""Says what a WebAssembly module imports.

    wasm-imports.py MODULE.wasm [--none]

Prints the imports, one per line, then a summary. With --none the exit status is 1 if there is any, and also if the
module exports no function: the linker then dropped everything, and an empty module proves nothing.
"""
import sys

KINDS = ("function", "table", "memory", "global", "tag")
IMPORTS, EXPORTS = 2, 7     # ids of sections


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise ValueError(f"ends early, at octet {self.at}")
        self.at += n
        return self.data[self.at - n:self.at]

    def u8(self):
        return self.take(1)[0]

    def number(self):
        """An unsigned LEB128 number."""
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def name(self):
        return self.take(self.number()).decode()

    def limits(self):
        flags = self.number()
        self.number()
        if flags & 1:
            self.number()

    def description(self, kind):
        """Steps over what an import says beside its name and kind."""
        if kind == "function":
            self.number()
        elif kind == "table":
            self.u8()
            self.limits()
        elif kind == "memory":
            self.limits()
        elif kind == "global":
            self.take(2)
        elif kind == "tag":
            self.u8()
            self.number()


def parse(data):
    """(imports, exports): lists of (kind, name)."""
    module = Reader(data)
    if module.take(8) != b"\0asm\1\0\0\0":
        raise ValueError("no WebAssembly module of version 1")
    imports, exports = [], []
    while module.at < len(data):
        section, body = module.u8(), Reader(module.take(module.number()))
        if section == IMPORTS:
            for _ in range(body.number()):
                origin, name, kind = body.name(), body.name(), KINDS[body.u8()]
                body.description(kind)
                imports.append((kind, f"{origin}.{name}"))
        elif section == EXPORTS:
            for _ in range(body.number()):
                name, kind = body.name(), KINDS[body.u8()]
                body.number()
                exports.append((kind, name))
    return imports, exports


def main(arguments):
    names = [a for a in arguments if a != "--none"]
    if len(names) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(names[0], "rb") as f:
            data = f.read()
        imports, exports = parse(data)
    except (OSError, ValueError, IndexError) as e:
        print(f"wasm-imports: {names[0]}: {e}", file=sys.stderr)
        return 2
    for kind, name in imports:
        print(f"imports {kind} {name}")
    functions = [name for kind, name in exports if kind == "function"]
    print(f"{len(data)} octets, {len(imports)} imports, {len(functions)} exported functions: {' '.join(functions)}")
    if "--none" in arguments and (imports or not functions):
        print("wasm-imports: it must import nothing, and export something", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
