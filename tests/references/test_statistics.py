"""Other people's code as oracle: scipy, statsmodels, scikit-learn and dowhy agree with what is computed here."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.inputs.metric_reader import MetricReader
from rca.methods.change_attribution.density_ratio import effective
from rca.methods.metric import measure
from rca.methods.shapley import coalition, shapley
from rca.methods.two_sample_tests import benjamini_hochberg, chi_square, kolmogorov_smirnov, two_rates
from rca.record.case import Roles
from rca.record.schema.incident import Metric

RNG = np.random.default_rng(0)
SCORE = RNG.random(500)
ROWS = pd.DataFrame(
    {
        "label": (RNG.random(500) < SCORE).astype(int),
        "prediction": (SCORE > 0.6).astype(int),
        "score": SCORE,
        "weight": RNG.integers(1, 5, 500),
    }
)


@pytest.mark.parametrize("by", [0.0, 0.02, 0.05, 0.1])
@pytest.mark.parametrize(("n", "m"), [(1100, 1000), (3000, 2000), (20_000, 100)])
def test_the_p_value_of_large_windows_is_within_a_tenth_of_the_exact_one(by, n, m):
    from scipy.stats import ks_2samp

    first, second = RNG.normal(size=n), RNG.normal(by, 1, m)
    oracle = ks_2samp(first, second, method="exact")
    distance, p_value = kolmogorov_smirnov(first, second)
    assert distance == pytest.approx(oracle.statistic)
    assert p_value == pytest.approx(oracle.pvalue, rel=0.1, abs=1e-6)


@given(st.lists(st.integers(1, 200), min_size=2, max_size=8), st.lists(st.integers(1, 200), min_size=8, max_size=8))
@settings(deadline=None)
def test_a_statistic_of_counts_is_pearsons(first, second):
    from scipy.stats import chi2

    counts = np.array([first, second[: len(first)]], float)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    assert_allclose(
        chi_square(counts.astype(int)), (statistic, chi2.sf(statistic, len(first) - 1)), rtol=1e-9, atol=1e-12
    )


@given(st.lists(st.integers(1, 200), min_size=2, max_size=8), st.lists(st.integers(1, 200), min_size=8, max_size=8))
@settings(deadline=None)
def test_a_table_of_counts_is_scipys(first, second):
    from scipy.stats import chi2_contingency

    counts = np.array([first, second[: len(first)]])
    oracle = chi2_contingency(counts, correction=False)
    assert_allclose(chi_square(counts), (oracle.statistic, oracle.pvalue), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("counts", [[[3, 1], [1, 3]], [[990, 10], [999, 1]], [[4, 16], [60, 400]], [[1, 0], [0, 9000]]])
def test_the_mid_p_of_two_rates_is_fishers_less_half_of_the_tables_as_rare(counts):
    from scipy.stats import fisher_exact, hypergeom

    (a, b), (c, d) = counts
    seen = hypergeom.pmf(b, a + b + c + d, b + d, a + b)
    every = hypergeom.pmf(np.arange(b + d + 1), a + b + c + d, b + d, a + b)
    as_rare = every[np.isclose(every, seen, rtol=1e-7, atol=0)].sum()
    assert two_rates(np.array(counts)) == pytest.approx(fisher_exact(counts).pvalue - as_rare / 2)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
@settings(deadline=None)
def test_q_values_are_those_of_statsmodels(p_values):
    from statsmodels.stats.multitest import multipletests

    assert_allclose(benjamini_hochberg(p_values), multipletests(p_values, method="fdr_bh")[1], atol=1e-12)


@pytest.mark.parametrize(("few", "many"), [(0, 30), (3, 40), (10, 100), (50, 60), (1, 200)])
def test_the_interval_of_missingness_is_newcombes(few, many):
    from statsmodels.stats.proportion import confint_proportions_2indep

    before, after = (pd.DataFrame({"c": np.where(np.arange(200) < count, np.nan, 1.0)}) for count in (few, many))
    interval = {row.aspect: row for row in univariate_drift(before, after).columns}["missing"].interval
    low, high = confint_proportions_2indep(many, 200, few, 200, method="newcomb", compare="diff")
    assert (interval.low, interval.high) == pytest.approx((max(low, 0), high), abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "function", "on"),
    [
        ("log_loss", "log_loss", "score"),
        ("brier", "brier_score_loss", "score"),
        ("mae", "mean_absolute_error", "prediction"),
        ("rmse", "root_mean_squared_error", "prediction"),
        ("error_rate", "zero_one_loss", "prediction"),
    ],
)
def test_a_metric_is_scikit_learns(name, function, on, weighted):
    import sklearn.metrics

    weight = ROWS["weight"] if weighted else None
    roles = Roles(label="label", score="score", prediction="prediction", weight="weight" if weighted else None)
    oracle = getattr(sklearn.metrics, function)(ROWS["label"], ROWS[on], sample_weight=weight)
    assert MetricReader(metric=Metric(name=name), roles=roles).parts(ROWS).value() == pytest.approx(oracle, rel=1e-9)


@pytest.mark.parametrize("name", ["log_loss", "brier", "error_rate"])
def test_a_metric_over_several_classes_is_scikit_learns(name):
    import sklearn.metrics

    chances = np.random.default_rng(3).dirichlet([1, 2, 3], size=len(ROWS))
    truth = np.random.default_rng(4).choice(["a", "b", "c"], size=len(ROWS))
    rows = pd.DataFrame(chances, columns=["p_a", "p_b", "p_c"]).assign(label=truth)
    roles = Roles.of(rows, label="label", score={"b": "p_b", "c": "p_c", "a": "p_a"})
    assert roles.features == ()
    oracle = {
        "log_loss": lambda: sklearn.metrics.log_loss(truth, chances),
        "brier": lambda: sklearn.metrics.brier_score_loss(truth, chances, scale_by_half=False),
        "error_rate": lambda: np.mean(np.array(["a", "b", "c"])[chances.argmax(axis=1)] != truth),
    }[name]()
    reader = MetricReader(metric=Metric(name=name), roles=roles)
    assert reader.parts(rows).value() == pytest.approx(oracle, rel=1e-9)
    holed = pd.concat([rows, rows.head(9).assign(p_a=np.nan), rows.head(9).assign(label=None)], ignore_index=True)
    assert reader.parts(holed).value() == pytest.approx(oracle, rel=1e-9)


def test_rates_of_false_answers_are_those_of_the_confusion_matrix():
    from sklearn.metrics import confusion_matrix

    (tn, fp), (fn, tp) = confusion_matrix(ROWS["label"], ROWS["prediction"])
    roles = Roles(label="label", prediction="prediction")
    found = [
        MetricReader(metric=Metric(name=name), roles=roles).parts(ROWS).value()
        for name in ("false_positive_rate", "false_negative_rate")
    ]
    assert found == pytest.approx([fp / (fp + tn), fn / (fn + tp)])


@pytest.mark.parametrize("name", ["error_rate", "log_loss", "false_positive_rate", "rmse"])
def test_the_bootstrap_interval_is_scipys(name):
    from scipy.stats import bootstrap

    meter = MetricReader(metric=Metric(name=name), roles=Roles(label="label", score="score", prediction="prediction"))
    parts = [meter.parts(window) for window in (ROWS[:250], ROWS[250:])]
    found = measure(*parts, meter.metric, rng=np.random.default_rng(1))

    def change(one, other):
        return parts[1].take(other.astype(int)).value() - parts[0].take(one.astype(int)).value()

    oracle = bootstrap(
        (np.arange(250), np.arange(250)), change, vectorized=False, n_resamples=2000, method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    width = oracle.high - oracle.low
    assert (found.interval.low, found.interval.high) == pytest.approx((oracle.low, oracle.high), abs=0.08 * width)


@pytest.mark.parametrize("name", ["error_rate", "log_loss", "rmse", "false_negative_rate"])
def test_the_influence_gives_the_standard_error_of_the_jackknife(name):
    parts = MetricReader(
        metric=Metric(name=name), roles=Roles(label="label", score="score", prediction="prediction")
    ).parts(ROWS)
    rows = np.arange(len(ROWS))
    left_out = np.array([parts.take(rows[rows != row]).value() for row in rows])
    jackknife = np.sqrt((len(rows) - 1) / len(rows) * ((left_out - left_out.mean()) ** 2).sum())
    assert np.sqrt((parts.influence() ** 2).sum()) == pytest.approx(jackknife, rel=0.02)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=50))
@settings(max_examples=30, deadline=None)
def test_the_effective_size_is_kishs(weights):
    weights = np.array(weights)
    assert effective(weights) == pytest.approx(len(weights) / (1 + np.var(weights) / np.mean(weights) ** 2))
    assert 1 - 1e-9 <= effective(weights) <= len(weights) + 1e-9


def test_a_division_is_dowhys():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what dowhy's own imports say is not ours to mend
        from dowhy.gcm.shapley import ShapleyApproximationMethods, ShapleyConfig, estimate_shapley_values

    players, worth = "abcd", dict(enumerate(RNG.normal(size=16)))
    bits = {coalition(members, players): members for members in range(16)}
    found = shapley(lambda members: worth[bits[members]], players)
    oracle = estimate_shapley_values(
        lambda subset: worth[int(sum(1 << i for i, joined in enumerate(subset) if joined))],
        4,
        ShapleyConfig(approximation_method=ShapleyApproximationMethods.EXACT, n_jobs=1),
    )
    assert_allclose(found.contributions, np.ravel(oracle), atol=1e-9)


def test_the_division_of_a_glove_game_is_the_textbook_one():
    groups = (frozenset(group) for size in range(4) for group in itertools.combinations("lrs", size))
    worth = {group: float("l" in group and bool(group & {"r", "s"})) for group in groups}
    assert_allclose(shapley(worth.__getitem__, "lrs").contributions, (2 / 3, 1 / 6, 1 / 6))
