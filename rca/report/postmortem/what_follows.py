"""Parts of a post-mortem about what follows: response, corrective actions, agenda, evidence, sign-off."""

from collections.abc import Callable
from typing import Any

from rca.record.schema.corrective_action import CorrectiveAction
from rca.record.schema.why_tree import Why
from rca.record.why_tree.lint import sound
from rca.record.why_tree.views import steps
from rca.report.postmortem import duties
from rca.report.postmortem.context import PostmortemContext, absent, fields
from rca.report.rendering.html import bullets, element, escape, paragraph, shown, table
from rca.report.rendering.plain_text import capital, moment, number

# --- what we change --------------------------------------------------------------------------------------------------


def response(one: PostmortemContext) -> str:
    """Containment and repair, and whether the repair worked."""
    timeline, debrief = one.incident.timeline, one.debrief
    return fields(
        "Containment and recovery",
        ("contained at", moment(timeline.contained) if timeline.contained else None, "timeline.contained"),
        ("temporary fix", debrief.temporary_fix, "postmortem.temporary_fix"),
        ("lasting fix", debrief.lasting_fix, "postmortem.lasting_fix"),
        ("back to version", debrief.rollback_to or _last_good(one), "postmortem.rollback_to"),
        ("recovered at", moment(timeline.recovered) if timeline.recovered else None, "timeline.recovered"),
        ("checked by", debrief.verified_by, "postmortem.verified_by"),
    ) + recovery(one)


def _last_good(one: PostmortemContext) -> str | None:
    return next((each.last_good for each in one.incident.systems if each.name == one.incident.model_name), None)


def recovery(one: PostmortemContext) -> str:
    """Equivalence test (TOST) of the repair."""
    part = one.analysis.recovery
    if part is None:
        return absent(["whether the repair worked: rows from after it (data.recovered)"])
    rows = [
        {name: number(value) if isinstance(value, float) else value for name, value in row.items()}
        for row in part.rows()
    ]
    return paragraph(f"Did it work? {capital(str(part))}.") + table(rows, f"After the repair, in {part.unit}")


def review(one: PostmortemContext) -> str:
    """What went well, what went badly, and where luck helped."""
    debrief = one.debrief
    parts = (
        ("What went well", debrief.went_well, "went_well"),
        ("What went badly", debrief.went_badly, "went_badly"),
        ("Where luck helped", debrief.luck, "luck"),
    )
    listed = "".join(element("h4", escape(name)) + bullets(said) for name, said, _ in parts if said)
    return listed + absent([f"{name[0].lower()}{name[1:]} (postmortem.{key})" for name, said, key in parts if not said])


def actions(one: PostmortemContext) -> str:
    """Corrective actions: owner, due date, aim, and the check of their effect."""
    now = one.incident.now
    rows = [
        {
            "action": each.what,
            "owner": each.owner or "nobody yet",
            "due": (each.due or "no date yet") + (" OVERDUE" if each.is_overdue(now) else ""),
            "state": each.state_at(now),
            "aim": each.aims_to or "not said",
            "strength": each.strength or "not said",
            "about": ", ".join(each.factors) or "no factor named",
            "done when": each.done_when or "",
            "test of its effect": each.test_of_effect or "none yet",
            "effect": _effect(each),
            "ticket": each.ticket or "",
        }
        for each in one.incident.actions
    ]
    return (
        table(rows, f"Corrective actions, as of {moment(now)}") if rows else absent(["any corrective action (actions)"])
    )


def _effect(action: CorrectiveAction) -> str:
    if action.checked is None:
        return "not checked yet"
    return f"{'it works' if action.checked.held else 'it does NOT work'}, {moment(action.checked.at)}"


def recurrence(one: PostmortemContext) -> str:
    """Similar earlier incidents, and actions that failed then."""
    seen = one.debrief.seen_before
    if seen is None:
        return absent(["whether it was seen before (postmortem.seen_before; [] where somebody looked and found none)"])
    rows = [
        {
            "incident": each.incident,
            "what": each.what,
            "did an action taken then fail?": "not known" if each.action_failed is None else shown(each.action_failed),
        }
        for each in seen
    ]
    return table(rows, "Seen before") if rows else paragraph("Somebody looked, and found nothing like it.")


# --- for the meeting, and for the record -----------------------------------------------------------------------------


def agenda(one: PostmortemContext) -> str:
    """What the meeting has to answer: open whys as questions, and what is not sound yet."""
    asked = [step.why for step in steps(one.whys) if step.why.answer is None]
    listed = [f"{why.question}{f' (for {why.ask})' if why.ask else ''}{_clues(why)}" for why in asked]
    flaws = [flaw for flaw in one.flaws if flaw.rule != "open"]
    return (
        (element("ol", "".join(element("li", escape(text)) for text in listed)) if listed else "")
        + ("" if listed else paragraph("No why is open.", "rca-note"))
        + paragraph(sound(flaws), "rca-note")
        + (bullets(flaws) if flaws else "")
    )


def _clues(why: Why) -> str:
    return "".join(f" On record: {one.statement}." for one in why.candidates)


DOMAINS = {
    "bias": "1 Discrimination & toxicity", "harmful_output": "1 Discrimination & toxicity",
    "security": "2 Privacy & security", "model_drift": "7 AI system safety, failures & limitations",
    "data_quality": "7 AI system safety, failures & limitations",
    "performance": "7 AI system safety, failures & limitations",
    "cascade": "7 AI system safety, failures & limitations",
}  # fmt: skip
"""Category of an incident → domain of the MIT AI Risk Repository; a suggestion."""


def frameworks(one: PostmortemContext) -> str:
    """What frameworks ask for that this report is evidence of."""
    domain = DOMAINS.get(one.incident.category)
    said = f"Suggested domain of the MIT AI Risk Repository: {domain}." if domain else "No domain is suggested."
    return duties.frameworks(one) + paragraph(said, "rca-note")


def comms(one: PostmortemContext) -> str:
    """Communications: who was informed of what, and when."""
    rows = [
        {"at": moment(each.at), "to": each.to, "what": each.what, "by": each.by or "no role on record"}
        for each in sorted(one.debrief.messages, key=lambda each: each.at)
    ]
    events = [event for event in one.incident.timeline.events if event.kind == "communication"]
    heard = [f"{moment(event.at)}: {event.what}" for event in events]
    reached = {each.to for each in one.debrief.messages}
    audiences = {
        "internal": "inside",
        "external": "the public",
        "affected": "those affected",
        "regulator": "a regulator",
    }
    missing = [
        f"who told {said} (postmortem.messages, to: {key})" for key, said in audiences.items() if key not in reached
    ]
    return (
        (table(rows, "Messages") if rows else "")
        + (paragraph("On the timeline:") + bullets(heard) if heard else "")
        + absent(missing)
    )


def open_questions(one: PostmortemContext) -> str:
    """What is unknown or unanswerable, and what was assumed."""
    assumed = {text for finding in one.analysis.findings() for text in finding.assumptions}
    return fields(
        "Limits, as people see them",
        ("not known", one.debrief.unknown, "postmortem.unknown"),
        ("assumed", one.debrief.assumptions, "postmortem.assumptions"),
    ) + (paragraph("The findings assume:") + bullets(sorted(map(capital, assumed))) if assumed else "")


def evidence(one: PostmortemContext) -> str:
    """Every piece of evidence: files of the case with their digests, and what was kept elsewhere."""
    cited: dict[str, int] = {}
    for step in steps(one.whys):
        for name in step.why.answer.evidence if step.why.answer else ():
            key = name.partition("#")[0]
            cited[key] = cited.get(key, 0) + 1
    rows: list[dict[str, Any]] = [
        {"id": name, "what": "file of the case", "cited by whys": cited.get(name, 0), "SHA-256": f"{digest[:8]}…"}
        for name, digest in one.inputs.items()
    ]
    kept = [
        {
            "id": each.id, "what": each.what, "where": each.where, "kept by": each.collected_by or "no role on record",
            "at": moment(each.at), "redacted": each.redacted,
        }
        for each in one.debrief.evidence
    ]  # fmt: skip
    return (
        table(rows, "Files of the case")
        + (table(kept, "Kept elsewhere") if kept else absent(["evidence kept elsewhere (postmortem.evidence)"]))
        + paragraph(
            "Findings are listed with what each assumes and survived; events stand on the timeline.", "rca-note"
        )
    )


def signoff(one: PostmortemContext) -> str:
    """Who has to sign, and how a signature is put beside this report and checked."""
    report = f"reports/{one.incident.id}"
    roles = one.debrief.sign_off
    commands = [f'rca sign {report} --role "{role}"' for role in roles or ("a role",)]
    listed = "\n".join([*commands, f"rca verify {report}"])
    return (
        fields("To be signed by", ("roles", roles, "postmortem.sign_off"))
        + element("pre", element("code", escape_lines(listed)))
        + paragraph(
            "A signature holds the digest of this report, so it cannot stand on the page: it lies beside it, and "
            "`rca verify` shows it. Any changed input or byte voids it, visibly.",
            "rca-note",
        )
    )


def escape_lines(text: str) -> str:
    """Lines from outside, each cleaned and escaped."""
    return "\n".join(escape(line) for line in text.splitlines())


PARTS: dict[str, Callable[[PostmortemContext], str]] = {
    "response": response,
    "review": review,
    "actions": actions,
    "recurrence": recurrence,
    "agenda": agenda,
    "obligations": duties.obligations,
    "frameworks": frameworks,
    "comms": comms,
    "open": open_questions,
    "evidence": evidence,
    "signoff": signoff,
}
"""These parts by name."""
