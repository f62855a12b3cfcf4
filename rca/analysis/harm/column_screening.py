"""Of very many columns those that are weighed: what moved or broke, and what goes with the outcome or the answers.

A surrogate of the model, donors and relations are fitted to columns again and again, and a few hundred rows cannot tell
what thousands of columns say together. Drift and faults are asked of every column, whatever their number.
"""

from dataclasses import replace

import numpy as np

from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.diagnosis import Faults, is_plain
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats
from rca.tables.columns import Encoder

MOST = 300
"""Columns up to which all are weighed."""

ALIKE = 100
"""Most columns beside those that moved or broke: those that go most with the outcome or the answers."""


def screened(windows: Windows, drift: Drift, faults: Faults) -> Windows:
    """The windows with the features that are weighed; as they are where those are few, or a model reads them.

    Parameters
    ----------
    windows : Windows
    drift : Drift
    faults : Faults
        Of the same windows.

    Returns
    -------
    Windows
        At most `MOST` features, in their order: causal parents and columns of blocks, those that broke, those that
        moved, the farthest first, and `ALIKE` by their largest rank correlation in either window.
    """
    features = windows.roles.features
    if len(features) <= MOST or windows.model is not None:
        return windows
    graph = {name for node, parents in windows.parents.items() for name in (node, *parents)}
    blocks = {name for _, columns in windows.roles.blocks for name in columns}
    loud = [*(one.column for one in faults.broken), *drift.moved()]
    order = dict.fromkeys([*(name for name in features if name in graph | blocks), *loud])
    kept = set([name for name in order if name in features][: MOST - ALIKE]) | graph | blocks
    kept.update(_alike(windows, [name for name in features if name not in kept])[:ALIKE])
    return replace(windows, roles=replace(windows.roles, features=tuple(name for name in features if name in kept)))


def _alike(windows: Windows, names: list[str]) -> list[str]:
    """Columns by how far they go with the outcome or the answers in either window, the farthest first."""
    roles = windows.roles
    said = (windows.meter.outcome, roles.label, roles.score, roles.prediction, *(one for _, one in roles.class_scores))
    both = set(windows.reference.columns) & set(windows.current.columns)
    told = [name for name in dict.fromkeys(said) if name is not None and name in both]
    plain = [name for name in names if is_plain(windows.reference[name]) and is_plain(windows.current[name])]
    if not told or not plain:
        return plain
    encode = Encoder.fit(windows.reference, [*told, *plain])
    sides = (_standard(encode(rows)) for rows in (windows.reference, windows.current))
    far = np.max([np.abs(side[:, : len(told)].T @ side[:, len(told) :]).max(axis=0) for side in sides], axis=0)
    return [plain[at] for at in np.argsort(-far, kind="stable")]


def _standard(columns: Floats) -> Floats:
    """Ranks of each column, of mean 0 and length 1; 0 where there is no value."""
    from scipy.stats import rankdata

    known = np.isfinite(columns)
    ranks = rankdata(np.where(known, columns, np.inf), axis=0)
    means = (ranks * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    apart = np.where(known, ranks - means, 0.0)
    length = np.sqrt((apart**2).sum(axis=0))
    return np.asarray(apart / np.where(length > 0, length, 1.0))
