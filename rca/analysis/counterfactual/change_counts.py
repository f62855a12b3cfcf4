"""Number of counterfactual decisions that differ from those on record, and the counterfactual metric, with intervals.

Of a row whose true values are lost only the probability of another decision is known. The variance of a count of such
rows has three parts: those probabilities, hot-deck donors that are used for many rows, and the bias of donors that is
estimated on the reference. A metric varies by the sampling of rows besides.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.counterfactual.counterfactual_rows import Counterfactual, Replayed
from rca.analysis.counterfactual.decision import Reader
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.finding import Interval
from rca.methods.metric import Parts

MOST = 6
"""Most kinds of changed decisions that are listed."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """An estimate with its interval."""

    value: float
    interval: Interval

    def __str__(self) -> str:
        low, high = round(self.interval.low), round(self.interval.high)
        return f"{self.value:,.0f}" + (f" ({low:,} to {high:,})" if low < high else "")


@dataclass(frozen=True, kw_only=True)
class DecisionChange:
    """Number of rows whose decision would have changed from one value to another."""

    was: str
    would_be: str
    rows: Number


# --- how many --------------------------------------------------------------------------------------------------------

Decisions = npt.NDArray[Any]

Says = Callable[[Decisions, Decisions, pd.DataFrame], Mask]
"""Whether something holds of what was decided of a row, and what would have been."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Counting:
    """Counts rows for which a predicate holds, with an interval for what these very rows would have shown."""

    played: Counterfactual
    reader: Reader
    level: float

    def __call__(self, says: Says) -> Number:
        touched = self.played.touched
        held = np.asarray(says(touched.was, touched.would, touched.rows), dtype=float)
        chance = held.mean(axis=0)
        value, variance = float(chance.sum()), within(held)
        if self.played.true is not None and self.played.given is not None and self.played.counted:
            true, given = (_mean(says, one) for one in (self.played.true, self.played.given))
            missed, scale = true - given, self.played.scale
            value += scale * float(missed.sum())
            variance = (
                scale * (1 + scale) * float(((missed - missed.mean()) ** 2).sum())
            )  # of rows hit, and of placebos
        variance += _of_pool(held - chance, touched.pool)
        if touched.common:
            variance += beyond(held, self.level)
        return number(min(max(value, 0.0), float(len(chance))), np.sqrt(variance), self.level, most=float(len(chance)))

    def changed(self) -> Number:
        """Rows whose decision would have changed."""

        def says(was: Decisions, would: Decisions, _: pd.DataFrame) -> Mask:
            return self.reader.differ(was, would)

        return self(says)

    def turns(self) -> tuple[DecisionChange, ...]:
        """Changed decisions by what was decided and what would have been, the commonest first."""
        touched = self.played.touched
        if self.reader.least is not None or not len(touched.was):
            return ()
        other = self.reader.differ(touched.was, touched.would)
        was = np.broadcast_to(touched.was, touched.would.shape)
        seen = Counter(zip(was[other], touched.would[other], strict=True)).most_common(MOST)
        return tuple(DecisionChange(was=one, would_be=two, rows=self(_turned(one, two))) for (one, two), _ in seen)

    def of_label(self, *, before: bool) -> Number | None:
        """Decisions that were right (or wrong) and would have been wrong (or right)."""
        touched = self.played.touched
        if self.reader.right(touched.was, touched.rows) is None or not self.reader.labelled(touched.rows).any():
            return None

        def says(was: Decisions, would: Decisions, rows: pd.DataFrame) -> Mask:
            then, now = self.reader.right(was, rows), self.reader.right(would, rows)
            known = self.reader.labelled(rows) & self.reader.differ(was, would)
            return np.asarray(known & (then == before) & (now != before))

        return self(says)


def _turned(one: Any, two: Any) -> Says:
    def says(was: Decisions, would: Decisions, _: pd.DataFrame) -> Mask:
        return np.asarray((was == one) & (would == two), dtype=bool)

    return says


def _mean(says: Says, one: Replayed) -> Floats:
    return np.asarray(np.asarray(says(one.was, one.would, one.rows), dtype=float).mean(axis=0))


def within(held: Floats) -> float:
    """Variance of a count of rows as independent Bernoulli trials, estimated from draws (draws, rows)."""
    draws, chance = len(held), held.mean(axis=0)
    return float((chance * (1 - chance)).sum() * draws / (draws - 1)) if draws > 1 else 0.0


def beyond(drawn: Floats, level: float) -> float:
    """Between-draw variance: part of the variance of a sum over rows (draws, rows) that all rows of a draw share.

    It is what sums of draws vary beyond what their rows vary each for itself; as draws are few, it is made as much
    larger as gives a normal interval its level.
    """
    from scipy.special import ndtri, stdtrit

    draws = len(drawn)
    if draws < 2 or not 0 < level < 1:
        return 0.0
    wider = stdtrit(draws - 1, (1 + level) / 2) / ndtri((1 + level) / 2)
    common = drawn.sum(axis=1).var(ddof=1) - drawn.var(axis=0, ddof=1).sum()
    return float(max(common, 0.0) * wider**2)


def _of_pool(left: Floats, pool: npt.NDArray[np.intp] | None) -> float:
    """Variance from reusing hot-deck donors: sum of squares of what each contributes (Abadie & Imbens 2006)."""
    if pool is None:
        return 0.0
    done = np.bincount(pool.ravel(), weights=left.T.ravel()) / left.shape[0]
    return float((done**2).sum())


def number(value: float, error: float, level: float, *, most: float = np.inf, least: float = 0.0) -> Number:
    """An estimate with its normal interval, clipped to the possible range."""
    from scipy.special import ndtri

    reach = float(ndtri((1 + level) / 2)) * float(error)
    low, high = max(value - reach, least), min(value + reach, most)
    return Number(value=value, interval=Interval(low=low, high=high, level=level))


def people_of(windows: Windows, played: Counterfactual, reader: Reader, *, changed: Number) -> Number:
    """Distinct ids with at least one changed decision."""
    name = windows.roles.id
    ids = windows.current[name].iloc[played.at] if name is not None and name in windows.current else None
    if ids is None or not ids.duplicated().any() or changed.value == 0:
        return changed
    touched = played.touched
    chance = reader.differ(touched.was, touched.would).mean(axis=0)
    spared = pd.Series(1 - chance).groupby(pd.factorize(ids)[0]).prod()
    total = chance.sum()
    ratio = float((1 - spared).sum() / total) if total else 1.0  # of people to rows
    span = changed.interval
    interval = Interval(low=ratio * span.low, high=ratio * span.high, level=span.level)
    return Number(value=ratio * changed.value, interval=interval)


# --- the metric ------------------------------------------------------------------------------------------------------


def metric_of(
    windows: Windows, played: Counterfactual, reader: Reader, *, level: float
) -> tuple[Number | None, Number | None, float | None]:
    """The counterfactual metric, the harm spared, and the metric on record."""
    before = reader.parts(windows.current)
    if before is None or not np.isfinite(before.value()):
        return None, None, None
    after = _otherwise(before, played)
    value, sign = after.value(), 1 if windows.metric.harm == "higher" else -1
    if not np.isfinite(value):
        return None, None, before.value()
    own, size = after.influence(), len(before)
    more = beyond(_by_draw(after, played), level) if played.touched.common else 0.0
    apart = own - np.concatenate([before.influence(), np.zeros(len(own) - size)])
    return (
        number(value, float(np.sqrt((own**2).sum() + more)), level, least=-np.inf),
        number(sign * (before.value() - value), float(np.sqrt((apart**2).sum() + more)), level, least=-np.inf),
        before.value(),
    )


def _otherwise(before: Parts, played: Counterfactual) -> Parts:
    """Counterfactual parts of the current rows; below them what donors and placebo rows contribute to the variance."""
    tops = [before.numerator.copy()], [before.denominator.copy()]
    for rows, of in zip(tops, ("numerator", "denominator"), strict=True):
        drawn = getattr(played.touched, of)
        if drawn is None:
            continue
        rows[0][played.at] = drawn.mean(axis=0)
        if played.touched.pool is not None:
            rows.append(_by_neighbour(drawn - drawn.mean(axis=0), played.touched.pool))
        if played.true is not None and played.given is not None:
            true, given = getattr(played.true, of), getattr(played.given, of)
            rows.append(played.scale * (true.mean(axis=0) - given.mean(axis=0)))
    return Parts(numerator=np.vstack(tops[0]), denominator=np.vstack(tops[1]), shape=before.shape)


def _by_draw(after: Parts, played: Counterfactual) -> Floats:
    """First-order effect of each touched row on the metric by each draw (draws, rows); of a gap that of its first."""
    touched = played.touched
    assert touched.numerator is not None
    assert touched.denominator is not None
    top, base = after.numerator.sum(axis=0)[0], after.denominator.sum(axis=0)[0]
    effect = (touched.numerator[:, :, 0] - top / base * touched.denominator[:, :, 0]) / base
    return np.asarray(effect / (2 * np.sqrt(top / base)) if after.shape == "root" and top > 0 else effect)


def _by_neighbour(left: Floats, pool: npt.NDArray[np.intp]) -> Floats:
    """Each donor's deviations from the mean, summed over the rows that it was used for."""
    flat = left.transpose(1, 0, 2).reshape(-1, left.shape[2])
    sums = [np.bincount(pool.ravel(), weights=flat[:, one]) for one in range(flat.shape[1])]
    return np.asarray(np.column_stack(sums) / left.shape[0])
