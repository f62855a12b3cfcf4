"""Partial-identification bounds of the metric where labels are missing."""

from typing import TYPE_CHECKING

from rca.report.rendering.html import paragraph, table

if TYPE_CHECKING:
    from rca.analysis.harm.label_free_bounds import Unlabelled


def unlabelled(result: "Unlabelled") -> str:
    """Bounds of the metric over rows without a label."""
    return paragraph(str(result)) + table(result.rows(), "What the rows without a label leave open")
