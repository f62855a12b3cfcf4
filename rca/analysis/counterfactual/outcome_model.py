"""Choice of the outcome model: the model on file, a surrogate of it, or an SCM along the causal graph."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rca.analysis.counterfactual.structural_prediction import follower
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.rescoring import Scorer, agreement, rule_of, scorer_of
from rca.analysis.harm.surrogate_model import FAITHFUL, fit_surrogate
from rca.analysis.inputs.windows import Windows
from rca.arrays import Mask
from rca.errors import Unanswerable

WHAT_IF_QUESTION = "what would have happened"

SAME = 0.99
"""Share of recorded answers that the model file has to repeat, to count as the model that gave them."""

LOOKED_AT = 4000
"""Most rows on which the answers of the model file are compared with those on record."""

MIN_ROWS = 50
"""Reference rows below which there is no outcome model."""

NO_OTHER = "the model on file gave the answers on record then, too: there was no other to go back to"


@dataclass(frozen=True, kw_only=True, eq=False)
class OutcomeModel:
    """A model that predicts counterfactual answers, its name in words, and its assumptions."""

    ask: Scorer
    by: str
    assumptions: tuple[str, ...] = ()


def answerer(
    windows: Windows, faults: Sequence[ColumnFault], *, columns: Sequence[str], rng: np.random.Generator
) -> OutcomeModel:
    """Outcome model for the current rows: the model on file, else a faithful surrogate, else an SCM.

    Parameters
    ----------
    windows : Windows
    faults : sequence of ColumnFault
        How columns broke.
    columns : sequence of str
        Those that would have been whole.
    rng : numpy.random.Generator

    Raises
    ------
    Unanswerable
        If there is none.
    """
    if len(windows.reference) < MIN_ROWS:
        why = f"the reference has only {len(windows.reference)} rows, and {MIN_ROWS} are needed"
        raise Unanswerable(WHAT_IF_QUESTION, why)
    asker = scorer_of(windows)
    if asker is not None:
        share = agreement(asker, some_of(windows.current))
        if share < SAME:
            why = (
                f"the model on file repeats only {share:.0%} of the answers on record, so that another model gave them"
            )
            raise Unanswerable(WHAT_IF_QUESTION, why)
        return OutcomeModel(ask=asker, by="the model on file")
    stood = fit_surrogate(windows, faults)
    if stood is not None and stood.faithful:
        return _standing_in(stood.scorer)
    if windows.parents:
        following = follower(windows, columns, rng=rng, question=WHAT_IF_QUESTION)
        told = (
            "the causal graph is right, and its laws are those of the reference",
            "what follows from a column in the graph saw its recorded value",
        )
        return OutcomeModel(ask=following, by="laws along the causal graph", assumptions=told)
    said = "" if stood is None else f", and a stand-in repeats only {min(stood.before, stood.now):.0%} of its answers"
    raise Unanswerable(WHAT_IF_QUESTION, f"the case has no model that could be asked again, and no causal graph{said}")


def _standing_in(ask: Scorer) -> OutcomeModel:
    told = f"a stand-in answers as the model does (it repeats {ask.fidelity or 0:.1%} of the variance of answers)"
    return OutcomeModel(ask=ask, by="a stand-in for the model", assumptions=(told,))


def some_of(rows: pd.DataFrame) -> pd.DataFrame:
    """At most `LOOKED_AT` rows, evenly spread."""
    kept = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), LOOKED_AT)).astype(int))
    return rows.iloc[kept]


def former(windows: Windows, rows: Mask) -> OutcomeModel:
    """Outcome model of the reference, for some of the current rows (rollback).

    Raises
    ------
    Unanswerable
        If that model is not known.
    """
    asker = scorer_of(windows)
    if asker is not None and agreement(asker, some_of(windows.reference)) >= SAME:
        also = agreement(asker, some_of(windows.current[rows])) >= SAME
        return OutcomeModel(ask=asker, by="the model on file", assumptions=(NO_OTHER,) if also else ())
    stood = fit_surrogate(replace(windows, model=None))
    rule = rule_of(windows)
    if rule is not None and stood is not None and stood.same and agreement(rule, windows.reference) >= SAME:
        told = ("the scores on record are those that would have been given",)
        return OutcomeModel(ask=rule, by="the threshold of the reference", assumptions=told)
    if stood is not None and stood.before >= FAITHFUL:
        return _standing_in(replace(stood.scorer, fidelity=stood.before))
    why = "no model that gave the answers of the reference is on file, and no stand-in repeats them"
    raise Unanswerable(WHAT_IF_QUESTION, why)
