"""References that evidence in a why-tree may cite: findings, moments and events of the timeline, files of the case."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rca.finding import Finding
from rca.record.files.yaml_document import near

if TYPE_CHECKING:
    from rca.record.schema.incident import Incident

EVENT = "timeline.events:"
"""How evidence names an event: by its moment, as `timeline.events:2026-02-24T02:00:00Z`."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """All references that evidence can cite.

    Attributes
    ----------
    findings : dict of str to str
        Id → strength.
    names : frozenset of str
        Moments of the timeline, parts of the record and files of the case.
    events : frozenset of datetime
        Moments of the events on record.
    """

    findings: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    events: frozenset[datetime] = frozenset()

    @classmethod
    def of(cls, incident: "Incident", findings: Iterable[Finding] = (), files: Iterable[str] = ()) -> "Known":
        """Collect the references of a case and its analysis."""
        moments = {f"timeline.{name}" for name, _ in incident.timeline.moments()}
        told = {f"impact.{name}" for name in ("decisions", "people", "money", "text") if getattr(incident.impact, name)}
        return cls(
            findings={finding.id: finding.strength for finding in findings},
            names=frozenset(moments | told | {f"systems.{system.name}" for system in incident.systems} | set(files)),
            events=frozenset(event.at.astimezone(UTC) for event in incident.timeline.events),
        )

    def __contains__(self, reference: str) -> bool:
        """Whether a reference exists; it may give a place in a file, after `#`."""
        if reference in self.findings or reference in self.names:
            return True
        if reference.startswith(EVENT):
            return _moment(reference.removeprefix(EVENT)) in self.events
        return reference.partition("#")[0] in self.names

    def hint(self, reference: str) -> str:
        """Suggest what may have been meant."""
        return near(reference, sorted(self._all()))

    def _all(self) -> Iterator[str]:
        yield from self.findings
        yield from self.names
        yield from (f"{EVENT}{at.isoformat().replace('+00:00', 'Z')}" for at in self.events)


def _moment(text: str) -> datetime | None:
    if not re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d", text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None
