"""Lengths of time in words: each in the unit that suits it, with its interval."""

from rca.analysis.portfolio.kaplan_meier import Estimate

SCALES = {"d": 86_400.0, "h": 3_600.0, "min": 60.0, "s": 1.0}
"""Unit → its seconds."""


def scale(seconds: float) -> str:
    """The largest unit of which there are at least two.

    >>> scale(4320.0), scale(7200.0), scale(90.0)
    ('min', 'h', 's')
    """
    return next((name for name, size in SCALES.items() if seconds >= 2 * size), "s")


def spelled(value: float | None, unit: str) -> str:
    """A length in a unit, or a plain number where there is none, with three digits.

    >>> spelled(4320.0, "min"), spelled(674_100.0, "min"), spelled(None, "h"), spelled(0.5, "")
    ('72', '11,235', 'not reached', '0.5')
    """
    if value is None:
        return "not reached"
    amount = value / SCALES.get(unit, 1.0)
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:.3g}"


def between(estimate: Estimate, unit: str) -> str:
    """An estimate with its interval.

    >>> between(Estimate(value=4320.0, low=3840.0, high=4710.0), "min"), between(Estimate(value=2.0, low=1.0), "")
    ('72 (64–78.5)', '2 (from 1)')
    """
    value = spelled(estimate.value, unit)
    if estimate.low and estimate.high:
        return f"{value} ({spelled(estimate.low, unit)}–{spelled(estimate.high, unit)})"
    if estimate.low:
        return f"{value} (from {spelled(estimate.low, unit)})"
    return f"{value} (up to {spelled(estimate.high, unit)})" if estimate.high else f"{value} (no bound)"


def words_of(name: str) -> str:
    """A key as words.

    >>> words_of("time_to_detect")
    'time to detect'
    """
    return name.replace("_", " ")
