import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.finding import Finding, Interval, Target

numbers = st.floats(allow_nan=False)


@given(numbers, numbers, numbers)
def test_an_interval_contains_its_ends_and_what_lies_between(first, second, value):
    low, high = sorted([first, second])
    interval = Interval(low=low, high=high)
    assert low in interval
    assert high in interval
    assert (value in interval) == (low <= value <= high)


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.4567, 0.5, "0.457 to 0.5"), (-1, 2, "-1 to 2"), (1e-9, 12345, "1e-09 to 1.23e+04")]
)
def test_an_interval_is_said_with_three_digits(low, high, said):
    assert str(Interval(low=low, high=high)) == said


def test_an_interval_is_of_95_percent_unless_told_otherwise():
    assert Interval(low=0, high=1).level == 0.95


def test_a_finding_is_no_more_than_suggested_until_it_was_asked_again():
    assert Finding(id="drift.income", notebook="2_drift", claim="income moved").strength == "suggested"


def test_a_finding_cannot_be_changed_afterwards():
    finding = Finding(id="drift.income", notebook="2_drift", claim="income moved")
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.strength = "shown"


def test_the_same_accusation_is_equal_and_can_be_counted():
    assert len({Target(kind="feature", name="income"), Target(kind="feature", name="income")}) == 1
