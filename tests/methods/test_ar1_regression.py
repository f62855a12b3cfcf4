"""Regression of a series: least squares where nothing carries on, and less sure where chance does."""

import numpy as np
import pytest

from rca.methods.ar1_regression import noise_of, regress


def test_without_autocorrelation_it_is_least_squares_with_students_t():
    import statsmodels.api as sm

    rng = np.random.default_rng(7)
    terms = np.column_stack([np.ones(300), rng.normal(size=300)])
    values = terms @ [1.0, 2.0] + rng.normal(size=300)
    ours = regress(values, terms, noise_of(np.arange(300), np.ones(300))).sized(np.array([0.0, 1.0]), 0.95)
    theirs = sm.OLS(values, terms).fit()
    assert ours.value == pytest.approx(theirs.params[1], abs=0.01)
    assert [ours.interval.low, ours.interval.high] == pytest.approx(theirs.conf_int()[1], abs=0.02)


def test_an_interval_is_wider_where_chance_runs_on():
    rng = np.random.default_rng(8)
    steps = rng.normal(size=120)
    carried = steps.copy()
    for at in range(1, 120):
        carried[at] += 0.7 * carried[at - 1]
    terms = np.column_stack([np.ones(120), np.arange(120) >= 80]).astype(float)
    noise = noise_of(np.arange(120), np.ones(120))
    widths = [
        np.ptp([one.interval.low, one.interval.high]) / values.std()
        for values in (steps, carried)
        for one in [regress(values, terms, noise).sized(np.array([0.0, 1.0]), 0.95)]
    ]
    assert widths[1] > 1.5 * widths[0]
