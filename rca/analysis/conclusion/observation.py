"""The next observation that would decide between two explanations: what to look at, the rule, and its power."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from rca.analysis.faults.application import hit
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.evidence.outcome_bounds import is_known
from rca.analysis.harm.evidence.paired_parts import counts
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask, Places
from rca.finding import Unanswered
from rca.methods.decision_power import Design, weighed_in
from rca.methods.metric import Measured, Parts
from rca.result import Row
from rca.tables.columns import as_labels, as_numbers

Kind = Literal["column", "outcomes", "answers", "again", "more"]

NAME = 60
"""Letters of a name that are told."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What to observe next, with the rule by which it decides between two explanations, and its power.

    Attributes
    ----------
    kind : {'column', 'outcomes', 'answers', 'again', 'more'}
        Look a column up at its source, obtain outcomes, replay answers, measure outcomes again, or wait for rows.
    columns : tuple of str
        What is observed.
    question : str
    what : str
        The observation, in one clause.
    rows : int
    threshold : float
        From here on what is seen (rows, or the metric) speaks for the first explanation, below for the second.
    between : (str, str)
    rates : (float, float)
        How often the rule decides rightly where the first explanation holds, and where the second does.
    rule : str
    of_hit : bool
        Whether only rows that the column's fault hit are looked up.
    reach : float or None
        How far out a row counts, where rows as far out are waited for.
    """

    kind: Kind
    columns: tuple[str, ...] = ()
    question: str
    what: str
    rows: int
    threshold: float
    between: tuple[str, str]
    rates: tuple[float, float]
    rule: str
    of_hit: bool = False
    reach: float | None = None

    @property
    def power(self) -> float:
        """How often it decides rightly, whichever explanation holds: the smaller of both rates."""
        return min(self.rates)

    def __str__(self) -> str:
        return f"{self.what}; {self.rule} (right in {percent(self.power)} of such cases)"

    def decide(self, seen: float) -> str:
        """Apply the rule to what was seen, which `seen_of` reads: the explanation that it speaks for.

        Raises
        ------
        ValueError
            If nothing was seen.
        """
        if not np.isfinite(seen):
            raise ValueError(f"{seen} decides nothing: observe {self.rows} rows")
        return self.between[0] if seen >= self.threshold else self.between[1]

    def eligible(self, windows: Windows, faults: Faults | None = None) -> Places:
        """Positions of the current rows that may be drawn; none where rows are waited for."""
        if self.kind == "more":
            return np.zeros(0, dtype=np.intp)
        rows = windows.current
        if self.kind in ("outcomes", "again"):
            known = is_known(windows, rows)
            return np.flatnonzero(known if self.kind == "again" else ~known)
        fault = faults.get(self.columns[0]) if faults is not None and self.of_hit else None
        return np.flatnonzero(hit(fault, rows)) if fault is not None else np.arange(len(rows))

    def seen_of(self, windows: Windows, found: pd.DataFrame, at: Places) -> float:
        """Read what the rule is applied to: the number of rows that differ or are far out, or the metric.

        Parameters
        ----------
        windows : Windows
        found : pandas.DataFrame
            What was observed, row by row: `columns` of the rows at `at`, or whole rows that came since.
        at : ndarray of int
            Positions in the current window; empty where rows were waited for.
        """
        if self.kind in ("column", "answers"):
            return float(differing(windows.current[list(self.columns)].iloc[at], found[list(self.columns)]).sum())
        groups = windows.meter.segments(windows.reference, windows.current)
        if self.kind == "more":
            parts = windows.meter.parts(found, groups=groups)
            return parts.value() if self.reach is None else float((far_out(windows, parts) >= self.reach).sum())
        rows = windows.current.iloc[at].assign(**{name: found[name].to_numpy() for name in self.columns})
        parts = windows.meter.parts(rows, groups=groups)
        if self.kind == "again":
            return parts.value()
        known = is_known(windows, windows.current)
        beside = windows.meter.parts(windows.current, groups=groups).take(known)
        drawn = parts.numerator.sum(axis=0), parts.denominator.sum(axis=0)
        sums = weighed_in(drawn, len(at), beside=beside, of=int((~known).sum()))
        return float(parts.of_sums(*sums))


def differing(recorded: pd.DataFrame, found: pd.DataFrame) -> Mask:
    """Rows in which any column differs: numbers by more than their fourth digit.

    >>> differing(pd.DataFrame({"a": [1.0, 2.0, None]}), pd.DataFrame({"a": [1.0, 2.1, None]})).tolist()
    [False, True, False]
    """
    differ = np.zeros(len(recorded), dtype=bool)
    for name in recorded:
        both = recorded[name], found[name]
        if all(pd.api.types.is_numeric_dtype(one) for one in both):
            x, y = (as_numbers(one) for one in both)
            differ |= ~np.isclose(x, y, rtol=1e-4, atol=1e-9, equal_nan=True)
        else:
            said = [pd.Series(as_labels(one), dtype=object).fillna("").to_numpy() for one in both]
            differ |= said[0] != said[1]
    return differ


def far_out(windows: Windows, parts: Parts) -> Floats:
    """How far out each row is: its part in a loss, or of a mean its distance from the reference's median."""
    centre = 0.0
    if windows.meter.base == "mean":
        before = windows.meter.parts(
            windows.reference, groups=windows.meter.segments(windows.reference, windows.current)
        )
        before = before.take(counts(before))
        centre = float(np.median(before.numerator.sum(axis=1) / before.denominator.sum(axis=1))) if len(before) else 0.0
    return np.asarray(np.abs(parts.numerator - centre * parts.denominator).max(axis=1))


# -- in words ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An observation in words, before its size is known.

    Attributes
    ----------
    kind, columns, question
        As the observation has them.
    what : callable
        From a number of rows to the observation.
    first, second : str
        Of counts, what many and few rows speak for; of a metric, that it changed, and that it did not.
    seen : str
        What is counted or measured, as a clause.
    of_hit : bool
    """

    kind: Kind
    columns: tuple[str, ...] = ()
    question: str
    what: Callable[[int], str]
    first: str
    second: str
    seen: str
    of_hit: bool = False
    reach: float | None = None

    def by_count(self, design: Design | None) -> Observation | None:
        """The observation with a count of rows as its rule; None without a design."""
        if design is None:
            return None
        few = "none" if design.threshold <= 1 else "fewer"
        rule = f"if {design.threshold:.0f} or more {self.seen}, {self.first}; if {few}, {self.second}"
        return self._made(design, rule=rule, between=(self.first, self.second))

    def by_metric(self, design: Design | None, measured: Measured) -> Observation | None:
        """The observation with a threshold of the metric as its rule; None without a design."""
        if design is None:
            return None
        higher, lower = (self.first, self.second)[:: measured.sign]
        rule = f"if {self.seen} is {measured.say(design.threshold)} or more, {higher}; if less, {lower}"
        return self._made(design, rule=rule, between=(higher, lower))

    def _made(self, design: Design, *, rule: str, between: tuple[str, str]) -> Observation:
        return Observation(
            kind=self.kind,
            columns=self.columns,
            question=self.question,
            what=self.what(design.rows),
            rows=design.rows,
            threshold=design.threshold,
            between=between,
            rates=design.rates,
            rule=rule,
            of_hit=self.of_hit,
            reach=self.reach,
        )


def name_of(name: str) -> str:
    """A name on one line and not too long, in quotes.

    >>> name_of("zip" + chr(10) + "code")
    '“zip code”'
    """
    told = " ".join(name.split())
    return f"“{told if len(told) <= NAME else told[: NAME - 1] + '…'}”"


def rows_of(rows: int, what: str = "row") -> str:
    """A number of rows in words.

    >>> rows_of(1), rows_of(2560)
    ('1 row', '2,560 rows')
    """
    return f"{rows:,} {what}{'' if rows == 1 else 's'}"


def percent(share: float) -> str:
    """A share in whole per cent, rounded down, and never all.

    >>> percent(0.929), percent(1.0)
    ('92 %', 'over 99 %')
    """
    return f"{int(100 * share + 1e-9)} %" if share < 0.995 else "over 99 %"


def as_rows(observations: Iterable[Observation]) -> list[Row]:
    """Observations as a table."""
    return [
        {
            "open question": one.question,
            "look at": one.what,
            "rows": one.rows,
            "then": one.rule,
            "right in": percent(one.power),
        }
        for one in observations
    ]


def with_what_decides(unanswered: Sequence[Unanswered], observations: Sequence[Observation]) -> tuple[Unanswered, ...]:
    """The open questions, each with what would decide it; a question that was not asked yet comes after them."""
    told = {one.question: str(one) for one in observations}
    known = [replace(one, would_decide=told.pop(one.question, one.would_decide)) for one in unanswered]
    fresh = [
        Unanswered(question=one.question, why=WHY[one.kind], would_decide=told[one.question])
        for one in observations
        if one.question in told
    ]
    return (*known, *fresh)


WHY: dict[Kind, str] = {
    "column": "what is on record goes with either",
    "outcomes": "outcomes that are missing leave it open",
    "answers": "the reference's version of the model is not at hand, and what is on record goes with either",
    "again": "nothing that is on record explains the change",
    "more": "too few rows show it",
}
"""Why a question is open, by what would decide it."""
