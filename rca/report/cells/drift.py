"""Cells of notebook 2, on drift, faults, harm, slices and onset."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rca.analysis.conclusion.observation import as_rows
from rca.report.cells.output import absent, figure, html
from rca.report.parts.drift import sections as drift_sections
from rca.report.parts.harm import sections as harm_sections
from rca.report.parts.slices import sections as slices_sections
from rca.report.parts.timeline import charts as timeline_charts
from rca.report.parts.timeline import sections as timeline_sections
from rca.report.plot import chart
from rca.report.rendering.html import table
from rca.report.rendering.plain_text import count

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.analysis.drift.column_comparison import ColumnDrift

MOST_COLUMNS = 6
"""Columns drawn before and after."""

# --- what moved, and the harm ----------------------------------------------------------------------------------------


def harm(analysis: "Analysis") -> None:
    """Attribution of the metric's change."""
    part = analysis.harm or analysis.verdict.metric
    figure(chart(part), part.findings()) if part else absent(
        "This case has no metric over rows whose change could be divided."
    )


def rivals(analysis: "Analysis") -> None:
    """Every explanation that was asked, what killed some, and what would decide between the others."""
    part = analysis.harm
    if part is not None and part.rivals:
        html(harm_sections.rivals(part), said=f"{count(len(part.rivals), 'explanation')} asked")
    if analysis.decisive:
        html(table(as_rows(analysis.decisive), "What would decide"), said="; ".join(map(str, analysis.decisive)))


def drift(analysis: "Analysis") -> None:
    """Effect size of the drift of every column."""
    part = analysis.drift
    figure(chart(part), part.findings()) if part else absent("This case has no tables of both windows to compare.")


def joint(analysis: "Analysis") -> None:
    """Joint drift: classifier two-sample test, and the columns that separate the windows."""
    part = analysis.joint
    figure(chart(part), part.findings()) if part else absent("The windows could not be compared as a whole.")


def faults(analysis: "Analysis") -> None:
    """Faults of columns: kind, rows and evidence; then each of them before and after."""
    part = analysis.faults
    broken = sorted(part.broken if part else (), key=lambda row: -_harm_of(analysis, row.column))
    if part is None or not broken:
        absent("No column broke in a way that has a name.")
        return
    html(drift_sections.faults(broken, analysis.harm), said=str(part), claims=part.findings())
    _profiles(analysis, {row.column: str(row) for row in broken})


def _harm_of(analysis: "Analysis", column: str) -> float:
    """Contribution of a column to the change of the metric, where it was attributed."""
    parts = analysis.harm.contributions if analysis.harm else ()
    return sum(part.value for part in parts if part.kind == "feature" and part.name == column)


def columns(analysis: "Analysis") -> None:
    """Drifted columns without a fault, the farthest first, before and after."""
    broken = {row.column for row in analysis.faults.columns if row.broken} if analysis.faults else set()
    moved = [name for name in analysis.drift.moved() if name not in broken] if analysis.drift else []
    _profiles(analysis, dict.fromkeys(moved, ""))
    if not moved:
        absent("No other column moved materially.")


def _profiles(analysis: "Analysis", claims: Mapping[str, str]) -> None:
    """Some columns before and after, as far as they were compared: what moved of them, else their values.

    A claim is what is to be seen, where that is more than that the column moved.
    """
    compared = analysis.drift.columns if analysis.drift else ()
    drawn = [row for name in claims for row in _to_see(compared, name) if row.profile.labels]
    for row in drawn[:MOST_COLUMNS]:
        spec = chart(row)
        figure(replace(spec, title=claims[row.column] or spec.title))
    if len(drawn) > MOST_COLUMNS:
        absent(f"{len(drawn) - MOST_COLUMNS} more are in the table of effects.")


def _to_see(compared: "Sequence[ColumnDrift]", name: str) -> "list[ColumnDrift]":
    own = [row for row in compared if row.column == name]
    return [row for row in own if row.moved] or [row for row in own if row.aspect == "values"]


def slices(analysis: "Analysis") -> None:
    """Slices in which the change of harm concentrates."""
    part = analysis.slices
    if part is None:
        absent("No harm was done that could sit anywhere.")
    else:
        figure(chart(part), part.findings())


def gaps(analysis: "Analysis") -> None:
    """The metric of each group, in both windows."""
    part = analysis.gaps
    drawn = [gap for gap in part.gaps if gap.change is not None] if part else []
    for gap in drawn[:MOST_COLUMNS]:
        figure(chart(gap))
    if part is None or not drawn:
        absent("The case names no groups with enough rows to compare.")
    else:
        html(slices_sections.gaps(part), said=str(part), claims=part.findings())


def onset(analysis: "Analysis") -> None:
    """Onset of the harm."""
    part = analysis.onset
    if part is None:
        absent("No onset can be dated from the data.")
    else:
        figure(timeline_charts.onset(part), analysis.since.findings() if analysis.since else ())


def dates(analysis: "Analysis") -> None:
    """Onset of each cause, and nearby events."""
    if analysis.since is not None and len(analysis.since.rows()) > 1:
        html(timeline_sections.dates(analysis.since), said=str(analysis.since))
    if analysis.events is not None and analysis.events.candidates:
        part = analysis.events
        html(timeline_sections.near(part), said=str(part), claims=part.findings())


def labels(analysis: "Analysis") -> None:
    """Bounds of the metric where labels are missing."""
    part = analysis.unlabelled
    if part is not None:
        html(harm_sections.unlabelled(part), said=str(part), claims=part.findings())
