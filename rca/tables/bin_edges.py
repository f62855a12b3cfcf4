"""Fixed histogram bins for every column, fitted on a sample of the reference, so that counts on them are mergeable."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rca.arrays import Floats
from rca.errors import InvalidCase, did_you_mean
from rca.tables.arrow_arrays import Array, is_text, is_time, kind_of_type, label_counts, lengths, numbers

BINS = 4096
"""Bins of a numeric column: the binning error of a Kolmogorov-Smirnov distance is 1.6e-4 on normal data."""

LISTED = 10_000
"""Most categories with a fixed position; others are counted in a bottom-k hash sample."""

MARGIN = 0.125
"""Share of the sampled range by which bins extend beyond it, on either side."""

BLURRED = 0.005
"""Largest share of rows with different values in one bin for a linear scale to be used."""

ONE = np.float64(1).view(np.int64)

MAX_NUMBER = float(np.finfo(float).max)

SMALLEST = 1e-290
"""Width below which a bin's density would overflow."""


@dataclass(frozen=True, kw_only=True)
class BinScale:
    """Uniform bins on a linear scale, or on a symmetric logarithmic (symlog) scale around a centre.

    Bin ``i`` of ``1 … BINS`` holds positions ``i <= (s(x) - low) * density < i + 1``. Here ``s(x) = x``, or where it is
    curved, ``s(x) = sign(y) * L(1 + |y|)`` with ``y = (x - centre) / unit`` and ``L`` the logarithm to base 2, linear
    between powers of 2. `L` is read from the bits of the double, so that every machine counts alike. Bin 0 is the
    tail below, ``BINS + 1`` the tail above; infinities are counted in them.

    `time` says that values are seconds since 1970.

    Examples
    --------
    >>> straight = BinScale(low=-1.0, density=1.0)
    >>> straight.codes(np.array([-np.inf, -0.5, 0.0, 2.5, np.inf])).tolist()
    [0, 0, 1, 3, 4097]
    """

    low: float
    density: float
    curved: bool = False
    centre: float = 0.0
    unit: float = 1.0
    time: bool = False

    def codes(self, values: Floats) -> npt.NDArray[np.int32]:
        """Bin index of each value: an array of int of the same shape. There must be no NaN."""
        position = self.bent(values) - self.low if self.curved else values - self.low
        position *= self.density
        np.clip(position, 0, BINS + 1, out=position)
        return position.astype(np.int32)

    def bent(self, values: Floats) -> Floats:
        """The symlog transform ``s(x)`` of a curved scale."""
        y = values - self.centre
        y /= self.unit
        size = np.abs(y)
        size += 1.0
        bits = size.view(np.int64)
        bits -= ONE
        return np.copysign(np.multiply(bits, 2.0**-52, out=size), y)

    def edges(self) -> Floats:
        """Bin edges in the column's unit: an array of shape (BINS + 1,)."""
        return self._values(np.arange(1.0, BINS + 2))

    def centres(self) -> Floats:
        """Bin centres in the column's unit: an array of shape (BINS,)."""
        return self._values(np.arange(1.5, BINS + 1))

    def _values(self, position: Floats) -> Floats:
        with np.errstate(over="ignore"):  # of ends that lie beyond what a double holds
            scaled = 4 * (position / 4 / self.density + self.low / 4)
            return np.clip(self._straightened(scaled) if self.curved else scaled, -MAX_NUMBER, MAX_NUMBER)

    def _straightened(self, scaled: Floats) -> Floats:
        """Inverse of `bent`."""
        octave, part = np.divmod(np.abs(scaled), 1.0)
        size: Floats = self.unit * (np.exp2(octave) * (1 + part) - 1)
        return self.centre + np.copysign(size, scaled)


@dataclass(frozen=True, kw_only=True)
class BinEdges:
    """The columns of a sketch and the bins or categories each is counted on (the grid).

    Attributes
    ----------
    numeric : dict of str to BinScale
        Columns compared by order: numbers and times.
    lengths : dict of str to BinScale
        Columns of free text, of which the length is counted.
    categories : dict of str to tuple of str
        Columns compared by category → the commonest labels where it was fitted.
    """

    numeric: dict[str, BinScale] = field(default_factory=dict)
    lengths: dict[str, BinScale] = field(default_factory=dict)
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Everything that is counted."""
        return (*self.numeric, *self.lengths, *self.categories)

    def only(self, names: Iterable[str]) -> "BinEdges":
        """The grid of some of its columns.

        Raises
        ------
        InvalidCase
            If it has no such column.
        """
        wanted = set(names)
        for name in sorted(wanted - set(self.columns)):
            raise InvalidCase.because(f"no column {name!r}", place="grid", hint=did_you_mean(name, self.columns))
        parts: list[dict[str, Any]] = [
            {name: part[name] for name in part if name in wanted}
            for part in (self.numeric, self.lengths, self.categories)
        ]
        return BinEdges(numeric=parts[0], lengths=parts[1], categories=parts[2])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives the same grid back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "BinEdges":
        """The grid that `to_dict` was called on."""
        return cls(
            numeric={name: BinScale(**scale) for name, scale in plain["numeric"].items()},
            lengths={name: BinScale(**scale) for name, scale in plain["lengths"].items()},
            categories={name: tuple(labels) for name, labels in plain["categories"].items()},
        )


def fit_grid(table: Any, *, categorical: Collection[str] = (), text: Collection[str] = ()) -> BinEdges:
    """Fit bins and category lists to a sample of rows.

    Parameters
    ----------
    table : pyarrow.Table
    categorical : collection of str
        Numeric columns that are codes.
    text : collection of str
        Columns of free text, of which only the length is counted.

    Examples
    --------
    >>> import pyarrow as pa
    >>> grid = fit_grid(pa.table({"a": [1, 2, 2], "b": ["x", "y", "y"]}))
    >>> grid.columns, grid.categories, grid.numeric["a"].density
    (('a', 'b'), {'b': ('y', 'x')}, 1.0)
    """
    scales: dict[str, BinScale] = {}
    sizes: dict[str, BinScale] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for name in table.column_names:
        array = table.column(name).combine_chunks()
        if name in text and is_text(array.type):
            sizes[name] = fit_scale(lengths(array).values)
        elif name in categorical or kind_of_type(array.type) == "categorical":
            lists[name] = _commonest(array)
        else:
            scales[name] = replace(fit_scale(numbers(array).values), time=is_time(array.type))
    return BinEdges(numeric=scales, lengths=sizes, categories=lists)


def _commonest(array: Array) -> tuple[str, ...]:
    counts, _ = label_counts(array)
    return tuple(sorted(counts, key=lambda label: (-counts[label], label))[:LISTED])


def fit_scale(values: Floats) -> BinScale:
    """Fit a scale to values: linear if its bins separate them well enough, else symlog around zero or the median.

    Parameters
    ----------
    values : ndarray of shape (rows,)
        Values that are not finite are left out.

    Examples
    --------
    >>> fit_scale(np.linspace(0, 1, 500)).curved, fit_scale(10.0 ** np.linspace(-9, 9, 500)).curved
    (False, True)
    """
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if not len(distinct):
        return BinScale(low=-BINS / 2, density=1.0)
    with np.errstate(over="ignore"):  # of numbers that span more than a double holds
        return _whole(distinct) or _sharpest(distinct, counts)


def _sharpest(distinct: Floats, counts: npt.NDArray[np.int64]) -> BinScale:
    straight = _straight(distinct[0], distinct[-1])
    if len(distinct) == 1 or (lost := _blur(straight, distinct, counts)) <= BLURRED:
        return straight
    bent = [_curved(distinct, centre, unit) for centre, unit in _bends(distinct)]
    return min([(lost, 0, straight), *((_blur(each, distinct, counts), i, each) for i, each in enumerate(bent, 1))])[2]


def _whole(distinct: Floats) -> BinScale | None:
    """One bin a whole number, if all values are whole and their range is less than half of `BINS`."""
    low, high = distinct[0], distinct[-1]
    if not (abs(low) < 2.0**51 and abs(high) < 2.0**51 and high - low < BINS / 2):
        return None
    if (distinct != np.floor(distinct)).any():
        return None
    return BinScale(low=float(np.floor((low + high) / 2) - BINS / 2 - 0.5), density=1.0)


def _straight(low: float, high: float) -> BinScale:
    width = (high / BINS - low / BINS) * (1 + 2 * MARGIN)
    if width < SMALLEST:  # one value: bins around it, so that a unit's change is seen
        width = max(abs(low) / 1024, SMALLEST)
        return BinScale(low=float(low - (BINS / 2 + 1.5) * width), density=float(1 / width))
    first = low - MARGIN / (1 + 2 * MARGIN) * BINS * width
    return BinScale(low=float(max(first - width, -MAX_NUMBER)), density=float(1 / width))


def _bends(distinct: Floats) -> list[tuple[float, float]]:
    """Candidate centres and linear widths of a symlog scale."""
    quarter, median, third = np.quantile(distinct, [0.25, 0.5, 0.75])
    sizes = np.abs(distinct[distinct != 0])
    spread = third / 4 - quarter / 4
    choices = [(0.0, float(np.quantile(sizes, 0.01))), (float(median), float(spread))]
    return [(centre, unit) for centre, unit in choices if SMALLEST < unit < np.inf]


def _curved(distinct: Floats, centre: float, unit: float) -> BinScale:
    first, last = BinScale(low=0.0, density=1.0, curved=True, centre=centre, unit=unit).bent(distinct[[0, -1]])
    flat = _straight(float(first), float(last))
    return BinScale(low=flat.low, density=flat.density, curved=True, centre=centre, unit=unit)


def _blur(scale: BinScale, distinct: Floats, counts: npt.NDArray[np.int64]) -> float:
    """Binning error: the largest share of rows in one bin that differ from its commonest value."""
    starts = np.flatnonzero(np.diff(scale.codes(distinct), prepend=-1))
    apart = np.add.reduceat(counts, starts) - np.maximum.reduceat(counts, starts)
    return float(apart.max() / counts.sum())
