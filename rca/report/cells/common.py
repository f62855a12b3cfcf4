"""Cells that every notebook may show: verdict, findings, causes, and open questions."""

from typing import TYPE_CHECKING

from rca.report.cells import output
from rca.report.cells.output import figure, html
from rca.report.parts.timeline import sections as timeline_sections
from rca.report.parts.verdict import sections as verdict_sections
from rca.report.plot import chart

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.record.case import Case

# --- all notebooks ---------------------------------------------------------------------------------------------------


def results(analysis: "Analysis") -> None:
    """What this notebook concludes from, for the runner; people see one line."""
    output.display({output.RESULTS: analysis.results(), "text/plain": f"Analysis of {analysis.incident}, ready."})


def verdict(analysis: "Analysis") -> None:
    """The verdict in words, the metric before and after, and the causes."""
    metric = analysis.verdict.metric
    html(
        verdict_sections.verdict(analysis.verdict),
        said=str(analysis.verdict),
        claims=metric.findings() if metric else (),
    )


def unanswered(analysis: "Analysis") -> None:
    """What the data cannot answer, and why."""
    html(verdict_sections.unanswered(analysis.unanswered), said=f"{len(analysis.unanswered)} open questions")


def causes(analysis: "Analysis") -> None:
    """The causes, each with its interval."""
    if sum(cause.contribution is not None for cause in analysis.verdict.causes) > 1:
        figure(chart(analysis.verdict))
    html(verdict_sections.causes(analysis.verdict), said=f"{len(analysis.verdict.causes)} causes")


def findings(analysis: "Analysis") -> None:
    """Every claim with its strength, assumptions and refuters."""
    claims = analysis.findings()
    html(verdict_sections.findings(claims), said=f"{len(claims)} findings", claims=claims)


def verification(case: "Case") -> None:
    """How to check this report."""
    html(timeline_sections.verification(case.incident), said="rca verify")
