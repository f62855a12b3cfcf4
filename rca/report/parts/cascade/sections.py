"""The blast radius, as a table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rca.record.durations import duration_in_words
from rca.report.rendering.html import shown, table
from rca.report.rendering.plain_text import moment

if TYPE_CHECKING:
    from rca.analysis.cascade.blast_radius import Touched


def touched(systems: "Iterable[Touched]") -> str:
    """Traffic through each system while it failed."""
    rows = [
        {
            "system": one.component,
            "failing since": moment(one.since),
            "until": moment(one.until),
            "for": duration_in_words(one.seconds),
            "passed through it": ", ".join(f"{shown(round(size))} {what}" for what, size in one.counted.items())
            or "not known",
        }
        for one in systems
    ]
    return table(rows, "Touched at most, by each system's own traffic")
