"""Cells of notebook 5, on cascades."""

from typing import TYPE_CHECKING

from rca.report.cells.output import absent, figure, html
from rca.report.parts.cascade import charts as cascade_charts
from rca.report.parts.cascade import sections as cascade_sections
from rca.report.plot import chart

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.record.case import Case


def cascade(analysis: "Analysis") -> None:
    """Which system left its normal range first."""
    part = analysis.cascade
    figure(chart(part), part.findings()) if part else absent("This case has no signals of systems.")


def systems(case: "Case", analysis: "Analysis") -> None:
    """When each system left its normal range, on one axis with the events."""
    part = analysis.cascade
    if part is not None and part.abnormal:
        figure(cascade_charts.onsets(part, case.incident.timeline.events))
    else:
        absent("No system left its normal range.")


def way(analysis: "Analysis") -> None:
    """Propagation path of the failure, and silent guards."""
    part = analysis.cascade
    if part is not None and part.steps:
        figure(cascade_charts.way(part))
    else:
        absent("No way can be told: without a graph, the order of onsets above is all that is known.")


def signals(case: "Case", analysis: "Analysis") -> None:
    """The signals that left their range, in the order in which they did."""
    part, table, record = analysis.cascade, case.signals, case.incident.signals
    if part is not None and part.traces and table is not None and record is not None:
        figure(cascade_charts.signals(part, table, record))
    else:
        absent("No signal left its normal range.")


def blast(analysis: "Analysis") -> None:
    """Traffic through each system between its onset and containment."""
    part = analysis.cascade
    if part is not None and part.touched:
        html(cascade_sections.touched(part.touched), said=f"{len(part.touched)} systems failed")
    else:
        absent("No system failed for a time that could be told.")
