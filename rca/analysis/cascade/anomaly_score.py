"""Anomaly scores of signals: robust z-scores held for consecutive samples, and the onset of each departure."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.cascade.departure_onset import DepartureOnset, departure_onset
from rca.analysis.cascade.normal_range import THINNED, Clock, Flags, NormalRange, normal_range, regular
from rca.analysis.cascade.quiet_window import Excess, excess
from rca.analysis.cascade.signal_evidence import UNSEEN, SignalEvidence, ended, has_no_zero, joined, signal_evidence
from rca.analysis.cascade.sustained_shift import SustainedShift, sustained_shift
from rca.arrays import Floats

ABNORMAL = 4.0
"""Robust z-score at which a signal has left its range; lower in a short window."""

MIN_SCORE = 10.0
"""Robust z-score that none of some dozens of quiet signals reaches; lower in a short window."""

SHORT_SURE, GROWTH = 3.3, 0.23
"""What quiet signals reach in a window of three samples, and with which power of its length that grows."""

MANY, SPREAD = 37, 0.17
"""How many signals those are, and with which power of their number it grows."""

SHARE = 0.75
"""Part of what many quiet signals reach together that a single one does not."""

HELD = 3
"""Consecutive samples that have to lie as far out: a single one may be an accident."""

QUIET = 3.0
"""Robust z-score that a stationary signal may hold in normal times."""

HUGEST, MAX_SCORE = 1e150, 1e300
"""Values are cut at the one, so that their squares are finite, and deviations at the other."""

STUCK = 12
"""Samples without any change that a stuck signal has at least, and three times the longest stand it had before."""

BLOCK = 2_000_000
"""Values that are worked on at once, which bounds the memory."""

How = Literal["moved", "lasting", "stuck", "silent"]


def sure_in(samples: int, held: int = HELD, *, signals: int = MANY) -> float:
    """Robust z-score that no quiet signal holds for `held` consecutive samples, by window length and number of signals.

    The more places and the more signals there are, the farther the farthest of them strays. In quiet windows of a web
    shop's 37 signals, the farthest signal of 19 windows in 20 held 3.7 of 5 samples, 5.3 of 30 and 7.9 of 120; of eight
    of its signals 2.6, 4.4 and 6.0. In quiet minutes of another shop, what was held for two samples or one alone went
    much farther.

    >>> [round(sure_in(samples), 1) for samples in (3, 5, 30, 120, 10_000)]
    [3.3, 3.7, 5.6, 7.7, 10.0]
    >>> round(sure_in(120, signals=8), 1)
    5.9
    """
    few = min(MIN_SCORE, SHORT_SURE * float((max(samples, HELD) / HELD) ** GROWTH))
    return HELD / held * few * float((max(signals, 1) / MANY) ** SPREAD)


def abnormal_in(samples: int, held: int = HELD) -> float:
    """Robust z-score from which on a single signal counts as having left its range, by window length.

    >>> [round(abnormal_in(samples), 1) for samples in (3, 5, 30)]
    [2.5, 2.8, 4.0]
    """
    return min(HELD / held * ABNORMAL, SHARE * sure_in(samples, held))


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Departure of one signal from its normal range: score, direction, kind and onset.

    Attributes
    ----------
    score : float
        The largest deviation that was held for three samples in a row, in robust standard deviations, in the bad
        direction where it is known.
    direction : {-1, 0, 1}
        Where it went; 0 where it did not go anywhere.
    how : {'moved', 'lasting', 'stuck', 'silent'}
        `lasting`: it went no farther than quiet signals may, and for so long as they do not; then the score is how far
        it went on average; `stuck`: it varied and stands still; `silent`: it reported and reports no more.
    first : int or None
        Position of the first failing sample that was surely on the way out.
    last_normal : int or None
        Position of the last failing sample before it that surely was not, -1 where none was: it left between the two.
    straight : (int, int) or None
        Positions between which the first sample lies if the signal went straight out, to compare departures by.
    last : int or None
        Position of the last failing sample out of the range.
    samples : int
        Failing samples out of the range.
    lasting : bool
        Whether it was out for so long as quiet signals are not, be it farther than they go or not.
    strayed : float
        How many times as wide its range was made, since it strayed in normal times.
    n_sigma : float
        What a plain n-sigma says: the largest distance of a failing sample from the normal mean, in normal standard
        deviations; to compare with.
    """

    score: float
    direction: int = 0
    how: How = "moved"
    first: int | None = None
    last_normal: int | None = None
    last: int | None = None
    samples: int = 0
    n_sigma: float = 0.0
    straight: tuple[int, int] | None = None
    strayed: float = 1.0
    lasting: bool = False

    @property
    def abnormal(self) -> bool:
        """Whether the signal left its range."""
        return self.first is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """Signals of a table: when each left its range, by how much, and whether it ever did so before."""

    departures: list[Departure]
    evidence: SignalEvidence
    excess: Excess


def departures(
    table: pd.DataFrame,
    clock: Clock,
    *,
    bad: npt.NDArray[np.int64],
    held: int = HELD,
    idle: Flags | None = None,
) -> list[Departure]:
    """Score and date the departure of every signal from its normal range; parameters as for `judge`.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(10.0, 1.0, 130)
    >>> clock = Clock(seconds=60.0 * np.arange(130), n_normal=100)
    >>> table = pd.DataFrame({"press|load": noise + 20 * (np.arange(130) >= 105)})
    >>> found = departures(table, clock, bad=np.array([0]))[0]
    >>> found.first, found.last_normal, found.direction
    (5, 3, 1)
    """
    return judge(table, clock, bad=bad, held=held, idle=idle).departures


def judge(
    table: pd.DataFrame,
    clock: Clock,
    *,
    bad: npt.NDArray[np.int64],
    held: int = HELD,
    idle: Flags | None = None,
) -> Judged:
    """Judge every signal by itself: its departure from the normal range, and the evidence of it.

    Parameters
    ----------
    table : pandas.DataFrame
        A column a signal, a row a sample of `clock`; what is not finite is missing.
    clock : Clock
    bad : ndarray of shape (signals,)
        1 where up is bad, -1 where down is, 0 where either may be.
    held : int
        Samples in a row that have to lie as far out.
    idle : ndarray of bool, shape (signals,), optional
        Signals whose missing samples are no silence, since nothing happened that they could measure.

    Returns
    -------
    Judged
        Each signal's depends on itself alone, and not on its unit.
    """
    size = max(1, BLOCK // max(1, len(clock.seconds)))
    idle = np.zeros(table.shape[1], dtype=bool) if idle is None else idle
    no_zero = np.array([has_no_zero(str(name).partition("|")[2]) for name in table.columns], dtype=bool)
    found: list[Judged] = []
    many = table.shape[1]
    for first in range(0, table.shape[1], size):
        part = slice(first, first + size)
        block = np.array(table.iloc[:, part].to_numpy(float).T, order="C")
        block[~np.isfinite(block)] = np.nan
        np.clip(block, -HUGEST, HUGEST, out=block)
        values = regular(block, clock)
        left = _of_block(block, values, clock, bad=bad[part], held=held, idle=idle[part], many=many)
        evidence = signal_evidence(values, clock.n_normal, bad=bad[part], no_zero=no_zero[part])
        evidence = replace(evidence, ended=ended(block, clock.n_normal))
        beyond = excess(values, clock.n_normal, evidence)
        found.append(Judged(departures=left, evidence=evidence, excess=beyond))
    return Judged(
        departures=[one for part in found for one in part.departures],
        evidence=joined([part.evidence for part in found]),
        excess=Excess.joined([part.excess for part in found]),
    )


def _of_block(
    raw: Floats, values: Floats, clock: Clock, *, bad: npt.NDArray[np.int64], held: int, idle: Flags, many: int
) -> list[Departure]:
    normal, failing = values[:, : clock.n_normal], values[:, clock.n_normal :]
    plain = normal_range(normal)
    told = _wandering(plain, normal) if clock.whole else plain
    before, after = told.away(normal), np.where(np.isnan(failing), np.nan, _away(told, failing))
    slow = sustained_shift(np.hstack([before, after]), clock.n_normal, bad=bad, signals=many)
    seen = _Seen.of(_directed(after, bad), memory=_memory(before))
    found = _moved(seen, held=held)
    for at in np.flatnonzero(slow.direction):
        if found[at].score < sure_in(failing.shape[1], held, signals=many):
            found[at] = _slow(found[at], slow, seen=seen, at=int(at))
    well = bad * after[:, -1] < 0
    for at in np.flatnonzero(_may_be_stuck(raw[:, clock.n_normal :]) & ~well & ~idle):
        found[at] = _louder(found[at], _stuck(raw[at], clock.n_normal))
    for at in np.flatnonzero((seen.known / failing.shape[1] <= 0.5) & ~idle):
        found[at] = _louder(found[at], _silent(raw[at], clock.n_normal))
    sigmas, wider = _n_sigma(raw[:, : clock.n_normal], raw[:, clock.n_normal :]), told.up / plain.up
    return [
        replace(
            one,
            score=min(one.score, UNSEEN) if told.flat[at] else one.score,
            n_sigma=float(sigmas[at]),
            strayed=float(wider[at]),
        )
        for at, one in enumerate(found)
    ]


def _wandering(told: NormalRange, normal: Floats) -> NormalRange:
    """Wider ranges for non-stationary signals, whose second normal half leaves the range of the first.

    A signal that drifts through normal times drifts on.
    """
    half = normal.shape[1] // 2
    if half < 2 * STUCK:
        return told
    before = normal_range(normal[:, :half])
    away = np.nan_to_num(before.away(normal[:, half:]))
    strays = (np.maximum(_held(side, HELD).max(axis=1), 0.0) for side in (away, -away))
    up, down = (np.maximum(1.0, stray / QUIET) for stray in strays)
    return replace(told, up=told.up * np.maximum(up, down), down=told.down * np.maximum(up, down))


def _n_sigma(normal: Floats, failing: Floats) -> Floats:
    with np.errstate(all="ignore"):
        known = np.isfinite(normal)
        count = np.maximum(known.sum(axis=1), 1)
        mean = np.where(known, normal, 0.0).sum(axis=1) / count
        off = np.where(known, normal - mean[:, None], 0.0)
        scale = np.sqrt(np.einsum("ij,ij->i", off, off) / count)
        away = np.abs(failing - mean[:, None]).max(axis=1, initial=0.0, where=np.isfinite(failing))
        return np.asarray(np.nan_to_num(away / np.where(scale > 0, scale, 1.0), posinf=MAX_SCORE))


def _away(told: NormalRange, failing: Floats) -> Floats:
    """Robust z-scores, clipped to be finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        away = np.nan_to_num(told.away(failing), nan=0.0, posinf=MAX_SCORE, neginf=-MAX_SCORE)
    return np.asarray(np.clip(away, -MAX_SCORE, MAX_SCORE))


def _directed(away: Floats, bad: npt.NDArray[np.int64]) -> Floats:
    """Robust z-scores with the good direction set to zero."""
    return np.asarray(np.where(bad[:, None] * away < 0, 0.0, away))


def _held(away: Floats, length: int) -> Floats:
    """Moving minimum of `length` samples, at the first of them; `away` is (signals, samples)."""
    kept = away[:, : away.shape[1] - length + 1].copy()
    for later in range(1, length):
        np.minimum(kept, away[:, later : later + kept.shape[1]], out=kept)
    return kept


def _memory(away: Floats) -> Floats:
    """Lag-1 autocorrelation in the last normal times, with extremes clipped."""
    cut = np.nan_to_num(np.clip(away[:, -THINNED:], -QUIET, QUIET))
    cut -= cut.mean(axis=1, keepdims=True)
    square = np.maximum((cut**2).sum(axis=1), 1e-300)
    return np.asarray((cut[:, 1:] * cut[:, :-1]).sum(axis=1) / square)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """Robust z-scores of the failing samples of some signals.

    Attributes
    ----------
    away : ndarray of shape (signals, samples)
        In the order of time but for missing samples, which stand last, as 0.
    known : ndarray of int, shape (signals,)
        Samples that are not missing.
    order : ndarray of int, shape (signals, samples), or None
        Where each stood; None where none is missing.
    memory : ndarray of shape (signals,)
        Lag-1 autocorrelation in normal times.
    """

    away: Floats
    known: npt.NDArray[np.intp]
    order: npt.NDArray[np.intp] | None
    memory: Floats

    @classmethod
    def of(cls, away: Floats, *, memory: Floats) -> "_Seen":
        missing = np.isnan(away)
        order = np.argsort(missing, axis=1, kind="stable") if missing.any() else None
        away = np.nan_to_num(away if order is None else np.take_along_axis(away, order, axis=1))
        return cls(away=away, known=(~missing).sum(axis=1), order=order, memory=memory)

    def one(self, at: int, sign: int) -> Floats:
        """The known samples of a signal, with the sign of one direction."""
        return sign * self.away[at, : max(1, int(self.known[at]))]

    def start(self, at: int, sign: int, *, held: int) -> DepartureOnset:
        """Onset interval of a departure."""
        return departure_onset(self.one(at, sign), memory=float(self.memory[at]), held=held)

    def placed(self, one: Departure, at: int) -> Departure:
        """Map positions among known samples to positions among all."""
        if self.order is None or one.first is None or one.last_normal is None:
            return one
        place = self.order[at]
        before = int(place[one.last_normal]) if one.last_normal >= 0 else -1
        about = (int(place[one.straight[0]]), int(place[one.straight[1]])) if one.straight is not None else None
        last = int(place[one.last]) if one.last is not None else None
        return replace(one, first=int(place[one.first]), last_normal=before, straight=about, last=last)


def _moved(seen: _Seen, *, held: int) -> list[Departure]:
    """Departure of each signal by its largest held z-score."""
    length = min(held, seen.away.shape[1])
    above, below = _held(seen.away, length), _held(-seen.away, length)
    up = above.max(axis=1) >= below.max(axis=1)
    found = []
    for at in range(len(up)):
        sign, run = (1, above[at]) if up[at] else (-1, below[at])
        if 0 < seen.known[at] < length:
            few = seen.one(at, 1)
            sign = 1 if few.min() >= -few.max() else -1
            run = (sign * few).min(keepdims=True)
        found.append(_departure(seen, at, sign=sign, run=run, length=length))
    return found


def _departure(seen: _Seen, at: int, *, sign: int, run: Floats, length: int) -> Departure:
    """Departure of one signal to the side `sign`; `run` is the moving minimum of its z-scores."""
    score, least = max(float(run.max()), 0.0), abnormal_in(seen.away.shape[1], length)
    if score < least:
        return Departure(score=score, direction=sign if score > 0 else 0)
    crossed, began = int(np.argmax(run >= least)), seen.start(at, sign, held=length)
    out = np.flatnonzero(seen.one(at, sign) >= least)
    one = Departure(
        score=score,
        direction=sign,
        last=int(out[-1]),
        first=min(crossed, began.latest),
        last_normal=min(crossed, began.earliest) - 1,
        straight=(min(crossed, began.straight[0]), min(crossed, began.straight[1])),
        samples=len(out),
    )
    return seen.placed(one, at)


def _slow(one: Departure, slow: SustainedShift, *, seen: _Seen, at: int) -> Departure:
    """Departure by a small, persistent mean shift, where no sample is far out."""
    sign = int(slow.direction[at])
    if one.abnormal:
        return replace(one, lasting=one.direction == sign)
    began = seen.start(at, sign, held=int(slow.length[at]))
    told = Departure(
        score=float(slow.size[at]),
        direction=sign,
        first=began.latest,
        last_normal=began.earliest - 1,
        straight=began.straight,
        samples=int((seen.one(at, sign) > 0).sum()),
        how="lasting",
        lasting=True,
    )
    return seen.placed(told, at)


def _louder(one: Departure, other: Departure | None) -> Departure:
    return other if other is not None and other.score > one.score else one


def _may_be_stuck(failing: Floats) -> npt.NDArray[np.bool_]:
    """Whether the last samples of the failing window are constant."""
    if failing.shape[1] < STUCK:
        return np.zeros(len(failing), dtype=bool)
    return np.asarray(np.ptp(failing[:, -STUCK:], axis=1) == 0)


def _stuck(values: Floats, n_normal: int) -> Departure | None:
    """A signal that varied and is constant to the end, three times as long as it ever was; None otherwise."""
    last = values[-1]
    moved = np.flatnonzero(values[n_normal:] != last)
    first = int(moved[-1]) + 1 if len(moved) else 0
    length = len(values) - n_normal - first
    longest = _longest_stand(values[:n_normal])
    if longest is None or length < max(STUCK, 3 * longest):
        return None
    score = ABNORMAL * length / max(STUCK, 3 * longest)
    return Departure(score=float(score), how="stuck", first=first, last_normal=first - 1, samples=length)


def _longest_stand(normal: Floats) -> int | None:
    """Longest run of one value; None where the signal never moved, or was never seen."""
    known = normal[~np.isnan(normal)]
    changes = np.flatnonzero(np.diff(known))
    if not len(changes):
        return None
    return int(np.diff(np.r_[-1, changes, len(known) - 1]).max())


def _silent(values: Floats, n_normal: int) -> Departure | None:
    """A signal that hardly ever missed a sample, and misses all from some moment on; None otherwise."""
    missing = np.isnan(values)
    if missing[:n_normal].mean() > 0.05:
        return None
    seen = np.flatnonzero(~missing[n_normal:])
    first = int(seen[-1]) + 1 if len(seen) else 0
    length = len(values) - n_normal - first
    if length < HELD:
        return None
    return Departure(score=ABNORMAL, how="silent", first=first, last_normal=first - 1, samples=length)
