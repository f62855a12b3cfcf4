"""What dowhy says, to compare with: outlier attribution, counterfactual samples, and falsification of a graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.causal.dowhy_adapter import _fitted, _model, contained, opened
from rca.methods.change_attribution.causal_chain import chain_of


def odd_check(
    reference: pd.DataFrame,
    rows: pd.DataFrame,
    parents: Mapping[str, Sequence[str]],
    *,
    target: str,
    seed: int = 0,
) -> pd.DataFrame:
    """Divide how odd rows are among the noises upstream as dowhy does, with linear mechanisms.

    Returns
    -------
    pandas.DataFrame
        A row of each row, a column of each node; they add up to the row's information-theoretic score.

    References
    ----------
    Budhathoki et al. (2022). Causal structure-based root cause analysis of outliers. ICML.
    """
    opened()
    chain = chain_of(parents, [target])
    before, odd = (some[list(chain.order)].astype(float) for some in (reference, rows))
    with contained(seed):
        from dowhy import gcm

        found = gcm.attribute_anomalies(_fitted(before, chain.parents), target, odd)
    return pd.DataFrame({node: np.asarray(found[node]) for node in chain.order})


def otherwise_check(
    reference: pd.DataFrame,
    rows: pd.DataFrame,
    parents: Mapping[str, Sequence[str]],
    *,
    given: Mapping[str, float],
    seed: int = 0,
) -> pd.DataFrame:
    """Compute what rows would have been with some nodes set, as dowhy does, with linear mechanisms.

    Returns
    -------
    pandas.DataFrame
        The nodes' values of each row.
    """
    opened()
    chain = chain_of(parents, list(parents))
    before, seen = (some[list(chain.order)].astype(float) for some in (reference, rows))
    with contained(seed):
        from dowhy import gcm

        model = _fitted(before, chain.parents)
        actions = {node: (lambda _, value=value: value) for node, value in given.items()}
        return gcm.counterfactual_samples(model, actions, observed_data=seen)  # type: ignore[no-any-return]


def falsify_check(rows: pd.DataFrame, parents: Mapping[str, Sequence[str]], *, seed: int = 0) -> tuple[bool, bool]:
    """Whether a graph can be falsified by rows at all, and whether it is, as dowhy finds by partial correlations.

    References
    ----------
    Eulig et al. (2023). Toward falsifying causal graphs using a permutation-based test. arXiv:2305.09565.
    """
    opened()
    with contained(seed):
        from dowhy.gcm.falsify import falsify_graph

        graph = _model(parents).graph
        found = falsify_graph(
            graph,
            rows,
            independence_test=_by_correlation,
            conditional_independence_test=_by_correlation,
            n_permutations=100,
            show_progress_bar=False,
        )
    return bool(found.falsifiable), bool(found.falsified)


def _by_correlation(one: Any, other: Any, given: Any = None) -> float:
    """p-value of no partial correlation, which dowhy's falsification takes as a test."""
    from scipy.stats import pearsonr

    base = np.ones((len(one), 1)) if given is None else np.column_stack([np.ones(len(one)), given])
    left = [column.ravel() - base @ np.linalg.lstsq(base, column.ravel(), rcond=None)[0] for column in (one, other)]
    return float(pearsonr(*left).pvalue)
