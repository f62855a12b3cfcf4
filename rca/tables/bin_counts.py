"""Mergeable histogram counts, moments and category counts of one column on fixed bins."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Counts, Floats
from rca.tables.arrow_arrays import Numbers
from rca.tables.bin_edges import BINS, MAX_NUMBER, BinScale

CHUNK = 32_768
"""Values worked on at a time, so that they stay in the processor's cache."""

KEPT = 10_000
"""Size of the bottom-k hash sample of categories without a fixed position."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Mergeable count, mean, sum of squared deviations and range of finite values; zeros where there are none.

    Examples
    --------
    >>> Moments.of(np.array([1.0, 3.0])) + Moments.of(np.array([5.0]))
    Moments(n=3, mean=3.0, m2=8.0, smallest=1.0, largest=5.0)
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    smallest: float = 0.0
    largest: float = 0.0

    @classmethod
    def of(cls, values: Floats) -> "Moments":
        """Moments of finite values; an overflowing sum of squares is the largest double."""
        if not len(values):
            return cls()
        n, total = len(values), float(values.sum())
        mean = total / n if np.isfinite(total) else float((values / n).sum())
        apart = values - mean
        np.square(apart, out=apart)
        m2 = min(float(apart.sum()), MAX_NUMBER)
        return cls(n=n, mean=mean, m2=m2, smallest=float(values.min()), largest=float(values.max()))

    def __add__(self, other: "Moments") -> "Moments":
        if not (self.n and other.n):
            return self if self.n else other
        n = self.n + other.n
        apart = other.mean - self.mean
        m2 = self.m2 + other.m2 + apart * apart * (self.n * other.n / n)
        return Moments(
            n=n,
            mean=self.mean * (self.n / n) + other.mean * (other.n / n),
            m2=min(m2, MAX_NUMBER),
            smallest=min(self.smallest, other.smallest),
            largest=max(self.largest, other.largest),
        )

    @property
    def sd(self) -> float:
        """Standard deviation, of divisor n - 1; 0 for a single value."""
        return float(np.sqrt(self.m2 / (self.n - 1))) if self.n > 1 else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class NumberCount:
    """Histogram of a numeric column on a fixed scale, with tails, missing values and moments.

    Attributes
    ----------
    scale : BinScale
    counts : ndarray of int, shape (BINS + 2,)
        The tails first and last; infinities are in them.
    missing : int
        Rows that are null, NaN, or no number.
    unread : int
        Those of them that hold something which is no number.
    infinite : (int, int)
        Rows of minus and of plus infinity.
    tails : (float, float)
        Sums of the finite values in the lower and the upper tail.
    moments : Moments
        Of finite values.
    whole : bool
        Whether all finite values are whole numbers.
    """

    scale: BinScale
    counts: Counts
    missing: int
    unread: int
    infinite: tuple[int, int]
    tails: tuple[float, float]
    moments: Moments
    whole: bool = True

    @classmethod
    def empty(cls, scale: BinScale) -> "NumberCount":
        """The histogram of no rows."""
        return cls(
            scale=scale,
            counts=np.zeros(BINS + 2, np.int64),
            missing=0,
            unread=0,
            infinite=(0, 0),
            tails=(0.0, 0.0),
            moments=Moments(),
        )

    @classmethod
    def of(cls, scale: BinScale, read: Numbers) -> "NumberCount":
        """Histogram of an array, chunk by chunk."""
        tally = _Tally(scale)
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(read.values), CHUNK):
                tally.add(read.values[start : start + CHUNK])
        return cls(
            scale=scale,
            counts=tally.counts,
            missing=read.missing + tally.nan,
            unread=read.unread,
            infinite=(tally.infinite[0], tally.infinite[1]),
            tails=(_held(tally.tails[0]), _held(tally.tails[1])),
            moments=tally.moments,
            whole=tally.whole,
        )

    def __add__(self, other: "NumberCount") -> "NumberCount":
        return NumberCount(
            scale=self.scale,
            counts=self.counts + other.counts,
            missing=self.missing + other.missing,
            unread=self.unread + other.unread,
            infinite=(self.infinite[0] + other.infinite[0], self.infinite[1] + other.infinite[1]),
            tails=(_held(self.tails[0] + other.tails[0]), _held(self.tails[1] + other.tails[1])),
            moments=self.moments + other.moments,
            whole=self.whole and other.whole,
        )

    @property
    def known(self) -> int:
        """Rows with a value, infinite ones included."""
        return self.moments.n + sum(self.infinite)

    def summary(self) -> dict[str, Any]:
        """Summary statistics, for a table."""
        moments = self.moments
        return {
            "missing": self.missing,
            "mean": moments.mean if moments.n else None,
            "sd": moments.sd if moments.n else None,
            "categories": None,
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without the scale."""
        moments = self.moments
        return {
            "counts": self.counts.tolist(),
            "missing": self.missing,
            "unread": self.unread,
            "infinite": list(self.infinite),
            "tails": list(self.tails),
            "whole": self.whole,
            "moments": [moments.n, moments.mean, moments.m2, moments.smallest, moments.largest],
        }

    @classmethod
    def from_dict(cls, scale: BinScale, plain: dict[str, Any]) -> "NumberCount":
        """The counts that `to_dict` was called on."""
        n, mean, m2, smallest, largest = plain["moments"]
        return cls(
            scale=scale,
            counts=np.array(plain["counts"], np.int64),
            missing=plain["missing"],
            unread=plain["unread"],
            infinite=(plain["infinite"][0], plain["infinite"][1]),
            tails=(plain["tails"][0], plain["tails"][1]),
            moments=Moments(n=n, mean=mean, m2=m2, smallest=smallest, largest=largest),
            whole=plain["whole"],
        )


def _held(total: float) -> float:
    return max(-MAX_NUMBER, min(MAX_NUMBER, total))


class _Tally:
    """Accumulator of a histogram over the chunks of one array."""

    def __init__(self, scale: BinScale) -> None:
        self.scale = scale
        self.counts = np.zeros(BINS + 2, np.int64)
        self.nan = 0
        self.infinite, self.tails = [0, 0], [0.0, 0.0]
        self.moments = Moments()
        self.whole = True

    def add(self, values: Floats) -> None:
        if not np.isfinite(values.sum()):  # one look tells that nothing is missing or infinite, as is usual
            values = self._finite(values)
        codes = self.scale.codes(values)
        found = np.bincount(codes, minlength=BINS + 2)
        self.counts += found
        self.moments = self.moments + Moments.of(values)
        if self.whole and len(values):  # most columns that are not whole show it in their first value
            self.whole = bool(values[0] == np.floor(values[0]) and (values == np.floor(values)).all())
        for side, last in enumerate((0, BINS + 1)):
            if found[last]:
                self.tails[side] += float(values[codes == last].sum())

    def _finite(self, values: Floats) -> Floats:
        below, above = int((values == -np.inf).sum()), int((values == np.inf).sum())
        finite = values[np.isfinite(values)]
        self.nan += len(values) - len(finite) - below - above
        self.infinite[0] += below
        self.infinite[1] += above
        self.counts[0] += below
        self.counts[-1] += above
        return finite


@dataclass(frozen=True, kw_only=True, eq=False)
class CategoryCount:
    """Mergeable category counts: the grid's list, a bottom-k sample of other categories by hash, and the rest in one.

    Of categories that the grid does not list, the `KEPT` with the smallest hash are counted by name. Whatever the
    partition and order of the rows, the same ones are kept, and their counts are exact.

    Attributes
    ----------
    known : tuple of str
        Categories that the grid lists.
    listed : ndarray of int, shape (len(known),)
    others : dict of str to int
    rest : int
        Rows of all other categories.
    missing : int
    """

    known: tuple[str, ...]
    listed: Counts
    others: dict[str, int]
    rest: int
    missing: int

    @classmethod
    def empty(cls, known: tuple[str, ...]) -> "CategoryCount":
        """The counts of no rows."""
        return cls(known=known, listed=np.zeros(len(known), np.int64), others={}, rest=0, missing=0)

    @classmethod
    def of(cls, known: tuple[str, ...], counts: dict[str, int], missing: int = 0) -> "CategoryCount":
        """Category counts from value counts by label.

        >>> found = CategoryCount.of(("a",), {"a": 2, "b": 1})
        >>> found.listed.tolist(), found.others
        ([2], {'b': 1})
        """
        left = dict(counts)
        listed = np.array([left.pop(label, 0) for label in known], np.int64)
        others, rest = _kept(left)
        return cls(known=known, listed=listed, others=others, rest=rest, missing=missing)

    def __add__(self, other: "CategoryCount") -> "CategoryCount":
        union = dict(self.others)
        for label, count in other.others.items():
            union[label] = union.get(label, 0) + count
        others, rest = _kept(union)
        return CategoryCount(
            known=self.known,
            listed=self.listed + other.listed,
            others=others,
            rest=self.rest + other.rest + rest,
            missing=self.missing + other.missing,
        )

    def counts(self) -> dict[str, int]:
        """Rows by category, without zeros and without `rest`."""
        listed = {label: count for label, count in zip(self.known, self.listed.tolist(), strict=True) if count}
        return listed | self.others

    @property
    def n(self) -> int:
        """Rows with a value."""
        return int(self.listed.sum()) + sum(self.others.values()) + self.rest

    @property
    def distinct(self) -> float:
        """Distinct categories a row; estimated from the hash sample, which ignores counts, where not all are kept."""
        if self.rest:
            return len(self.others) / sum(self.others.values())
        return len(self.counts()) / max(self.n, 1)

    def summary(self) -> dict[str, Any]:
        """Summary statistics, for a table."""
        return {"missing": self.missing, "mean": None, "sd": None, "categories": len(self.counts())}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without the categories that the grid lists."""
        return {
            "listed": self.listed.tolist(),
            "others": dict(sorted(self.others.items())),
            "rest": self.rest,
            "missing": self.missing,
        }

    @classmethod
    def from_dict(cls, known: tuple[str, ...], plain: dict[str, Any]) -> "CategoryCount":
        """The counts that `to_dict` was called on."""
        listed = np.array(plain["listed"], np.int64)
        return cls(known=known, listed=listed, others=plain["others"], rest=plain["rest"], missing=plain["missing"])


def _kept(counts: dict[str, int]) -> tuple[dict[str, int], int]:
    """Bottom-k sample: counts of the `KEPT` categories with the smallest hashes, and the rows of all others."""
    if len(counts) <= KEPT:
        return counts, 0
    labels = np.array(list(counts), dtype=object)
    hashes = pd.util.hash_array(labels, categorize=False)
    nearest = np.argpartition(hashes, KEPT)[:KEPT]
    kept = {labels[i]: counts[labels[i]] for i in nearest.tolist()}
    return kept, sum(counts.values()) - sum(kept.values())
