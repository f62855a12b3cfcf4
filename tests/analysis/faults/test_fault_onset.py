"""Since when rows are hit: a step at its edge, a ramp at its foot, and nothing where nothing rose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.faults.fault_onset import fault_onset

TIME = np.arange(3000) / 3000


def drawn(share, usual=0.01, seed=0):
    return (np.random.default_rng(seed).random(len(share)) < usual + (1 - usual) * share).astype(float)


@pytest.mark.parametrize("level", [0.2, 0.5, 1.0])
def test_a_step_is_dated_at_its_edge(level):
    found = fault_onset(drawn(level * (TIME >= 0.4)), 0.01)
    assert found.earliest <= 1200 <= found.latest
    assert abs(found.at - 1200) <= 30


@pytest.mark.parametrize("top", [0.5, 1.0])
def test_a_ramp_is_dated_at_its_foot_and_not_at_its_middle(top):
    found = fault_onset(drawn(top * np.clip((TIME - 0.3) / 0.7, 0, 1)), 0.01)
    assert found.earliest <= 900 <= found.latest
    assert abs(found.at - 900) <= 250


def test_what_was_so_all_along_began_at_the_first_row():
    found = fault_onset(drawn(np.full(3000, 0.4)), 0.01)
    assert found.earliest == 0
    assert found.at <= 10


def test_what_did_not_rise_has_no_beginning():
    assert fault_onset(np.zeros(500), 0.3) is None
    assert fault_onset(np.zeros(0), 0.3) is None


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=40), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_the_first_row_lies_in_its_interval_and_in_the_window(shown, usual):
    found = fault_onset(np.array(shown), usual)
    assert found is None or 0 <= found.earliest <= found.at <= found.latest < len(shown)
