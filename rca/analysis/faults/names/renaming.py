"""One-to-one maps of category names: spelled otherwise, renamed, renumbered, or exchanged; by maximum likelihood."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.contingency import Contingency
from rca.arrays import Floats, Labels, Mask
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_labels

MOST = 40
"""Categories up to which it is asked which is which."""

SMALL = 0.005
"""Share of the rows below which a category is left out of that question."""

MIN_LOG_LIKELIHOOD = 10.0
"""Log likelihood by which a map has to be better than the next, and than none."""

WITNESSES = 12
"""Other columns that are asked; the first ones that did not move."""

MANY = 4
"""Names that mean each other, from which their shares alone may say so; two or three may trade places in the world."""

AGREES = 0.99
"""Quantile of chance within which the shares of names have to be what they were under their other names."""

MOVED = 0.999
"""Quantile of chance beyond which a witness moved by itself."""

ERRORS = 3.0
"""Standard errors within which the share of one name has to be what it was."""

USUAL = 1.5
"""Deviance, in units of what chance makes, up to which the rows of two names are alike."""

VISIBLE = 0.05
"""Share of rows from which a fault counts as one."""

TRUTH = {"true": "1", "t": "1", "yes": "1", "y": "1", "false": "0", "f": "0", "no": "0", "n": "0"}
"""Spellings of yes and no."""


NEARLY, SHORTEST_STEM, LONGEST_NAME = 0.9, 2, 200
"""Share of the rows with a new name that have to be told by their stem; letters of a stem; letters that are read."""


def respelled(pair: ColumnPair) -> ColumnFault | None:
    """Names never seen before that are known ones in other letters, spaces, encodings or digits.

    Examples
    --------
    >>> before, after = pd.Series(["car", "boat"] * 50), pd.Series(["CAR ", "boat"] * 50)
    >>> print(respelled(ColumnPair(reference=before, current=after)))
    None: recoded (in 50% of the rows CAR  stands for car)
    """
    before, after = pair.known(pair.labels)
    known, after = set(before), pd.Series(after, dtype=object)
    counts = after[~after.isin(known)].value_counts()
    if not len(counts) or counts.sum() < VISIBLE * len(after):
        return None
    meant = _by_normal_form(known)
    pairs = [(str(name), meant[form]) for name in counts.index if (form := normal_form(str(name))) in meant]
    mapped = int(counts[[name for name, _ in pairs]].sum())
    if mapped < max(VISIBLE * len(after), 0.9 * counts.sum()):
        return None
    return recoded(pair.name, pairs, mapped / len(after), unseen=True)


def by_stem(pair: ColumnPair) -> tuple[tuple[str, str], ...]:
    """Names never seen before that are known ones with a mark before or after, and the name each stands for.

    Empty unless nearly all rows with a new name are told so, and the known names come less often by as much.

    Examples
    --------
    >>> before, after = pd.Series(["car", "boat"] * 50), pd.Series(["car_v2", "car_v2", "car", "boat", "boat"] * 20)
    >>> by_stem(ColumnPair(reference=before, current=after))
    (('car_v2', 'car'),)
    """
    labels = pair.known(pair.labels)
    if set(labels[1]) <= set(labels[0]):
        return ()
    before, after = (pd.Series(one, dtype=object) for one in labels)
    usual, now = before.value_counts(normalize=True), after.value_counts(normalize=True)
    meant = _by_normal_form(set(before))
    told = {str(name): stem for name in now.index.difference(usual.index) if (stem := _stem(str(name), meant))}
    new, mapped = float(now[now.index.difference(usual.index)].sum()), float(now[list(told)].sum())
    stems = set(told.values())
    lost = sum(max(0.0, float(usual[stem]) - float(now.get(stem, 0.0))) for stem in stems)
    return tuple(told.items()) if told and mapped >= NEARLY * new and lost >= mapped / 2 else ()


def _stem(name: str, meant: Mapping[str, str]) -> str | None:
    """The longest known name that a name begins or ends with, apart from the rest by what is no letter or digit."""
    form = normal_form(name)[:LONGEST_NAME]
    cuts = [at for at, letter in enumerate(form) if not letter.isalnum()]
    parts = [part for at in cuts for part in (form[:at], form[at + 1 :])]
    able = [part for part in parts if len(part) >= SHORTEST_STEM and part in meant]
    return meant[max(able, key=len)] if able else None


def normal_form(label: str) -> str:
    """What stays of a name whatever its case, accents' encoding, spaces, separators, and leading zeros.

    >>> normal_form(" Señor_B "), normal_form("SeÃ±or b"), normal_form("007"), normal_form("7.0")
    ('señor b', 'señor b', '7', '7')
    """
    text = unicodedata.normalize("NFKC", _decoded_once(label)).casefold()
    text = " ".join(text.replace("_", " ").replace("-", " ").split()) if text.strip(" -_") else text.strip()
    number = pd.to_numeric(label.strip(), errors="coerce")
    if np.isfinite(number):
        return f"{float(number):.12g}"
    return TRUTH.get(text, text)


def _decoded_once(label: str) -> str:
    """UTF-8 that was read as Latin-1, read as UTF-8."""
    try:
        return label.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return label


def _by_normal_form(known: set[Any]) -> dict[str, str]:
    """Known names by their normal form, where no two share one."""
    forms: dict[str, list[str]] = {}
    for name in sorted(map(str, known)):
        forms.setdefault(normal_form(name), []).append(name)
    return {form: names[0] for form, names in forms.items() if len(names) == 1}


@dataclass(frozen=True, kw_only=True)
class _Ballot:
    """How well each current name fits each former one.

    Attributes
    ----------
    now, was : ndarray of object
        The names in the current window and in the reference.
    shares : (ndarray, ndarray)
        Of the rows.
    by_share, by_others : ndarray of shape (now, was)
        Log likelihood of the rows that hold a name, had it been another: of their number, and of the cells that they
        lie in elsewhere.
    surprise : ndarray of shape (now, was)
        Deviance of the cells beside a current name from those beside a former one, in units of what chance makes.
    rows : (int, int)
    unseen : ndarray of bool, shape (now,)
        Which current names the reference never had, be it ever so rarely.
    """

    now: Labels
    was: Labels
    shares: tuple[Floats, Floats]
    by_share: Floats
    by_others: Floats
    surprise: Floats
    rows: tuple[int, int]
    unseen: Mask

    @property
    def fit(self) -> Floats:
        return self.by_share + self.by_others


def renamed(pair: ColumnPair, laid: Contingency, *, moved: Collection[str], repeats: float = 1.0) -> ColumnFault | None:
    """The one-to-one map of names under which a column agrees with its past, if shares or other columns tell it.

    Names that are new are matched with names that are gone; names that stayed are exchanged only if the other columns
    say so, as shares alone may move in the world. Maximum likelihood over all maps is an assignment problem.

    Parameters
    ----------
    pair : ColumnPair
        The column in the rows that `laid` was made of.
    laid : Contingency
    moved : collection of str
        Columns whose relation to this one is no witness.
    repeats : float
        How many rows say as much of the column as one does that no row before it resembles.

    Returns
    -------
    ColumnFault or None
        None where no map explains the column, or two would explain it as well.
    """
    ballot = _ballot(pair, laid, moved=moved, repeats=repeats)
    if ballot is None:
        return None
    unseen = ballot.unseen
    column = pair.name
    if not unseen.any():
        return _exchanged(column, ballot, shifted=column in moved)
    if ballot.shares[1][unseen].sum() < VISIBLE:
        return None
    return _matched(column, ballot, unseen) or _renumbered(column, ballot) or _mingled(column, ballot, unseen)


def witnesses(column: str, names: Iterable[str], *, moved: Collection[str]) -> list[str]:
    """Columns that are asked what a name means: the first ones that did not move."""
    return [name for name in names if name != column and name not in moved][:WITNESSES]


def _ballot(pair: ColumnPair, laid: Contingency, *, moved: Collection[str], repeats: float) -> _Ballot | None:
    asked = witnesses(pair.name, laid.cells, moved=moved)
    windows = [
        _side(labels[rows], [laid.cells[name][i] for name in asked], repeats=repeats)
        for i, (labels, rows) in enumerate(zip(pair.labels, laid.rows, strict=True))
    ]
    if windows[0] is None or windows[1] is None:
        return None
    (was, before, known), (now, after, seen) = windows[0], windows[1]
    own = sum((_entropy(table) for table in seen), np.zeros(len(now)))
    freedom = max(1, sum(table.shape[1] - 1 for table in seen))
    stayed = pd.Series(after, index=now).reindex(was, fill_value=0.0).to_numpy(float)
    usual = [_expected(*tables, mixes=(before, stayed)) for tables in zip(known, seen, strict=True)]
    others = sum(
        (table @ np.log(share).T for table, share in zip(seen, usual, strict=True)), np.zeros((len(now), len(was)))
    )
    return _Ballot(
        now=now,
        was=was,
        shares=(before / before.sum(), after / after.sum()),
        by_share=after[:, None] * np.log(before / before.sum())[None, :],
        by_others=others / max(1, len(asked)) ** 0.5,  # witnesses repeat each other
        surprise=2 * (own[:, None] - others) / freedom / (1 + after[:, None] / before[None, :]),
        rows=(int(before.sum()), int(after.sum())),
        unseen=~np.isin(now, pair.known(pair.labels)[0]),
    )


def _expected(known: Floats, seen: Floats, *, mixes: Sequence[Any]) -> Floats:
    """Shares of a witness's cells beside each name, as before; where the witness moved by itself, moved alike for all.

    By itself is what no mix of the names explains: neither the former one nor that of the names as they are now.
    """
    from scipy.stats import chi2

    shares = (known + 0.5) / (known + 0.5).sum(axis=1, keepdims=True)
    now, rows = seen.sum(axis=0) + 0.5, float(seen.sum() + 0.5 * seen.shape[1])
    told = [np.maximum(mix @ shares / max(float(mix.sum()), 1e-9), 1e-9) for mix in mixes if mix.sum()]
    expected = min(told, key=lambda one: float(now @ np.log(now / rows / one)))
    spread = rows * expected * (1 + rows / max(float(known.sum()), 1.0))
    if float(((now - rows * expected) ** 2 / spread).sum()) < chi2.ppf(MOVED, len(now)):
        return np.asarray(shares)
    tilted = shares * (now / rows / expected)
    return np.asarray(tilted / tilted.sum(axis=1, keepdims=True))


def _entropy(table: Floats) -> Floats:
    """Log likelihood of each row of counts under its own shares."""
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return np.asarray((table * np.log(np.where(table > 0, shares, 1.0))).sum(axis=1))


def _side(labels: Labels, witnesses: list[Any], *, repeats: float) -> tuple[Labels, Floats, list[Floats]] | None:
    """Names, their counts, and for each witness those of its cells beside each; rows that repeat others count less."""
    codes, names = pd.factorize(pd.Index(labels, dtype=object), sort=True)
    counts = np.bincount(codes[codes >= 0], minlength=len(names)).astype(float)
    kept = np.flatnonzero(counts >= SMALL * max(len(labels), 1))
    if not 2 <= len(kept) <= MOST:
        return None
    hot = (codes[:, None] == kept[None, :]).astype(np.float32)
    return (
        np.asarray(names[kept], dtype=object),
        counts[kept] / repeats,
        [(hot.T @ one).astype(float) / repeats for one in witnesses],
    )


def _matched(column: str, ballot: _Ballot, unseen: Mask) -> ColumnFault | None:
    """New names for names that are gone."""
    gone = ~np.isin(ballot.was, ballot.now)
    if unseen.sum() != gone.sum():
        return None
    order, margin = _assigned(ballot.fit[np.ix_(unseen, gone)])
    was = np.flatnonzero(gone)[order]
    if not _alike(ballot, np.flatnonzero(unseen), was):
        return None
    if len(was) == 1 and not _only_one(ballot, unseen, was):
        return None
    pairs = list(zip(map(str, ballot.now[unseen]), map(str, ballot.was[was]), strict=True))
    share = float(ballot.shares[1][unseen].sum())
    return (
        recoded(column, pairs, share, unseen=True) if margin >= MIN_LOG_LIKELIHOOD else _ambiguous(column, pairs, share)
    )


def _alike(ballot: _Ballot, now: Any, was: Any) -> bool:
    """Whether every name is as common as the one that it would stand for."""
    from scipy.stats import chi2

    before, after = ballot.shares[0][was], ballot.shares[1][now]
    error = np.sqrt(before * (1 - before) * (1 / ballot.rows[0] + 1 / ballot.rows[1]))
    return bool(((after - before) ** 2 / error**2).sum() <= chi2.ppf(AGREES, len(before)))


def _only_one(ballot: _Ballot, unseen: Mask, was: Any) -> bool:
    """Whether the other columns, too, take a single new name for the one that is gone, rather than for any."""
    fits = ballot.by_others[unseen][0]
    return bool(np.delete(fits, was).max() <= fits[was[0]] - MIN_LOG_LIKELIHOOD)


def _renumbered(column: str, ballot: _Ballot) -> ColumnFault | None:
    """Names of which some are new and some are known ones that mean others now, as when codes count from 0."""
    if len(ballot.now) != len(ballot.was):
        return None
    order, margin = _assigned(ballot.fit)
    changed = ballot.now != ballot.was[order]
    if changed.sum() < MANY or margin < MIN_LOG_LIKELIHOOD / 2 or not _alike(ballot, np.arange(len(order)), order):
        return None
    pairs = [(str(ballot.now[i]), str(ballot.was[order[i]])) for i in np.flatnonzero(changed)]
    return recoded(column, pairs, float(ballot.shares[1][changed].sum()), unseen=False)


def _mingled(column: str, ballot: _Ballot, unseen: Mask) -> ColumnFault | None:
    """New names beside the known ones that they stand for, in a part of the rows, as the other columns tell."""
    if not 2 <= unseen.sum() <= len(ballot.was):
        return None
    order, margin = _assigned(ballot.by_others[unseen])
    both = pd.Series(ballot.shares[1], index=np.where(unseen, "", ballot.now)).drop("", errors="ignore")
    added = pd.Series(ballot.shares[1][unseen], index=ballot.was[order])
    total = both.add(added, fill_value=0.0).reindex(ballot.was, fill_value=0.0).to_numpy()
    was = ballot.shares[0]
    error = np.sqrt(was * (1 - was) * (1 / ballot.rows[0] + 1 / ballot.rows[1]))
    fits = ballot.by_others[unseen]
    chosen = np.arange(len(order)), order
    others = fits.copy()
    others[chosen] = -np.inf
    clear = (fits[chosen] - others.max(axis=1)).min() >= MIN_LOG_LIKELIHOOD and ballot.surprise[unseen][
        chosen
    ].max() <= USUAL
    if margin < MIN_LOG_LIKELIHOOD or not clear or (np.abs(total - was) > ERRORS * error).any():
        return None
    pairs = list(zip(map(str, ballot.now[unseen]), map(str, ballot.was[order]), strict=True))
    return recoded(column, pairs, float(ballot.shares[1][unseen].sum()), unseen=True)


def _exchanged(column: str, ballot: _Ballot, *, shifted: bool) -> ColumnFault | None:
    """Names that stayed, and mean each other; a name that was next to nowhere may have taken a common one's place."""
    if len(ballot.now) != len(ballot.was):
        return None
    for fit in (ballot.by_others, ballot.fit):
        order, margin = _assigned(fit)
        changed, own = ballot.now != ballot.was[order], np.arange(len(order))
        gained = float((fit[own, order] - _had_they_stayed(ballot, fit))[changed].sum())
        share = float(ballot.shares[1][changed].sum())
        told = fit is ballot.by_others or (
            changed.sum() >= MANY
            and margin >= MIN_LOG_LIKELIHOOD / 2
            and _alike(ballot, own, order)
            and _unopposed(ballot, own, order)
        )
        enough = share >= VISIBLE and gained >= MIN_LOG_LIKELIHOOD * changed.sum()
        if enough and told and (shifted or _strange(ballot, changed)) and _undone(ballot, order):
            pairs = [(str(ballot.now[i]), str(ballot.was[order[i]])) for i in np.flatnonzero(changed)]
            return recoded(column, pairs, share, unseen=False)
    return None


def _strange(ballot: _Ballot, changed: Mask) -> bool:
    """Whether the cells beside the names that changed are not what chance makes of the same names' cells."""
    same = ballot.now[:, None] == ballot.was[None, :]
    stayed = np.where(same.any(axis=1), np.where(same, ballot.surprise, -np.inf).max(axis=1), np.inf)[changed]
    known = np.isfinite(stayed)
    return not known.any() or float(np.average(stayed[known], weights=ballot.shares[1][changed][known])) > USUAL


def _had_they_stayed(ballot: _Ballot, fit: Floats) -> Floats:
    """Fit of each current name to itself: (names,); to the worst of all where the reference hardly had it."""
    same = ballot.now[:, None] == ballot.was[None, :]
    return np.asarray(np.where(same.any(axis=1), np.where(same, fit, -np.inf).max(axis=1), fit.min(axis=1)))


def _unopposed(ballot: _Ballot, own: Any, order: Any) -> bool:
    """Whether the other columns do not say that names kept their meaning."""
    return bool(ballot.by_others[own, order].sum() >= _had_they_stayed(ballot, ballot.by_others).sum() - 1)


def _undone(ballot: _Ballot, order: Any) -> bool:
    """Whether the shares, under the map, are what they were, or nearer to it by far."""
    before, after = ballot.shares
    left = float(np.abs(after - before[order]).sum() / 2)
    noise = float(np.sqrt(before * (1 - before) * (1 / ballot.rows[0] + 1 / ballot.rows[1])).sum() / 2)
    stayed = pd.Series(after, index=ballot.now).sub(pd.Series(before, index=ballot.was), fill_value=0.0)
    return left <= max(ERRORS * noise, 0.25 * float(stayed.abs().sum() / 2))


def _assigned(fit: Floats) -> tuple[Any, float]:
    """The best one-to-one map, and how much better it is than with any two of its pairs exchanged."""
    from scipy.optimize import linear_sum_assignment

    order = linear_sum_assignment(fit, maximize=True)[1]
    fit = np.asarray(fit)
    own = fit[np.arange(len(order)), order]
    crossed = fit[:, order]
    loss = own[:, None] + own[None, :] - crossed - crossed.T
    others = loss[~np.eye(len(order), dtype=bool)]
    return order, float(others.min()) if len(others) else np.inf


def recoded(column: str, pairs: Sequence[tuple[str, str]], share: float, *, unseen: bool) -> ColumnFault:
    """A column whose names stand for others, in a share of the rows."""
    said = ", ".join(f"{now} stands for {was}" for now, was in pairs[:3]) + (", …" if len(pairs) > 3 else "")
    return ColumnFault(
        column=column,
        fault="recoded",
        share=min(1.0, share),
        evidence=f"in {share:.0%} of the rows {said}",
        recoding=tuple(pairs),
        names=tuple(now for now, _ in pairs) if unseen else (),
    )


def _ambiguous(column: str, pairs: list[tuple[str, str]], share: float) -> ColumnFault:
    """As many new names as are gone, and as common; but shares and other columns do not tell which is which."""
    new, old = (", ".join(sorted(names)[:4]) for names in zip(*pairs, strict=True))
    evidence = f"in {share:.0%} of the rows {new} stand for {old}; which for which, these data do not tell"
    names = tuple(now for now, _ in pairs)
    return ColumnFault(column=column, fault="recoded", share=min(1.0, share), evidence=evidence, names=names)


def decoded(fault: ColumnFault, values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values by the names they had, in the column's own type where they are numbers."""
    labels = pd.Series(as_labels(values), index=values.index, dtype=object)
    meant = labels.map(dict(fault.recoding)).where(labels.isin([now for now, _ in fault.recoding]), labels)
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return pd.to_numeric(meant, errors="coerce") if numeric else meant


def as_they_were(fault: ColumnFault, rows: pd.DataFrame, wrong: Mask) -> "pd.Series[Any]":
    """The column with the rows `wrong` by the names they had."""
    values = rows[fault.column]
    return values.where(~wrong, decoded(fault, values))
