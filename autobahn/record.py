"""Recorded results of the suite: what an implementation is known to get, kept in expected/ROLE-ADAPTER.json.

    {
     "suite": "25.10.1",
     "sections": {
      "6": {"cases": 145, "OK": 141, "NON-STRICT": 4}
     },
     "exceptions": [
      {"cases": "6.4.*", "verdict": "NON-STRICT", "reason": "why this is right, or is not yet mended"}
     ]
    }

`sections` counts, per section, the cases by behavior and (as `bad close`) the closing behaviors that are not good. Only
sections that were run whole are recorded; recording one section leaves the others as they are. `exceptions` has every
verdict that fails a strict run; `cases` is one id, or `N.*` for a whole section. A person writes `reason`. An exception
without a reason is not allowed, so the strict run goes on failing until somebody has said why. INFORMATIONAL needs no
exception: the suite itself gives no judgement there.
"""
import collections
import json
import os

from cases import all_cases

SUITE = "25.10.1"
PLAIN = ("OK", "INFORMATIONAL")


def section(case_id):
    return case_id.split(".")[0]


def whole_sections(expected):
    """The sections of which every case is expected."""
    all_ids = collections.Counter(map(section, all_cases()))
    return {s for s, n in collections.Counter(map(section, expected)).items() if n == all_ids[s]}


def bad_close(case):
    return case["behaviorClose"] not in PLAIN and case["behavior"] != "INFORMATIONAL"


def count(got, expected):
    """Section -> counts, for the sections that were expected whole."""
    sections = {}
    whole = whole_sections(expected)
    for case_id in expected:
        if section(case_id) not in whole:
            continue
        row = sections.setdefault(section(case_id), {"cases": 0})
        row["cases"] += 1
        case = got.get(case_id, {"behavior": "did not run", "behaviorClose": "OK"})
        row[case["behavior"]] = row.get(case["behavior"], 0) + 1
        if bad_close(case):
            row["bad close"] = row.get("bad close", 0) + 1
    return sections


def read(path):
    if not os.path.exists(path):
        return {"suite": SUITE, "sections": {}, "exceptions": []}
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def exceptions(recorded):
    """The exceptions that carry a reason, as verdict.py takes them."""
    return [(e["cases"], e["verdict"]) for e in recorded["exceptions"] if e["reason"].strip()]


def differences(recorded, got, expected):
    for number, row in sorted(count(got, expected).items(), key=lambda item: int(item[0])):
        known = recorded["sections"].get(number)
        if known is not None and known != row:
            yield f"section {number} had {text(known)}, now has {text(row)}"


def text(row):
    return ", ".join(f"{n} {word}" for word, n in row.items())


def write(path, got, expected):
    old = read(path)
    now = count(got, expected)
    reasons = {(e["cases"], e["verdict"]): e["reason"] for e in old["exceptions"]}
    entries = [e for e in old["exceptions"] if section(e["cases"]) not in now]
    for number, row in now.items():
        found = collections.defaultdict(list)
        for case_id in expected:
            if section(case_id) == number and case_id in got:
                case = got[case_id]
                if case["behavior"] not in PLAIN:
                    found[case["behavior"]].append(case_id)
                if bad_close(case) and case["behaviorClose"] != case["behavior"]:
                    found[case["behaviorClose"]].append(case_id)
        for word, ids in found.items():
            for name in [f"{number}.*"] if len(ids) == row["cases"] else ids:
                entries.append({"cases": name, "verdict": word, "reason": reasons.get((name, word), "")})
    entries.sort(key=lambda e: [int(n) if n != "*" else 0 for n in e["cases"].split(".")])
    sections = sorted({**old["sections"], **now}.items(), key=lambda item: int(item[0]))

    # One line per section and per exception, so that a change reads well in a review.
    lines = ["{", f' "suite": {json.dumps(SUITE)},', ' "sections": {']
    lines += [",\n".join(f"  {json.dumps(n)}: {json.dumps(row)}" for n, row in sections)]
    lines += [" },", ' "exceptions": [']
    lines += [",\n".join("  " + json.dumps(e, ensure_ascii=False) for e in entries)] if entries else []
    lines += [" ]", "}"]
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
