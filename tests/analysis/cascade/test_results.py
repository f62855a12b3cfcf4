"""What is told of a cascade: sentences, steps, findings, and back from a dictionary."""

from dataclasses import replace

import pytest

from rca.analysis.cascade.results import Cascade, FailureStep


def step(**options):
    return FailureStep(**{"cause": "a", "effect": "b", "lag": 300.0, "earliest": 60.0, "latest": 400.0} | options)


@pytest.mark.parametrize(("earliest", "said"), [(60.0, "a → b after 5 min"), (0.0, "a → b at the same time")])
def test_a_step_says_its_lag_unless_the_order_cannot_be_told(earliest, said):
    assert str(step(earliest=earliest)) == said
    assert str(step(earliest=earliest, over="qa")) == f"{said}, past qa"


def test_a_silent_guard_and_the_way_are_findings(cascade):
    found = {one.id: one for one in cascade.findings()}
    assert list(found) == ["cascade.detector", "cascade.robot", "cascade.silent.qa", "cascade.way"]
    assert "qa stayed in its normal range while detector failed before it" in found["cascade.silent.qa"].claim
    assert (found["cascade.way"].effect, found["cascade.way"].unit) == (240.0, "seconds from origin to alarm")
    assert {one.notebook for one in found.values()} == {"cascade"}


def test_the_onset_is_that_of_the_first_suspect(cascade):
    assert cascade.onset.at == cascade.suspects[0].onset
    assert cascade.onset.earliest == cascade.suspects[0].earliest
    assert replace(cascade, suspects=()).onset is None


def test_a_doubt_is_said(cascade):
    assert str(replace(cascade, doubt="who knows")).endswith("; but who knows")


def test_where_two_cannot_be_told_apart_a_restart_or_finer_samples_would_decide(cascade):
    assert cascade.would_decide == ""
    doubted = replace(cascade, doubt="who knows", step=60.0)
    assert "restart detector alone and watch robot|" in doubted.would_decide
    one, other = doubted.suspects[:2]
    level = replace(other, onset=one.onset, earliest=one.earliest)
    assert "every 6 s, so that" in replace(doubted, suspects=(one, level)).would_decide
    assert "every" not in replace(doubted, suspects=(one, level), step=1.0).would_decide


def test_a_cascade_comes_back_from_its_dictionary(cascade):
    assert Cascade.from_dict(cascade.to_dict()) == cascade
    assert list(cascade.to_frame()["component"]) == ["detector", "robot"]


@pytest.mark.parametrize(
    ("how", "said"), [("stuck", "stood still"), ("silent", "reported no more"), ("moved", "9 stand")]
)
def test_how_a_signal_failed_is_said(cascade, how, said):
    first = replace(cascade.suspects[0], how=how)
    assert said in replace(cascade, suspects=(first,)).findings()[0].claim
