"""The brief: what happened, who was hurt, why, what is done, what is not known; four screens, two printed pages."""

import hashlib
from collections.abc import Mapping
from typing import Any

from rca.record.schema.incident import Incident
from rca.report.brief import blocks
from rca.report.brief.course import course
from rca.report.brief.duties import duties
from rca.report.brief.facts import Facts
from rca.report.brief.verdict import head
from rca.report.brief.words import bound
from rca.report.notebooks.canonical import to_json
from rca.report.rendering.html import escape


def brief(incident: Incident, results: Mapping[str, Any], seal: str) -> str:
    """The brief of an incident as HTML.

    Parameters
    ----------
    incident : Incident
        Names of people replaced.
    results : dict
        The content of `results.json`, names of people replaced.
    seal : str
        SHA-256 of `results.json`.
    """
    facts = Facts(incident=incident, results=results)
    parts = (
        ("impact", "Impact", blocks.impact(facts)),
        ("cause", "Cause", blocks.cause(facts)),
        ("not", "What it was not", blocks.ruled_out(facts)),
        ("timeline", "Timeline", blocks.timeline(facts)),
        ("actions", "Actions", blocks.actions(facts)),
        ("duties", "Duties to report", duties(facts)),
        ("open", "What we cannot tell, and what would decide", blocks.unknown(facts)),
        ("sure", "How sure we are", blocks.sureness(facts)),
        ("check", "Check this report", _check(incident, seal)),
    )
    made = [blocks.section(*part) for part in parts]
    below = "".join([made[0], course(facts), *made[1:]])
    return bound(f"<div class='brief'><div class='head'>{head(facts)}</div>{below}</div>")


def digest(results: Mapping[str, Any]) -> str:
    """SHA-256 of `results.json`."""
    return hashlib.sha256(to_json(results)).hexdigest()


def _check(incident: Incident, seal: str) -> str:
    return (
        "<p>This command says whether a byte of the report or of its inputs has changed; with <code>--rerun</code> it "
        f"derives the report again.</p><pre>rca verify reports/{escape(incident.id)}</pre>"
        f"<p class='small'>Digest of results.json: <code>{seal}</code></p>"
    )
