"""Column faults, as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rca.report.rendering.html import table
from rca.report.rendering.plain_text import change_unit, number, span, words
from rca.tables.condition import conjunction

if TYPE_CHECKING:
    from rca.analysis.faults.column_fault import ColumnFault
    from rca.analysis.harm.harm import Harm


def faults(broken: "Sequence[ColumnFault]", harm: "Harm | None" = None) -> str:
    """How columns broke, in which rows, what says so, and whether it did harm."""
    unit = change_unit(harm.measured) if harm else "not measured"
    rows = [
        {
            "column": one.column,
            "fault": words(one.fault),
            "where": conjunction(one.where) if one.where else "anywhere",
            "rows hit": f"{one.share:.0%}",
            "what says so": one.evidence,
            f"harm ({unit})": _harm_of(one.column, harm),
        }
        for one in broken
    ]
    return table(rows, "Columns that broke")


def _harm_of(column: str, harm: "Harm | None") -> str | None:
    """Contribution of a column to the change of the metric, with its interval; None where it was not attributed."""
    if harm is None:
        return None
    scale = harm.measured.scale
    told = (
        f"{number(scale * part.value, sign=True)} ({span(scale * part.interval.low, scale * part.interval.high)})"
        for part in harm.contributions
        if part.kind == "feature" and part.name == column
    )
    return next(told, None)
