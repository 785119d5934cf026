"""The cases of the suite: their ids, by section, and the choice of some by the patterns that wstest takes."""
import re

# Section -> (what it tests, ids as "prefix: last number"); 517 cases in all, as in release 25.10.1 and 0.8.2.
SECTIONS = {
    1: ("Framing", "1.1:8 1.2:8"),
    2: ("Pings/Pongs", "2:11"),
    3: ("Reserved bits", "3:7"),
    4: ("Opcodes", "4.1:5 4.2:5"),
    5: ("Fragmentation", "5:20"),
    6: ("UTF-8", "6.1:3 6.2:4 6.3:2 6.4:4 6.5:5 6.6:11 6.7:4 6.8:2 6.9:4 6.10:3 6.11:5 6.12:8 6.13:5 6.14:10 6.15:1 "
                 "6.16:3 6.17:5 6.18:5 6.19:5 6.20:7 6.21:8 6.22:34 6.23:7"),
    7: ("Close handling", "7.1:6 7.3:6 7.5:1 7.7:13 7.9:9 7.13:2"),
    9: ("Limits/performance", "9.1:6 9.2:6 9.3:9 9.4:9 9.5:6 9.6:6 9.7:6 9.8:6"),
    10: ("Auto-fragmentation", "10.1:1"),
    12: ("Compression, payloads", "12.1:18 12.2:18 12.3:18 12.4:18 12.5:18"),
    13: ("Compression, parameters", "13.1:18 13.2:18 13.3:18 13.4:18 13.5:18 13.6:18 13.7:18"),
}


def key(case_id):
    return tuple(int(n) for n in case_id.split("."))


def all_cases():
    out = []
    for _, groups in SECTIONS.values():
        for group in groups.split():
            prefix, last = group.split(":")
            out += [f"{prefix}.{n}" for n in range(1, int(last) + 1)]
    return sorted(out, key=key)


def select(cases, exclude=(), ids=None):
    """The ids that wstest itself would run for these "cases" and "exclude-cases" patterns."""
    ids = all_cases() if ids is None else ids

    def hits(patterns):
        got = set()
        for p in patterns:
            if "*" in p:
                rx = re.compile(p.replace(".", r"\.").replace("*", ".*"))
                got.update(i for i in ids if rx.match(i))
            else:
                got.add(p)
        return got

    return sorted(hits(cases) - hits(exclude), key=key)
