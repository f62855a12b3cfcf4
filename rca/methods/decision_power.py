"""Power of an observation that decides between two explanations, by simulation: a count of rows, or a metric of rows.

Both explanations are drawn many times; the threshold is the one at which the rarer of the two right decisions is most
frequent, and the size the smallest of a doubling grid at which that is often enough.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rca.arrays import Floats
from rca.methods.metric import Parts

FIRST, MOST = 10, 5_000
"""Smallest and largest number of rows that is asked for."""

ENOUGH = 0.9
"""Power at which no more rows are asked for."""

DRAWS, METRIC_DRAWS = 2_000, 500
"""Draws of each explanation, of counts and of a metric."""

SLIP = 0.005
"""Share of rows in which a look-up, or a replay, differs though nothing is wrong: corrected later, typed, rounded."""

ALIKE = 0.005
"""Difference of two powers, within what so many draws can tell apart, up to which a simpler threshold is taken."""

Simulate = Callable[[int], tuple[Floats, Floats]]
"""From a number of rows to what would be seen, many times, under the first explanation and under the second."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """How many rows to look at, and how to decide.

    Attributes
    ----------
    rows : int
    threshold : float
        From here on what is seen speaks for the first explanation, below for the second.
    rates : (float, float)
        How often it decides rightly where the first holds, and where the second does.
    """

    rows: int
    threshold: float
    rates: tuple[float, float]

    @property
    def power(self) -> float:
        """The smaller of both rates."""
        return min(self.rates)


def sizes(most: int) -> Iterator[int]:
    """Numbers of rows that are tried: 10, doubled up to those there are, and `MOST`.

    >>> list(sizes(50)), list(sizes(0))
    ([10, 20, 40, 50], [])
    """
    most, rows = min(most, MOST), FIRST
    while rows < most:
        yield rows
        rows *= 2
    if most > 0:
        yield most


def cheapest(simulate: Simulate, most: int, *, threshold: Callable[[int], float] | None = None) -> Design | None:
    """The smallest design with power enough; the strongest where none has it, None where there are no rows.

    Parameters
    ----------
    simulate : callable
    most : int
        Rows there are.
    threshold : callable, optional
        By rows, where it is not to be chosen.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cheapest(lambda rows: counted(rng, rows, wrong=np.full(DRAWS, 0.3)), 500).rows
    10
    """
    best: Design | None = None
    for rows in sizes(most):
        both = simulate(rows)
        at = threshold(rows) if threshold is not None else _best(*both)
        tried = Design(rows=rows, threshold=at, rates=_rates(*both, at=at))
        if tried.power >= ENOUGH:
            return tried
        best = tried if best is None or tried.power > best.power else best
    return best


def _rates(first: Floats, second: Floats, *, at: float) -> tuple[float, float]:
    """How often each is decided rightly; what could not be measured is not."""
    return float(np.mean(first >= at)), float(np.mean(second < at))


def _best(first: Floats, second: Floats) -> float:
    """Threshold of the largest power: of counts the smallest, of numbers the one nearest to half-way."""
    seen = np.concatenate([first, second])
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return 0.0
    whole = bool(np.equal(seen, np.round(seen)).all())
    tried = np.arange(1.0, max(seen.max(), 1.0) + 1) if whole else np.unique(np.quantile(seen, np.linspace(0, 1, 201)))
    half = (float(np.nanmedian(first)) + float(np.nanmedian(second))) / 2
    tried = tried if whole else np.append(tried, half)
    power = np.array([min(_rates(first, second, at=at)) for at in tried])
    good = tried[power >= power.max() - ALIKE]
    return float(good[0]) if whole else float(good[np.argmin(np.abs(good - half))])


# -- counts ------------------------------------------------------------------------------------------------------------


def counted(rng: np.random.Generator, rows: int, *, wrong: Floats, slip: float = SLIP) -> tuple[Floats, Floats]:
    """Rows that differ where a share of them is wrong, and where none is; in both a few differ by a slip.

    Parameters
    ----------
    rng : numpy.random.Generator
    rows : int
    wrong : ndarray of shape (draws,)
        Shares that are wrong, each as likely.
    slip : float
    """
    found = rng.binomial(rows, wrong + (1 - wrong) * slip), rng.binomial(rows, slip, len(wrong))
    return found[0].astype(float), found[1].astype(float)


def rarely(
    rng: np.random.Generator, rows: int, *, of: tuple[tuple[int, int], tuple[int, int]]
) -> tuple[Floats, Floats]:
    """Rows of a rare sort, as often as in two samples of so many among so many, with their error (Jeffreys)."""
    first, second = (
        rng.binomial(rows, rng.beta(found + 0.5, among - found + 0.5, DRAWS)).astype(float) for found, among in of
    )
    return first, second


# -- a metric ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """Rows that are drawn, with their chances, and what is known beside them.

    Attributes
    ----------
    parts : Parts
        Of the metric.
    chances : ndarray of shape (rows,)
        Sum one.
    beside : Parts or None
        Rows that are known already.
    standing_for : int or None
        Rows that the drawn ones stand for, added to those beside; None where they stand for themselves.
    error : float
        Standard error of the metric that they are to have, added to each draw.
    """

    parts: Parts
    chances: Floats
    beside: Parts | None = None
    standing_for: int | None = None
    error: float = 0.0

    def draws(self, rows: int, rng: np.random.Generator) -> Floats:
        """The metric of so many rows, many times; NaN where none counts."""
        at = rng.choice(len(self.parts), size=(METRIC_DRAWS, rows), p=self.chances)
        sums = self.parts.numerator[at].sum(axis=1), self.parts.denominator[at].sum(axis=1)
        found = self.parts.of_sums(*weighed_in(sums, rows, beside=self.beside, of=self.standing_for))
        return np.asarray(found + self.error * rng.normal(size=len(found)))


def weighed_in(
    sums: tuple[Floats, Floats], rows: int, *, beside: Parts | None, of: int | None
) -> tuple[Floats, Floats]:
    """Sums of numerators and denominators over rows that stand for others, added to those of the rows beside."""
    each = of / rows if of is not None else 1.0
    numerator, denominator = each * sums[0], each * sums[1]
    if beside is None:
        return numerator, denominator
    return numerator + beside.numerator.sum(axis=0), denominator + beside.denominator.sum(axis=0)


def evenly(parts: Parts) -> Floats:
    """The same chance for every row."""
    return np.full(len(parts), 1 / max(len(parts), 1))


def made_up_for(before: Parts, chances: Floats, known: Parts, *, missing: int) -> Floats:
    """Chances of the reference's rows with which missing ones make up for the known: in all, the metric is as before.

    Of a gap, whose groups make up for each other in many ways, the chances as they are.
    """
    if before.shape == "gap" or not before.denominator.sum() > 0:
        return chances
    level = float(before.numerator.sum() / before.denominator.sum())
    above = float((known.numerator - level * known.denominator).sum())
    return tilted(before, chances, level=level, mean=-above / missing)


def tilted(parts: Parts, chances: Floats, *, level: float, mean: float) -> Floats:
    """Chances tilted exponentially, until ``numerator - level denominator`` has a mean; or as near as the rows go.

    >>> rows = Parts(numerator=np.array([[0.0], [1.0]]), denominator=np.ones((2, 1)))
    >>> tilted(rows, np.array([0.5, 0.5]), level=0.5, mean=0.25).round(3).tolist()
    [0.25, 0.75]
    """
    each = parts.numerator[:, 0] - level * parts.denominator[:, 0]
    scale = float(np.abs(each).max(initial=0.0)) or 1.0
    low, high = -200.0, 200.0
    for _ in range(60):
        steep = (low + high) / 2
        said = _leaning(chances, each / scale, steep)
        low, high = (steep, high) if float(said @ each) < mean else (low, steep)
    return _leaning(chances, each / scale, (low + high) / 2)


def _leaning(chances: Floats, each: Floats, steep: float) -> Floats:
    power = steep * each
    said = chances * np.exp(power - power.max(initial=-np.inf))
    return np.asarray(said / said.sum())
