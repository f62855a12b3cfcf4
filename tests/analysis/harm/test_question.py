"""What did the harm, asked of a case or of plain tables: parts add up, and too little is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rca
from rca.practice.simulate import score_of, tabular
from tests.analysis.plain_tables import ROLES, drawn
from tests.conftest import INCIDENTS


def test_a_case_names_its_own_roles():
    with pytest.raises(rca.InvalidCase, match="names its own metric"):
        rca.harm(rca.load(INCIDENTS / "hiring-bias"), metric="error_rate")


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000), fault=st.sampled_from(["frozen", "scaled", "concept", "distribution"]))
def test_contributions_and_what_is_unexplained_add_up_to_the_change(seed, fault):
    done = rca.harm(*tabular(np.random.default_rng(seed), rows=400, fault=fault), model=score_of, **ROLES)
    total = sum(part.value for part in done.contributions) + done.unexplained
    assert total == pytest.approx(done.measured.worse)


def test_one_row_is_no_window_to_measure():
    with pytest.raises(rca.Unanswerable, match="rows of the current window"):
        rca.harm(drawn(0), drawn(1).head(1), metric="error_rate", label="label", prediction="prediction")


def test_columns_may_be_named_by_numbers():
    before, after = (drawn(seed).rename(columns={"n": 0}) for seed in (0, 1))
    told = rca.harm(before, after, metric="error_rate", label="label", prediction="prediction")
    assert told.measured.n_current == 300
