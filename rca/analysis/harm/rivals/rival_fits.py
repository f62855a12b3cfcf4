"""How much a rival says is wrong, with its error: rows of a column, by its lost worth; answers that moved; outcomes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.evidence.followed_relation import Outcome, followed
from rca.analysis.harm.evidence.outcome_bounds import is_known
from rca.analysis.harm.evidence.paired_parts import standard_error
from rca.analysis.harm.evidence.recorded_outcome import RecordedOutcome, read_outcome
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats
from rca.methods.boosted_trees import regressor
from rca.methods.decision_power import DRAWS
from rca.methods.two_sample_tests import kolmogorov_distance
from rca.tables.columns import as_labels, as_numbers, kind_of

BINS, FEW = 5, 10
"""Bins of a score, and values of an answer that are told apart."""

LEAST = 0.02
"""Share of rows that a rival says are wrong, at least: less it does not claim."""

TOLD = 2.0
"""z of a column's worth in the reference from which its loss tells of the rows hit."""

PERMUTED = 5
"""Times that a column is permuted."""

# -- a column ----------------------------------------------------------------------------------------------------------


def share_wrong(windows: Windows, name: str, fault: ColumnFault | None, *, rng: np.random.Generator) -> Floats:
    """Share of current rows whose value would differ from its source, were the column wrong; drawn with its error.

    The share is the fault's where one is diagnosed. Else it is the part of the column's worth that is lost: permuting a
    column costs nothing in rows where it is wrong already. It is at least what its marginal moved by. Rows in which a
    wrong value and the right one coincide do not differ.

    Parameters
    ----------
    windows : Windows
    name : str
    fault : ColumnFault or None
        A visible one is looked for in the rows that it hit alone.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (DRAWS,)
    """
    before, after = windows.reference[name], windows.current[name]
    differ = 1 - coincidence(before, after, fault)
    if fault is not None and fault.broken:
        return np.full(DRAWS, (1.0 if fault.visible else min(1.0, fault.share)) * differ)
    least = min(1.0, max(LEAST, _moved(before, after, coded=name in windows.roles.categorical)))
    lost = _worth_lost(windows, name, rng)
    if lost is None:
        return np.full(DRAWS, least * differ)
    return np.asarray(np.clip(rng.normal(lost[0], lost[1], DRAWS), least, 1.0) * differ)


def coincidence(before: "pd.Series[Any]", after: "pd.Series[Any]", fault: ColumnFault | None = None) -> float:
    """Chance that a wrong value is right all the same: that two rows drawn from both windows agree.

    >>> coincidence(pd.Series([1, 1, 2, 2]), pd.Series([1, 1, 1, 1]))
    0.5
    """
    if fault is not None and fault.broken and not fault.visible and (fault.factor != 1 or fault.offset != 0):
        return 0.0
    shares = [_spelt(one).value_counts(normalize=True) for one in (before, after)]
    if fault is not None and fault.broken and fault.visible:
        value = "" if fault.value is None else fault.value
        return float(shares[0].get(value, 0.0)) if fault.fault == "missing" or fault.value is not None else 0.0
    return float(shares[0].mul(shares[1], fill_value=0.0).sum())


def _spelt(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values as text, those that are missing as none."""
    return pd.Series(as_labels(values), dtype=object).fillna("")


def _moved(before: "pd.Series[Any]", after: "pd.Series[Any]", *, coded: bool) -> float:
    """Share of rows by which the marginals differ, beyond what chance does."""
    if not len(before) or not len(after):
        return 0.0
    chance = 1.36 * float(np.sqrt(1 / len(before) + 1 / len(after)))
    if kind_of(before, coded=coded) == "numeric" and pd.api.types.is_numeric_dtype(after):
        numbers = [as_numbers(one) for one in (before, after)]
        known = [one[np.isfinite(one)] for one in numbers]
        return kolmogorov_distance(*known) - chance if min(map(len, known)) else 0.0
    shares = [_spelt(one).value_counts(normalize=True) for one in (before, after)]
    return float(shares[1].sub(shares[0], fill_value=0.0).clip(lower=0).sum()) - chance


def _worth_lost(windows: Windows, name: str, rng: np.random.Generator) -> tuple[float, float] | None:
    """Part of what a column tells of the outcome that is lost, and its standard error; None where it told nothing."""
    column = windows.meter.outcome or windows.roles.label
    if column is None or name not in windows.roles.features:
        return None
    number = windows.meter.base in ("mae", "rmse", "mean")
    read = read_outcome(windows, column, windows.roles.features, rng=rng, number=number)
    if read is None:
        return None
    worth, error = zip(*(_mean(one) for one in _worth(read.outcome, name, rng)), strict=True)
    if worth[0] < TOLD * error[0] or worth[0] <= 0:
        return None
    kept = worth[1] / worth[0]
    return 1 - kept, float(np.hypot(error[1], kept * error[0])) / worth[0]


def _mean(values: Floats) -> tuple[float, float]:
    return float(values.mean()), standard_error((values - values.mean()) / len(values))


def _worth(outcome: Outcome, name: str, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Squared error that permuting a column adds in each row of both windows, by models of halves of the reference."""
    seen, at = outcome.seen(outcome.columns), outcome.columns.index(name)
    half = rng.permutation(len(seen[0])) % 2
    added = np.zeros(len(seen[0])), np.zeros(len(seen[1]))
    for one in (0, 1):
        tested = half == one
        for j in range(outcome.targets[0].shape[1]):
            model = regressor(rounds=40, leaves=8, rate=0.1).fit(seen[0][~tested], outcome.targets[0][~tested, j])
            for window, rows, share in ((0, tested, 1.0), (1, np.ones(len(seen[1]), dtype=bool), 0.5)):
                inputs, target = seen[window][rows], outcome.targets[window][rows, j]
                own = (target - model.predict(inputs)) ** 2
                for _ in range(PERMUTED):
                    other = inputs.copy()
                    other[:, at] = rng.choice(seen[0][:, at], len(other))
                    added[window][rows] += share * ((target - model.predict(other)) ** 2 - own) / PERMUTED
    return added


# -- the answers -------------------------------------------------------------------------------------------------------


def share_moved(windows: Windows, columns: Sequence[str], *, rng: np.random.Generator) -> Floats:
    """Share of current rows with another answer than the reference's version would give; drawn with its error.

    Parameters
    ----------
    windows : Windows
    columns : sequence of str
        Of the answers; a row moved if any of them did.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (DRAWS,)
    """
    found = [_answers_moved(windows, name, rng) for name in columns]
    share, error = max((one for one in found if one is not None), default=(LEAST, 0.0))
    return np.asarray(np.clip(rng.normal(share, error, DRAWS), LEAST, 1.0))


def _answers_moved(windows: Windows, column: str, rng: np.random.Generator) -> tuple[float, float] | None:
    """Share of answers that moved beyond what a model of them misses anyway, and its standard error."""
    read = read_outcome(windows, column, windows.roles.features, rng=rng)
    if read is None:
        return None
    relation = followed(read.outcome, windows.roles.features, seed=int(rng.integers(2**31)))
    missed = [_missed(read, window, relation.expected[window]) for window in (0, 1)]
    if not read.classes:  # the largest share that no threshold on the miss can put down to the model of the answers
        return kolmogorov_distance(missed[0], missed[1]), 0.0
    (before, after), least = (float(one.mean()) for one in missed), 1e-9
    error = [
        float(np.sqrt(max(part * (1 - part), least) / len(one)))
        for part, one in zip((before, after), missed, strict=True)
    ]
    one = max(1 - 2 * before, 0.1)
    return (after - before) / one, float(np.hypot(error[0], error[1])) / one


def _missed(read: RecordedOutcome, window: int, expected: Floats) -> Floats:
    """Whether the likeliest class is not the recorded one, by row; of a number how far it is off."""
    target = read.outcome.targets[window]
    if not read.classes:
        return np.abs(target[:, 0] - expected[:, 0])
    likeliest = [np.column_stack([one, 1 - one.sum(axis=1)]).argmax(axis=1) for one in (target, expected)]
    return np.asarray(likeliest[0] != likeliest[1], dtype=float)


# -- outcomes that are missing -----------------------------------------------------------------------------------------


def by_answer(windows: Windows, rows: pd.DataFrame, column: str) -> Floats:
    """Chances of rows with a known outcome, of one window, so that answers are as frequent as where it is missing.

    Answers that no row with an outcome has leave the others as they are; without answers all have the same chance.
    """
    known, lacking = is_known(windows, rows), ~is_known(windows, windows.current)
    roles, count = windows.roles, int(known.sum())
    answer = next((one for one in (roles.prediction, roles.score) if one not in (None, column) and one in rows), None)
    if answer is None or answer not in windows.current:
        return np.full(count, 1 / count)
    codes, among = _coded(windows.reference[answer], rows[answer][known], windows.current[answer][lacking])
    width = int(max(codes.max(initial=0), among.max(initial=0))) + 1
    have, want = (np.bincount(one, minlength=width) / max(len(one), 1) for one in (codes, among))
    chances = np.divide(want, have, out=np.zeros(width), where=have > 0)[codes]
    return np.asarray(chances / chances.sum()) if chances.sum() > 0 else np.full(count, 1 / count)


def _coded(by: "pd.Series[Any]", *each: "pd.Series[Any]") -> "list[np.ndarray[Any, np.dtype[np.intp]]]":
    """Answers as codes: their values where they are few, else bins of as many reference rows each."""
    if kind_of(by) == "numeric" and by.nunique() > FEW:
        edges = np.unique(np.nanquantile(as_numbers(by), np.linspace(0, 1, BINS + 1)[1:-1]))
        return [np.searchsorted(edges, np.nan_to_num(as_numbers(one))) for one in each]
    together = pd.factorize(pd.concat([_spelt(one) for one in each], ignore_index=True))[0]
    return np.split(together, np.cumsum([len(one) for one in each])[:-1])
