"""Another unit, or a constant added: every factor is found both ways, and undone."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import mend
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.rules.unit_change import UNIT_FACTORS
from tests.analysis.faults.broken_columns import NEXT, SKEWED, name


@pytest.mark.parametrize("factor", sorted(UNIT_FACTORS))
def test_every_mixed_up_unit_is_found_both_ways(factor):
    assert name(SKEWED, NEXT * factor).factor == pytest.approx(factor, rel=0.03)  # 1024 looks like 1000
    assert name(SKEWED, NEXT / factor).factor == pytest.approx(1 / factor, rel=0.03)


@pytest.mark.parametrize("factor", [0.01, 1 / 12, 1 / 60])
def test_whole_numbers_in_another_unit_are_known_again(factor):
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"n": rng.integers(6, 23, 3000).astype(float)}) for _ in range(2))
    after *= factor
    found = diagnose(before, after, univariate_drift(before, after)).get("n")
    assert found.fault == "scaled"
    assert found.factor == pytest.approx(factor)


@given(st.sampled_from([100.0, 0.001, 60.0]), st.integers(0, 9))
@settings(max_examples=12, deadline=None)
def test_mending_a_scaled_column_gives_the_true_values_back(factor, seed):
    rng = np.random.default_rng(seed)
    truth = pd.Series(rng.lognormal(2, 0.6, 400))
    current = pd.DataFrame({"c": truth * factor})
    found = name(pd.Series(rng.lognormal(2, 0.6, 400)), current["c"])
    assert found.fault == "scaled"
    assert_allclose(mend(found, current), truth)


def test_mending_a_shifted_column_comes_close_to_the_true_values():
    found = name(SKEWED, NEXT + 40)
    assert_allclose(mend(found, pd.DataFrame({"c": NEXT + 40})), NEXT, atol=0.5)


@pytest.mark.parametrize("factor", [4.3, 9.1, 850.0])
def test_a_factor_that_is_no_unit_is_told_with_its_interval(factor):
    rng = np.random.default_rng(1)
    before, after = rng.gamma(2, 3, (2, 8000))
    found = name(pd.Series(before), pd.Series(after * factor))
    assert found.factor == pytest.approx(factor, rel=0.03)
    low, high = map(float, re.search(r"\((.*) to (.*)\)", found.evidence).groups())
    assert low < factor < high < 1.1 * low


def test_of_two_units_that_are_not_told_apart_none_is_named_but_where_values_are_round_again():
    rng = np.random.default_rng(2)
    before, after = rng.gamma(2, 3, (2, 1500))
    assert "to ones" not in name(pd.Series(before), pd.Series(after * 1000)).evidence
    whole = [pd.Series(np.ceil(values)) for values in (before, after)]
    assert name(whole[0], whole[1] * 1000).evidence == "times 1000, thousands to ones"
    assert name(whole[0], whole[1] * 1024).evidence == "times 1024, KiB to bytes"
