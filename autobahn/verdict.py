#!/usr/bin/env python3
"""Reads the suite's index.json and says, by section, how an implementation did.

    verdict.py REPORT_DIR_OR_INDEX... [--spec SPEC.json | --cases PATTERNS] [--strict] [--allow PATTERN=VERDICT]...

Exit status: 0 all good, 1 something failed or did not run, 2 no usable report.

A case counts as failed when
  - it is expected but absent from the report (so a short run never passes for a full one),
  - its behavior is FAILED, or any word this script does not know,
  - its closing behavior (behaviorClose) is other than OK or INFORMATIONAL,
  - with --strict, its behavior is NON-STRICT or UNIMPLEMENTED,
unless an --allow names it: `--allow '6.4.*=NON-STRICT'`, `--allow '13.3.*=UNIMPLEMENTED'`, `--allow '7.1.5=FAILED'`.
An --allow that matches nothing in the report is reported, and fails with --strict: it is out of date.

--expect FILE reads a recorded result (record.py has the format): its exceptions that carry a reason are allowed as by
--allow, and a section whose counts differ from the recorded ones counts as one failure. --record writes that file.

Expected cases: all 517, or those that --spec (the file given to wstest) or --cases ('1.*,6.4.1') selects.
"""
import argparse
import fnmatch
import json
import os
import sys
import textwrap

import record
from cases import SECTIONS, key, select

VERDICTS = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED")
GOOD_CLOSE = ("OK", "INFORMATIONAL")


def load(paths):
    agents = {}
    for path in paths:
        if os.path.isdir(path):
            path = os.path.join(path, "index.json")
        with open(path, encoding="utf-8") as f:
            for agent, cases in json.load(f).items():
                agents.setdefault(agent, {}).update(cases)
    return agents


def judge(agent, got, expected, allow, strict, out=sys.stdout):
    """Prints one agent's table and returns (passed, failed, skipped)."""
    used = set()

    def allowed(case_id, verdict):
        for pattern, word in allow:
            if word == verdict and fnmatch.fnmatchcase(case_id, pattern):
                used.add((pattern, word))
                return True
        return False

    rows, notes, missing = {}, [], []
    total = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for case_id in sorted(set(expected) | set(got), key=key):
        row = rows.setdefault(key(case_id)[0], dict.fromkeys(VERDICTS + ("expected", "ran", "bad close", "ms"), 0))
        row["expected"] += case_id in expected
        if case_id not in got:
            total["failed"] += 1
            missing.append(case_id)
            continue
        case = got[case_id]
        behavior, close = case["behavior"], case["behaviorClose"]
        row["ran"] += 1
        ms = case.get("duration") or 0
        ms = ms if ms < 10 ** 9 else 0      # a connection that never opened is reported as lasting since 1970
        row["ms"] += ms
        row[behavior if behavior in VERDICTS else "FAILED"] += 1
        problems = []
        if behavior not in ("OK", "INFORMATIONAL"):
            fatal = behavior not in ("NON-STRICT", "UNIMPLEMENTED") or strict
            problems.append((behavior, fatal and not allowed(case_id, behavior)))
        if close not in GOOD_CLOSE and behavior != "INFORMATIONAL":
            row["bad close"] += 1
            problems.append((f"close: {close}", not allowed(case_id, close)))
        if case_id not in expected:
            problems.append(("not asked for", False))
        fatal = any(bad for _, bad in problems)
        if problems:
            text = ", ".join(t + ("" if bad else " (let pass)") for t, bad in problems)
            notes.append(f"{case_id:8} {text}  [peer's close code {case.get('remoteCloseCode')}, {ms} ms, "
                         f"{case.get('reportfile')}]")
        total["failed" if fatal else "skipped" if behavior == "UNIMPLEMENTED" else "passed"] += 1

    print(f"\n== {agent}: {len(got)} of {len(expected)} expected cases reported", file=out)
    head = ("section", "ran/expected") + VERDICTS + ("bad close", "seconds")
    widths = (28, 13) + tuple(max(len(h) + 1, 5) for h in head[2:])
    print("".join(h.ljust(w) if i == 0 else h.rjust(w) for i, (h, w) in enumerate(zip(head, widths))), file=out)
    sums = dict.fromkeys(VERDICTS + ("expected", "ran", "bad close", "ms"), 0)

    def line(label, row):
        cells = [label, f"{row['ran']}/{row['expected']}"] + [str(row[v] or "-") for v in VERDICTS]
        cells += [str(row["bad close"] or "-"), f"{row['ms'] / 1000:.1f}"]
        print("".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))), file=out)

    for number, row in sorted(rows.items()):
        line(f"{number:>2} {SECTIONS.get(number, ('?',))[0]}", row)
        for k in sums:
            sums[k] += row[k]
    line("   all", sums)
    if missing:
        print(f"did not run ({len(missing)}):", file=out)
        shown = missing[:60] + ["..."] * (len(missing) > 60)
        print(textwrap.fill(" ".join(shown), 116, initial_indent="  ", subsequent_indent="  "), file=out)
    if notes:
        print("not plainly OK:", file=out)
        for note in notes:
            print("  " + note, file=out)
    for pattern, word in allow:
        if (pattern, word) not in used and any(fnmatch.fnmatchcase(i, pattern) for i in expected):
            print(f"  --allow {pattern}={word} matched nothing{': out of date' if strict else ''}", file=out)
            total["failed"] += strict
    return total


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("report", nargs="+", help="report folder or index.json; several are merged")
    ap.add_argument("--spec", help="the spec file the run used: its cases are the expected ones")
    ap.add_argument("--cases", help="comma-separated patterns of the expected cases")
    ap.add_argument("--exclude", default="", help="comma-separated patterns taken out again")
    ap.add_argument("--allow", action="append", default=[], metavar="PATTERN=VERDICT")
    ap.add_argument("--strict", action="store_true", help="NON-STRICT and UNIMPLEMENTED fail too")
    ap.add_argument("--expect", metavar="FILE", help="a recorded result to compare with; may be absent")
    ap.add_argument("--record", action="store_true", help="write the --expect file from this report")
    a = ap.parse_args(argv)
    if a.record and not a.expect:
        ap.error("--record needs --expect FILE")
    allow = []
    for item in a.allow:
        pattern, eq, word = item.partition("=")
        if not eq:
            ap.error(f"--allow {item}: say PATTERN=VERDICT")
        allow.append((pattern, word.upper()))
    cases, exclude = ["*"], [p for p in a.exclude.split(",") if p]
    if a.spec:
        with open(a.spec, encoding="utf-8") as f:
            spec = json.load(f)
        cases, exclude = spec["cases"], spec.get("exclude-cases", []) + exclude
    if a.cases:
        cases = a.cases.split(",")
    expected = select(cases, exclude)
    try:
        agents = load(a.report)
    except (OSError, ValueError) as e:
        print(f"verdict: no usable report: {e}", file=sys.stderr)
        return 2
    if not agents or not expected:
        print("verdict: the report names no agent, or no case is expected", file=sys.stderr)
        return 2
    sums = dict.fromkeys(("passed", "failed", "skipped"), 0)
    if a.expect:
        if len(agents) > 1:
            ap.error("--expect is about one agent, the report has several")
        got = next(iter(agents.values()))
        if a.record:
            record.write(a.expect, got, expected)
            print(f"recorded: {a.expect}")
        recorded = record.read(a.expect)
        allow += record.exceptions(recorded)
        for difference in record.differences(recorded, got, expected):
            print(f"differs from {a.expect}: {difference}")
            sums["failed"] += 1
    for agent, got in sorted(agents.items()):
        for k, n in judge(agent, got, expected, allow, a.strict).items():
            sums[k] += n
    skipped = f", {sums['skipped']} skipped" if sums["skipped"] else ""
    print(f"\nautobahn: {sums['passed']} passed, {sums['failed']} failed{skipped}")
    return 1 if sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
