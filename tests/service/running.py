"""A service that runs for a test: in this process, over real HTTP, or as real processes."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import uvicorn

from rca.service.configuration import Configuration
from rca.service.ledger import Ledger
from rca.service.receiver.app import Receiver
from rca.service.receiver.patience import impatient
from rca.service.store import Store
from rca.service.sweep import Sweep
from rca.service.work.tasks import Tasks
from tests.conftest import ROOT

QUICK = Path(__file__).with_name("quick_job.py")
"""In place of a run: what stands for a report is there in a moment."""


class Running:
    """A receiver in a thread, with a ledger of its own; nobody works."""

    def __init__(self, configuration):
        self.set = configuration
        self.ledger = Ledger(configuration.folder / "ledger.sqlite")
        self.store = Store(configuration.folder / "reports")
        self.logged = []
        log = lambda event, **told: self.logged.append({"event": event, **told})  # noqa: E731
        self.tasks = Tasks(configuration)
        self.sweep = Sweep(configuration, self.ledger, self.tasks, store=self.store, log=log)
        self.receiver = Receiver(configuration, self.ledger, store=self.store, sweep=self.sweep, log=log)

    def __enter__(self):
        self.socket = socket.socket(proto=socket.IPPROTO_TCP)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()  # whoever comes before the thread waits
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        http = impatient(self.set.limits.read)
        how = {"log_config": None, "access_log": False, "ws": "none", "lifespan": "off"}
        self.server = uvicorn.Server(uvicorn.Config(self.receiver.app(), http=http, **how))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()
        self.client = httpx.Client(base_url=self.address, timeout=20, trust_env=False)
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()
        self.tasks.queue.storage.close()

    def post(self, hook, payload, **headers):
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = {"content-type": "application/json", **headers}
        return self.client.post(f"/hooks/{hook}", content=content, headers=headers)


def configured(folder, *hooks, **more):
    """A configuration in a folder; a hook is a vendor, or a mapping."""
    named = [one if isinstance(one, dict) else {"name": one, "vendor": one} for one in hooks]
    return Configuration.model_validate({"folder": folder, "hooks": named, "settle": 0, **more})


@contextlib.contextmanager
def process(folder, **more):
    """`rca serve` as a process, on a free port; its reports are made in a moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = f"port = {port}\nsettle = 0\nworkers = {more.get('workers', 1)}\n"
    text += f"[limits]\nbackoff = 0.1\n{more.get('limits', '')}\n"
    text += f"[run]\nprefix = {json.dumps([sys.executable, str(more.get('job', QUICK))])}\n"
    text += '[[hooks]]\nname = "pagerduty"\nvendor = "pagerduty"\n[[hooks]]\nname = "generic"\nvendor = "generic"\n'
    (folder / "rca.toml").write_text(text)
    yield Process(folder, port)


class Process:
    """`rca serve`, started and killed at will."""

    def __init__(self, folder, port):
        self.folder, self.address, self.running = folder, f"http://127.0.0.1:{port}", None

    def start(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "rca", "serve", str(self.folder / "rca.toml")]
            self.running = subprocess.Popen(command, stderr=log, stdout=log, env=environment)
        until(self.healthy, 120)

    def healthy(self):
        assert self.running.poll() is None, (self.folder / "log").read_text()[-2_000:]
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/health", trust_env=False).status_code == 200

    def workers(self):
        import psutil

        return [one.pid for one in psutil.Process(self.running.pid).children() if "--worker" in one.cmdline()]

    def kill(self):
        self.running.kill()
        self.running.wait()

    def stop(self):
        if self.running and self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
            self.running.wait(60)

    def ledger(self):
        return Ledger(self.folder / "rca-service" / "ledger.sqlite")


def until(holds, seconds):
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)
    return found
