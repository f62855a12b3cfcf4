"""Refutation tests of an effect, as a table."""

from typing import TYPE_CHECKING

from rca.report.rendering.html import bullets, paragraph, table

if TYPE_CHECKING:
    from rca.analysis.event_study.effect import Effect


def checks(result: "Effect") -> str:
    """Refutation tests of an effect, and its assumptions."""
    taken = paragraph("Taken for granted:", "rca-note") + bullets(result.assumptions)
    return table(result.checks(), "What was tried to show that the event did nothing") + taken
