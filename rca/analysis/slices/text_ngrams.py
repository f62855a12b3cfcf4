"""Frequent word n-grams of free text (Apriori), with the rows that contain each, as conditions of slices."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.arrays import Labels, Mask, Places
from rca.tables.personal_data import replaced

if TYPE_CHECKING:
    from scipy.sparse import csr_array

WORD = re.compile(r"\w+")

UNSAID = "personal_data"
"""What stands for personal data in a text: it is no word of a phrase, and parts those around it."""

LONGEST = 3
"""Words of the longest n-gram."""

MOST = 2000
"""Most n-grams kept of each length, the commonest first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Phrases:
    """Word n-grams with a sparse matrix of the rows that contain them.

    Attributes
    ----------
    names : tuple of str
        Case-folded words joined by a blank, the shorter phrases first.
    said : scipy.sparse.csr_array of shape (rows, phrases)
        One where the row contains it.
    """

    names: tuple[str, ...]
    said: "csr_array"


def phrases(texts: Labels, current: Mask, *, fewest: int) -> Phrases:
    """Mine the word n-grams that enough rows of both windows contain (Apriori).

    Parameters
    ----------
    texts : ndarray of object, shape (rows,)
        Text, or NaN where there is none.
    current : ndarray of bool, shape (rows,)
        Which rows are of the current window.
    fewest : int
        Fewest rows of each window that contain an n-gram.

    Returns
    -------
    Phrases
        A row contains an n-gram where `Condition` with the operator `~` holds.

    References
    ----------
    Agrawal & Srikant (1994), VLDB, section 2.1: a phrase is frequent only if the phrases within it are.

    Examples
    --------
    >>> found = phrases(np.array(["No refund!", "no REFUND", "no"], object), np.array([0, 1, 1], bool), fewest=1)
    >>> found.names, found.said.toarray().astype(int).tolist()
    (('no', 'refund', 'no refund'), [[1, 1, 1], [1, 1, 1], [1, 0, 0]])
    """
    rows, distinct = pd.factorize(texts)
    spoken = [
        WORD.findall(replaced(str(text), lambda kind, said: said if kind == "word" else f" {UNSAID} ").casefold())
        for text in distinct
    ]
    known = rows >= 0
    counts = np.vstack([np.bincount(rows[known & side], minlength=len(distinct)) for side in (~current, current)])
    corpus = _Corpus(document=np.repeat(np.arange(len(spoken)), list(map(len, spoken))), counts=counts, fewest=fewest)
    codes, words = pd.factorize(np.array([word for text in spoken for word in text], dtype=object))
    grams = corpus.frequent(codes, [str(word) for word in words])
    found = [grams]
    for length in range(1, LONGEST):
        grams = corpus.longer(grams, length)
        found.append(grams)
    return _phrases(found, np.where(known, rows, len(distinct)), len(distinct) + 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Grams:
    """n-grams of one length: which begins at each word (-1: none kept), their names, the texts that contain them."""

    begin: Places
    names: list[str]
    documents: Places
    said: Places


@dataclass(frozen=True, kw_only=True, eq=False)
class _Corpus:
    """Tokenised distinct texts: the text of each word, and the rows of each text by window."""

    document: Places
    counts: npt.NDArray[np.int64]
    fewest: int

    def frequent(self, at: Places, names: list[str]) -> _Grams:
        """Keep the n-grams that enough rows of both windows contain."""
        here = at >= 0
        keys = np.unique(self.document[here] * max(1, len(names)) + at[here])
        documents, said = np.divmod(keys, max(1, len(names)))
        rows = np.vstack([np.bincount(said, window[documents], minlength=len(names)) for window in self.counts])
        common = [one for one in np.flatnonzero((rows >= self.fewest).all(axis=0)) if names[one] != UNSAID]
        ranked = sorted(common, key=lambda one: (-rows[:, one].sum(), names[one]))[:MOST]
        kept = np.full(len(names) + 1, -1, dtype=np.intp)  # the last one: no phrase begins here
        kept[ranked] = np.arange(len(ranked))
        still = kept[said] >= 0
        chosen = [names[one] for one in ranked]
        return _Grams(begin=kept[at], names=chosen, documents=documents[still], said=kept[said[still]])

    def longer(self, grams: _Grams, length: int) -> _Grams:
        """Apriori join: n-grams of one word more than `length`, from two frequent ones that overlap."""
        first, second = grams.begin[:-length], grams.begin[1 : len(grams.begin) - length + 1]
        same = self.document[:-length] == self.document[length:]
        starts = np.flatnonzero(same & (first >= 0) & (second >= 0))
        pairs, codes = np.unique(first[starts] * max(1, len(grams.names)) + second[starts], return_inverse=True)
        ends = [divmod(int(pair), len(grams.names)) for pair in pairs]
        at = np.full(len(grams.begin), -1, dtype=np.intp)
        at[starts] = codes
        return self.frequent(at, [f"{grams.names[a]} {grams.names[b].rpartition(' ')[2]}" for a, b in ends])


def _phrases(found: list[_Grams], rows: Places, texts: int) -> Phrases:
    from scipy.sparse import csr_array, hstack

    matrices = [
        csr_array((np.ones(len(one.said), np.float32), (one.documents, one.said)), shape=(texts, len(one.names)))
        for one in found
    ]
    return Phrases(names=tuple(name for one in found for name in one.names), said=hstack(matrices).tocsr()[rows])
