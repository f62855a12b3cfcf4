"""Candidate conditions (literals) of slices: equalities, quantile thresholds and phrases, with their row masks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.analysis.slices.text_ngrams import phrases
from rca.arrays import Floats, Labels, Mask
from rca.tables.condition import Condition
from rca.tables.discretisation import ATOM

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MIN_ROWS = 30
"""Fewest rows of each window that a condition holds for, and that it does not hold for."""

CATEGORIES = 40
"""Most categories of a column with a condition, the commonest first."""

SINGLE = 12
"""Commonest distinct numbers of a column that may have an equality condition."""

CUTS = 8
"""Equal-mass bins of the reference whose edges are thresholds."""

FINER = 24
"""Refined thresholds tried around one that was found."""

Where = npt.NDArray[np.bool_] | npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Candidate conditions on single columns, with the rows that fulfil each.

    Attributes
    ----------
    conditions : tuple of Condition
        First those that `held` has, then those that `said` has; no two hold for the same rows.
    held : ndarray of bool, shape (conditions on values, rows)
    said : scipy.sparse.csr_array of shape (rows, phrases)
    numbers : dict of str to ndarray of shape (rows,)
        Columns of numbers, whose thresholds can be refined.
    """

    conditions: tuple[Condition, ...]
    held: Mask
    said: "csr_array"
    numbers: dict[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.conditions)

    def take(self, rows: Where) -> "Candidates":
        """The candidates restricted to some of the rows."""
        numbers = {name: values[rows] for name, values in self.numbers.items()}
        return replace(self, held=self.held[:, rows], said=self.said[rows], numbers=numbers)

    @cached_property
    def place(self) -> dict[Condition, int]:
        """Condition → its position."""
        return {condition: at for at, condition in enumerate(self.conditions)}

    @cached_property
    def _spoken(self) -> "csr_array":
        return self.said.tocsc()

    def mask(self, condition: Condition) -> Mask:
        """Row mask of a condition: one of these, or any threshold of a numeric column."""
        at = self.place.get(condition)
        if at is None:
            return _beyond(self.numbers[condition.column], condition)
        return self.at(at)

    def at(self, place: int) -> Mask:
        """Row mask of the condition at a position."""
        tabular = len(self.held)
        if place < tabular:
            return np.asarray(self.held[place])
        return np.asarray(self._spoken[:, [place - tabular]].toarray()[:, 0] > 0)

    def all_hold(self, conditions: Iterable[Condition]) -> Mask:
        """Row mask of a conjunction."""
        found = np.ones(self.said.shape[0], dtype=bool)
        for condition in conditions:
            found &= self.mask(condition)
        return found

    def finer(self, condition: Condition) -> list[Condition]:
        """Refined thresholds between the two neighbours of a condition's own; none for other kinds of conditions."""
        if condition.operator not in ("<", ">="):
            return []
        known = [
            float(one.value)
            for one in self.conditions
            if (one.column, one.operator) == (condition.column, condition.operator)
        ]
        value, values = float(condition.value), self.numbers[condition.column]
        low, high = (
            max((one for one in known if one < value), default=-np.inf),
            min((one for one in known if one > value), default=np.inf),
        )
        inside = np.unique(values[(values > low) & (values < high) & np.isfinite(values)])
        return [replace(condition, value=cut) for cut in _cuts(inside, FINER)]


def literals(
    columns: dict[str, Floats | Labels], current: Mask, *, text: Sequence[str] = (), least: int = MIN_ROWS
) -> Candidates:
    """Enumerate the candidate conditions that enough rows of both windows fulfil, and enough do not.

    Parameters
    ----------
    columns : dict of str to ndarray of shape (rows,)
        Columns as doubles where they are numbers, else as text; NaN where a value is missing.
    current : ndarray of bool, shape (rows,)
        Which rows are of the current window.
    text : sequence of str
        Columns of free text, which are asked for words and phrases.
    least : int
        Rows of each window that have to fulfil a condition, and that have not to.

    Returns
    -------
    Candidates
        Of conditions that hold for the same rows, only the simplest.

    Examples
    --------
    >>> found = literals({"n": np.arange(8.0) % 4, "c": np.array(["a", "b"] * 4, object)}, np.arange(8) > 3, least=2)
    >>> [str(condition) for condition in found.conditions]
    ['c=a', 'c=b', 'n<2', 'n>=2']
    """
    asked = [
        (condition, _holds(values, condition))
        for name, values in columns.items()
        if name not in text
        for condition in _conditions(name, values, current, least=least)
    ]
    asked = [(condition, held) for condition, held in asked if _enough(held, current, least)]
    asked.sort(key=lambda one: _plainness(one[0]))
    spoken, said = _spoken({name: columns[name] for name in sorted(text)}, current, least)
    held = np.stack([held for _, held in asked]) if asked else np.zeros((0, len(current)), dtype=bool)
    every = Candidates(conditions=(*(condition for condition, _ in asked), *spoken), held=held, said=said)
    numbers = {name: values.astype(float) for name, values in columns.items() if values.dtype != object}
    return replace(_distinct(every), numbers=numbers)


def _enough(held: Mask, current: Mask, least: int) -> bool:
    return all(min(held[side].sum(), (~held[side]).sum()) >= least for side in (~current, current))


def _plainness(condition: Condition) -> tuple[int, str, str]:
    return ["=", "<", ">=", "~"].index(condition.operator), condition.column, f"{condition.value:>30}"


def _conditions(name: str, values: Floats | Labels, current: Mask, *, least: int) -> list[Condition]:
    if values.dtype == object:
        return _categories(name, values, least)
    known = np.isfinite(values.astype(float))
    numbers, before = values[known].astype(float), values[known & ~current].astype(float)
    distinct, counts = np.unique(numbers, return_counts=True)
    commonest = np.argsort(-counts, kind="stable")[:SINGLE]
    fewest = 2 * least if len(distinct) <= SINGLE else max(2 * least, ATOM * len(numbers))
    return [
        *(
            Condition(column=name, operator="=", value=float(distinct[one]))
            for one in commonest
            if counts[one] >= fewest
        ),
        *(Condition(column=name, operator=sign, value=cut) for cut in _cuts(before, CUTS) for sign in ("<", ">=")),
    ]


def _categories(name: str, values: Floats | Labels, least: int) -> list[Condition]:
    counts = pd.Series(values).value_counts()
    common = sorted((-count, str(value)) for value, count in counts.items() if count >= 2 * least)
    return [Condition(column=name, operator="=", value=value) for _, value in common[:CATEGORIES]]


def _cuts(known: Floats, parts: int) -> list[float]:
    """Quantile thresholds, rounded as far as keeps them distinct."""
    if not len(known):
        return []
    levels = np.unique(np.quantile(known, np.linspace(0, 1, parts + 1), method="higher"))
    gaps = np.diff(levels)
    rounded = (
        [_round(value, float(min(gaps[max(0, at - 1) : at + 1]))) for at, value in enumerate(levels)]
        if len(gaps)
        else []
    )
    return sorted({cut for cut in rounded if known.min() < cut <= known.max()})


def _round(value: float, gap: float) -> float:
    """Round a number to about two digits of the gap to its neighbours."""
    if not np.isfinite(gap) or (float(value).is_integer() and gap >= 1):
        return float(value)
    digits = int(np.clip(1 - np.floor(np.log10(gap)), -300, 300))
    return float(round(float(value), digits))


def _holds(values: Floats | Labels, condition: Condition) -> Mask:
    if condition.operator == "=":
        return np.asarray(values == condition.value, dtype=bool)
    return _beyond(values, condition)


def _beyond(values: Floats | Labels, condition: Condition) -> Mask:
    cut = float(condition.value)
    with np.errstate(invalid="ignore"):
        return np.asarray(values < cut if condition.operator == "<" else values >= cut, dtype=bool)


def _spoken(texts: dict[str, Floats | Labels], current: Mask, least: int) -> "tuple[list[Condition], csr_array]":
    from scipy.sparse import csr_array, hstack

    found = {name: phrases(values.astype(object), current, fewest=least) for name, values in texts.items()}
    empty = csr_array((len(current), 0), dtype=np.float32)
    return (
        [Condition(column=name, operator="~", value=phrase) for name, one in found.items() for phrase in one.names],
        hstack([empty, *(one.said for one in found.values())]).tocsr(),
    )


def _distinct(every: Candidates) -> Candidates:
    """Remove duplicates: conditions that hold for the same rows as one before, by a random hash."""
    marks = np.random.default_rng(0).random(every.said.shape[0])
    sums = np.concatenate([np.array([marks @ held for held in every.held]), marks @ every.said])
    _, first = np.unique(np.round(sums, 6), return_index=True)
    kept = np.sort(first)
    tabular = len(every.held)
    return replace(
        every,
        conditions=tuple(every.conditions[one] for one in kept),
        held=every.held[kept[kept < tabular]],
        said=every.said[:, kept[kept >= tabular] - tabular],
    )
