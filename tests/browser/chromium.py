"""A Chromium that tests talk to, by its DevTools protocol."""

import json
import subprocess
import time
from contextlib import closing, contextmanager

from websocket import create_connection

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1280,900",
)

ALARM = "window.alert = what => { (window.top.hits ??= []).push(String(what)) }"
"""What a script that should never run reaches, in every frame."""


@contextmanager
def tab(browser, profile):
    """A blank page of a browser of its own, which ends with the block."""
    with subprocess.Popen(
        [browser, *FLAGS, f"--user-data-dir={profile}", "about:blank"], stderr=subprocess.PIPE
    ) as run:
        try:
            address = next(line.split()[-1].decode() for line in run.stderr if b"DevTools listening on" in line)
            with closing(create_connection(address, suppress_origin=True, timeout=120)) as wire:
                yield Tab(wire)
        finally:
            run.kill()
            run.stderr.close()


class Tab:
    """One page: what it runs, what it is typed, and every event that it told of."""

    def __init__(self, wire):
        self.wire, self.asked, self.events, self.session = wire, 0, [], None
        page = self("Target.createTarget", url="about:blank")["targetId"]
        self.session = self("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")
        self("Page.addScriptToEvaluateOnNewDocument", source=ALARM)

    def __call__(self, method, **given):
        self.asked += 1
        where = {"sessionId": self.session} if self.session else {}
        self.wire.send(json.dumps({"id": self.asked, "method": method, "params": given, **where}))
        while True:
            said = json.loads(self.wire.recv())
            if said.get("id") == self.asked:
                assert "error" not in said, (method, said["error"])
                return said["result"]
            self.events.append(said)

    def js(self, source):
        """The value of an expression, or of what it promises."""
        said = self("Runtime.evaluate", expression=source, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def until(self, source, seconds=60):
        """Wait for an expression to be true."""
        deadline = time.monotonic() + seconds
        while not (seen := self.js(source)):
            assert time.monotonic() < deadline, f"never true: {source}"
            time.sleep(0.1)
        return seen

    def type(self, text):
        """Type as a person at the keyboard does."""
        self("Input.insertText", text=text)
