"""The only import of dowhy: mechanism attribution of a mean change, back-door identification, and its refuters.

Its warnings are silenced, numpy's and Python's global random states are seeded and restored, and every model has a
graph of its own, as two models on one graph overwrite each other. Nor does it change how results are shown.
"""

import logging
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.methods.change_attribution.causal_chain import chain_of
from rca.methods.shapley import Attribution

Way = Literal["sampled", "robust"]

SAMPLES = 2000
"""Rows that dowhy draws from its models for every coalition."""

DRAWS = 20
"""Times that dowhy draws for a refuter."""

FLIPPED, MOVED = 0.05, 0.3
"""An unobserved common cause: share of the treatment that it flips, and how far it moves the outcome, in residual
standard deviations."""


@contextmanager
def contained(seed: int) -> Iterator[None]:
    """Seed numpy's and Python's global random states for a library call, restore them, and silence its warnings.

    Examples
    --------
    >>> before = np.random.get_state()[1].tolist()
    >>> with contained(0):
    ...     _ = np.random.rand(3)
    >>> np.random.get_state()[1].tolist() == before
    True
    """
    kept, of_python = np.random.get_state(), random.getstate()  # noqa: NPY002 -- it is dowhy that draws from it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(kept)  # noqa: NPY002
            random.setstate(of_python)


def opened() -> Any:
    """Import dowhy without its side effects: sympy would change how every later result is shown."""
    sympy: Any = import_module("sympy")
    kept = sympy.init_printing
    sympy.init_printing = lambda *_, **__: None
    try:
        with contained(0):  # one of its imports draws random numbers, too
            return import_module("dowhy")
    finally:
        sympy.init_printing = kept


def cross_check(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    parents: Mapping[str, Sequence[str]],
    *,
    target: str,
    way: Way = "sampled",
    seed: int = 0,
) -> Attribution:
    """Shapley attribution of a mean change to mechanisms by dowhy, without its mechanism-change tests.

    Parameters
    ----------
    reference, current : pandas.DataFrame
        The nodes' columns are looked at, where all are known.
    parents : mapping of str to sequence of str
        Node → its direct causes.
    target : str
        Column of numbers whose mean changed.
    way : {'sampled', 'robust'}
        `distribution_change` with linear mechanisms, or `distribution_change_robust`.
    seed : int
        dowhy's answer depends on it.

    Returns
    -------
    Attribution
        Its errors are NaN: dowhy gives neither its Monte Carlo error nor that of sampling.

    Raises
    ------
    InvalidCase
        If the graph has a cycle, or lacks the target.

    References
    ----------
    Blöbaum et al. (2024). DoWhy-GCM. JMLR 25(147), section 3.3.
    """
    opened()
    chain = chain_of(parents, [target])
    before, after = (_plain(rows[list(chain.order)]) for rows in (reference, current))
    with contained(seed):
        found = _WAYS[way](before, after, chain.parents, target=target, seed=seed)
    parts = tuple(float(found[node]) for node in chain.order)
    total = float(after[target].mean() - before[target].mean())
    return Attribution(players=chain.order, contributions=parts, errors=(float("nan"),) * len(parts), total=total)


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Complete rows: numbers as floats, categories as text, which dowhy encodes itself."""
    whole = rows.dropna()
    numbers = {name: pd.api.types.is_numeric_dtype(column) for name, column in whole.items()}
    return whole.astype({name: float if number else object for name, number in numbers.items()})


def _model(parents: Mapping[str, Sequence[str]]) -> Any:
    """An invertible structural causal model of dowhy, on a graph of its own."""
    from dowhy import gcm

    gcm.config.disable_progress_bars()
    gcm.config.set_default_n_jobs(1)
    model = gcm.InvertibleStructuralCausalModel()
    model.graph.add_nodes_from(parents)
    model.graph.add_edges_from((cause, node) for node, causes in parents.items() for cause in causes)
    return model


def _fitted(rows: pd.DataFrame, parents: Mapping[str, Sequence[str]]) -> Any:
    """Fit an SCM of dowhy: empirical distributions at roots, linear additive-noise models elsewhere."""
    from dowhy import gcm

    model = _model(parents)
    for node, causes in parents.items():
        linear = gcm.AdditiveNoiseModel(gcm.ml.create_linear_regressor()) if causes else gcm.EmpiricalDistribution()
        model.set_causal_mechanism(node, linear)
    gcm.fit(model, rows)
    return model


def _sampled(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    parents: Mapping[str, Sequence[str]],
    *,
    target: str,
    seed: int,  # noqa: ARG001 -- it is the global state that counts
) -> Mapping[str, Any]:
    from dowhy import gcm

    found: Mapping[str, Any] = gcm.distribution_change_of_graphs(
        _fitted(reference, parents),
        _fitted(current, parents),
        target,
        num_samples=SAMPLES,
        difference_estimation_func=lambda before, after: float(np.mean(after) - np.mean(before)),
    )
    return found


def _robust(
    reference: pd.DataFrame, current: pd.DataFrame, parents: Mapping[str, Sequence[str]], *, target: str, seed: int
) -> Mapping[str, Any]:
    from dowhy import gcm

    found: Mapping[str, Any] = gcm.distribution_change_robust(
        _model(parents), reference, current, target, split_random_state=seed
    )
    return found


_WAYS = {"sampled": _sampled, "robust": _robust}


# --- effects ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Refuted:
    """Effect estimate of dowhy's linear regression, and the same under each refuter.

    Attributes
    ----------
    estimate : float
    random_cause : float
        With a common cause added that is none.
    placebo : float
        With the treatment shuffled; about zero if there is nothing but the treatment in it.
    subset : float
        On four fifths of the rows.
    unseen : float
        With a common cause added that moves both treatment and outcome.
    """

    estimate: float
    random_cause: float
    placebo: float
    subset: float
    unseen: float


def backdoor(
    edges: Sequence[tuple[str, str]], *, treatment: str, outcome: str, observed: Sequence[str]
) -> tuple[str, ...] | None:
    """Smallest back-door adjustment set between treatment and outcome, as dowhy identifies it.

    Returns
    -------
    tuple of str or None
        None where no set of observed nodes does.

    Examples
    --------
    >>> edges = [("load", "deploy"), ("load", "errors"), ("deploy", "errors")]
    >>> backdoor(edges, treatment="deploy", outcome="errors", observed=["load", "deploy", "errors"])
    ('load',)
    """
    opened()
    from dowhy.causal_identifier import BackdoorAdjustment, EstimandType, identify_effect_auto

    with contained(0):
        found = identify_effect_auto(
            _graph(edges),
            [treatment],
            [outcome],
            sorted(observed),
            EstimandType.NONPARAMETRIC_ATE,
            backdoor_adjustment=BackdoorAdjustment.BACKDOOR_MIN,
        )
    if found.no_directed_path or found.estimands.get("backdoor") is None:
        return None
    return tuple(sorted(found.get_backdoor_variables()))


def blocks(edges: Sequence[tuple[str, str]], given: Sequence[str], *, treatment: str, outcome: str) -> bool:
    """Whether a set blocks every back-door path from treatment to outcome.

    >>> blocks([("load", "deploy"), ("load", "errors")], [], treatment="deploy", outcome="errors")
    False
    """
    opened()
    from dowhy.graph import check_valid_backdoor_set

    found = check_valid_backdoor_set(_graph(edges), [treatment], [outcome], list(given))
    return bool(found["is_dseparated"])


def _graph(edges: Sequence[tuple[str, str]]) -> Any:
    """The edges as a networkx graph that dowhy reads."""
    return opened().graph.nx.DiGraph(list(edges))


def refute(rows: pd.DataFrame, *, treatment: str, outcome: str, seed: int = 0) -> Refuted:
    """Refuters of dowhy on a linear regression of the outcome on the treatment; all other columns are common causes.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of numbers; the treatment is 0 or 1.
    treatment, outcome : str
    seed : int
        dowhy's draws depend on it.
    """
    causes = [name for name in rows.columns if name not in (treatment, outcome)]
    edges = [(cause, effect) for cause in causes for effect in (treatment, outcome)] + [(treatment, outcome)]
    with contained(seed), silent(), pd.option_context({"future.infer_string": False}):
        rows = rows.set_axis(list(rows), axis="columns")  # dowhy looks names up for half its time, as Arrow's for all
        model = opened().CausalModel(data=rows, treatment=treatment, outcome=outcome, graph=_graph(edges))
        estimand = model.identify_effect(proceed_when_unidentifiable=True)
        estimate = model.estimate_effect(estimand, method_name="backdoor.linear_regression")
        given = {"num_simulations": DRAWS}
        kept = model.refute_estimate(estimand, estimate, method_name="random_common_cause", **given)
        placebo = {"method_name": "placebo_treatment_refuter", "placebo_type": "permute"}
        shuffled = model.refute_estimate(estimand, estimate, **placebo, **given)
        fewer = model.refute_estimate(
            estimand, estimate, method_name="data_subset_refuter", subset_fraction=0.8, **given
        )
        unseen = [_unseen(model, estimand, estimate, spread=_left(rows, outcome)) for _ in range(DRAWS)]
    return Refuted(
        estimate=float(estimate.value),
        random_cause=float(kept.new_effect),
        placebo=float(shuffled.new_effect),
        subset=float(fewer.new_effect),
        unseen=float(np.median(unseen)),
    )


def _unseen(model: Any, estimand: Any, estimate: Any, *, spread: float) -> float:
    found = model.refute_estimate(
        estimand,
        estimate,
        method_name="add_unobserved_common_cause",
        confounders_effect_on_treatment="binary_flip",
        confounders_effect_on_outcome="linear",
        effect_strength_on_treatment=FLIPPED,
        effect_strength_on_outcome=MOVED * spread,
        plotmethod=None,
    )
    return float(found.new_effect)


def _left(rows: pd.DataFrame, outcome: str) -> float:
    """Standard deviation of the residuals of the outcome regressed on all other columns."""
    terms = np.column_stack([np.ones(len(rows)), rows.drop(columns=outcome).to_numpy(float)])
    values = rows[outcome].to_numpy(float)
    return float(np.std(values - terms @ np.linalg.lstsq(terms, values, rcond=None)[0]))


@contextmanager
def silent() -> Iterator[None]:
    """Silence the loggers of a library, and restore them."""
    logger = logging.getLogger("dowhy")
    kept = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(kept)
