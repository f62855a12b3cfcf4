"""Categories that go by other names now, in all rows or in a part of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.drift.univariate import MATERIAL
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.names.partial_recoding import partial_recoding
from rca.analysis.faults.names.renaming import MOST, as_they_were, by_stem, decoded, recoded, renamed, respelled
from rca.analysis.faults.rule import FaultRule, Scene
from rca.analysis.faults.rules.renumbering import relation_of, renumbered, renumbered_from, renumbered_in_part
from rca.analysis.faults.rules.single_value import with_a_name
from rca.arrays import Mask
from rca.tables.column_pair import ColumnPair, read
from rca.tables.columns import kind_of

CODES = 12
"""Distinct values up to which a number may be a code."""


def _in_all_rows(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Categories, and numbers that may be codes, by their spelling, their shares and the other columns."""
    if kind_of(pair.reference, coded=pair.coded) == "categorical":
        told = by_stem(pair)
        known = respelled(pair) or (_marked(pair, told) if told else None)
        return known if known is not None or told else renumbered(pair, scene) or _renamed(pair, scene)
    whole = pair
    while whole.cut is not None:  # few rows of a number have few values
        whole = whole.cut[0]
    return renumbered(pair, scene) or (_renamed(pair, scene) if whole.distinct <= CODES else None)


def _marked(pair: ColumnPair, told: Sequence[tuple[str, str]]) -> ColumnFault | None:
    """Known names that all have a mark now; where some rows have it and others not, there are new values."""
    _, after = pair.known(pair.labels)
    if float(np.isin(after, [was for _, was in told]).mean()) >= MATERIAL:
        return None
    return recoded(pair.name, told, float(np.isin(after, [now for now, _ in told]).mean()), unseen=True)


def _renamed(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Names that changed one for one."""
    if pair.distinct > MOST or not len(pair.current):
        return None
    if scene.late is not None and scene.late.take_turns(pair.name):  # another comes with time, for none that is gone
        return None
    repeats = scene.repeats(pair.name)
    return renamed(pair, relation_of(pair, scene), moved=scene.moved, repeats=repeats)


def _exchanged(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Codes counted anew; codes and flags that mean each other, though none is new."""
    anew = renumbered_from(pair, scene)
    if anew is not None:
        return anew
    if kind_of(pair.reference, coded=pair.coded) == "categorical" and (told := by_stem(pair)):
        return _marked(pair, told)
    if pair.distinct > CODES or read(pair.reference, pair.current).note:  # 1 for True is no other word
        return None
    return None if pair.name not in scene.moved and _rounded(pair) else _renamed(pair, scene)


def _rounded(pair: ColumnPair) -> bool:
    """Whether numbers that did not move are spelled otherwise: then by less than can matter, and as no other code."""
    if not pair.ordered:
        return False
    if pair.reference.dtype == pair.current.dtype and np.isin(pair.known(pair.numbers)[1], pair.numbers[0]).all():
        return False  # one number of a type has one spelling
    before, after = pair.known(pair.labels)
    return len(after) > 0 and float((~pd.Series(after).isin(before)).mean()) >= MATERIAL


def _mixed(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Codes that mean each other, or are numbered anew, in a part of the rows."""
    if (anew := renumbered_in_part(pair, scene)) is not None:
        return anew
    if pair.distinct > CODES or scene.contingency is None or pair.name not in scene.moved:
        return None
    return partial_recoding(pair, scene.contingency, moved=scene.moved, repeats=scene.repeats(pair.name))


def _recoded(fault: ColumnFault, rows: pd.DataFrame, struck: Mask) -> "pd.Series[Any]":
    if not fault.recoding:
        return rows[fault.column]
    back = replace(fault, recoding=tuple((was, now) for now, was in fault.recoding))
    values = rows[fault.column]
    return values.astype(object).mask(struck, decoded(back, values).astype(object))


RECODED = FaultRule(
    kind="recoded",
    clause="{name} was coded otherwise",
    check="how often each of its codes comes",
    detect={"everywhere": _in_all_rows, "by_relation": _exchanged, "mixed": _mixed},
    affected=with_a_name,
    undo=as_they_were,
    inject=_recoded,
    dated_by="likeness",
)
