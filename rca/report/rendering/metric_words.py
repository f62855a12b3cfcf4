"""A change of the metric in words."""

from rca.methods.metric import Measured
from rca.report.rendering.plain_text import alike, capital, plain


def change_in_words(measured: Measured) -> str:
    """What the metric did, in one line."""
    verb = "did not change beyond chance" if 0 in measured.interval else "rose" if measured.change > 0 else "fell"
    before, during = said_values(measured)
    return f"{capital(plain(measured.label))} {verb}: {before} before, {during} during the failure"


def said_values(measured: Measured) -> tuple[str, str]:
    """The metric in both windows as it is read aloud, with its unit where it has a short one."""
    before, during = alike(measured.scale * measured.reference, measured.scale * measured.current)
    return (f"{before} %", f"{during} %") if measured.is_share else (before, during)


def change_unit(measured: Measured) -> str:
    """Unit of a difference between two values of the metric."""
    return "percentage points" if measured.is_share else measured.unit
