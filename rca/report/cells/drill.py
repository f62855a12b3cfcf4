"""Cells of the debrief of a drill: one verb a part."""

from typing import Any

from rca.record.schema.drill import Drill
from rca.report.cells import output
from rca.report.cells.output import figure, html
from rca.report.parts.drill.charts import grades as drawn_grades
from rca.report.parts.why_tree.sections import whys as told_whys
from rca.report.rendering.html import paragraph, table
from rca.report.rendering.plain_text import number

HEARD = {"inject": "came in", "answer": "looked at", "refused": "refused"}


def results(drill: Drill) -> None:
    """What the debrief concludes, for the runner; people see one line."""
    plain = {"drill": drill.id, "total": drill.team.total, "reference": drill.reference.total}
    output.display({output.RESULTS: plain, "text/plain": f"{drill.id}: {drill.team.total:g} of 100 points."})


def overview(drill: Drill) -> None:
    """What was played, and what came of it."""
    facts = {
        "drill": f"{drill.place}, level {drill.level}, seed {drill.seed}",
        "people": drill.people,
        "points": f"{drill.team.total:g} of 100; a good team would have had {drill.reference.total:g}",
        "harm": f"{number(drill.team.stopped)} of {number(drill.possible)} {drill.harm} were stopped; "
        f"a good team would have stopped {number(drill.reference.stopped)}",
        "severity by the house rule": drill.severity,
    }
    html(table([{"fact": name, "value": said} for name, said in facts.items()], "The drill"), said=str(facts["points"]))


def grades(drill: Drill) -> None:
    """Points by area beside those of a good team, and the reason of every point."""
    figure(drawn_grades(drill))
    rows = [
        {"area": one.area, "points": f"{one.points:g} of {one.of:g}", "because": one.because}
        for one in drill.team.points
    ]
    html(table(rows, "Every point with its reason"), said=f"{len(rows)} points")


def timeline(drill: Drill) -> None:
    """What came in and what the team did, minute by minute."""
    html(table(_rows(drill.team.log), "Minutes since the first alert"), said=f"{len(drill.team.log)} entries")


def reference(drill: Drill) -> None:
    """What a good team would have done with the same incident: one way, and not the only one."""
    acts = [one for one in drill.reference.log if one.kind not in ("inject", "wait")]
    html(table(_rows(acts), "What a good team would have done"), said=f"{len(acts)} entries")


def _rows(log: Any) -> list[dict[str, Any]]:
    return [
        {"minute": one.minute, "what": f"{one.who} {said}: {one.text}" if one.text else f"{one.who} {said}"}
        for one in log
        for said in [" ".join(part for part in (HEARD.get(one.kind, one.kind), one.about) if part)]
    ]


def truth(drill: Drill) -> None:
    """The cause that was hidden, and the names of it that are right."""
    said = f"{drill.truth[:1].upper()}{drill.truth[1:]}."
    html(paragraph(said) + paragraph(f"Right to name: {', '.join(drill.answers)}."), said=said)


def whys(drill: Drill) -> None:
    """The why-tree to begin with; what is open is for the meeting."""
    html(told_whys(drill.whys), said=f"{len(drill.whys)} why-trees")
