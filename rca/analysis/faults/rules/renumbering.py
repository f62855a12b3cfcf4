"""Codes numbered anew: an encoder fitted where a level was absent, or a new one had come, so that later codes moved.

Of codes counted in the order of their levels, all after a missing one stand for the next, and the last ones are gone.
Which level is missing, the shares of the others tell, and what other columns hold beside each code.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.contingency import Contingency, contingency_of
from rca.analysis.faults.names.renaming import WITNESSES, witnesses
from rca.analysis.faults.rule import Scene
from rca.arrays import Counts, Floats, Mask, Places
from rca.methods.two_sample_tests import chi_square
from rca.tables.column_pair import ColumnPair

LEVELS = 60
"""Levels up to which numbers may be codes."""

MOVES = (-2, -1, 1, 2)
"""Levels that may have come in, or gone."""

FEW = 12
"""Levels up to which whole numbers that all moved by one are codes counted from another number."""

WAYS = 2
"""Numberings that are named where several are likely."""

MIN_ROWS = 100
"""Rows of each window below which nothing is said."""

GONE = 10.0
"""Rows that the last codes would have had, from which they are gone if hardly any has them; as many show a new one."""

STRAY = 0.002
"""Share of the rows that may hold a code that the numbering does not have."""

AGREES = 1e-3
"""p-value down to which the codes are as common as those that they stand for."""

SURELY = 1e-6
"""p-value below which they are not as common as they were under their own names."""

CLEARLY = 5.0
"""Log likelihood by which one numbering has to be better than any other, and than shares that moved at will."""

BEYOND_DOUBT = 10.0
"""Log likelihood by which it has to be better than the last levels having gone, or new ones having come."""

EXPECTED = 5.0
"""Rows of a code below which it counts with the other rare ones."""

VISIBLE = 0.05
"""Share of the rows in codes that moved, from which it is a fault."""

NEVER = 4.6
"""Rows that would be expected to show a code, from which it is no chance that none does: 1 %."""

AXES = 2
"""Scores of a witness that are asked."""

STANDS_OUT = 4.0
"""Of rows and columns of a table together: power from which a score tells codes apart; noise makes half of it."""

NARROW = 0.05
"""Smallest variance of a score beside one code; of all codes it is one."""

MOST = 8.0
"""Log likelihood that a score beside one code can cost: that of a column that broke costs it beside all."""

FEWEST_CODES = 5
"""Codes from which their shares alone can tell that a part of the rows is numbered anew."""

PARTS = np.arange(0.05, 0.96, 0.05)
"""Shares of the rows that may be."""

UNKNOWN = -1
"""Place of the level that a code of a new one stands for."""


@dataclass(frozen=True, kw_only=True)
class _Coded:
    """A column's codes, in order, and how often each comes.

    Attributes
    ----------
    levels : ndarray of float, shape (levels,)
        Codes of the reference, then up to two that only the current window has.
    known : int
        Of these, how many the reference has.
    before, after : ndarray of float, shape (levels,)
        Rows of each window that have them; those that repeat others count as a part of one.
    beside : ndarray of shape (levels, levels)
        Log likelihood of what other columns hold beside a code now, did it stand for another; 0 where none is asked.
    """

    levels: Floats
    known: int
    before: Floats
    after: Floats
    beside: Floats

    @property
    def rows(self) -> float:
        return float(self.after.sum())


@dataclass(frozen=True, kw_only=True)
class _Numbering:
    """For each current code in order the place of the level it stands for, and how likely the current rows are so."""

    stands_for: Places
    likelihood: float

    @property
    def moved(self) -> Places:
        """Places of the codes that stand for others."""
        own = np.arange(len(self.stands_for))
        return np.flatnonzero((self.stands_for != own) & (self.stands_for != UNKNOWN))


def renumbered(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Name codes that were counted anew without one or two levels, or with one or two new ones.

    Parameters
    ----------
    pair : ColumnPair
        Of whole numbers.
    scene : Scene

    Returns
    -------
    ColumnFault or None
        `recoded`, with what each code that moved stands for; None where codes are as common as they were, another
        numbering explains them as well, or shares that moved at will do.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = (rng.choice(6, 3000, p=[0.1, 0.2, 0.3, 0.05, 0.15, 0.2]) for _ in range(2))
    >>> now = after[after != 1]
    >>> pair = ColumnPair(reference=pd.Series(before), current=pd.Series(np.where(now > 1, now - 1, now)))
    >>> first, second = pair.reference.to_frame(), pair.current.to_frame()
    >>> scene = Scene(reference=first, current=second, codes=frozenset(), names=(), moved=frozenset(), ordered=False)
    >>> print(renumbered(pair, scene).evidence)
    in 87% of the rows 1 stands for 2, 2 stands for 3, 3 stands for 4, …, as if numbered anew without 1
    """
    coded = _moved(pair, scene, unsure=scene.unsure)
    if coded is None or next(_numberings(coded), None) is None:
        return None
    coded = replace(coded, beside=_beside(pair, scene, coded.levels))
    tried = sorted(_numberings(coded), key=lambda one: -one.likelihood)
    likely = [one for one in tried if one.likelihood > tried[0].likelihood - CLEARLY]
    plain = max((one.likelihood for one in tried if not len(one.moved)), default=-np.inf)
    if tried[0].likelihood < plain + BEYOND_DOUBT or not _explains(coded, tried[0], number=len(tried)):
        return None
    return _named(pair.name, coded, likely)


def renumbered_from(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Name codes that were counted anew from the row on after which the last ones come no more, or new ones come.

    Returns
    -------
    ColumnFault or None
        As `renumbered` has it, with its first row. Where a level had been absent for longer than that, nothing else
        dates it.
    """
    if not _may_be_codes(pair):
        return None
    values = pair.numbers
    levels = np.unique(values[0][np.isfinite(values[0])])
    if not scene.ordered or not 3 <= len(levels) <= LEVELS:
        return renumbered(pair, scene)
    found = renumbered(pair, scene) or _from(pair, scene, values[1] > levels[-1], begin=True)
    gone = (np.isin(values[1], levels[-count:]) for count in (1, 2))
    return found or next((one for mask in gone if (one := _from(pair, scene, mask, begin=False)) is not None), None)


def _from(pair: ColumnPair, scene: Scene, telling: Mask, *, begin: bool) -> ColumnFault | None:
    """The fault from the first row that holds one of some codes on, or from the last one; as near as these come."""
    places, rows = np.flatnonzero(telling), len(telling)
    start = 0 if not len(places) else int(places[0]) if begin else int(places[-1]) + 1
    if not 0 < start < rows:
        return None
    part = scene.since(start, unsure=0)
    found = renumbered(part.pair(pair.name), part)
    if found is None:
        return None
    near = int(np.ceil(NEVER / (telling[start:] if begin else telling[:start]).mean()))
    interval = (max(0, start - near), start) if begin else (start, min(rows - 1, start + near))
    return replace(found, share=found.share * (rows - start) / rows, since=start, since_interval=interval)


def renumbered_in_part(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Name codes that were counted anew without a level in a part of the rows, as their shares alone tell.

    With Q the reference's shares without the level a, and Q' the same moved down by one from there on, the current
    shares are ``(1 - p) Q + p Q'``; p by least chi-squared. That has to fit, and far better than the level having gone,
    and than any one code having come more or less often.

    Returns
    -------
    ColumnFault or None
        `recoded`, without a map by row: which rows were hit the values do not show.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = (rng.choice(6, 3000, p=[0.1, 0.2, 0.3, 0.05, 0.15, 0.2]) for _ in range(2))
    >>> now = after[after != 1]
    >>> now = np.where((now > 1) & (rng.random(len(now)) < 0.4), now - 1, now)
    >>> pair = ColumnPair(reference=pd.Series(before), current=pd.Series(now))
    >>> first, second = pair.reference.to_frame(), pair.current.to_frame()
    >>> scene = Scene(reference=first, current=second, codes=frozenset(), names=(), moved=frozenset(), ordered=False)
    >>> print(renumbered_in_part(pair, scene).evidence)
    in some 40% of the rows codes are numbered anew without 1
    """
    from scipy.special import chdtrc

    coded = _moved(pair, scene, unsure=0)
    if coded is None or len(coded.levels) > coded.known or coded.known < FEWEST_CODES:
        return None
    before, after = coded.before + 0.5, coded.after
    usual = before / before.sum()
    fits = [(_misfit(before, after, _moved_down(usual, gone, part)), gone, part)
            for gone in range(coded.known - 1) for part in PARTS]  # fmt: skip
    left, gone, part = min(fits)
    others = [_misfit(before, after, _moved_down(usual, gone, 0.0))]
    others += [_misfit(before, after, _one_otherwise(usual, after, at)) for at in range(coded.known)]
    hit = float(part * usual[gone + 1 :].sum() / (1 - usual[gone]))
    if chdtrc(coded.known - 2, left) < AGREES or min(others) - left < 2 * CLEARLY or hit < VISIBLE:
        return None
    words = f"in some {part:.0%} of the rows codes are numbered anew without {coded.levels[gone]:g}"
    return ColumnFault(column=pair.name, fault="recoded", share=1.0, evidence=words)


def _moved_down(usual: Floats, gone: int, part: float) -> Floats:
    """Shares of codes where one level is gone, and a part of the rows counts the later ones from one less."""
    left = usual.copy()
    left[gone] = 0.0
    left /= left.sum()
    moved = np.concatenate([left[:gone], left[gone + 1 :], [0.0]])
    return np.asarray((1 - part) * left + part * moved)


def _one_otherwise(usual: Floats, after: Floats, at: int) -> Floats:
    """Shares of codes where one comes as often as it does now, and the others are as common among themselves."""
    share = float(after[at] / after.sum())
    told = usual * (1 - share) / (1 - usual[at])
    told[at] = share
    return np.asarray(told)


def _misfit(before: Floats, after: Floats, expected: Floats) -> float:
    """Chi-squared of current codes beside what is expected of them, which the reference knows no better than it can."""
    would = np.maximum(expected * after.sum(), 0.5)
    return float(((after - would) ** 2 / (would * (1 + after.sum() / before.sum()))).sum())


def relation_of(pair: ColumnPair, scene: Scene) -> Contingency:
    """Both windows on cells, of the columns that are asked what a code means."""
    if scene.contingency is not None:
        return scene.contingency
    asked = _witnesses(pair.name, scene.names, scene)
    return contingency_of(scene.reference, scene.current, columns=asked, categorical=scene.codes, conditioned=False)


# -- the codes ---------------------------------------------------------------------------------------------------------


def _moved(pair: ColumnPair, scene: Scene, *, unsure: int) -> _Coded | None:
    """The codes that surely are not as common as they were; rows that repeat others count as parts of one."""
    coded = _coded(pair, unsure=unsure)
    if coded is None or _homogeneous(coded.before, coded.after) >= SURELY:
        return None
    repeats = scene.repeats(pair.name)
    coded = replace(coded, before=coded.before / repeats, after=coded.after / repeats)
    return coded if _homogeneous(coded.before, coded.after) < SURELY else None


def _coded(pair: ColumnPair, *, unsure: int) -> _Coded | None:
    if not _may_be_codes(pair):
        return None
    values = pair.numbers[0], pair.numbers[1][unsure:]
    known = [one[np.isfinite(one)] for one in values]
    if min(map(len, known)) < MIN_ROWS or any((one != np.round(one)).any() for one in known):
        return None
    levels, now = np.unique(known[0]), np.unique(known[1])
    new = now[now > levels[-1]]
    if not 3 <= len(levels) <= LEVELS or len(new) > max(MOVES):
        return None
    all_levels = np.concatenate([levels, new])
    before, after = (_counts(one, all_levels) for one in known)
    if len(known[1]) - after.sum() > STRAY * len(known[1]):
        return None
    nothing = np.zeros((len(all_levels), len(all_levels)))
    return _Coded(levels=all_levels, known=len(levels), before=before, after=after, beside=nothing)


def _may_be_codes(pair: ColumnPair) -> bool:
    both = pair.reference, pair.current
    return all(pd.api.types.is_numeric_dtype(one) and not pd.api.types.is_bool_dtype(one) for one in both)


def _counts(values: Floats, levels: Floats) -> Floats:
    places = np.minimum(np.searchsorted(levels, values), len(levels) - 1)
    return np.bincount(places[levels[places] == values], minlength=len(levels)).astype(float)


def _beside(pair: ColumnPair, scene: Scene, levels: Floats) -> Floats:
    """Log likelihood, up to a constant, that what other columns hold beside a code is as beside one of the reference.

    Witnesses repeat each other.
    """
    laid = relation_of(pair, scene)
    asked = _witnesses(pair.name, laid.cells, scene)
    hot = [
        (one[rows][:, None] == levels[None, :]).astype(np.float32)
        for one, rows in zip(pair.numbers, laid.rows, strict=True)
    ]
    repeats = scene.repeats(pair.name)
    tables = [
        tuple((own.T @ cells).astype(float) / repeats for own, cells in zip(hot, laid.cells[name], strict=True))
        for name in asked
    ]
    told = [one for before, after in tables for one in _told(before, after)]
    return np.asarray(sum(told, np.zeros((len(levels), len(levels)))) / max(1, len(told)) ** 0.5)


def _witnesses(column: str, names: Iterable[str], scene: Scene) -> list[str]:
    """Columns that did not move, then those that did: where a level is absent, what goes with it moves."""
    first, second = witnesses(column, names, moved=scene.moved), witnesses(column, names, moved=())
    return list(dict.fromkeys([*first, *second]))[:WITNESSES]


def _told(before: Floats, after: Floats) -> Iterator[Floats]:
    """What one witness tells of each code now and each code then: how far its mean score beside the two is apart.

    Its cells have the scores that tell the codes of the reference apart best; noise has none that stand out.

    References
    ----------
    Greenacre (1984), Theory and Applications of Correspondence Analysis, section 4.1.
    """
    rows, cells = before.sum(axis=1, keepdims=True), before.sum(axis=0, keepdims=True)
    total = max(before.sum(), 1.0)
    expected = np.maximum(rows @ cells / total, 1e-9)
    _, sizes, axes = np.linalg.svd((before - expected) / np.sqrt(expected * total), full_matrices=False)
    for size, axis in zip(sizes[:AXES], axes[:AXES], strict=True):
        if total * size**2 < STANDS_OUT * sum(before.shape):
            return
        score = axis / np.sqrt(np.maximum(cells[0], 1.0) / total)
        (mean, spread), (now, _) = _moments(before, score), _moments(after, score)
        error = spread[None, :] * (
            1 / np.maximum(before.sum(axis=1), 1)[None, :] + 1 / np.maximum(after.sum(axis=1), 1)[:, None]
        )
        yield -np.minimum((now[:, None] - mean[None, :]) ** 2 / error / 2, MOST)


def _moments(table: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of a score beside each code."""
    rows = np.maximum(table.sum(axis=1), 1.0)
    mean = table @ score / rows
    return mean, np.maximum(table @ score**2 / rows - mean**2, NARROW)


def _alike(before: Floats, after: Floats) -> Floats:
    """Log likelihood ratio of two windows having the same shares, over the last axis, against any two shares."""
    return np.asarray(_free(before + after) - _free(before) - _free(after))


def _free(counts: Floats) -> Floats:
    """Log likelihood of counts under their own shares, over the last axis."""
    total = np.maximum(counts.sum(axis=-1, keepdims=True), 1.0)
    return np.asarray((counts * np.log(np.where(counts > 0, counts, 1.0) / total)).sum(axis=-1))


def _homogeneous(before: Floats, after: Floats) -> float:
    """p-value of both windows having the same shares; codes that few rows have count together."""
    both = np.vstack([before, after])
    few = both.sum(axis=0) * both.sum(axis=1).min() / max(both.sum(), 1) < EXPECTED
    merged: Counts = np.column_stack([both[:, ~few], both[:, few].sum(axis=1)]).astype(np.int64)
    return chi_square(merged)[1]


# -- the numberings ----------------------------------------------------------------------------------------------------


def _numberings(coded: _Coded) -> Iterator[_Numbering]:
    """Every order-keeping numbering that the last codes allow; also those under which the last ones are only gone."""
    for move in MOVES:
        if move > 0 and coded.known == len(coded.levels) and _only_gone(coded, move):
            for gone in combinations(range(coded.known), move):
                yield _numbering(coded, np.delete(np.arange(coded.known), gone))
        if move < 0 and len(coded.levels) - coded.known == -move and coded.after[move:].min() >= GONE:
            for new in combinations(range(len(coded.levels)), -move):
                if coded.after[list(new)].min() >= GONE or _begins_later(coded, new):
                    yield _numbering(coded, _with_new(coded, new))


def _only_gone(coded: _Coded, count: int) -> bool:
    """Whether the last codes, as many as those, would have had rows, and have none."""
    would = coded.before[-count:].sum() / coded.before.sum() * coded.rows
    return bool(would >= GONE and coded.after[-count:].sum() <= STRAY * coded.rows)


def _begins_later(coded: _Coded, new: tuple[int, ...]) -> bool:
    """Whether the new levels are the first ones, and no row has them: codes are counted from a later number on."""
    return coded.known <= FEW and new[-1] == len(new) - 1 and not coded.after[list(new)].any()


def _with_new(coded: _Coded, new: tuple[int, ...]) -> Places:
    places = np.full(len(coded.levels), UNKNOWN)
    places[np.setdiff1d(np.arange(len(coded.levels)), new)] = np.arange(coded.known)
    return places


def _numbering(coded: _Coded, stands_for: Places) -> _Numbering:
    """Shares of the levels kept are in proportion to what they were; a new level may have any share."""
    kept = np.flatnonzero(stands_for != UNKNOWN)
    shares = _alike(coded.before[stands_for[kept]], coded.after[kept])
    return _Numbering(stands_for=stands_for, likelihood=float(shares + coded.beside[kept, stands_for[kept]].sum()))


def _explains(coded: _Coded, best: _Numbering, *, number: int) -> bool:
    """Whether a numbering, of so many tried, leaves nothing but chance, and shares that moved at will say no more.

    Shares at will, of the codes that moved, have a parameter each: by Schwarz's criterion it costs half the log of the
    rows. They leave the meaning of codes what it was, of which the other columns know.
    """
    moved, kept = best.moved, np.flatnonzero(best.stands_for != UNKNOWN)
    if not len(moved) or coded.after[moved].sum() < VISIBLE * coded.rows:
        return False
    before, after = coded.before[best.stands_for[kept]], coded.after[kept]
    if _homogeneous(before, after) < AGREES:
        return False
    effective = 1 / (1 / max(before.sum(), 1) + 1 / max(after.sum(), 1))
    stayed = np.diag(coded.beside)[: min(coded.known, len(best.stands_for))]
    gained = best.likelihood - float(stayed.sum())
    return bool(min(len(moved), len(kept) - 1) / 2 * np.log(effective) + gained - np.log(number) >= CLEARLY)


def _named(column: str, coded: _Coded, likely: Sequence[_Numbering]) -> ColumnFault | None:
    """The fault with what codes stand for, as far as all likely numberings agree."""
    best = likely[0].stands_for
    if any(len(one.stands_for) != len(best) for one in likely):
        return None
    agreed = np.all([one.stands_for == best for one in likely], axis=0)
    moved = [int(place) for place in likely[0].moved if agreed[place]]
    share = float(coded.after[moved].sum() / coded.rows)
    if share < VISIBLE:
        return None
    names = [f"{level:.0f}" for level in coded.levels]
    pairs = [(names[place], names[int(best[place])]) for place in moved]
    said = ", ".join(f"{now} stands for {was}" for now, was in pairs[:3]) + (", …" if len(pairs) > 3 else "")
    ways = list(dict.fromkeys(_anew(coded, one.stands_for, names) for one in likely))
    anew = " or ".join(ways[:WAYS]) + (" …" if len(ways) > WAYS else "")
    return ColumnFault(
        column=column,
        fault="recoded",
        share=share,
        evidence=f"in {share:.0%} of the rows {said}, as if numbered anew {anew}",
        recoding=tuple(pairs),
    )


def _anew(coded: _Coded, stands_for: Places, names: list[str]) -> str:
    """Which levels a numbering is without, or has come to."""
    places = np.flatnonzero(stands_for == UNKNOWN)
    if len(places) and not coded.after[places].any():
        return f"from {names[len(places)]} on"
    new = [names[place] for place in places]
    gone = [names[place] for place in np.setdiff1d(np.arange(coded.known), stands_for)]
    return f"with a new {' and '.join(new)}" if new else f"without {' and '.join(gone)}"
