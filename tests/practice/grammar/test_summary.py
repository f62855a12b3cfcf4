import pytest

from rca.practice.grammar.summary import said, summary, wilson


def line(**more):
    return {
        "seed": 0, "group": "column", "kind": "frozen", "family": "linear", "metric": {"name": "brier"}, "weak": False,
        "has": ["time"], "hit": 1.0, "place": "all", "unpaired_z": 5.0, "answers": [["feature", "a"]],
        "faults": ["frozen"], "decoys": [], "status": "explained", "right": True, "right_3": True,
        "right_status": True, "decoy": False, "fault_right": True, "seconds": 1.0,
        "causes": [{"kind": "feature", "name": "a", "fault": "frozen", "strength": "shown", "contribution": 0.1}],
        "baselines": {"largest drift": ["b", False]},
        **more,
    }  # fmt: skip


@pytest.mark.parametrize(("right", "of"), [(0, 5), (3, 10), (188, 200), (7, 7)])
def test_wilsons_interval_is_that_of_statsmodels(right, of):
    from statsmodels.stats.proportion import proportion_confint

    assert wilson(right, of) == pytest.approx(proportion_confint(right, of, method="wilson"), abs=1e-9)


def test_only_strong_incidents_that_have_a_cause_are_asked_for():
    wrong = {"right": False, "right_3": False, "status": "no_incident", "causes": []}
    quiet = line(group="quiet", kind="quiet", answers=[], status="no_incident", causes=[])
    text = summary([line(), line(**wrong), line(weak=True, **wrong), quiet])
    assert "found first where the effect exceeds 4 se: 1 of 2 = .50" in text
    assert "abstained there: 1 of 2" in text
    assert "weak ones found first: 0 of 1" in text
    assert "false alarms where nothing is wrong: 0 of 1" in text
    assert "shown      1 of 1" in text


def test_a_kind_in_which_a_baseline_finds_more_is_marked():
    wrong = line(right=False, status="cannot_tell", causes=[], baselines={"largest drift": ["a", True]})
    assert "BELOW" in summary([wrong])
    assert "BELOW" not in summary([line()])


def test_what_is_said_is_the_first_causes_kind_or_the_status():
    assert said(line()) == "feature"
    assert said(line(status="cannot_tell")) == "cannot_tell"


def test_errors_are_counted():
    text = summary([line(error="ValueError: x", status="error", causes=[], right=False)] * 2)
    assert "2 × ValueError: x" in text
