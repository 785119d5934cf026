#!/usr/bin/env python3
"""Reads a report of `cargo llvm-cov --lcov`, and says how much of the program alone is covered: without the module of
unit tests at the end of each file. Names the lines that no test runs, and the files with branches that none takes."""

import sys
from collections import Counter
from pathlib import Path


def tests_begin(lines):
    """The number of the line at which the unit tests begin, or one behind the end."""
    for number, line in enumerate(lines, 1):
        is_module = line.startswith("mod ") and line.endswith("{")
        if is_module and (line == "mod tests {" or lines[number - 2] == "#[cfg(test)]"):
            return number
    return len(lines) + 1


def main(report):
    lines, branches, missed, untaken = Counter(), Counter(), [], Counter()
    for line in Path(report).read_text().splitlines():
        what, _, rest = line.partition(":")
        if what == "SF":
            source = Path(rest).read_text().splitlines()
            end, name = tests_begin(source), rest.rpartition("/crates/")[2]
        elif what in ("DA", "BRDA"):
            number, *_, count = rest.split(",")
            if int(number) >= end:
                continue
            ran = count not in ("-", "0")
            if what == "BRDA":
                branches[ran] += 1
                untaken[name] += not ran
            else:
                lines[ran] += 1
                if not ran:
                    missed.append(f"{name}:{number}: {source[int(number) - 1].strip()}")
    for name, counted in ("lines", lines), ("branches", branches):
        ran, there = counted[True], counted.total()
        print(f"of the program: {ran} of {there} {name} ({100 * ran / there:.1f} %)")
    print("lines that no test runs:", *missed, sep="\n  ")
    print("branches that no test takes:", ", ".join(f"{name} {n}" for name, n in untaken.most_common() if n))


main(*sys.argv[1:])
