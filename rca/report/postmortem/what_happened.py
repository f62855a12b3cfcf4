"""Parts of a post-mortem about what happened, from the record and the findings; missing parts say where they go.

The parts are those that the templates of Google SRE, PagerDuty, AWS and others ask for, and some that an AI incident
needs beside them: the model's record, evidence on every why, actions with a check of their effect, a register of
evidence, and a sign-off. Names of people are replaced by roles before anything is written.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rca.errors import Unanswerable
from rca.record.schema.corrective_action import CorrectiveAction
from rca.record.schema.why_tree import Factor, Why
from rca.record.why_tree.views import cut_sets, distinct, guard_sets, steps
from rca.report.parts.timeline import sections as timeline_sections
from rca.report.parts.verdict import sections as verdict_sections
from rca.report.parts.why_tree import sections as why_tree_sections
from rca.report.postmortem import what_follows
from rca.report.postmortem.classification import classification
from rca.report.postmortem.context import PostmortemContext, absent, fields
from rca.report.rendering.html import bullets, paragraph, table
from rca.report.rendering.plain_text import count, moment, span, words

if TYPE_CHECKING:
    from rca.analysis.conclusion.lifecycle import Lifecycle

MOST_SETS = 6
"""Cut sets that are listed."""

SHORT = 8
"""Letters of a digest that are shown."""

# --- what happened ---------------------------------------------------------------------------------------------------


def identity(one: PostmortemContext) -> str:
    """What this report is, and of what."""
    known, debrief = one.incident, one.debrief
    return fields(
        "This report",
        ("incident", known.id, "id"),
        ("title", known.title, "title"),
        ("severity at its worst", known.severity, "severity"),
        ("state of the incident", known.status, "status"),
        ("state of the report", debrief.report, "postmortem.report"),
        ("owner of the report", debrief.owner, "postmortem.owner"),
        ("authors", debrief.authors, "postmortem.authors"),
        ("version", debrief.version, "postmortem.version"),
        ("confidentiality", debrief.mark, "postmortem.mark"),
        ("as of", moment(known.now) if known.now else None, "as_of"),
        ("made from", f"{count(len(one.inputs), 'file')} of the case; their digests are in the manifest", ""),
    )


def system(one: PostmortemContext) -> str:
    """The systems involved, and the record of the model that failed."""
    named = one.incident.model_name
    listed = [
        {
            "system": each.name,
            "kind": each.kind,
            "version": each.version or "–",
            "owner": each.owner or "nobody on record",
        }
        for each in one.incident.systems
    ]
    model = next((each for each in one.incident.systems if each.name == named), None)
    if model is None:
        return absent(["which systems took part (systems)"])
    file = one.incident.model
    return table(listed, "Systems") + fields(
        f"Record of {model.name}",
        ("version that failed", model.version, "systems[].version"),
        ("last version known to work", model.last_good, "systems[].last_good"),
        ("model file", f"{file.path}, SHA-256 {one.inputs.get(file.path, '?')[:SHORT]}…" if file else None, "model"),
        ("training data", model.training_data, "systems[].training_data"),
        ("run in the registry", model.run_id, "systems[].run_id"),
        ("intended use", model.intended_use, "systems[].intended_use"),
        ("oversight by people", model.oversight, "systems[].oversight"),
        ("part we have", model.party, "systems[].party"),
        ("risk class", model.risk_class, "systems[].risk_class"),
    )


def detection(one: PostmortemContext) -> str:
    """Detection: how and when it was noticed, and why not sooner."""
    timeline, onset = one.incident.timeline, one.analysis.onset or one.analysis.verdict.onset
    since = verdict_sections.since(onset) if onset is not None else None
    why = one.debrief.why_not_sooner or _from_the_tree(one.whys, "seen")
    return fields(
        "How it was noticed",
        ("first signal", one.debrief.first_signal, "postmortem.first_signal"),
        ("noticed by", one.debrief.found_by, "postmortem.found_by"),
        ("noticed at", moment(timeline.detected) if timeline.detected else None, "timeline.detected"),
        ("onset in the data", since, "data.time, or timeline.onset"),
        ("why not sooner", why, "postmortem.why_not_sooner"),
    )


def _from_the_tree(whys: Iterable[Why], word: str) -> str | None:
    """The answer that a tree gives to a question with this word in it."""
    asked = [step.why for step in steps(whys) if word in step.why.question.casefold().split("?")[0].split()]
    return next((why.answer.statement for why in asked if why.answer is not None), None)


def moments(one: PostmortemContext) -> str:
    """Every moment with its source and uncertainty; contradictions; the exposure."""
    life = one.analysis.lifecycle
    return lifecycle(life) if life is not None else absent(["any moment (timeline)"])


def lifecycle(life: "Lifecycle") -> str:
    """Every moment with its source and uncertainty; contradictions; the exposure."""
    rows = [
        {
            "at": moment(stamp.at),
            "moment": words(stamp.name),
            "phase": stamp.phase,
            "between": f"{moment(stamp.earliest)} and {moment(stamp.latest)}" if stamp.earliest else "",
            "source": stamp.source,
        }
        for stamp in life.stamps
    ]
    missing = [f"{words(name)} (timeline.{name})" for name in life.missing]
    listed = table(rows, "Moments, in UTC, with their sources")
    return listed + absent(missing) + conflicts(life) + missed(life) + exposure(life)


def conflicts(life: "Lifecycle") -> str:
    """Contradictions between sources."""
    if not life.conflicts:
        return ""
    return paragraph("Sources contradict each other; which is right is for people to say:") + bullets(
        f"{one.what}. Sources: {'; '.join(one.sources)}." for one in life.conflicts
    )


def missed(life: "Lifecycle") -> str:
    """Signals that were there before detection."""
    return paragraph("Missed signals:") + bullets(f"{one.what}." for one in life.missed) if life.missed else ""


def exposure(life: "Lifecycle") -> str:
    """Exposure: time from onset to containment, and the rows decided in it."""
    if life.exposure is None:
        return absent(["how long harm could be done (timeline.contained, and an onset)"])
    return paragraph(f"Exposure: {life.exposure}.")


def durations(one: PostmortemContext) -> str:
    """Each duration with its two moments."""
    note = "Where each stands among past incidents is not part of this report: one incident has no percentile."
    return timeline_sections.durations(one.analysis.durations) + paragraph(note, "rca-note")


# --- who was hurt ----------------------------------------------------------------------------------------------------


def impact(one: PostmortemContext) -> str:
    """Impact in numbers, from the record and from the data."""
    known = one.incident.impact
    life = one.analysis.lifecycle
    exposed = str(life.exposure) if life is not None and life.exposure is not None else None
    wrong = known.wrong
    between = f" ({span(*map(float, known.wrong_interval))})" if known.wrong_interval else ""
    return (paragraph(known.text) if known.text else "") + fields(
        "As far as it is known",
        ("people", known.people, "impact.people"),
        ("decisions", known.decisions, "impact.decisions"),
        ("exposure, from the data", exposed, "timeline.contained and data.time"),
        ("wrong decisions", f"{wrong:,}{between}" if wrong is not None else None, "impact.wrong"),
        ("harm by the metric", _harm(one), "metric"),
        ("by group", _by_group(one), "data.groups"),
        ("money", known.money, "impact.money"),
        ("service level spent", known.slo, "impact.slo"),
        ("support cases", known.support_cases, "impact.support_cases"),
        ("data lost", known.data_lost, "impact.data_lost"),
        ("physical harm", known.physical_harm, "impact.physical_harm"),
    )


def _harm(one: PostmortemContext) -> str | None:
    metric = one.analysis.verdict.metric
    return None if metric is None else str(metric)


def _by_group(one: PostmortemContext) -> str | None:
    """The group gap that widened most."""
    gaps = one.analysis.gaps
    metric = one.analysis.verdict.metric
    told = [gap for gap in gaps.gaps if gap.change is not None] if gaps is not None else []
    opened = [gap for gap in told if metric is not None and gap.measure == metric.name] or told
    widest = max(opened, key=lambda gap: gap.change or 0.0, default=None)
    return str(widest) if widest is not None else None


# --- why -------------------------------------------------------------------------------------------------------------


def why_tree(one: PostmortemContext) -> str:
    """The tree as nested questions; what was rejected stands in the brief, with what killed it."""
    drafted = "" if one.incident.whys else "A draft from the findings: what only people can know is open."
    rejected = any(each.rejected for tree in one.whys for each in tree.walk())
    return (
        (paragraph(drafted, "rca-note") if drafted else "")
        + why_tree_sections.whys(one.whys)
        + ("" if rejected else absent(["what else was suspected (whys[].rejected)"]))
    )


def factors(one: PostmortemContext) -> str:
    """Factors by role, missing guards, and minimal cut sets."""
    found = distinct(one.whys)
    rows = [
        {
            "factor": each.statement,
            "role": each.role,
            "category": each.category or "not sorted",
            "strength": each.strength,
            "guard that was missing": each.guard or "",
            "addressed by": _addressed(each, one.incident.actions),
        }
        for each in found
    ]
    return (
        table(rows, "Contributing factors")
        + fields(
            "What made it worse or better",
            ("made it worse", one.debrief.aggravating, "postmortem.aggravating"),
            ("kept it smaller", one.debrief.mitigating, "postmortem.mitigating"),
        )
        + _sets(one.whys)
    )


def _addressed(factor: Factor, actions: Sequence[CorrectiveAction]) -> str:
    aimed = [action.id or action.what for action in actions if action.addresses(factor.names)]
    return "; ".join(aimed) or (f"nothing, because {factor.no_action}" if factor.no_action else "nothing")


def _sets(whys: tuple[Why, ...]) -> str:
    """Minimal cut sets of the tree, and single points of prevention."""
    if not any(why.whys for why in whys):
        return ""
    if any(why.answer is None for tree in whys for why in tree.walk()):
        return paragraph("Which factors together were enough is told once no why is open.", "rca-note")
    try:
        enough, single = cut_sets(whys), [one for one in guard_sets(whys) if len(one) == 1]
    except Unanswerable as reason:
        return paragraph(str(reason), "rca-note")
    said = {one.id: one.statement for one in distinct(whys) if one.id}
    told = [", and ".join(said.get(name, name) for name in sorted(one)) for one in enough[:MOST_SETS]]
    points = [said.get(name, name) for one in single[:MOST_SETS] for name in one]
    return (
        paragraph("Enough together, by the tree (its minimal cut sets):")
        + bullets(told)
        + paragraph("Any one of these gone, and by the tree it would not, or less, have happened:")
        + bullets(points or ("none alone",))
    )


PARTS: dict[str, Callable[[PostmortemContext], str]] = {
    "identity": identity,
    "system": system,
    "impact": impact,
    "detection": detection,
    "classification": classification,
    "timeline": moments,
    "metrics": durations,
    "why_tree": why_tree,
    "factors": factors,
    **what_follows.PARTS,
}
"""The parts by name: those of the joined template but its summary, which is the brief; and the agenda."""
