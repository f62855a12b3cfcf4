"""The service on an incident that ships: it is started, told of the incident as a tool would, and writes the report."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rca.record.case import load
from rca.record.files.case_folder import RECORD
from rca.record.files.whole_file import write_whole
from rca.record.files.yaml_document import read_yaml
from rca.record.schema.incident import Incident
from rca.service.serve import serve
from rca.shipped import incidents

NAME = "credit-drift"

PORT = 8377

SAYS = {"detected": "open", "acknowledged": "acknowledged", "contained": "contained", "recovered": "recovered",
        "closed": "closed"}  # fmt: skip
"""Moments of a record that a tool would post, and the word for each."""

PATIENCE = 600
"""Seconds until the report has to be there."""


def demo(folder: Path, tell: Callable[[str], None]) -> None:
    """Serve, post the events of the incident, say where its report is, and go on serving until asked to stop."""
    path = configured(folder)
    threading.Thread(target=_post, args=(f"http://127.0.0.1:{PORT}", tell), daemon=True).start()
    serve(path)


def configured(folder: Path) -> Path:
    """Write a configuration whose data source is the incident that ships."""
    folder.mkdir(parents=True, exist_ok=True)
    case = incidents() / NAME
    held = read_yaml(case / RECORD, name=RECORD).value
    record = {key: held[key] for key in ("category", "data", "metric", "model") if key in held}
    write_whole(folder / "record.json", json.dumps(record).encode())
    lines = [
        f"port = {PORT}", "settle = 1", "workers = 1",
        "[[hooks]]", 'name = "desk"', 'vendor = "generic"',
        "[[sources]]", f"files = {json.dumps(str(case.absolute()))}", 'record = "record.json"',
    ]  # fmt: skip
    write_whole(folder / "rca.toml", ("\n".join(lines) + "\n").encode())
    return folder / "rca.toml"


def events(incident: Incident) -> Iterator[dict[str, Any]]:
    """What a tool would have posted of an incident."""
    for name, at in incident.timeline.moments():
        if name in SAYS:
            told = {"title": incident.title, "severity": incident.severity, "system": incident.systems[0].name}
            yield {"incident": incident.id, "status": SAYS[name], "at": at.isoformat(), "what": name, **told}


def _post(address: str, tell: Callable[[str], None]) -> None:
    _until(lambda: _asked(f"{address}/health")["healthy"], 60)
    for event in events(load(incidents() / NAME).incident):
        case = _asked(f"{address}/hooks/desk", event)["case"]
    tell(f"Posted what a tool says of {NAME}; the report is being made, which takes a minute or two.")
    found = _until(
        lambda: next((one for one in [_asked(f"{address}/incidents/{case}")] if one["outcome"]), None), PATIENCE
    )
    tell(f"Read {address}{found['report']}; all reports: {address}/. Ctrl-C ends the service.")


def _until(asked: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := asked():
                return found
        except OSError:
            pass
        time.sleep(0.3)
    raise TimeoutError


def _asked(url: str, event: dict[str, Any] | None = None) -> Any:
    body = json.dumps(event).encode() if event else None
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310  (our own address)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())
