"""The service as a whole: receiver, sweep and workers; whether its configuration works; its log."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase, RunFailed
from rca.service.configuration import Configuration, read

NEEDS = ("starlette", "uvicorn", "huey", "prometheus_client", "fsspec", "psutil")
"""What the extra `service` brings."""

ROOM = 1_000_000_000
"""Bytes below which a disk counts as full."""

PARENT = "RCA_SERVICE_PARENT"
"""The variable that tells a worker with whom it ends."""

KEPT = 75
"""Seconds for which a connection is kept for the next delivery: longer than vendors do, so that none is cut in one."""

GRACE = 20
"""Seconds that requests, and then workers, have to end."""


def log(event: str, **told: Any) -> None:
    """A line of the log, as JSON, on stderr."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(json.dumps({"at": at, "event": event, **told}), file=sys.stderr, flush=True)  # noqa: T201


def require() -> None:
    """Refuse to go on without the libraries of the extra `service`.

    Raises
    ------
    RunFailed
    """
    from importlib.util import find_spec

    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise RunFailed(f"the service needs {', '.join(missing)}: pip install 'rca-postmortem[service]'")


def serve(path: Path) -> None:
    """Serve until asked to stop.

    Raises
    ------
    InvalidCase
        If the configuration is not sound.
    RunFailed
        If a library is missing, or the address cannot be had.
    """
    require()
    from rca.service.ledger import Ledger
    from rca.service.receiver.app import Receiver
    from rca.service.store import Store
    from rca.service.sweep import Sweep
    from rca.service.work.tasks import Tasks

    configuration = read(path)
    listening = _bound(configuration)
    held = _alone(configuration.folder)
    ledger = Ledger(configuration.folder / "ledger.sqlite")
    store = Store(configuration.folder / "reports", url=configuration.store.url, public=configuration.store.public)
    sweep = Sweep(configuration, ledger, Tasks(configuration), store=store, log=log)
    app = Receiver(configuration, ledger, store=store, log=log, sweep=sweep).app()
    server = _server(configuration, app)
    sweep.begin()
    workers = Workers(path, configuration.workers, stop=sweep.stop)
    beside = [threading.Thread(target=does, daemon=True) for does in (sweep.run, workers.run, sweep.retain)]
    for thread in beside:
        thread.start()
    host, port = listening.getsockname()[:2]
    log("listening", host=host, port=port, workers=configuration.workers)
    try:
        server.run(sockets=[listening])
    finally:
        sweep.stop.set()
        for thread in beside[:2]:
            thread.join(GRACE)
        os.close(held)
        log("stopped")


def _server(configuration: Configuration, app: Any) -> Any:
    """The server of an application, which takes its time from the limits that are set."""
    import uvicorn

    from rca.service.receiver.patience import impatient

    how: dict[str, Any] = {"ws": "none", "lifespan": "off", "timeout_keep_alive": KEPT}
    how |= {"log_config": None, "access_log": False, "server_header": False, "proxy_headers": False}
    http = impatient(configuration.limits.read)
    return uvicorn.Server(uvicorn.Config(app, http=http, timeout_graceful_shutdown=GRACE, **how))


def _alone(folder: Path) -> int:
    """Hold the folder as long as this process lives.

    Raises
    ------
    RunFailed
        If another service holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise RunFailed(f"{folder}: another service uses it. Hint: another `folder`") from error
    return held


def _bound(configuration: Configuration) -> socket.socket:
    family = socket.AF_INET6 if ":" in configuration.bind else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # or asyncio sets no TCP_NODELAY
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((configuration.bind, configuration.port))
    except OSError as error:
        raise RunFailed(
            f"{configuration.bind}, port {configuration.port}: {error.strerror}. Hint: another `port`"
        ) from error
    return found


class Workers:
    """Processes that take work; one that dies is replaced."""

    def __init__(self, path: Path, count: int, *, stop: threading.Event) -> None:
        self.path, self.count, self.stop = path, count, stop
        self.running: list[subprocess.Popen[bytes]] = []

    def run(self) -> None:
        """Keep them running until asked to stop, then end them."""
        while not self.stop.wait(0.5):
            dead = [one for one in self.running if one.poll() is not None]
            for one in dead:
                log("worker_gone", pid=one.pid, status=one.returncode)
            self.running = [one for one in self.running if one.returncode is None]
            self.running += [self._started() for _ in range(self.count - len(self.running))]
        for one in self.running:
            one.terminate()
        for one in self.running:
            try:
                one.wait(GRACE / 2)
            except subprocess.TimeoutExpired:
                one.kill()

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "rca", "serve", str(self.path), "--worker"]
        environment = {**os.environ, PARENT: str(os.getpid())}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, env=environment)


def work(path: Path) -> None:
    """Take work until asked to stop, or until whoever started us has gone.

    Raises
    ------
    InvalidCase
    RunFailed
    """
    require()
    from rca.service.work.tasks import Tasks

    if parent := os.environ.get(PARENT):
        threading.Thread(target=_with_parent, args=(int(parent),), daemon=True).start()
    Tasks(read(path)).work()


def _with_parent(parent: int) -> None:
    """End when our parent has: the run that we watch ends with us."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def check(path: Path) -> list[tuple[str, str]]:
    """Every part of the configuration, and what is wrong with it; empty where it works.

    Raises
    ------
    InvalidCase
        If the file itself is not sound.
    """
    require()
    from rca.service.receiver.delivery import map_of
    from rca.service.store import require_fsspec

    configuration = read(path)
    parts: dict[str, Callable[[], Any]] = {"folder": lambda: _writable(configuration.folder)}
    parts |= {f"secret {one.env or one.file}": one.read for one in configuration.secrets()}
    parts |= {f"hook {one.name}": partial(map_of, one) for one in configuration.hooks}
    parts |= {f"source {at}": partial(_reached, one) for at, one in enumerate(configuration.sources) if one.files}
    if configuration.store.url:
        parts["store"] = partial(require_fsspec, configuration.store.url)
    parts["queue"] = lambda: _queued(configuration)
    parts["address"] = lambda: _bound(configuration).close()
    return [(name, _said(does)) for name, does in parts.items()]


def _said(does: Callable[[], Any]) -> str:
    try:
        does()
    except Exception as error:  # noqa: BLE001  (whatever does not work is told, and the rest is looked at)
        return str(error) or type(error).__name__
    return ""


def _writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".probe-{os.getpid()}"
    probe.write_bytes(b"")
    probe.unlink()
    if (free := shutil.disk_usage(folder).free) < ROOM:
        raise InvalidCase.because(f"only {free / 1e6:,.0f} MB are free", place=str(folder), hint="make room")


def _reached(source: Any) -> None:
    import fsspec

    system, path = fsspec.core.url_to_fs(source.files.partition("{case}")[0])
    system.ls(path)


def _queued(configuration: Configuration) -> None:
    from rca.service.work.tasks import Tasks

    Tasks(configuration).queue.pending_count()
