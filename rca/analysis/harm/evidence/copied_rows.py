"""Rows written more than once: repeats of a key, or of whole rows that chance does not explain, and what they add.

A key is an id that hardly repeats in the reference; its repeats are copies where most of the row repeats as well, so
that an id that broke makes no copies. Without a key whole rows are compared, but for time. Their repeats are held
against the reference's own, without the columns in which repeated rows have one value: a column that froze lets rows
coincide that were never copied.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from rca.analysis.harm.evidence.paired_parts import both_parts, clustered, counts, standard_error
from rca.analysis.inputs.windows import Windows
from rca.arrays import Mask, Places
from rca.methods.metric import Parts
from rca.tables.columns import as_labels
from rca.tables.condition import Condition
from rca.tables.repeated_rows import Repeats, joint_codes, repeats, value_codes

Both = tuple[Repeats, Repeats]
"""Repeated rows of the reference, and of the current window."""

KEY = 0.02
"""Share of repeated ids in the reference up to which an id is a key."""

CHANCE = 0.1
"""Share of whole rows that repeat by chance up to which rows have content enough to be told apart."""

FEWEST, SURE = 0.01, 4.0
"""Surplus beyond the reference's share, as a share of the rows and in standard errors, from which there are copies."""

TOLD, FEW_VALUES = 0.9, 50
"""Share of the copies that one condition has to hold, and most values of a column that conditions are on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CopiedRows:
    """Rows written more than once, and the metric's change with every row counted once.

    Attributes
    ----------
    by : {'id', 'whole rows'}
    share, reference_share : float
        Surplus copies among the rows of each window.
    keep, reference_keep : ndarray of bool, shape (rows,)
        One row of each set of copies, the first that counts towards the metric; every other row.
    once : Windows
        Both windows without surplus copies.
    where : Condition or None
        What nearly all surplus copies have in common, and other rows have less often.
    change, change_once : float
        Of the metric, current less reference, with the copies and without.
    once_error : float
        Standard error of `change_once`.
    error : float
        Standard error of `taken`: paired by row, sets of copies independent of each other.
    """

    by: Literal["id", "whole rows"]
    share: float
    reference_share: float
    keep: Mask
    reference_keep: Mask
    once: Windows
    where: Condition | None
    change: float
    change_once: float
    once_error: float
    error: float

    @property
    def taken(self) -> float:
        """The part of the change that counting once takes away."""
        return self.change - self.change_once


def copied_rows(windows: Windows) -> CopiedRows | None:
    """Find rows that were written more than once, and the metric's change with each counted once.

    Parameters
    ----------
    windows : Windows

    Returns
    -------
    CopiedRows or None
        None where the current window has no more copies than the reference, or the metric is no number.

    Raises
    ------
    Unanswerable
        If the metric cannot be read.

    Examples
    --------
    >>> from rca.analysis.inputs.windows import windows_from
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"x": rng.normal(size=400), "bad": rng.random(400) < 0.3}) for _ in range(2))
    >>> twice = pd.concat([after, after[after["bad"]]])
    >>> found = copied_rows(windows_from(before, twice, metric={"name": "rate", "column": "bad"}))
    >>> found.by, int((~found.keep).sum()) == int(after["bad"].sum())
    ('whole rows', True)
    """
    if not len(windows.reference) or not len(windows.current):
        return None
    parts = both_parts(windows)
    codes = _codes(windows)
    key = _key(windows, codes)
    content = codes if key is None else codes.drop(columns=str(windows.roles.id))
    found = None if key is None else _by_key(key, content.to_numpy(np.intp), parts)
    if found is not None:
        return _told(windows, parts, found)
    whole = _by_content(content, parts)
    told = None if whole is None else _told(windows, parts, whole)
    return None if told is None else replace(told, by="whole rows")


def _codes(windows: Windows) -> pd.DataFrame:
    """Codes of the values of both windows, but for time and ignored columns.

    An entity has the same values at several times, which are no copies: there the time has to be the same too.
    """
    roles = windows.roles
    left_out = {roles.time if roles.entity is None else None, *roles.ignore} - {roles.id}
    names = [str(name) for name in windows.reference if name in windows.current and name not in left_out]
    return value_codes(windows.reference, windows.current, names)


def _key(windows: Windows, codes: pd.DataFrame) -> Places | None:
    """Codes of the id, where it is a key in the reference."""
    name = windows.roles.id
    if name is None or name not in codes or name == windows.roles.entity:
        return None
    known = codes[name][: len(windows.reference)].loc[lambda ids: ids >= 0]
    return codes[name].to_numpy(np.intp) if len(known) and known.duplicated().mean() <= KEY else None


def _by_key(key: Places, content: Places, parts: tuple[Parts, Parts]) -> Both | None:
    n = len(parts[0])
    sets = np.where(key >= 0, key, np.arange(len(key)) + key.max() + 1)
    before = repeats(sets[:n], counts(parts[0])).unless_otherwise(content[:n])
    after = repeats(sets[n:], counts(parts[1])).unless_otherwise(content[n:])
    return (before, after) if _more(before, after, expected=before.share) else None


def _by_content(codes: pd.DataFrame, parts: tuple[Parts, Parts]) -> Both | None:
    n, sets = len(parts[0]), joint_codes(codes)
    before, after = repeats(sets[:n], counts(parts[0])), repeats(sets[n:], counts(parts[1]))
    if after.share <= max(before.share, FEWEST):
        return None
    repeated = (after.size > 1) & after.keep
    told = [name for name in codes if not _heaped(codes[name].to_numpy(np.intp), n, repeated)]
    by_chance = repeats(joint_codes(codes[told])[:n], counts(parts[0])).share * max(1.0, len(parts[1]) / n)
    return (before, after) if by_chance <= CHANCE and _more(before, after, expected=by_chance) else None


def _heaped(codes: Places, n: int, repeated: Mask) -> bool:
    """Whether rows that repeat have one value of a column far more often than the reference has it."""
    values, held = np.unique(codes[n:][repeated], return_counts=True)
    top, often = values[np.argmax(held)], held.max() / held.sum()
    usual = float(np.mean(codes[:n] == top))
    return bool(often > usual + 0.1 + 3 * np.sqrt(usual * (1 - usual) / held.sum()))


def _more(before: Repeats, after: Repeats, *, expected: float) -> bool:
    excess = after.share - expected
    return excess >= FEWEST and excess > SURE * float(np.hypot(before.error, after.error))


def _told(windows: Windows, parts: tuple[Parts, Parts], both: Both) -> CopiedRows | None:
    weights = [one.keep.astype(float) for one in both]
    change = parts[1].value() - parts[0].value()
    once = parts[1].value(weights[1]) - parts[0].value(weights[0])
    if not np.isfinite([change, once]).all():
        return None
    own = [part.influence(weight) for part, weight in zip(parts, weights, strict=True)]
    paired = [clustered(p.influence() - o, one.sets) for p, o, one in zip(parts, own, both, strict=True)]
    reference = windows.reference[both[0].keep].reset_index(drop=True)
    current = windows.current[both[1].keep].reset_index(drop=True)
    return CopiedRows(
        by="id",
        share=both[1].share,
        reference_share=both[0].share,
        keep=both[1].keep,
        reference_keep=both[0].keep,
        once=replace(windows, reference=reference, current=current),
        where=_where(windows, both[1].keep),
        change=change,
        change_once=once,
        once_error=standard_error(*own),
        error=standard_error(*paired),
    )


def _where(windows: Windows, keep: Mask) -> Condition | None:
    """The condition on one column that sets the surplus copies apart from the rows kept."""
    best, found = 0.1, None
    for name in dict.fromkeys((*windows.roles.groups, *windows.roles.features)):
        labels = pd.Series(as_labels(windows.current[name]) if name in windows.current else [], dtype=object)
        held = labels[~keep].value_counts(normalize=True) if 0 < labels.nunique() <= FEW_VALUES else None
        if held is None or not len(held) or held.iloc[0] < TOLD:
            continue
        apart = float(held.iloc[0]) - float((labels[keep] == held.index[0]).mean())
        if apart > best:
            best, found = apart, Condition(column=name, operator="=", value=str(held.index[0]))
    return found
