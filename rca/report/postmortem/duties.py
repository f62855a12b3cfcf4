"""Duties to report: their clocks, drafts in the order of the forms, reports sent with their proof, and frameworks."""

from typing import Any

from rca.record.obligations.answers import Duty
from rca.record.obligations.answers import shown as at
from rca.record.obligations.drafts import Draft, draft, forms
from rca.record.obligations.duties import Duties, duties
from rca.record.obligations.frameworks import frameworks as evidence_of
from rca.record.obligations.known import PLACES
from rca.record.obligations.rules import rule_table
from rca.record.schema.incident import Incident
from rca.report.postmortem.context import PostmortemContext, fields
from rca.report.rendering.document import Document, Grid, Line, Note
from rca.report.rendering.html import bullets, paragraph, shown, table
from rca.report.rendering.plain_text import capital, count, moment, words

HOLDS = ("late_by", "not_yet_due", "met", "needs_counsel", "no_clock")
"""Answers of rules whose facts hold; their forms are drafted."""

NO_PROOF = "no proof on record"

Row = dict[str, Any]


def obligations(one: PostmortemContext) -> str:
    """Facts that duties hang on, duties with their clocks, what would have to be known, and what was sent."""
    known, aware, found = one.incident.obligations, one.incident.timeline.aware, duties(one.incident)
    facts = tuple(f"{words(name)}: {shown(value)}" for name, value in known.facts.items())
    told = tuple(f"{moment(each.at)}, {each.what}" for each in one.debrief.messages if each.to == "regulator")
    asked = [str(question).removeprefix("ask  ") for question in found.questions]
    return (
        fields(
            "Facts that duties to report hang on",
            ("clocks run from awareness", moment(aware) if aware else None, "timeline.aware"),
            ("jurisdictions", known.jurisdictions, "obligations.jurisdictions"),
            ("sector", known.sector, "obligations.sector"),
            ("facts", facts, "obligations.facts"),
            ("sent to a regulator", told, "postmortem.messages, to: regulator"),
        )
        + _clocks(found)
        + (paragraph("What would have to be known first:") + bullets(asked) if asked else "")
        + (table(sent(one.incident), "Reports sent, and decisions to send none") if one.incident.notifications else "")
        + paragraph(f"By the rules of {found.version}; counsel decides, and nothing is sent from here.", "rca-note")
    )


def _clocks(found: Duties) -> str:
    rows: list[Row] = [
        {
            "duty": f"{each.regime}: {each.owes}", "state": words(each.answer), "deadline": _moment(each.deadline),
            "sent": _moment(each.sent), "to": each.to, "law": each.citation, "counted": each.because,
            "sure": each.confidence, "decided": each.decision,
        }
        for each in found.clear
    ]  # fmt: skip
    said = table(rows, "Duties with their clocks") if rows else paragraph("No clock runs by the facts on record.")
    return said + (bullets(found.warnings) if found.warnings else "")


def _moment(value: Any) -> str | None:
    return at(value) if value else None


def sent(incident: Incident) -> list[Row]:
    """Reports that were sent, each with what proves it, and decisions to send none with who decided."""
    return [
        {
            "report": " ".join(filter(None, (each.regime, each.report_type))),
            "sent": at(each.submitted_at) if each.submitted_at else "not sent",
            "proof": ", ".join(each.evidence) or (NO_PROOF if each.submitted_at else None),
            "not reportable because": each.not_reportable_because or None,
            "by": each.by,
        }
        for each in incident.notifications
    ]


def frameworks(one: PostmortemContext) -> str:
    """What frameworks ask for that this report is evidence of, for an auditor to tick."""
    found = evidence_of(one.incident, results=True)
    rows = [
        {"item": f"{each.framework} {each.id}", "about": each.title, "shown in": each.parts, "lacking": each.lacking}
        for each in found.evidence
        if each.parts
    ]
    said = [capital(line) for line in str(found).splitlines() if not line.startswith("[ ]")]
    return bullets(said) + table(rows, "Evidence by item; what is lacking is a key of the record")


# --- drafts ----------------------------------------------------------------------------------------------------------


def drafts(one: PostmortemContext) -> list[Draft]:
    """A draft on every form whose duty holds by the facts on record."""
    held = {each.form for each in duties(one.incident).duties if _holds(each)}
    results = {"verdict": one.analysis.results()["verdict"]}
    return [draft(one.incident, name, results=results) for name in forms() if name in held]


def _holds(each: Duty) -> bool:
    """Whether the facts of a rule hold, though the stamp that starts its clock may be missing."""
    facts = {PLACES, *rule_table().facts}
    return each.answer in HOLDS or (each.answer == "cannot_tell" and not facts & {*each.missing})


def draft_section(found: Draft) -> str:
    """A draft as a table in the order of its form."""
    rows = [dict(zip(("field", "asks for", "on record", "was"), row, strict=True)) for row in _rows(found)]
    listed = table(rows, f"{found.title} ({found.status})") if rows else paragraph(found.title)
    return listed + bullets(_remarks(found))


def draft_document(found: Draft) -> Document:
    """A draft as a document, for a person to complete."""
    grid = Grid(head=("Field", "Asks for", "On record [key]", "Earlier draft"), rows=tuple(_rows(found)))
    beside = (Line(label=key, text=value) for key, value in found.beside.items())
    remarks = (Note(text=one) for one in _remarks(found))
    return Document(
        title=f"DRAFT, not sent: {found.title}", blocks=(*remarks, *([grid] if found.entries else []), *beside)
    )


def _rows(found: Draft) -> list[tuple[str, ...]]:
    return [
        (
            one.at or one.field,
            f"{one.label}{' (mandatory)' if one.must else ''}{f' ({one.note})' if one.note else ''}",
            one.told,
            one.was or "",
        )
        for one in found.entries
    ]


def _remarks(found: Draft) -> list[str]:
    lacking = f"{len(found.missing)} of {count(len(found.entries), 'field')} are missing"
    return [f"{found.status}; {found.confidence}; {found.source}", *found.remarks(), lacking]
