"""A column of the rows' own time, as the hour or the weekday is, turned by a constant against it.

A column that is the hour, the weekday, the month … of the rows' time is one constant ahead of it; where it is another
one ahead, it was turned, and each row shows whether it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.ring_shift import MIN_ROWS, are_whole, by_shares, round_the_ring, signed
from rca.analysis.faults.rule import Scene
from rca.arrays import Floats, Mask
from rca.methods.changepoint.dating import ChangePoint, change_point
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_numbers

FOLLOWS = 0.95
"""Share of the rows from which a column follows a clock; it may be one constant ahead of it."""

FEW = 12
"""Rows that were turned, below which they are none: by chance next to none are ahead by one and the same."""

MOSTLY = 0.9
"""Share of the rows from which it is sure which of several clocks a column follows."""

TURNED = 0.01
"""Share of the rows, beyond the usual one, from which some that are another constant ahead are a fault."""

TIMES_USUAL = 3.0
"""Likewise, as a multiple of the usual share."""

VARIED = 3
"""Readings of a clock that the reference has to have, each in `TURNED` of its rows: a constant follows a slow clock."""

SAMPLED = 2000
"""Rows of the reference at which a column is compared with all clocks, before all rows are with those that it follows.

Close to following is enough there."""

HALF = 0.52
"""Farthest that a whole number lies from the middle of those that read the same of a clock."""

FINE = 0.06
"""Likewise of a number with decimals, such as the hour and its minutes to one digit."""

SPREAD = 0.3
"""How much of an hour, a day … rows that are one ahead have to fill: those that were only late lie at its beginning."""

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Asia/Jerusalem",
    "Africa/Cairo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
"""One zone of each rule by which clocks are put forward in summer."""

DAY = 86_400.0
"""Seconds of a day."""

THURSDAY = 3.0
"""Weekday on which 1970 began, from Monday on."""

Reading = Callable[[pd.DatetimeIndex], Floats]


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A reading of time that goes round.

    Attributes
    ----------
    unit : str
    span : float
        What it goes up to, from zero on.
    read : callable
        ``(moments) -> ndarray of shape (rows,)``, with fractions; NaN for a moment that is none.
    lowest : tuple of float
        What columns may count from, the likelier first.
    grain : float
        Parts of the unit by which it may be turned.
    """

    unit: str
    span: float
    read: Reading
    lowest: tuple[float, ...] = (0.0, 1.0)
    grain: float = 1.0


def _round_the(seconds: float, moments: pd.DatetimeIndex, *, each: float = 1.0, ahead: float = 0.0) -> Floats:
    """Time round a span of some seconds, in units of `each`."""
    return np.asarray((as_numbers(pd.Series(moments)) + ahead) % seconds / each)


def _hours_in(zone: str, moments: pd.DatetimeIndex) -> Floats:
    """Hours by the clocks of a zone; NaN where this machine does not know the zone."""
    try:
        local = moments.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    except ZoneInfoNotFoundError:
        return np.full(len(moments), np.nan)
    return _round_the(DAY, local, each=3600)


def _days_of_year(moments: pd.DatetimeIndex) -> Floats:
    return np.asarray(moments.day_of_year, dtype=float) - 1 + _round_the(DAY, moments, each=DAY)


def _months(moments: pd.DatetimeIndex) -> Floats:
    days = np.asarray(moments.day, dtype=float) - 1 + _round_the(DAY, moments, each=DAY)
    return np.asarray(
        np.asarray(moments.month, dtype=float) - 1 + days / np.asarray(moments.days_in_month, dtype=float)
    )


CLOCKS: Mapping[str, Clock] = {
    "hour": Clock(unit="hours", span=24, read=partial(_round_the, DAY, each=3600), grain=0.25),
    **{zone: Clock(unit="hours", span=24, read=partial(_hours_in, zone), grain=0.25) for zone in ZONES},
    "minute": Clock(unit="minutes", span=60, read=partial(_round_the, 3600, each=60)),
    "minute of the day": Clock(unit="minutes", span=1440, read=partial(_round_the, DAY, each=60)),
    "second of the day": Clock(unit="seconds", span=DAY, read=partial(_round_the, DAY)),
    "weekday": Clock(unit="days", span=7, read=partial(_round_the, 7 * DAY, each=DAY, ahead=THURSDAY * DAY)),
    "day of the year": Clock(unit="days", span=366, read=_days_of_year, lowest=(1.0, 0.0)),
    "month": Clock(unit="months", span=12, read=_months, lowest=(1.0, 0.0)),
    "quarter": Clock(unit="quarters", span=4, read=lambda moments: np.asarray(_months(moments) / 3), lowest=(1.0, 0.0)),
}
"""Clocks by the name that the `period` of a fault has; hours also by the clocks of zones that have a summer time."""


@dataclass(frozen=True, kw_only=True)
class _Followed:
    """A column that follows a clock: how far each row, in both windows, is ahead of what is usual.

    Attributes
    ----------
    name : str
        Of the clock.
    middle : float
        How far ahead of the clock rows usually are.
    half : float
        How far from the middle rows of one reading lie.
    ahead : (ndarray, ndarray)
        How far ahead of the middle, between minus and plus half the span; NaN where a row has no value or no time.
    """

    name: str
    middle: float
    half: float
    ahead: tuple[Floats, Floats]

    @property
    def clock(self) -> Clock:
        return CLOCKS[self.name]

    @property
    def sound(self) -> float:
        """Share of the current rows that are as far ahead as is usual."""
        known = self.ahead[1][np.isfinite(self.ahead[1])]
        return float((np.abs(known) <= self.half).mean()) if len(known) else 0.0

    @property
    def kept(self) -> bool:
        """Whether nearly all current rows are as far ahead as is usual."""
        return self.sound >= 1 - TURNED

    def turned(self, offset: float) -> tuple[Mask, Mask]:
        """Rows of both windows that are ahead by the offset, rather than by what is usual."""
        left = [np.abs(round_the_ring(far - offset, self.clock.span)) for far in self.ahead]
        first, second = ((off <= self.half) & (off < np.abs(far)) for off, far in zip(left, self.ahead, strict=True))
        return first, second


@dataclass(frozen=True, kw_only=True)
class _Turn:
    """A constant by which current rows are ahead of a clock, beyond the usual one, and the rows that are."""

    followed: _Followed
    offset: float
    hit: tuple[Mask, Mask]

    @property
    def explained(self) -> float:
        """Share of the current rows that are ahead by the usual constant or by the new one."""
        far = self.followed.ahead[1]
        return float(((np.abs(far) <= self.followed.half) | self.hit[1])[np.isfinite(far)].mean())

    @property
    def clear(self) -> bool:
        """Whether there are enough of them, beyond what is usual, and no third constant beside."""
        usual, share = (float(mask.mean()) for mask in self.hit)
        enough = share - usual >= TURNED and share >= TIMES_USUAL * usual and self.hit[1].sum() >= FEW
        return bool(enough and self.explained >= FOLLOWS and not self._late())

    def _late(self) -> bool:
        """Whether rows are one off only at the edge of an hour, a day …, as rows are that took a while to arrive."""
        if min(self.offset, self.followed.clock.span - self.offset) > 1:
            return False
        before, after = self.followed.ahead
        usual = before[np.abs(before) <= self.followed.half]
        now = round_the_ring(after[self.hit[1]] - self.offset, self.followed.clock.span)
        return _breadth(now) < SPREAD * _breadth(usual)


def _breadth(places: Floats) -> float:
    low, high = np.quantile(places, [0.05, 0.95])
    return float(high - low)


def by_the_clock(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Name a column that follows the rows' time, and is turned against it from a row on, or in a part of the rows.

    Returns
    -------
    ColumnFault or None
        `shifted`, with its `ring`; rows that show it date it. `by` is the time, `period` the clock, and `cut` how far
        ahead of the clock rows are that were not hit. Where values leave the ring, `offset` is a plain constant.
    """
    turn = _turned(_all_followed(pair, scene))
    return (_named(pair, turn, scene) or _counted_anew(pair, turn)) if turn is not None else None


def _turned(followed: Sequence[_Followed]) -> _Turn | None:
    """The turn against the clock that a column follows; none where it still does.

    In winter it follows those of all zones an hour apart: of them it is the one that most rows still follow, and where
    they are few, the first one that the turn explains.
    """
    if not followed or any(one.kept for one in followed):
        return None
    first = max(followed, key=lambda one: one.sound)
    tried = [first] if first.sound >= MOSTLY else followed
    turns = [turn for one in tried if (turn := _other(one)) is not None]
    turn = max(turns, key=lambda one: round(one.explained, 2), default=None)
    return turn if turn is not None and turn.clear else None


def _all_followed(pair: ColumnPair, scene: Scene) -> list[_Followed]:
    """Every clock that the column follows in the reference."""
    if scene.late is None or scene.late.time is None or not _numeric(pair):
        return []
    values = pair.numbers
    names = [name for name, clock in CLOCKS.items() if _within(values[0], clock)]
    if not names:
        return []
    times = scene.once("moments of the rows", lambda: _times(scene))

    def followed() -> list[_Followed]:
        found = (_followed(name, values, times, once=scene.once) for name in names)
        return [one for one in found if one is not None]

    return scene.once(f"clocks of {pair.name}", followed)


def _times(scene: Scene) -> list[pd.DatetimeIndex]:
    assert scene.late is not None
    return [_moments(window[scene.late.time]) for window in (scene.reference, scene.current)]


def _numeric(pair: ColumnPair) -> bool:
    both = pair.reference, pair.current
    return all(pd.api.types.is_numeric_dtype(one) and not pd.api.types.is_bool_dtype(one) for one in both)


def _within(values: Floats, clock: Clock) -> bool:
    """Whether values may be readings of a clock at all."""
    known = values[np.isfinite(values)]
    if len(known) < MIN_ROWS:
        return False
    low, high = float(known.min()), float(known.max())
    return any(start <= low and high < start + clock.span for start in clock.lowest) and low < high


def _moments(times: "pd.Series[Any]") -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(times, utc=True, errors="coerce")).tz_localize(None)


def _followed(
    name: str, values: tuple[Floats, Floats], times: Sequence[pd.DatetimeIndex], *, once: Callable[[str, Any], Any]
) -> _Followed | None:
    clock, half = CLOCKS[name], HALF if are_whole(values[0]) else FINE
    at = np.linspace(0, len(values[0]) - 1, min(len(values[0]), SAMPLED)).astype(int)
    sample = once(f"{name} of a sample", lambda: clock.read(times[0][at]))
    if _densest(values[0][at] - sample, clock.span, half=half)[1] < FOLLOWS - 0.05:
        return None
    readings = once(f"{name} of the rows", lambda: [clock.read(one) for one in times])
    middle, share = _densest(values[0] - readings[0], clock.span, half=half)
    known = np.isfinite(values[0] - readings[0])
    if share < FOLLOWS or known.sum() < MIN_ROWS or not _varies(readings[0][known]):
        return None
    first, second = (
        round_the_ring(one - reading - middle, clock.span) for one, reading in zip(values, readings, strict=True)
    )
    return _Followed(name=name, middle=middle, half=half, ahead=(first, second))


def _varies(readings: Floats) -> bool:
    counts = np.unique(np.floor(readings), return_counts=True)[1]
    if len(counts) > 2 * VARIED:
        return True
    return int((counts >= TURNED * len(readings)).sum()) >= VARIED


def _densest(places: Floats, span: float, *, half: float) -> tuple[float, float]:
    """Middle of the arc of a ring, twice `half` long, in which most places lie, and their share."""
    known = np.sort(places[np.isfinite(places)] % span)
    if not len(known):
        return 0.0, 0.0
    twice = np.concatenate([known, known + span])
    last = np.searchsorted(twice, known + 2 * half, side="right") - 1
    inside = last - np.arange(len(known)) + 1
    best = int(np.argmax(inside))
    return float((twice[best] + twice[last[best]]) / 2 % span), float(inside[best] / len(known))


def _other(followed: _Followed) -> _Turn | None:
    """The constant by which most of those current rows are ahead that are not by the usual one."""
    clock, far = followed.clock, followed.ahead[1]
    others = far[np.abs(far) > followed.half]
    if len(others) < FEW:
        return None
    middle = _densest(others, clock.span, half=followed.half)[0]
    tried = dict.fromkeys(round(middle / grain) * grain % clock.span for grain in (1.0, clock.grain))
    turns = [_Turn(followed=followed, offset=one, hit=followed.turned(one)) for one in tried if one]
    return max(turns, key=lambda one: int(one.hit[1].sum()), default=None)


def _named(pair: ColumnPair, turn: _Turn, scene: Scene) -> ColumnFault | None:
    assert scene.late is not None
    clock = turn.followed.clock
    share = float(turn.hit[1].mean())
    lowest = next((low for low in clock.lowest if all(_on(one, low, clock.span) for one in pair.numbers)), None)
    if lowest is None:
        return None
    part = f" in {share:.0%} of the rows" if share < FOLLOWS else ""
    words = f"turned by {signed(turn.offset, clock.span)} of {clock.span:g} {clock.unit}{part}, by the rows' own time"
    return ColumnFault(
        column=pair.name,
        fault="shifted",
        share=share,
        evidence=words,
        offset=turn.offset,
        ring=(lowest, clock.span),
        cut=turn.followed.middle,
        scattered=True,
        by=scene.late.time,
        period=turn.followed.name,
    )


def _on(values: Floats, lowest: float, span: float) -> bool:
    """Whether all values lie on a ring."""
    known = values[np.isfinite(values)]
    return bool(((known >= lowest) & (known < lowest + span)).all())


def _counted_anew(pair: ColumnPair, turn: _Turn) -> ColumnFault | None:
    """All rows from one on, where they leave the ring that they were on: counted from one and no longer from zero."""
    struck, span = turn.hit[1].astype(float), turn.followed.clock.span
    since = change_point(struck, float(turn.hit[0].mean())) or ChangePoint(at=0, earliest=0, latest=0)
    if struck[since.at :].mean() < FOLLOWS:
        return None
    signed = turn.offset if turn.offset <= span / 2 else turn.offset - span
    return ColumnFault(
        column=pair.name,
        fault="shifted",
        share=float(struck.mean()),
        evidence=f"{signed:+.4g} on every value, by the rows' own time",
        offset=signed,
        since=since.at,
        since_interval=(since.earliest, since.latest),
    )


def turned(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Name a column that was turned in the rows of a scene: by their time where it follows that, else by its shares.

    Parameters
    ----------
    pair : ColumnPair
    scene : Scene

    Returns
    -------
    ColumnFault or None

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = (np.r_[rng.normal(9, 2, 2000), rng.normal(17, 5, 3000)].round() % 24 for _ in range(2))
    >>> pair = ColumnPair(reference=pd.Series(before), current=pd.Series((after + 8) % 24))
    >>> empty = pd.DataFrame()
    >>> scene = Scene(
    ...     reference=empty, current=empty, codes=frozenset(), names=(), moved=frozenset(), ordered=False
    ... )
    >>> found = turned(pair, scene)
    >>> found.evidence, found.offset, found.ring
    ('turned by +8 of 24 hours', 8.0, (0, 24))
    """
    followed = _all_followed(pair, scene)
    if not followed:
        return by_shares(pair, unsure=scene.unsure)
    turn = _turned(followed)
    return _named(pair, turn, scene) if turn is not None else None


def keeps_time(pair: ColumnPair, scene: Scene) -> bool:
    """Whether a column is a clock of the rows' time, as the hour or the weekday is, and no row of it was turned."""
    return any(one.kept for one in _all_followed(pair, scene))


def turned_rows(fault: ColumnFault, rows: pd.DataFrame) -> Mask:
    """Rows that show, by their own time, that their value was turned.

    Examples
    --------
    >>> at = pd.to_datetime(["2026-01-01T03:10Z", "2026-01-01T04:20Z"])
    >>> fault = ColumnFault(
    ...     column="h", fault="shifted", share=0.5, evidence="", offset=8.0, ring=(0.0, 24.0),
    ...     cut=-0.5, scattered=True, by="at", period="hour",
    ... )
    >>> turned_rows(fault, pd.DataFrame({"at": at, "h": [3, 12]})).tolist()
    [False, True]
    """
    assert fault.ring is not None
    assert fault.cut is not None
    clock = CLOCKS[fault.period]
    values = as_numbers(rows[fault.column])
    ahead = round_the_ring(values - clock.read(_moments(rows[fault.by])) - fault.cut, clock.span)
    left = np.abs(round_the_ring(ahead - fault.offset, clock.span))
    with np.errstate(invalid="ignore"):
        return np.asarray((left <= HALF) & (left < np.abs(ahead)))
