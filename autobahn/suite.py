#!/usr/bin/env python3
"""Runs the Autobahn suite against a server or a client, in parallel shards, and hands the reports to verdict.py.

    suite.py server --wstest DEST/bin/wstest --out DIR
                    --cmd 'target/release/echo-server {port}' [options] [-- verdict options]
    suite.py client --wstest DEST/bin/wstest --out DIR
                    --cmd 'target/release/echo-client {url} {agent}' [options] [-- verdict options]

server: starts one copy of --cmd per shard, each on a free {port}, and one wstest fuzzingclient against each.
        With --url instead of --cmd, every shard talks to that server, which is already running.
client: starts one wstest fuzzingserver per shard and runs one copy of --cmd per shard against its {url}.  The command
        asks /getCaseCount, then opens /runCase?case=N&agent={agent} for N = 1..count, echoing every message, then
        opens /updateReports?agent={agent}, and exits 0.

Every case runs on a connection of its own and no state is shared between cases, so shards may run at the same time;
cases are dealt so that every shard gets its part of the slow ones, and inside a shard run in the suite's order.
Exit status: verdict.py's, or 2 if a process did not start, died, or ran past --timeout.
"""
import argparse
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

import verdict
from cases import key, select


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, proc, limit=20.0):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if proc.poll() is not None:
            raise RuntimeError(f"{proc.args[0]} ended with status {proc.returncode} before it listened on {port}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port} after {limit:.0f} s")


class Runner:
    def __init__(self, out):
        self.out, self.procs, self.logs = out, [], []

    def start(self, name, argv):
        log = open(os.path.join(self.out, "logs", name + ".log"), "wb")
        self.logs.append(log)
        proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.procs.append(proc)
        return proc

    def stop(self, procs=None):
        """Ends the processes started here, and only those."""
        for proc in self.procs if procs is None else procs:
            if proc.poll() is None:
                proc.terminate()
        for proc in self.procs if procs is None else procs:
            try:
                proc.wait(5)
            except subprocess.TimeoutExpired:
                proc.kill()
                proc.wait()

    def wait(self, procs, limit):
        end = time.monotonic() + limit
        for proc in procs:
            try:
                status = proc.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"still running after {limit:.0f} s: {' '.join(proc.args[:3])} ...") from None
            if status:
                raise RuntimeError(f"status {status} from {' '.join(proc.args[:3])} ... (see {self.out}/logs)")

    def show_logs(self):
        for log in self.logs:
            log.flush()
            with open(log.name, encoding="utf-8", errors="replace") as f:
                for line in f.read().splitlines()[-10:]:
                    print(f"suite: {os.path.basename(log.name)}: {line}", file=sys.stderr)


def fill(command, **values):
    out = []
    for word in shlex.split(command):
        for k, v in values.items():
            word = word.replace("{" + k + "}", str(v))
        out.append(word)
    return out


def main():
    argv = sys.argv[1:]
    extra = argv[argv.index("--") + 1:] if "--" in argv else []
    argv = argv[:argv.index("--")] if "--" in argv else argv
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("mode", choices=("server", "client"))
    ap.add_argument("--wstest", required=True)
    ap.add_argument("--out", required=True, help="report folder: emptied first")
    ap.add_argument("--cmd", help="the implementation's command, with {port} or {url} and {agent}")
    ap.add_argument("--url", help="server mode: a server that already runs")
    ap.add_argument("--agent", default="hybi")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--spec", help="a spec file to take cases and exclude-cases from")
    ap.add_argument("--cases", default="", help="comma-separated patterns (default: the spec's, or all)")
    ap.add_argument("--exclude", default="", help="comma-separated patterns")
    ap.add_argument("--options", default='{"closeHandshakeTimeout": 5, "serverConnectionDropTimeout": 5}',
                    help="wstest protocol options, JSON; these give a busy machine time to close in order")
    ap.add_argument("--timeout", type=float, default=1500, help="seconds for the whole run")
    a = ap.parse_args(argv)
    if a.mode == "client" and not a.cmd or a.mode == "server" and bool(a.cmd) == bool(a.url):
        ap.error("server mode needs --cmd or --url, client mode needs --cmd")

    spec = {}
    if a.spec:
        with open(a.spec, encoding="utf-8") as f:
            spec = json.load(f)
    cases = [p for p in a.cases.split(",") if p] or spec.get("cases", ["*"])
    exclude = [p for p in a.exclude.split(",") if p] + spec.get("exclude-cases", [])
    ids = select(cases, exclude)
    if not ids:
        ap.error("no case selected")
    jobs = max(1, min(a.jobs, len(ids)))
    dealt = sorted(ids, key=lambda i: key(i)[::-1])     # 12.1.15, 12.2.15, ... apart: the .15s are the slowest
    out = os.path.abspath(a.out)
    shutil.rmtree(out, ignore_errors=True)      # a report left from an earlier run must never be judged
    os.makedirs(os.path.join(out, "logs"))

    run, began = Runner(out), time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that `finally` below ends the processes
    try:
        started, shards = [], []
        for n in range(jobs):
            port = free_port()
            url = a.url or f"ws://127.0.0.1:{port}"
            shard = os.path.join(out, f"shard{n}")
            spec = {"outdir": shard, "cases": dealt[n::jobs], "exclude-cases": [], "exclude-agent-cases": {}}
            if a.mode == "server":
                spec["options"] = {k: v for k, v in json.loads(a.options).items()}
                spec["servers"] = [{"agent": a.agent, "url": url}]
            else:
                spec["options"] = {k: v for k, v in json.loads(a.options).items() if k != "serverConnectionDropTimeout"}
                spec["url"] = url
            path = os.path.join(out, "logs", f"spec{n}.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(spec, f)
            wstest = [a.wstest, "-m", f"fuzzing{'client' if a.mode == 'server' else 'server'}", "-s", path, "-u", "0"]
            shards.append(shard)
            started.append((n, port, url, wstest))
        if a.mode == "server":
            if a.cmd:
                for n, port, url, _ in started:
                    wait_for_port(port, run.start(f"server{n}", fill(a.cmd, port=port, url=url, agent=a.agent)))
            run.wait([run.start(f"wstest{n}", wstest) for n, _, _, wstest in started], a.timeout)
        else:
            for n, port, _, wstest in started:
                wait_for_port(port, run.start(f"wstest{n}", wstest))
            run.wait([run.start(f"client{n}", fill(a.cmd, port=port, url=url, agent=a.agent))
                      for n, port, url, _ in started], a.timeout)
    except (RuntimeError, OSError) as e:
        print(f"suite: {e}", file=sys.stderr)
        run.show_logs()
        return 2
    finally:
        run.stop()
        for log in run.logs:
            log.close()

    merged = {}
    for shard in shards:
        try:
            with open(os.path.join(shard, "index.json"), encoding="utf-8") as f:
                index = json.load(f)
        except (OSError, ValueError) as e:
            print(f"suite: no report from {os.path.basename(shard)}: {e}", file=sys.stderr)
            continue
        for agent, got in index.items():
            for case in got.values():
                case["reportfile"] = os.path.join(os.path.basename(shard), case["reportfile"])
            merged.setdefault(agent, {}).update(got)
    with open(os.path.join(out, "index.json"), "w", encoding="utf-8") as f:
        json.dump(merged, f, indent=1, sort_keys=True)
    print(f"suite: {len(ids)} cases in {time.monotonic() - began:.0f} s, {jobs} at a time; reports under {out}")
    return verdict.main([out, "--cases", ",".join(ids)] + extra)


if __name__ == "__main__":
    sys.exit(main())
