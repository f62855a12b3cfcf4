"""Cells of the portfolio notebook on many incidents: one verb a part, as `show` has them for one incident."""

from rca.analysis.portfolio.incident_log import Oddity
from rca.analysis.portfolio.question import Portfolio
from rca.analysis.portfolio.results import SCALES, words_of
from rca.report.cells import output
from rca.report.cells.output import Bundle, absent, figure, html
from rca.report.parts.portfolio import charts as portfolio_charts
from rca.report.plot import chart
from rca.report.rendering.html import bullets, paragraph, table
from rca.report.rendering.plain_text import capital, count, moment

NAMED = 200
"""Incidents that an oddity names in the report; `results.json` has more."""


def results(found: Portfolio) -> None:
    """What this notebook concludes, for the runner; people see one line."""
    output.display({output.RESULTS: found.to_dict(), "text/plain": f"{count(found.incidents, 'incident')}, summed up."})


def overview(found: Portfolio) -> None:
    """What was read, and every measure with its median, percentiles and mean."""
    facts: list[Bundle] = [
        {"fact": "incidents", "value": found.incidents},
        {"fact": "open", "value": found.open},
        {"fact": "first began", "value": moment(found.first)},
        {"fact": "as of", "value": moment(found.as_of)},
        {"fact": "read as", "value": ", ".join(f"{what} from {column}" for what, column in found.read_as.items())},
        {"fact": "columns not used", "value": ", ".join(found.unused) or "none"},
        {"fact": "measures without moments", "value": ", ".join(map(words_of, found.untold)) or "none"},
    ]
    html(table(facts, f"What {found.name} holds"), said=str(found).partition("\n")[0])
    if found.summaries:
        figure(chart(found), found.findings())
        warnings = [capital(f"{words_of(one.measure)}: {one.warning()}.") for one in found.summaries if one.misleads]
        html(bullets(warnings) if warnings else paragraph("No mean misleads.", "rca-note"), said="\n".join(warnings))


def curves(found: Portfolio) -> None:
    """Survival curves of each measure (Kaplan-Meier)."""
    drawn = [one for one in found.summaries if one.n >= portfolio_charts.FEWEST]
    for one in drawn:
        figure(chart(one))
    if not drawn:
        absent(f"No measure has its moments on record for {portfolio_charts.FEWEST} incidents.")


def groups(found: Portfolio, grouping: str) -> None:
    """Every measure by group."""
    drawn = [one for one in found.grouped if one.grouping == grouping]
    for one in drawn:
        many = all(group.n >= portfolio_charts.FEWEST for group in one.groups)
        figure(portfolio_charts.curves(one) if many and len(one.groups) <= portfolio_charts.MOST_CURVES else chart(one))
    if not drawn:
        absent(f"The record does not tell two groups apart by {grouping}.")


def trends(found: Portfolio) -> None:
    """How many incidents began in each quarter, and how long they took."""
    for one in found.trends:
        figure(chart(one))
    if not found.trends:
        absent("No incident has a date.")


def comparisons(found: Portfolio) -> None:
    """Each measure before and after a day."""
    for one in found.comparisons:
        figure(chart(one))
    if found.comparisons:
        html(bullets(map(str, found.comparisons)), said=f"{len(found.comparisons)} comparisons")
    else:
        absent("No day was given at which to compare before with after, or one side of it is empty: `split`.")


def targets(found: Portfolio) -> None:
    """Shares within service targets."""
    rows = [
        {
            "measure": words_of(one.target.measure),
            "severity": one.target.severity or "any",
            "limit (h)": one.target.seconds / SCALES["h"],
            "promised": f"{one.target.share:.0%}",
            "state": one.state,
            "said": str(one),
        }
        for one in found.targets
    ]
    html(table(rows, "Targets"), said=f"{len(rows)} targets") if rows else absent("No target was given: `targets`.")


def appetite(found: Portfolio) -> None:
    """What the incidents did against the limits of a risk appetite."""
    rows = [{"limit": one.accepts, "state": one.state, "said": str(one).partition("; ")[2]} for one in found.appetite]
    if rows:
        html(table(rows, "Risk appetite"), said=f"{len(rows)} limits")
    else:
        absent("No risk appetite was given: `appetite`.")


def oddities(found: Portfolio) -> None:
    """What is odd on record, and what could not be read."""
    rows = [
        {"count": one.count, "what": one.kind, "of": one.of, "incidents": _named(one)} for one in found.oddities
    ]  # fmt: skip
    problems = [{"case": problem.place, "problem": problem.what, "hint": problem.hint} for problem in found.problems]
    html(table(rows, "Odd on record, listed and never hidden"), said=f"{len(rows)} oddities")
    if problems:
        html(table(problems, "Cases that could not be read"), said=f"{len(problems)} problems")


def _named(one: Oddity) -> str:
    listed = ", ".join(one.incidents[:NAMED])
    return f"{listed} and {one.count - NAMED:,} more" if listed and one.count > NAMED else listed


def factors(found: Portfolio) -> None:
    """Factors that more than one incident has on record."""
    rows = [
        {"factor": one.what, "kind": one.kind, "incidents": len(one.incidents), "which": ", ".join(one.incidents)}
        for one in found.recurring
    ]
    if rows:
        html(table(rows, "Factors that recur"), said=f"{len(rows)} recurring factors")
    else:
        absent("No factor is on record of more than one incident.")


def drills(found: Portfolio) -> None:
    """Points of drills, a row each; no measure of incidents counts them."""
    rows = [
        {"day": one.day, "drill": one.name, "level": one.level, "points": one.total}
        | {area: f"{points:g} of {most:g}" for area, (points, most) in one.areas.items()}
        for one in found.drills
    ]
    if rows:
        html(table(rows, "Points of drills"), said=f"{len(rows)} drills")
    else:
        absent("No drills were given: `drills`.")


def actions(found: Portfolio) -> None:
    """Corrective actions that are not done; the longest overdue first."""
    rows = [
        {
            "action": one.action.what,
            "incident": one.action.incident,
            "owner": one.action.owner or "nobody",
            "due": one.action.due,
            "overdue": f"{one.overdue_by} d" if one.overdue_by else None,
        }
        for one in found.actions
    ]
    if rows:
        html(table(rows, "Corrective actions that are not done"), said=f"{len(rows)} actions")
    else:
        absent("No corrective action is on record that is not done.")
