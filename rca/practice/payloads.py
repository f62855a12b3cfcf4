"""Payloads that the shipped incidents would have come from: simulated, each a function of its record.

No tool sent them. `rca new ID --from` reads them back into the moments, events and systems that the records have.

    python -m rca.practice.payloads OUT

writes them anew below the folder OUT.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rca.record.case import load
from rca.record.schema.incident import Incident
from rca.shipped import incidents

PAGER = {"alerted": "triggered", "acknowledged": "acknowledged", "resolved": "resolved"}
"""Moments that a pager dates → its words."""

CHANGES = """\
# A map of one's own: the table of changes that a team keeps, and its list of systems. Simulated, as all of this folder.
vendor: changes
called: Table of changes
trust: real
cites: columns of changes.csv and systems.csv, as written by rca.practice.payloads
rank: 2
shapes:
  - name: changes
    when: {at: null, kind: null, what: null}
    events:
      - {at: at, system: system, says: {what: "{what}", kind: "{kind}"}}
  - name: systems
    when: {system: null, kind: null, owner: null}
    systems:
      - {name: system, version: version, owner: owner, last_good: last_good, kind: "{kind}"}
"""


def payloads(incident: Incident) -> dict[str, bytes]:
    """Name of a file → a payload: deliveries of a pager, the incident in a tool for incidents, tables of one's own."""
    dated = {name: _written(at) for name, at in incident.timeline.moments()}
    files = {
        "pagerduty.jsonl": "".join(f"{json.dumps(one)}\n" for one in _paged(incident, dated)),
        "incident_io.json": json.dumps({"incidents": [_declared(incident, dated)]}, indent=1) + "\n",
        "changes.csv": _table(("at", "kind", "system", "what"), _changes(incident)),
        "systems.csv": _table(("system", "kind", "version", "owner", "last_good"), _systems(incident)),
    }
    return {name: text.encode() for name, text in files.items()}


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _paged(incident: Incident, dated: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """Deliveries of PagerDuty's webhook, version 3."""
    status = "triggered"
    for number, (moment, word) in enumerate(PAGER.items()):
        if moment in dated:
            status = word
            data = {"id": f"Q{incident.id.upper()}", "type": "incident", "title": incident.title, "status": status,
                    "priority": {"summary": f"P{incident.severity[-1]}"}}  # fmt: skip
            head = {"id": f"01{incident.id.upper()}{number}", "event_type": f"incident.{word}"}
            yield {
                "event": {
                    **head,
                    "resource_type": "incident",
                    "occurred_at": dated[moment],
                    "agent": None,
                    "data": data,
                }
            }


def _declared(incident: Incident, dated: Mapping[str, str]) -> dict[str, Any]:
    """An incident of incident.io; its timestamps have the names that the customer gave them."""
    stamps = [
        {"incident_timestamp": {"id": f"T{number}", "name": f"{name.replace('_', ' ').capitalize()} at"},
         "value": {"value": at}}
        for number, (name, at) in enumerate(dated.items())
        if name not in PAGER
    ]  # fmt: skip
    return {
        "id": f"01{incident.id.upper()}",
        "name": incident.title,
        "summary": incident.summary,
        "incident_status": {"category": incident.status},
        "severity": {"name": f"SEV-{incident.severity[-1]}"},
        "created_at": dated["acknowledged"],
        "updated_at": dated["closed"],
        "incident_timestamp_values": stamps,
    }


def _changes(incident: Incident) -> Iterable[tuple[str, ...]]:
    return ((_written(one.at), one.kind, one.system or "", one.what) for one in incident.timeline.events)


def _systems(incident: Incident) -> Iterable[tuple[str, ...]]:
    held = ((one.name, one.kind, one.version, one.owner, one.last_good) for one in incident.systems)
    return (tuple(value or "" for value in row) for row in held)


def _table(names: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([tuple(names), *rows])
    return out.getvalue()


def main(arguments: list[str]) -> int:
    """Write the payloads of every shipped incident below a folder."""
    if len(arguments) != 1:
        return 2
    out = Path(arguments[0])
    out.mkdir(parents=True, exist_ok=True)
    (out / "changes.yaml").write_text(CHANGES, encoding="utf-8")
    for file in sorted(incidents().glob("*/incident.yaml")):
        (out / file.parent.name).mkdir(exist_ok=True)
        for name, raw in payloads(load(file.parent).incident).items():
            (out / file.parent.name / name).write_bytes(raw)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
