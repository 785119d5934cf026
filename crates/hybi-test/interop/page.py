"""Drives headless Chromium through the web page of an echo server.

    page URL [--screenshot FILE.png] [--text TEXT] [--many N] [--timeout S] [--trust-key HASH] [--phone] [--refused]

Loads the page, waits until it is connected, sends a text and a binary message with its buttons, checks that both come
back, takes a screenshot, sends N further text messages of 1.4 KiB that have much in common (a hundred at once) and
checks that they come back, closes, and checks that the page says so. Prints one line and ends with status 0:

    ok text=1 binary=1 octets=16 latency=0.4ms many=0 extensions=- closed

With --phone the screen is that of a phone, 375 by 667: nothing may reach beyond its width, and all buttons have to be
on it and large enough for a finger. Then also the buttons `burst` (100 messages at once, which come back), `clear` and,
after the close, `close` once more (which connects again) are pressed.

With --refused the server is expected to refuse the WebSocket: the page has to say so. Then the line is `ok refused`.

Anything else is a message on stderr, with what the page showed and what its console said, and status 1; so is a run
longer than --timeout (60 seconds). Needs the programs chromium and chromedriver, and nothing but Python's own library.

The page's side of the contract, by element id:

    status        text contains `open` once connected, and `closed` when the connection is over
    text          input for a text message, empty or not when the page is loaded
    send-text     button: sends what is in `text` as a text message
    send-binary   button: sends a binary message of at least 4 octets
    close         button: closes the connection
    log           has one entry per message, oldest first or newest first. An entry has the class `sent` or `received`
                  and the attribute data-kind: `text`, `binary` or `close`. Its text contains the payload of a text
                  message as it is, or of a binary message in lower-case hex, all octets, two digits each, with or
                  without single blanks between them; other words may stand around it. When the connection is over
                  there is at least one entry with data-kind `close`. The first entry may have data-kind `open` and
                  say what was agreed on: `permessage-deflate` and its parameters
    latency       shows a number and `ms` once an echo has come back

The last 200 entries at least stay in `log`.

`open` does not occur in `status` before the connection is open, nor after it is closed.
"""
import argparse
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1000,800")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"     # the key of an element's reference in W3C WebDriver


class Failed(Exception):
    pass


class Driver:
    """chromedriver on a port of its own, with one browser session and an empty profile."""

    def __init__(self, deadline, flags=()):
        self.flags = (*FLAGS, *flags)
        self.deadline, self.session, self.process = deadline, None, None
        self.profile = tempfile.mkdtemp(prefix="hybi-page-")

    def start(self):
        for program in ("chromium", "chromedriver"):
            if not shutil.which(program):
                raise Failed(f"there is no {program}; setup.sh --chromium installs it")
        log = os.path.join(self.profile, "chromedriver.out")
        with open(log, "wb") as out:
            self.process = subprocess.Popen(["chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, start_new_session=True)

        def port():
            if self.process.poll() is not None:
                raise Failed(f"chromedriver ended with status {self.process.returncode}")
            with open(log, encoding="utf-8", errors="replace") as f:
                return re.search(r"started successfully on port (\d+)", f.read())

        found = self.until("chromedriver to start", port)
        self.base = f"http://127.0.0.1:{found.group(1)}"
        capabilities = {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "binary": shutil.which("chromium"),
                "args": [*self.flags, f"--user-data-dir={os.path.join(self.profile, 'profile')}"],
            },
        }
        self.session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]

    def stop(self):
        try:
            if self.session:
                self.deadline = time.monotonic() + 5
                self.ask("DELETE", f"/session/{self.session}")
        except (Failed, OSError):
            pass
        if self.process:
            for sign in (signal.SIGTERM, signal.SIGKILL):     # the browser is in the same process group
                try:
                    os.killpg(self.process.pid, sign)
                except ProcessLookupError:
                    break
                try:
                    self.process.wait(3)
                except subprocess.TimeoutExpired:
                    pass
        shutil.rmtree(self.profile, ignore_errors=True)

    def ask(self, method, path, body=None):
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=max(0.5, self.deadline - time.monotonic())) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            error = json.load(e)["value"]
            raise Failed(f"{error['error']}: {error['message'].splitlines()[0]}") from None
        except TimeoutError:
            raise Failed(f"chromedriver does not answer {method} {path}") from None

    def until(self, what, condition):
        while True:
            result = condition()
            if result:
                return result
            if time.monotonic() > self.deadline:
                raise Failed(f"waited in vain for {what}")
            time.sleep(0.05)

    # What the page needs of WebDriver.

    def load(self, url):
        self.ask("POST", f"/session/{self.session}/url", {"url": url})

    def find(self, element_id):
        found = self.ask("POST", f"/session/{self.session}/element",
                         {"using": "css selector", "value": f"#{element_id}"})
        return f"/session/{self.session}/element/{found[ELEMENT]}"

    def text(self, element_id):
        return self.script("return document.getElementById(arguments[0]).textContent", element_id)

    def click(self, element_id):
        self.ask("POST", self.find(element_id) + "/click")

    def type(self, element_id, text):
        element = self.find(element_id)
        self.ask("POST", element + "/clear")
        self.ask("POST", element + "/value", {"text": text})

    def script(self, source, *arguments):
        return self.ask("POST", f"/session/{self.session}/execute/sync", {"script": source, "args": arguments})

    def screenshot(self):
        return base64.b64decode(self.ask("GET", f"/session/{self.session}/screenshot"))

    def console(self):
        return [f"{e['level']}: {e['message']}" for e in
                self.ask("POST", f"/session/{self.session}/se/log", {"type": "browser"})]


def entries(driver, direction, kind):
    return driver.script("return [...document.querySelectorAll('#log .' + arguments[0] + "
                         "'[data-kind=\"' + arguments[1] + '\"]')].map(e => e.textContent)", direction, kind)


def hex_of(entry):
    """The octets that an entry shows: its longest run of hex pairs."""
    runs = re.findall(r"(?<![0-9a-f])[0-9a-f]{2}(?: ?[0-9a-f]{2}){3,}(?![0-9a-f])", entry)
    return max((run.replace(" ", "") for run in runs), key=len, default="")


def closed(driver):
    status = driver.text("status")
    return "closed" in status and "open" not in status


def check(driver, args):
    driver.load(args.url)
    for element in ("status", "text", "send-text", "send-binary", "close", "log", "latency"):
        driver.find(element)
    driver.until("`open` in #status", lambda: "open" in driver.text("status"))

    driver.type("text", args.text)
    driver.click("send-text")
    for direction in ("sent", "received"):
        driver.until(f"the text message among .{direction}",
                     lambda: any(args.text in entry for entry in entries(driver, direction, "text")))

    driver.click("send-binary")
    sent = driver.until("a binary message of 4 octets or more among .sent",
                        lambda: [hex_of(e) for e in entries(driver, "sent", "binary") if hex_of(e)])
    driver.until(f"{sent[0]} among .received",
                 lambda: sent[0] in [hex_of(e) for e in entries(driver, "received", "binary")])
    latency = driver.until("a number and `ms` in #latency",
                           lambda: re.search(r"(\d+(?:\.\d+)?)\s*ms", driver.text("latency"))).group(1)

    if args.screenshot:
        with open(args.screenshot, "wb") as f:
            f.write(driver.screenshot())
    texts, binaries = (len(entries(driver, "received", kind)) for kind in ("text", "binary"))

    opened = "".join(driver.script("return [...document.querySelectorAll('#log [data-kind=\"open\"] *')]"
                                   ".map(e => e.textContent)"))
    extensions = re.search(r"permessage-deflate(?:; ?[a-z_]+(?:=\d+)?)*|$", opened).group() or "-"
    send_many(driver, args.many)
    if args.phone:
        check_screen(driver)
        check_more_buttons(driver)

    driver.click("close")
    driver.until("`closed` in #status", lambda: closed(driver))
    driver.until("an entry with data-kind `close`", lambda: driver.script(
        "return document.querySelectorAll('#log [data-kind=\"close\"]').length"))
    if args.phone:
        driver.click("close")
        driver.until("`open` in #status, again", lambda: "open" in driver.text("status"))
        driver.click("close")
        driver.until("`closed` in #status, again", lambda: closed(driver))
    return (f"ok text={texts} binary={binaries} octets={len(sent[0]) // 2} latency={latency}ms many={args.many} "
            f"extensions={extensions} closed")


def send_many(driver, count):
    """Each of the messages occurs among those that came back, and nothing else does."""
    for first in range(0, count, 100):
        texts = [report(n) for n in range(first, min(first + 100, count))]
        driver.script("for (const text of arguments[0]) {"
                      "document.getElementById('text').value = text; document.getElementById('send-text').click() }",
                      texts)
        driver.until(f"message {first + len(texts)} to come back",
                     lambda: any(texts[-1] in entry for entry in entries(driver, "received", "text")))
        back = entries(driver, "received", "text")
        missing = [text for text in texts if sum(text in entry for entry in back) != 1]
        if missing:
            raise Failed(f"not come back as it was sent: {missing[0][:40]}")


def report(n):
    return f"{n}: " + "".join(f'{{"station":{n * i % 97},"tide":"flut {n + i}"}} ' for i in range(44)) + "."


def be_a_phone(driver):
    screen = {"width": 375, "height": 667, "deviceScaleFactor": 2, "mobile": True}
    driver.ask("POST", f"/session/{driver.session}/goog/cdp/execute",
               {"cmd": "Emulation.setDeviceMetricsOverride", "params": screen})


def check_screen(driver):
    wide = driver.script("return document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        raise Failed(f"the page is {wide} pixels wider than the screen")
    wrong = driver.script(
        "return [...document.querySelectorAll('button')].filter(b => { const r = b.getBoundingClientRect();"
        "return r.height < 40 || r.width < 40 || r.left < 0 || r.right > innerWidth || r.bottom > innerHeight })"
        ".map(b => b.id)")
    if wrong:
        raise Failed(f"not on the screen, or too small for a finger: {', '.join(wrong)}")


def check_more_buttons(driver):
    before = len(entries(driver, "received", "text"))
    driver.click("burst")
    driver.until("100 messages", lambda: len(entries(driver, "received", "text")) == before + 100)
    driver.click("clear")
    if driver.script("return document.getElementById('log').childElementCount"):
        raise Failed("the log is not cleared")


def check_refusal(driver, args):
    driver.load(args.url)
    driver.until("`closed` in #status", lambda: closed(driver))
    driver.until("an entry with the class `trouble`", lambda: driver.script(
        "return [...document.querySelectorAll('#log .trouble')].some(e => e.textContent.includes('failed'))"))
    if args.screenshot:
        with open(args.screenshot, "wb") as f:
            f.write(driver.screenshot())
    return "ok refused"


def explain(driver):
    """What the page showed and what its console said, as far as they can still be had."""
    driver.deadline = time.monotonic() + 5
    try:
        shown = driver.script("return document.body ? document.body.innerText : ''")
        print("page: it showed:\n" + "\n".join("  " + line for line in shown.splitlines()[:40]), file=sys.stderr)
        for line in driver.console():
            print(f"page: console: {line}", file=sys.stderr)
    except (Failed, OSError):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--screenshot", metavar="FILE.png")
    parser.add_argument("--text", default="Grüße, привет <b>&amp;</b> ✓", help="without characters above U+FFFF")
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--trust-key", metavar="HASH", help="public key to accept: base64 of the SHA-256 of its SPKI")
    parser.add_argument("--phone", action="store_true")
    parser.add_argument("--refused", action="store_true")
    parser.add_argument("--timeout", type=float, default=60)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that `finally` ends the browser
    trust = [f"--ignore-certificate-errors-spki-list={args.trust_key}"] if args.trust_key else []
    driver = Driver(time.monotonic() + args.timeout, trust)
    try:
        driver.start()
        if args.phone:
            be_a_phone(driver)
        print(check_refusal(driver, args) if args.refused else check(driver, args))
        return 0
    except (Failed, OSError) as e:
        print(f"page: {e}", file=sys.stderr)
        if driver.session:
            explain(driver)
        return 1
    finally:
        driver.stop()


if __name__ == "__main__":
    sys.exit(main())
