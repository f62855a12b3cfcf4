"""Univariate drift: a two-sample test, an effect size with an interval, and Benjamini-Hochberg q-values by column.

A distribution that differs is an observation, not a cause: harm decides. With many rows every difference is
significant, so a column is called moved only if its effect is material too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.drift.column_comparison import ColumnDrift, Role, compare_column
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.finding import Finding, Target
from rca.methods.two_sample_tests import benjamini_hochberg
from rca.record.case import Roles
from rca.result import Result, Row
from rca.tables.column_pair import Pair, read
from rca.tables.columns import as_numbers

ANSWERS: tuple[Role, ...] = ("prediction", "score", "label")
"""Roles that are tested beside the features."""

CLASSES = 20
"""Most distinct whole numbers of an answer for them to be compared as classes."""

MATERIAL = 0.05
"""Smallest effect size that is material: one row in twenty would have to change."""


@dataclass(frozen=True, kw_only=True)
class Drift(Result):
    """Univariate drift of every column, largest effect first.

    Attributes
    ----------
    columns : tuple of ColumnDrift
        Of the features.
    alpha : float
        False discovery rate: among the features, and again among the answers.
    material : float
    n_reference, n_current : int
    answers : tuple of ColumnDrift
        Of the label, the score and the prediction: responses, which are not listed among the features that moved.
    """

    columns: tuple[ColumnDrift, ...]
    alpha: float
    material: float
    n_reference: int
    n_current: int
    answers: tuple[ColumnDrift, ...] = ()

    def __str__(self) -> str:
        moved = self.moved()
        names = ", ".join(moved[:5]) + (", …" if len(moved) > 5 else "")
        return f"{len(moved)} of {len({row.column for row in self.columns})} columns moved" + (
            f": {names}" if moved else ""
        )

    def moved(self) -> tuple[str, ...]:
        """Features that moved, in values or in missingness, largest effect first."""
        return tuple(dict.fromkeys(row.column for row in self.columns if row.moved))

    def __getitem__(self, column: str) -> ColumnDrift:
        found = [row for row in (*self.columns, *self.answers) if row.column == column]
        if not found:
            raise KeyError(column)
        return found[0]

    def rows(self) -> list[Row]:
        return [
            {
                "column": row.name,
                "role": row.role,
                "test": row.test,
                "effect": row.effect,
                "interval": str(row.interval),
                "wasserstein": row.wasserstein,
                "q": row.q_value,
                "moved": row.moved,
                "note": row.note,
            }
            for row in (*self.columns, *self.answers)
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(_finding(row) for row in (*self.columns, *self.answers) if row.moved)


def _finding(row: ColumnDrift) -> Finding:
    return Finding(
        id=f"drift.{row.name}",
        notebook="drift",
        claim=str(row),
        cause=Target(kind="feature", name=row.column) if row.role == "feature" else None,
        effect=row.effect,
        unit="share of rows",
        interval=row.interval,
        q_value=row.q_value,
        strength="suggested",
        assumptions=("rows are independent of each other",),
    )


def univariate_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    features: Iterable[str] | None = None,
    categorical: Iterable[str] = (),
    roles: Roles | None = None,
    alpha: float = 0.05,
    material: float = MATERIAL,
) -> Drift:
    """Two-sample test of every column's values and missingness, with effect sizes and Benjamini-Hochberg q-values.

    Parameters
    ----------
    reference, current : pandas.DataFrame
        Rows before and during the failure, with the same columns.
    features : iterable of str, optional
        Columns to test; those of `roles`, or else all of the reference's, where left out.
    categorical : iterable of str
        Numeric columns that are codes, besides those of `roles`.
    roles : Roles, optional
        With them, label, score and prediction are compared too, as answers; and a time is compared by how long before
        its row's own moment it lies, so that it does not move because the calendar does.
    alpha : float
        False discovery rate.
    material : float
        Smallest effect that is called a move.

    Returns
    -------
    Drift
        One row for the values of each column, and one for its missingness where any value is missing.

    Raises
    ------
    InvalidCase
        If a column is not in both windows, or is there twice.
    Unanswerable
        If a window is empty.

    Examples
    --------
    >>> before = pd.DataFrame({"a": np.arange(500.0), "b": ["x", "y"] * 250})
    >>> after = before.assign(a=before["a"] * 1.5 + 100)
    >>> found = univariate_drift(before, after)
    >>> print(found, "|", round(found["a"].wasserstein, 2))
    1 of 2 columns moved: a | 224.75
    """
    roles = roles or Roles()
    named = roles.features or reference.columns
    asked: dict[str, Role] = dict.fromkeys(named if features is None else features, "feature")
    asked |= {name: role for role in ANSWERS if (name := getattr(roles, role)) in current and name in reference}
    for window, rows in (("reference", reference), ("current", current)):
        require(asked, rows, window)
    if min(len(reference), len(current)) == 0:
        raise Unanswerable("what moved", "a window has no rows")
    windows = _Windows(reference=reference, current=current, codes={*categorical, *roles.categorical}, time=roles.time)
    tested = [row for name, role in asked.items() for row in compare_column(name, windows.pair(name, role), role=role)]
    return Drift(
        columns=judge([row for row in tested if row.role == "feature"], alpha=alpha, material=material),
        alpha=alpha,
        material=material,
        n_reference=len(reference),
        n_current=len(current),
        answers=judge([row for row in tested if row.role != "feature"], alpha=alpha, material=material),
    )


def judge(tested: Sequence[ColumnDrift], *, alpha: float = 0.05, material: float = MATERIAL) -> tuple[ColumnDrift, ...]:
    """Benjamini-Hochberg q-values of one family of tests, and which columns moved; largest effect first.

    Parameters
    ----------
    tested : sequence of ColumnDrift
        One family of tests; what was not tested, such as an identifier, does not count as one.
    alpha : float
        False discovery rate.
    material : float
        Smallest effect that is called a move.
    """
    family = [at for at, row in enumerate(tested) if row.tested]
    q_values = dict(zip(family, benjamini_hochberg([tested[at].p_value for at in family]), strict=True))
    judged = [
        replace(row, q_value=q, moved=bool(row.tested and q <= alpha and row.effect >= material))
        for row, q in ((row, q_values.get(at, 1.0)) for at, row in enumerate(tested))
    ]
    return tuple(sorted(judged, key=lambda row: (-row.effect, str(row.name))))


def require(names: Iterable[str], rows: pd.DataFrame, window: str) -> None:
    """Validate that a window has each of the columns once.

    Raises
    ------
    InvalidCase
    """
    twice = set(rows.columns[rows.columns.duplicated()])
    for name in names:
        if name not in rows:
            known = map(str, rows.columns)
            raise InvalidCase.because(f"no column {name!r}", place=window, hint=did_you_mean(name, known))
        if name in twice:
            hint = "give each column a name of its own"
            raise InvalidCase.because(f"more than one column {name!r}", place=window, hint=hint)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Windows:
    """Both windows with the codes and the time column of the record."""

    reference: pd.DataFrame
    current: pd.DataFrame
    codes: set[str]
    time: str | None

    def pair(self, name: str, role: Role) -> Pair:
        """A column of both windows."""
        both = self.reference[name], self.current[name]
        if role == "feature" and self.time not in {None, name} and self._times(name) and self._times(self.time):
            return self._before_its_row(name)
        classes = role != "feature" and all(map(_few_and_whole, both))
        return read(*both, coded=name in self.codes or classes)

    def _times(self, name: str | None) -> bool:
        return all(
            name in rows and pd.api.types.is_datetime64_any_dtype(rows[name]) for rows in (self.reference, self.current)
        )

    def _before_its_row(self, name: str) -> Pair:
        """A time column as its age: seconds before the row's own time."""
        ages = [
            pd.Series(as_numbers(rows[self.time]) - as_numbers(rows[name])) for rows in (self.reference, self.current)
        ]
        pair = read(*ages)
        return replace(pair, kind="datetime", relative=True, note="as seconds before the row's own moment")


def _few_and_whole(values: "pd.Series[Any]") -> bool:
    """Whether numbers are whole with at most `CLASSES` distinct values, as class labels are."""
    if not pd.api.types.is_numeric_dtype(values):
        return False
    numbers = as_numbers(values.drop_duplicates())
    known = numbers[np.isfinite(numbers)]
    return len(known) <= CLASSES and bool((known == np.floor(known)).all())
