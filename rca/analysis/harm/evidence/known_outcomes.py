"""Whose outcome is known: whether fewer are, what knowing depends on, and what the missing ones leave open.

Outcomes missing completely at random leave a metric unbiased, however many they are; knowing that depends on the
answer, the features or the time need not. Dependence on the outcome itself cannot be seen, only that the share of
positives among the known moved, which the world can do as well. So the worst case is told beside it.

References
----------
.. [1] Little, R. J. A. & Rubin, D. B. (2019). Statistical Analysis with Missing Data, section 1.3: mechanisms.
.. [2] Manski, C. F. (1990). Nonparametric bounds on treatment effects. American Economic Review 80(2).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rca.analysis.harm.evidence.knowing import Knowing, depends_on
from rca.analysis.harm.evidence.outcome_bounds import OutcomeBounds, is_known, outcome_bounds, outcome_column
from rca.analysis.harm.evidence.paired_parts import FALLEN, Share, compared, standard_error
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.tables.columns import as_numbers, holds

AGES, ENOUGH = 10, 20
"""Bins of a row's age, and fewest reference rows of a bin that is compared."""


@dataclass(frozen=True, kw_only=True)
class KnownOutcomes:
    """Availability of the outcomes in both windows, and the bounds that missing ones leave to the metric.

    Attributes
    ----------
    column : str
    known : Share
        Of the rows whose outcome is known.
    at_equal_age : Share or None
        The same, the reference weighted to the current rows' distances from the end of their window.
    yes, no : Share or None
        Share known among rows answered yes and among rows answered no.
    outcome : Share or None
        Share of positives, or mean of the outcome, among the rows where it is known.
    knowing : Knowing
        What knowing depends on in the current window.
    bounds : OutcomeBounds or None
        Of the current metric, whatever the missing outcomes are.
    reference, current : float
        The metric of the rows whose outcome is known.
    reference_error : float
        Standard error of `reference`.
    """

    column: str
    known: Share
    at_equal_age: Share | None
    yes: Share | None
    no: Share | None
    outcome: Share | None
    knowing: Knowing
    bounds: OutcomeBounds | None
    reference: float
    current: float
    reference_error: float

    @property
    def fell(self) -> bool:
        """Whether fewer outcomes are known, of all rows or of those with one answer."""
        return any(one is not None and one.fell for one in (self.known, self.yes, self.no))

    @property
    def as_always(self) -> bool:
        """Whether rows as near to the end of the reference had their outcomes missing as often."""
        return self.at_equal_age is not None and self.at_equal_age.reference < 1 - FALLEN and not self.at_equal_age.fell

    @property
    def at_random(self) -> bool:
        """Whether knowing depends on nothing that can be seen, so that the known rows stand for all."""
        return self.knowing.nothing

    @property
    def holds_reference(self) -> bool:
        """Whether the bounds hold the reference's value: then nothing need have changed."""
        return self.bounds is None or self.bounds.hold(self.reference, self.reference_error)


def known_outcomes(windows: Windows) -> KnownOutcomes | None:
    """Compare whose outcomes are known in both windows, and bound the metric over those that are not.

    Parameters
    ----------
    windows : Windows

    Returns
    -------
    KnownOutcomes or None
        None where there are no outcomes, or every current one is known.

    Raises
    ------
    Unanswerable
        If the metric cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> from rca.analysis.inputs.windows import windows_from
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"said": rng.random(900) < 0.3}) for _ in range(2))
    >>> before["y"], after["y"] = (1.0 * (t["said"] ^ (rng.random(900) < 0.1)) for t in (before, after))
    >>> after["y"] = after["y"].where(after["said"])
    >>> found = known_outcomes(windows_from(before, after, metric="error_rate", label="y", prediction="said"))
    >>> found.fell, found.knowing.answer, found.at_random, found.holds_reference
    (True, True, False, True)
    """
    column = outcome_column(windows)
    if column is None or not len(windows.reference) or not len(windows.current):
        return None
    known = is_known(windows, windows.reference), is_known(windows, windows.current)
    if known[1].all():
        return None
    groups = windows.meter.segments(windows.reference, windows.current)
    parts = [windows.meter.parts(rows, groups=groups) for rows in (windows.reference, windows.current)]
    yes, no = _by_answer(windows, known)
    return KnownOutcomes(
        column=column,
        known=compared(*(one.astype(float) for one in known)),
        at_equal_age=_at_equal_age(windows, known),
        yes=yes,
        no=no,
        outcome=_outcome(windows, known),
        knowing=depends_on(windows, known[1], column),
        bounds=outcome_bounds(windows, groups),
        reference=parts[0].value(),
        current=parts[1].value(),
        reference_error=standard_error(np.nan_to_num(parts[0].influence())),
    )


def _by_answer(windows: Windows, known: tuple[Mask, Mask]) -> tuple[Share | None, Share | None]:
    said = [_said(windows, rows) for rows in (windows.reference, windows.current)]
    found: list[Share | None] = []
    for answer in (1.0, 0.0):
        sides = [one[answers == answer].astype(float) for one, answers in zip(known, said, strict=True)]
        found.append(compared(*sides) if min(map(len, sides)) >= ENOUGH else None)
    return found[0], found[1]


def _said(windows: Windows, rows: "pd.DataFrame") -> Floats:
    """The decision as 0 or 1, NaN where there is none."""
    roles, column = windows.roles, outcome_column(windows)
    if roles.prediction in rows and roles.prediction != column:
        values = rows[roles.prediction]
        return np.where(values.isna(), np.nan, holds(values, roles.positive))
    if roles.score not in rows or roles.score == column:
        return np.full(len(rows), np.nan)
    score = as_numbers(rows[roles.score])
    return np.where(np.isfinite(score), score >= windows.metric.threshold, np.nan)


def _outcome(windows: Windows, known: tuple[Mask, Mask]) -> Share | None:
    """Share of positives among known outcomes; of a number, its mean."""
    column, sides = str(outcome_column(windows)), []
    for rows, there in zip((windows.reference, windows.current), known, strict=True):
        values = rows[column][there]
        numeric = windows.meter.base in ("mae", "rmse", "mean")
        sides.append(as_numbers(values) if numeric else holds(values, windows.roles.positive).astype(float))
    return compared(*sides) if min(map(len, sides)) >= ENOUGH else None


def _at_equal_age(windows: Windows, known: tuple[Mask, Mask]) -> Share | None:
    """Share known, the reference weighted to the current rows' ages: how long before their window's end they are."""
    time = windows.roles.time
    if time is None or time not in windows.reference or time not in windows.current:
        return None
    seconds = [as_numbers(rows[time]) for rows in (windows.reference, windows.current)]
    if not all(np.isfinite(one).any() for one in seconds):
        return None
    ages = [np.nanmax(one) - one for one in seconds]
    edges = np.unique(np.nanquantile(ages[1], np.linspace(0, 1, AGES + 1)))
    rows, there = (
        [np.histogram(age, edges, weights=weights)[0] for age, weights in zip(ages, side, strict=True)]
        for side in ([np.ones(len(age)) for age in ages], [one.astype(float) for one in known])
    )
    held = (rows[0] >= ENOUGH) & (rows[1] > 0) if len(edges) > 1 else np.zeros(0, dtype=bool)
    if rows[1][held].sum() < len(known[1]) / 2:
        return None
    weight = rows[1][held] / rows[1][held].sum()
    shares = [np.minimum(yes[held] / of[held], 1.0) for yes, of in zip(there, rows, strict=True)]
    spread = sum(weight**2 * share * (1 - share) / of[held] for share, of in zip(shares, rows, strict=True))
    before, after = (float(weight @ share) for share in shares)
    return Share(reference=min(before, 1.0), current=after, error=float(np.sqrt(np.sum(spread))))
