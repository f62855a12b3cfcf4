"""The table of gaps between groups."""

from typing import TYPE_CHECKING

from rca.report.rendering.html import table
from rca.report.rendering.plain_text import words

if TYPE_CHECKING:
    from rca.analysis.slices.group_gaps import Gaps


def gaps(result: "Gaps") -> str:
    """Gaps between groups before and after, with the smallest that could have been seen left to the intervals."""
    rows = [{**row, "measure": words(str(row["measure"]))} for row in result.rows()]
    return table(rows, "Groups, and the gap between those farthest apart")
