"""Timeline as HTML: moments, events and durations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rca.record.durations import Duration, duration_in_words
from rca.record.schema.incident import Incident
from rca.report.rendering.html import element, escape, paragraph, table
from rca.report.rendering.plain_text import moment, words

if TYPE_CHECKING:
    from rca.analysis.onset.event_proximity import EventProximity
    from rca.analysis.onset.incident_onset import Since


def summary(incident: Incident) -> str:
    """What happened, in the words of the record."""
    return paragraph(incident.summary or "The record has no summary.", "rca-lead")


def facts(incident: Incident) -> str:
    """What is on record of the incident itself."""
    systems = ", ".join(" ".join(filter(None, (system.name, system.version))) for system in incident.systems)
    rows = [
        {"fact": "incident", "value": incident.id},
        {"fact": "severity", "value": incident.severity},
        {"fact": "category", "value": words(incident.category)},
        {"fact": "status", "value": incident.status},
        {"fact": "systems", "value": systems or "none on record"},
        {"fact": "as of", "value": moment(incident.now)},
    ]
    return table(rows, incident.title)


def dates(result: "Since") -> str:
    """When each cause began to show."""
    rows = [
        {
            "of": row["of"],
            "since": moment(row["since"]),
            "earliest": moment(row["earliest"]),
            "latest": moment(row["latest"]),
            "shape": row["shape"],
            "dated on": words(row["dated on"]),
        }
        for row in result.rows()
    ]
    return table(rows, "When each began")


def near(result: "EventProximity") -> str:
    """Events before the onset, with the probability that one lies so near by chance."""
    rows = [{**row, "at": moment(row["at"])} for row in result.rows()]
    return paragraph(str(result), "rca-note") + table(rows, "Events that can have begun it, the nearest first")


def durations(spans: Sequence[Duration]) -> str:
    """Durations, each with both of its moments by name."""
    return table([_duration(span) for span in spans], "Durations, each between two moments")


def _duration(span: Duration) -> dict[str, Any]:
    known = span.earliest is not None and span.latest is not None
    low, high = duration_in_words(span.earliest or 0), duration_in_words(span.latest or 0)
    interval = None if not known else f"{low} to {high}" if low != high else "narrower than shown"
    return {
        "duration": words(span.name),
        "took": duration_in_words(span.seconds),
        "from": words(span.start) + (" (estimated)" if span.estimated else ""),
        "to": words(span.end),
        "interval": interval,
    }


def events(incident: Incident) -> str:
    """Everything on record that happened around the incident, in order of time."""
    rows = [
        {
            "at": moment(event.at),
            "what": event.what,
            "kind": words(event.kind),
            "system": event.system,
            "source": event.source,
        }
        for event in sorted(incident.timeline.events, key=lambda event: event.at)
    ]
    return table(rows, "Events on record")


def verification(incident: Incident) -> str:
    """How to check this report."""
    command = escape(f"rca verify reports/{incident.id}")
    return (
        paragraph("Whether this report is the one that was issued, from these inputs, can be checked at any time:")
        + element("pre", element("code", f"{command}\n{command} --rerun"))
        + paragraph(
            "The first compares every byte of every file, and the inputs, with the manifest; the second also runs "
            "everything again and compares what comes out. Compare the digest it prints with the one kept elsewhere "
            "when the report was issued."
        )
    )
