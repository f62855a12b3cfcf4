"""Baselines of cause naming: a random order, and for tables the largest drift, drift times gain, and SHAP shift."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rca.record.model.gain import gains

if TYPE_CHECKING:
    import pandas as pd

    from rca.analysis.conclusion.analysis import Analysis
    from rca.analysis.drift.univariate import Drift
    from rca.analysis.explanation.results import ExplanationShift
    from rca.record.model.model import Model
    from rca.record.schema.incident import Signals

DRIFT, USED_DRIFT, SHAP_SHIFT = "largest drift", "largest drift x gain", "largest SHAP shift"

ABSENT = {
    DRIFT: "no feature to compare",
    USED_DRIFT: "no LightGBM or XGBoost model that reads a feature",
    SHAP_SHIFT: "no SHAP values",
}
"""What a case lacks for which a baseline names no column, by baseline."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The column that a baseline names in one case.

    Attributes
    ----------
    name : str
    column : str or None
        None where the case lacks what the baseline needs.
    right : bool
        Whether the column is a right cause, as a `feature`.
    """

    name: str
    column: str | None
    right: bool = False


@dataclass(frozen=True, kw_only=True)
class BaselineCount:
    """In how many cases a baseline names a right cause, beside the verdicts on the same cases.

    Attributes
    ----------
    name : str
    found, of : int
        Right, out of the cases in which it names a column.
    verdicts : int
        Verdicts that name a right cause first, out of the same cases.
    absent : int
        Cases with tables that are left out, since the baseline names no column there.
    """

    name: str
    found: int
    of: int
    verdicts: int
    absent: int

    def __str__(self) -> str:
        left_out = f"; {self.absent} left out: {ABSENT[self.name]}" if self.absent else ""
        return f"baseline {self.name}: {self.found} of {self.of} (verdicts on the same: {self.verdicts}{left_out})"


def count_baselines(cases: Iterable[tuple[Iterable[Baseline], bool]]) -> tuple[BaselineCount, ...]:
    """Count the right answers of each baseline.

    Parameters
    ----------
    cases : iterable of (iterable of Baseline, bool)
        The baselines of a case, and whether its verdict names a right cause first.

    Examples
    --------
    >>> one, none = Baseline(name=DRIFT, column="age", right=True), Baseline(name=DRIFT, column=None)
    >>> print(count_baselines([([one], True), ([none], False)])[0])
    baseline largest drift: 1 of 1 (verdicts on the same: 1; 1 left out: no feature to compare)
    """
    groups: dict[str, list[tuple[Baseline, bool]]] = {}
    for baselines, first in cases:
        for one in baselines:
            groups.setdefault(one.name, []).append((one, first))
    return tuple(_counted(name, rows) for name, rows in groups.items())


def _counted(name: str, rows: list[tuple[Baseline, bool]]) -> BaselineCount:
    named = [(one.right, first) for one, first in rows if one.column is not None]
    return BaselineCount(
        name=name,
        found=sum(right for right, _ in named),
        of=len(named),
        verdicts=sum(first for _, first in named),
        absent=len(rows) - len(named),
    )


def chance(right: int, most: int, first: int) -> float:
    """Probability that a random order of `most` candidates has one of the `right` ones among the first few.

    It is 0 where there are fewer candidates than right ones, or than are looked at.

    >>> chance(1, 5, 2)
    0.4
    """
    return 1 - math.comb(most - right, first) / math.comb(most, first) if most >= max(right, first) else 0.0


def table_baselines(
    found: "Analysis", model: "Model | None" = None, *, right: Callable[[str], bool] = lambda _: False
) -> tuple[Baseline, ...]:
    """The column that each baseline names in a case with tables; empty for a case without.

    Parameters
    ----------
    found : Analysis
    model : Model, optional
        The deployed one.
    right : callable
        Whether a column is a right cause.
    """
    if found.drift is None:
        return ()
    named = {
        DRIFT: largest_drift(found.drift),
        USED_DRIFT: largest_used_drift(found.drift, gains(model) if model is not None else {}),
        SHAP_SHIFT: largest_shap_shift(found.explanation) if found.explanation is not None else None,
    }
    return tuple(
        Baseline(name=name, column=column, right=column is not None and right(column)) for name, column in named.items()
    )


def largest_drift(drift: "Drift") -> str | None:
    """The feature with the largest Kolmogorov-Smirnov distance (unordered values: total variation) of the windows.

    Missingness counts as one more distance of its column: the total variation of having a value. Of equal features the
    first by name is meant; None where there is no feature.
    """
    return _largest(_distances(drift))


def largest_used_drift(drift: "Drift", gains: Mapping[str, float]) -> str | None:
    """The feature with the largest distance of the windows times the model's gain.

    Parameters
    ----------
    drift : Drift
    gains : mapping of str to float
        Feature → gain. None is named where it has none of the features that were compared.
    """
    distances = _distances(drift)
    return _largest({name: distances[name] * gain for name, gain in gains.items() if name in distances})


def largest_shap_shift(explanation: "ExplanationShift") -> str | None:
    """The feature whose mean |SHAP| changed most, up or down, in the margin's unit; None where there is none."""
    return _largest({one.column: abs(one.size.value) for one in explanation.reasons})


def largest_latency_ratio(table: "pd.DataFrame", signals: "Signals") -> str | None:
    """The component whose mean latency grew by the largest factor; None where no signal is a latency."""
    late = [str(name) for name in table.columns if "latency" in str(name).casefold()]
    means = (
        table.loc[kept, late].mean()
        for kept in (table["time"] < signals.from_, table["time"].between(signals.from_, signals.to))
    )
    before, after = means
    ratio = {name: float(after[name] / before[name]) for name in late if before[name] > 0 and after[name] > 0}
    slowest = _largest(ratio)
    return slowest.partition("|")[0] if slowest is not None else None


def _distances(drift: "Drift") -> dict[str, float]:
    """Largest distance of each feature, in its values or its missingness."""
    found: dict[str, float] = {}
    for row in drift.columns:
        found[row.column] = max(row.effect, found.get(row.column, 0.0))
    return found


def _largest(sizes: Mapping[str, float]) -> str | None:
    return max(sorted(sizes), key=lambda name: sizes[name], default=None)
