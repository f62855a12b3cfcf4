"""Columns whose names mean others now, as the outcomes of their rows tell."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.application import mend
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.evidence.followed_relation import followed
from rca.analysis.harm.evidence.outcome_recoding import ROWS, Told, recoded_by_outcome
from rca.analysis.harm.evidence.recorded_outcome import RecordedOutcome, read_outcome
from rca.analysis.harm.rivals.bench import OTHERWISE, Weighing
from rca.arrays import Floats, Places
from rca.methods.boosted_trees import regressor
from rca.tables.columns import as_labels, for_trees, kind_of

MOST = 6
"""Most columns that are asked, those that the model gains most by."""


LEFT = 0.7
"""Share of the evidence against the whole relation that former names may leave; shares have spoken already."""


def recoded_columns(weighing: Weighing, names: Iterable[str]) -> dict[str, ColumnFault]:
    """Categories under whose names other outcomes stand than before, as if they were enumerated anew.

    Parameters
    ----------
    weighing : Weighing
    names : iterable of str
        Columns that are asked; those with an order are left out.

    Returns
    -------
    dict of str to ColumnFault
        Empty where no outcome is on record.
    """
    rows = weighing.windows.reference
    coded = weighing.windows.roles.categorical
    named = [one for one in names if one in weighing.inputs and kind_of(rows[one], coded=one in coded) == "categorical"]
    named = sorted((one for one in named if rows[one].notna().any()), key=lambda one: -weighing.gains.get(one, 0.0))[
        :MOST
    ]
    read = _labelled(weighing) if named else None
    if read is None:
        return {}
    asked = _some(len(read.places[1]))
    wrong = _wrong(weighing, read, asked)
    found = {}
    for name in named:
        values = weighing.windows.current[name].iloc[read.places[1][asked]]
        told = Told.of(values, rows[name], wrong(name))
        ordered = weighing.windows.roles.time is not None
        fault = recoded_by_outcome(name, told, ordered=ordered, rng=weighing.rng(9))
        if fault is not None:
            fault = replace(fault, since=int(read.places[1][asked][fault.since]) if fault.since else 0)
        if fault is not None and _restored(weighing, read, fault):
            found[name] = fault
    return found


def _restored(weighing: Weighing, read: RecordedOutcome, fault: ColumnFault) -> bool:
    """Whether the outcome follows the inputs as before under the former names; another concept has no such map."""
    windows, name = weighing.windows, fault.column
    whole = weighing.follows(weighing.features)
    if whole is None or not whole.telling:
        return True
    mended = read.but(name, mend(fault, windows.current), known=windows.reference[name])
    left = followed(mended.outcome, (*weighing.inputs, *weighing.clock), seed=weighing.seed)
    return left.z < max(OTHERWISE, LEFT * whole.z)


def _labelled(weighing: Weighing) -> RecordedOutcome | None:
    """The true outcome, whatever the metric is about."""
    windows = weighing.windows
    if windows.meter.needs_label or windows.roles.label is None:
        return None if weighing.of_answers else weighing.outcome
    return read_outcome(weighing.timed, windows.roles.label, (*weighing.features, *weighing.clock), rng=weighing.rng(1))


def _some(rows: int) -> Places:
    return np.linspace(0, rows - 1, min(rows, ROWS)).astype(np.intp)


def _wrong(weighing: Weighing, read: RecordedOutcome, asked: Places) -> Callable[[str], Callable[[str], Floats]]:
    """From a column, and a name in it, to the squared error of the model in the rows asked, under that name."""
    truth, asker = read.outcome.targets[1][asked], weighing.asker
    rows = weighing.windows.current.iloc[read.places[1][asked]]
    if asker is not None and asker.fidelity is None and not asker.classes and truth.shape[1] == 1:

        def by_model(column: str) -> Callable[[str], Floats]:
            own = _own(weighing.windows.reference[column])
            like = weighing.windows.reference[column].dtype

            def wrong_of(name: str) -> Floats:
                named = pd.Series([own[name]] * len(rows), index=rows.index).astype(like)
                return np.asarray((truth[:, 0] - asker.score(rows.assign(**{column: named}))) ** 2)

            return wrong_of

        return by_model
    columns = (*weighing.inputs, *weighing.clock)
    before, after = read.outcome.seen(columns)
    fitted = [regressor(rounds=60, leaves=8, rate=0.1).fit(before, y) for y in read.outcome.targets[0].T]

    def by_relation(column: str) -> Callable[[str], Floats]:
        known = weighing.windows.reference[column].iloc[read.places[0]]
        codes, at = dict(zip(as_labels(known), before[:, columns.index(column)], strict=True)), columns.index(column)

        def wrong_of(name: str) -> Floats:
            seen = after[asked].copy()
            seen[:, at] = codes.get(name, np.nan)
            said = np.column_stack([model.predict(for_trees(seen)) for model in fitted])
            return np.asarray(((truth - said) ** 2).sum(axis=1))

        return wrong_of

    return by_relation


def _own(values: "pd.Series[Any]") -> dict[str, Any]:
    """Each name's value in the column's own type."""
    known = values.dropna()
    return {
        str(label): known.iloc[rows[0]]
        for label, rows in pd.Series(as_labels(known)).groupby(as_labels(known)).indices.items()
    }
