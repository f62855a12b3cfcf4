"""Reasons that were planted to move are found, even where inputs do not drift; tests of them keep to their rate."""

import functools

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.explanation.explanation_shift import ExplainedWindows, explanation_shift
from rca.analysis.explanation.question import explain
from rca.analysis.explanation.shap_adapter import explainer_of
from rca.analysis.explanation.shap_values import Explained
from rca.record.model.model_file import model_in_memory
from tests.statistical.promises import at_least, long_and_short, of_some_and_all, within

FEATURES = ["a", "b", "c", "proxy", "g"]


def rows(rng, n, together=0.0):
    """Features of which `a` and `b` go together or not; each by itself is the same in any case."""
    a, other = rng.normal(size=n), rng.normal(size=n)
    b = together * a + np.sqrt(1 - together**2) * other
    c = rng.normal(size=n)
    proxy = 0.9 * c + np.sqrt(1 - 0.81) * rng.normal(size=n)
    return pd.DataFrame({"a": a, "b": b, "c": c, "proxy": proxy, "g": rng.integers(0, 4, n)})


def labels(rng, table, *, turned=1.0):
    z = table["a"] * table["b"] + 1.5 * np.tanh(table["c"]) * turned + 0.5 * (table["g"] == 1)
    return (rng.random(len(table)) < 1 / (1 + np.exp(-z.to_numpy()))).astype(float)


@functools.cache
def model(without=()):
    import lightgbm

    rng = np.random.default_rng(99)
    table = rows(rng, 6000)
    read = [name for name in FEATURES if name not in without]
    settings = {"objective": "binary", "num_leaves": 8, "verbosity": -1, "num_threads": 1}
    return model_in_memory(lightgbm.train(settings, lightgbm.Dataset(table[read], labels(rng, table)), 60))


@functools.cache
def explainer():
    return explainer_of(model(), rows(np.random.default_rng(0), 100))


def compared(rng, n, *, shift=0.0):
    before, after = rows(rng, n), rows(rng, n).assign(a=lambda table: table["a"] + shift)
    truth = labels(rng, before), labels(rng, after)
    sides = ExplainedWindows(
        explained=(explainer().of(before), explainer().of(after)), rows=(before, after), truth=truth
    )
    return explanation_shift(sides, rng=rng)


@pytest.mark.parametrize(("n", "draws"), of_some_and_all([500], [500, 1500], (4, 400), within=(0.04, 0.06)))
def test_where_no_reason_moved_every_test_of_it_fires_at_its_rate(draws, n):
    fired = {"size": 0, "direction": 0, "loss": 0, "joint": 0}
    tests = 0
    for seed in range(draws):
        found = compared(np.random.default_rng([21, seed]), n)
        for one in found.reasons:
            for kind in ("size", "direction", "loss"):
                fired[kind] += getattr(one, kind).p_value <= 0.05
            tests += 1
        fired["joint"] += found.joint.p_value <= 0.05
    for kind, hits in fired.items():
        count = draws if kind == "joint" else tests
        within(hits, count, (0.04, 0.06), of=kind)


@long_and_short(6, 400, within=(0.03, 0.07))
def test_where_the_same_value_is_worth_the_same_the_test_of_curves_fires_at_its_rate(draws):
    fired = tests = 0
    for seed in range(draws):
        rng = np.random.default_rng([22, seed])
        before, after = rows(rng, 1500), rows(rng, 1500).assign(c=lambda table: table["c"] + 0.3)
        both = [Explained(features=("c", "g"), values=_noisy(rng, table), base=np.zeros(1), scale="log-odds",
                          method="as given") for table in (before, after)]  # fmt: skip
        found = explanation_shift(
            ExplainedWindows(explained=tuple(both), rows=(before, after), one_model=False), rng=rng
        )
        fired += sum(one.curve.p_value <= 0.05 for one in found.reasons)
        tests += len(found.reasons)
    within(fired, tests, (0.03, 0.07))


def _noisy(rng, table):
    """What a value is worth, with what other features add to it here and there."""
    worth = np.column_stack([table["c"] + 0.2 * table["c"] ** 2, 0.5 * (table["g"] == 2)])
    return (worth + 0.3 * rng.normal(size=worth.shape))[:, :, None]


@pytest.mark.parametrize(
    ("shift", "draws"), of_some_and_all([0.0, 0.25], [0.0, 0.25, 0.6], (4, 400), within=(0.93, 0.97))
)
def test_the_interval_of_the_auc_of_explanations_covers_it(draws, shift):
    found = [compared(np.random.default_rng([23, seed]), 1000, shift=shift).joint for seed in range(draws)]
    truth = 0.5 if shift == 0 else float(np.mean([one.auc for one in found]))
    within(sum(truth in one.interval for one in found), draws, (0.93, 0.97))


@long_and_short(2, 100, at_least=0.95)
def test_an_interaction_that_flips_is_found_where_no_input_drifts(draws):
    hits = quiet = 0
    for seed in range(draws):
        rng = np.random.default_rng([24, seed])
        before, after = rows(rng, 2000, together=0.6), rows(rng, 2000, together=-0.6)
        quiet += not univariate_drift(before, after).moved()
        found = explain(before, after, model=model(), seed=seed)
        hits += found.joint.moved and {"a", "b"} <= {one.column for one in found.moved()}
    at_least(quiet, draws, 0.95, of="no input drifts")
    at_least(hits, draws, 0.95, of="reasons moved")


@pytest.mark.parametrize("known", ["both models", "the scores alone"])
@long_and_short(1, 60, at_least=0.95)
def test_a_retrained_model_that_leans_on_a_proxy_is_found_where_no_input_drifts(draws, known):
    hits = quiet = 0
    retrained = model(without=("c",))
    for seed in range(draws):
        rng = np.random.default_rng([25, seed])
        before, after = rows(rng, 2000), rows(rng, 2000)
        quiet += not univariate_drift(before, after).moved()
        if known == "both models":
            found = explain(before, after, model=(model(), retrained), seed=seed)
        else:
            scored = [table.assign(score=m.scores(table)) for m, table in ((model(), before), (retrained, after))]
            found = explain(*scored, model=model(), score="score", features=FEATURES, seed=seed)
        by_update = [one for one in found.moved() if one.update.value > 0]
        both = {one.column for one in found.moved()[:2]} == {"c", "proxy"}
        hits += found.models == 2 and both and by_update[0].column == "proxy"
    at_least(quiet, draws, 0.95, of="no input drifts")
    at_least(hits, draws, 0.95, of="reasons moved")


@long_and_short(2, 100, at_least=0.95)
def test_the_reasons_that_turned_against_the_label_are_named(draws):
    hits = false = 0
    for seed in range(draws):
        rng = np.random.default_rng([26, seed])
        before, after = rows(rng, 2000), rows(rng, 2000)
        before["y"], after["y"] = labels(rng, before), labels(rng, after, turned=-1.0)
        found = explain(before, after, model=model(), label="y", features=FEATURES, seed=seed)
        hits += {"c"} <= {one.column for one in found.turned()[:2]}
        false += bool({"a", "b"} & {one.column for one in found.turned()[:1]})
        total = found.loss_start + sum(one.loss.value for one in found.reasons)
        assert total == pytest.approx(found.loss.value, abs=1e-9)
    at_least(hits, draws, 0.95)
    assert not false
