"""Cells of notebook 1, on the timeline."""

from typing import TYPE_CHECKING

from rca.record.why_tree.blameless import nameless
from rca.report.cells.output import figure, html
from rca.report.parts.timeline import charts as timeline_charts
from rca.report.parts.timeline import sections as timeline_sections

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.record.case import Case

# --- the timeline ----------------------------------------------------------------------------------------------------


def summary(case: "Case") -> None:
    """What happened, in the words of the record."""
    html(timeline_sections.summary(nameless(case.incident)), said="The incident on record")


def facts(case: "Case") -> None:
    """What is on record of the incident itself."""
    html(timeline_sections.facts(nameless(case.incident)), said="The incident on record")


def timeline(case: "Case", analysis: "Analysis") -> None:
    """Moments, events and durations on one axis."""
    life = analysis.lifecycle
    onset = analysis.onset or analysis.verdict.onset
    exposed = str(life.exposure) if life is not None and life.exposure is not None else ""
    figure(timeline_charts.timeline(nameless(case.incident).timeline, onset, exposure=exposed))


def lifecycle(analysis: "Analysis") -> None:
    """Every moment with its source and uncertainty, what sources contradict, and the exposure."""
    from rca.report.postmortem.what_happened import lifecycle as told_of

    if analysis.lifecycle is not None:
        html(told_of(analysis.lifecycle), said=str(analysis.lifecycle))


def durations(analysis: "Analysis") -> None:
    """How long things took, with both moments of each."""
    html(timeline_sections.durations(analysis.durations), said=f"{len(analysis.durations)} durations")


def events(case: "Case") -> None:
    """Everything on record around the incident."""
    html(timeline_sections.events(nameless(case.incident)), said=f"{len(case.incident.timeline.events)} events")
