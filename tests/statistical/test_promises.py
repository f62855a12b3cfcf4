"""The table of what was proved, and promises that prove nothing."""

import pytest

from tests.conftest import proven
from tests.statistical.promises import at_least, at_most, long_and_short, within

LAW = {"claim": "a law (a)", "promised": "at most 5.0%", "seen": "4.0%", "draws": "100"}

JUDGED = {"at_least": at_least, "at_most": at_most, "within": within}
BROKEN = {"at_least": 0, "at_most": 1, "within": 0}
"""Of all draws, the share of hits that comes nowhere near the promise."""

EDGES = [
    ("at_least", 0.8, 5),
    ("at_least", 0.95, 1),
    ("at_most", 0.1, 2),
    ("at_most", 0.5, 17),
    ("within", (0.8, 0.9), 5),
]
"""Promises, and the fewest draws that can break them."""


@pytest.fixture
def _no_ledger(monkeypatch):
    monkeypatch.setattr("tests.statistical.promises.LEDGER", [])


def test_laws_that_are_proved_again_replace_their_lines_and_others_stay():
    first = proven("", [LAW, LAW | {"claim": "another"}], "2026-01-01")
    again = proven(first, [LAW | {"seen": "4.5%"}], "2026-02-02")
    assert "| a law (a) | at most 5.0% | 4.5% | 100 | 2026-02-02 |" in again
    assert "4.0% | 100 | 2026-01-01" in again
    assert again.count("a law (a)") == 1
    assert proven(again, [], "2026-03-03") == again


@pytest.mark.parametrize(("kind", "rate", "fewest"), [edge for edge in EDGES if edge[2] > 1])
def test_a_promise_that_cannot_fail_is_refused_on_collection_and_when_it_is_judged(kind, rate, fewest):
    with pytest.raises(ValueError, match=f"no outcome of {fewest - 1} draws breaks a promise of"):
        long_and_short(fewest - 1, 1000, **{kind: rate})
    for hits in range(fewest):
        with pytest.raises(ValueError, match="draw more often"):
            JUDGED[kind](hits, fewest - 1, rate)


@pytest.mark.usefixtures("_no_ledger")
@pytest.mark.parametrize(("kind", "rate", "fewest"), EDGES)
def test_a_promise_that_can_fail_is_taken_and_fails(kind, rate, fewest):
    assert long_and_short(fewest, 1000, **{kind: rate}).args[0] == "draws"
    with pytest.raises(AssertionError, match=f"of {fewest}, promised"):
        JUDGED[kind](BROKEN[kind] * fewest, fewest, rate)


def test_of_several_promises_each_must_be_able_to_fail():
    with pytest.raises(ValueError, match=r"at least 80\.0%"):
        long_and_short(2, 1000, at_most=0.1, at_least=0.8)


def test_what_is_counted_is_what_must_be_able_to_fail():
    with pytest.raises(ValueError, match="no outcome of 4 draws"):
        long_and_short(40, 1000, at_least=0.8, each=0.1)
    assert long_and_short(2, 1000, at_least=0.8, each=4)


def test_a_law_over_draws_says_its_rate():
    with pytest.raises(ValueError, match="says what rate it promises"):
        long_and_short(5, 100)
