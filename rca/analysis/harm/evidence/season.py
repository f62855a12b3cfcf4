"""Was it always so at these weekdays and hours? The reference post-stratified to the clock of the current window.

Reference rows are weighted to the current window's mix of cells of the clock. What the weighting changes the season
explains; the rest is left. Errors are within cells, as the mix of cells is given, and allow for days that differ.

References
----------
.. [1] Holt, D. & Smith, T. M. F. (1979). Post stratification. J. R. Stat. Soc. A 142(1): inference given the cells.
.. [2] Akaike, H. (1974). IEEE Trans. Autom. Control 19(6): which cells, by fit and number.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rca.analysis.harm.evidence.paired_parts import both_parts, clustered, counts, standard_error
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask, Places
from rca.methods.metric import Parts
from rca.methods.seasonality import DAY, seconds_of
from rca.methods.two_sample_tests import chi_square

CELLS = 48
"""Most cells that a clock has."""

ENOUGH, DAYS, COVERED = 20, 2, 0.8
"""Fewest rows, and days, for the reference to know a cell; share of current rows in these for a clock to be used."""

APART, SURE = 0.05, 0.001
"""Total variation, and p-value, from which the mix of cells of both windows differs."""

Both = tuple[Floats, Floats]
"""Times of the rows of the reference and of the current window, in seconds since 1970."""


def _weekday(seconds: Floats) -> Floats:
    return np.asarray((seconds // DAY + 3) % 7)  # 1970 began on a Thursday; Monday is 0


CLOCKS: dict[str, Callable[[Floats], Floats]] = {
    "weekdays or weekends, by the hour": lambda seconds: 24 * (_weekday(seconds) // 5) + seconds % DAY // 3_600,
    "days of the week, by four hours": lambda seconds: 6 * _weekday(seconds) + seconds % DAY // 14_400,
    "weekdays or weekends, by four hours": lambda seconds: 6 * (_weekday(seconds) // 5) + seconds % DAY // 14_400,
    "hours of the day": lambda seconds: seconds % DAY // 3600,
    "days of the week": _weekday,
    "weekdays or weekends": lambda seconds: _weekday(seconds) // 5,
}
"""Cells of a moment, by what they are called; in UTC."""


@dataclass(frozen=True, kw_only=True)
class Season:
    """The part of the metric's change that weekdays and hours explain, and what is left of it.

    Attributes
    ----------
    clock : str
        The cells that were compared: those that tell most of the metric in the reference.
    reference, current : float
        The metric; of the current window over the rows whose cells the reference knows.
    expected : float or None
        The metric of the reference at the current window's cells; None where too few of them are known.
    explained_error, left_error : float
        Standard errors of `explained` and of `left`.
    unknown : int
        Current rows at weekdays and hours of which the reference has too few rows, or only one day.
    unknown_share : float
    """

    clock: str
    reference: float
    current: float
    expected: float | None
    explained_error: float = 0.0
    left_error: float = 0.0
    unknown: int
    unknown_share: float

    @property
    def explained(self) -> float:
        """The change that the clock alone would have made."""
        return 0.0 if self.expected is None else self.expected - self.reference

    @property
    def left(self) -> float:
        """The change that it would not."""
        return self.current - (self.reference if self.expected is None else self.expected)

    @property
    def share(self) -> float:
        """The share of the change that the clock explains; 0 where nothing changed."""
        change = self.explained + self.left
        return self.explained / change if change else 0.0

    @property
    def z(self) -> float:
        """What is left, in standard errors; 0 where there is none."""
        return self.left / self.left_error if self.left_error > 0 else 0.0


def season(windows: Windows) -> Season | None:
    """Weight the reference to the weekdays and hours of the current window, and measure the metric again.

    Parameters
    ----------
    windows : Windows

    Returns
    -------
    Season or None
        None without times, where both windows have the same mix of weekdays and hours, or the metric is no number.
        Where it cannot be read, `Unanswerable` is raised.

    Examples
    --------
    >>> import pandas as pd
    >>> from rca.analysis.inputs.windows import windows_from
    >>> hours = {"before": pd.date_range("2026-01-05", "2026-02-02", freq="h", tz="UTC", inclusive="left")}
    >>> hours["after"] = pd.date_range("2026-02-07", periods=48, freq="h", tz="UTC")
    >>> tables = [pd.DataFrame({"at": at, "bad": (at.day_of_week >= 5) & (at.hour % 2 == 0)}) for at in hours.values()]
    >>> found = season(windows_from(*tables, metric={"name": "rate", "column": "bad"}, time="at"))
    >>> round(found.explained, 2), round(found.left, 2)
    (0.36, 0.0)
    """
    time = windows.roles.time
    if time is None or time not in windows.reference or time not in windows.current:
        return None
    seconds = seconds_of(windows.reference[time]), seconds_of(windows.current[time])
    cells = {name: found for name in CLOCKS if _differs(*(found := _cells(CLOCKS[name], seconds)))}
    parts = both_parts(windows)
    if not cells or not np.isfinite([part.value() for part in parts]).all():
        return None
    known = {name: _known(*found, (parts[0], seconds[0])) for name, found in cells.items()}
    usable = [name for name in cells if known[name].mean() >= COVERED]
    if not usable:
        return _told(last := list(cells)[-1], (parts[0].value(), parts[1].value(), None), known[last])
    clock = max(usable, key=lambda name: _telling(cells[name][0], parts[0]))
    return _weighted(clock, seconds, parts, known=known[clock])


def _cells(clock: Callable[[Floats], Floats], seconds: Both) -> tuple[Places, Places]:
    """Cell of each row of both windows; -1 where it has no time."""
    found = [np.where(np.isfinite(one), clock(np.where(np.isfinite(one), one, 0.0)), -1.0) for one in seconds]
    return found[0].astype(np.intp), found[1].astype(np.intp)


def _differs(reference: Places, current: Places) -> bool:
    """Whether the mix of cells differs between the windows."""
    both = np.array([np.bincount(one + 1, minlength=CELLS + 1)[1:] for one in (reference, current)])
    if not both.sum(axis=1).all():
        return False
    shares = both / both.sum(axis=1, keepdims=True)
    return bool(np.abs(shares[0] - shares[1]).sum() / 2 >= APART and chi_square(both)[1] < SURE)


def _known(reference: Places, current: Places, of: tuple[Parts, Floats]) -> Mask:
    """Current rows in cells of which the reference has rows enough, of more than one day."""
    counted = counts(of[0]) & (reference >= 0)
    cells, days = reference[counted], of[1][counted] // DAY
    several = np.bincount(np.unique(cells + CELLS * days).astype(np.int64) % CELLS, minlength=CELLS)
    enough = (np.bincount(cells, minlength=CELLS) >= ENOUGH) & (several >= DAYS)
    return np.asarray(enough[current] & (current >= 0), dtype=bool)


def _telling(cells: Places, parts: Parts) -> float:
    """How much a clock tells of the metric in the reference: chi-square of its cells less twice their number (AIC)."""
    psi, cells = parts.influence(), np.unique(cells, return_inverse=True)[1]
    held, spread = np.bincount(cells), float(psi.var())
    if spread <= 0:
        return 0.0
    return float((np.bincount(cells, weights=psi) ** 2 / held).sum()) / spread - 2 * len(held)


def _weighted(clock: str, seconds: Both, parts: tuple[Parts, Parts], *, known: Mask) -> Season | None:
    cells = _cells(CLOCKS[clock], seconds)
    shares = np.bincount(cells[1][known], minlength=CELLS) / known.sum()
    counted = np.bincount(cells[0] + 1, minlength=CELLS + 1)[1:]
    weights = np.where(cells[0] >= 0, (shares / np.maximum(counted, 1))[cells[0]], 0.0) * len(cells[0])
    after = parts[1].take(known)
    values = parts[0].value(), after.value(), parts[0].value(weights)
    if not np.isfinite(values).all():
        return None
    plain, own = parts[0].influence(), parts[0].influence(weights)
    errors = _error(own, cells[0], seconds[0]), _error(after.influence(), cells[1][known], seconds[1][known])
    told = _told(clock, values, known)
    explained = _error(own - plain, cells[0], seconds[0])
    return replace(told, explained_error=explained, left_error=float(np.hypot(*errors)))


def _told(clock: str, values: tuple[float, float, float | None], known: Mask) -> Season:
    return Season(
        clock=clock,
        reference=values[0],
        current=values[1],
        expected=values[2],
        unknown=int((~known).sum()),
        unknown_share=float((~known).mean()),
    )


def _error(psi: Floats, cells: Places, seconds: Floats) -> float:
    """Standard error within cells: of independent rows or of independent days, whichever is larger."""
    place = np.unique(cells, return_inverse=True)[1]
    psi = psi - (np.bincount(place, weights=psi) / np.bincount(place))[place]
    days = np.unique(np.nan_to_num(seconds, nan=-1.0) // DAY, return_inverse=True)[1]
    return max(standard_error(psi), standard_error(clustered(psi, days)))
