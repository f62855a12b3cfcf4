"""dowhy as oracle: why a row is odd, and what it would have been, on small linear graphs."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.causal.outlier_attribution import attribute_outlier
from rca.analysis.causal.structural_model import fit
from tests.references.dowhy_oracles import odd_check, otherwise_check

RUNS = 2
"""Seeds of dowhy's, whose spread says what its Monte Carlo error is."""

GRAPH = {"a": (), "b": ("a",), "y": ("a", "b")}


def drawn(rng, parents, rows):
    values = {}
    for node, causes in parents.items():
        values[node] = sum((0.8 * values[one] for one in causes), np.zeros(rows)) + rng.normal(size=rows)
    return pd.DataFrame(values)


def test_a_row_is_odd_for_the_reasons_that_dowhy_gives():
    rng, parents = np.random.default_rng(0), GRAPH
    usual, rows = drawn(rng, parents, 2000), drawn(rng, parents, 4)
    rows["y"] += [0.0, 1.5, -1.5, 1.0]  # not so far out that no draw of dowhy's is
    found = attribute_outlier(fit(usual, parents), "y", rows, rng=rng)
    ours = pd.DataFrame(
        [{one.node: one.contribution for one in row.shares} for row in sorted(found.rows_of, key=lambda row: row.row)]
    )
    theirs = [odd_check(usual, rows, parents, target="y", seed=seed) for seed in range(RUNS)]
    for node in parents:
        said = np.array([run[node] for run in theirs])
        assert ours[node].to_numpy() == pytest.approx(said.mean(axis=0), abs=0.35)
    away = np.abs(ours[list(parents)].to_numpy() - np.mean([run[list(parents)] for run in theirs], axis=0))
    assert away.mean() < 0.12


def test_what_would_have_been_is_what_dowhy_computes():
    rng = np.random.default_rng(1)
    parents = {"a": (), "b": ("a",), "c": ("b",), "y": ("a", "c")}
    usual, rows = drawn(rng, parents, 2000), drawn(rng, parents, 50)
    model = fit(usual, parents)
    ours = model.predict(model.abduct(model.read(rows), rng), given={"b": np.full(50, 2.0)})
    theirs = otherwise_check(usual, rows, parents, given={"b": 2.0})
    for node in parents:
        assert ours[node] == pytest.approx(theirs[node].to_numpy(), abs=1e-6)
