"""A shim that says what another one says, but for the work: that grows with the input to the power of EXPONENT, and is
twice as much for the first NOISY answers to the largest input, as if the machine had had other things to do.

    noisy_shim.py SHIM EXPONENT NOISY
"""
import json
import re
import subprocess
import sys

shim, exponent, noisy = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
largest = 0
with subprocess.Popen([shim], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as inner:
    for line in sys.stdin:
        inner.stdin.write(line)
        inner.stdin.flush()
        answer = json.loads(inner.stdout.readline())
        size = int(re.search(r"\*(\d+)}", json.loads(line)["input"][0]["hex"])[1])      # `81...{ff*50000}...`
        largest = max(largest, size)
        work = (size / 20) ** exponent * (2000 if exponent == 1 else 1)
        if size == largest and noisy > 0:
            noisy -= 1
            work *= 2
        answer["cost"]["work_ns"] = int(work)
        print(json.dumps(answer), flush=True)
