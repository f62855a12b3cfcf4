import itertools
import sqlite3

import pytest

from rca.service.ledger import LOST, Ledger, Row, case_id

ENDED = ("recovered", "closed")
HOW = {"now": 100.0, "settle": 0.0, "most": 9}


def row(number, state="closed", at="2026-05-02T12:00:00.000000+00:00", **more):
    told = {"id": f"d{number}", "hook": "desk", "incident": "7", "priority": 0, "delivery": None, "received": 50.0}
    return Row(**{**told, "state": state, "at": at, "body": str(number).encode(), **more})


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.sqlite")


def test_the_latest_word_counts_in_whatever_order_it_comes(tmp_path):
    rows = [row(1, "open", "1"), row(2, "closed", "3"), row(3, "open", "2"), row(4, "", "4")]
    for number, order in enumerate(itertools.permutations(rows)):
        ledger = Ledger(tmp_path / str(number))
        for one in order:
            ledger.accept([one])
        assert ledger.incidents()[0]["state"] == "closed"


def test_a_batch_is_written_whole_or_not_at_all(ledger):
    with pytest.raises(sqlite3.IntegrityError):
        ledger.accept([row(1), row(2, id="d1")])
    assert ledger.counts()["deliveries"] == 0


def test_work_is_given_out_once_until_it_comes_back(ledger):
    ledger.accept([row(1)])
    (work,) = ledger.due(ENDED, **HOW)
    assert ledger.take(work, "t1")
    assert not ledger.take(work, "t2")
    assert ledger.due(ENDED, **HOW) == []
    assert ledger.taken() == {"t1": work}
    ledger.put_back("t1")
    assert ledger.due(ENDED, **HOW) == [work]


def test_what_comes_during_a_run_makes_another(ledger):
    ledger.accept([row(1)])
    (work,) = ledger.due(ENDED, **HOW)
    ledger.take(work, "t1")
    ledger.accept([row(2)])
    ledger.done("t1", "{}")
    (again,) = ledger.due(ENDED, **HOW)
    assert (work.count, again.count) == (1, 2)
    assert ledger.bodies(work) == [b"1"]
    assert ledger.bodies(again) == [b"1", b"2"]


def test_a_failed_run_waits_twice_as_long_each_time_and_is_given_up_in_the_end(ledger):
    ledger.accept([row(1)])
    waits, over, now = [], False, 100.0
    while not over:
        (work,) = ledger.due(ENDED, now=now, settle=0, most=9)
        ledger.take(work, "t")
        over = ledger.failed("t", "why", now=now, attempts=3, backoff=10.0)
        waits.append(ledger.incident(work.case_id)["due"] - now)
        now += 100
    assert waits == [10, 20, 40]
    assert (ledger.counts()["dead"], ledger.incident(work.case_id)["reason"]) == (1, "why")
    assert ledger.due(ENDED, now=now, settle=0, most=9) == []
    ledger.accept([row(2)])  # what is new wants another look
    assert len(ledger.due(ENDED, now=now, settle=0, most=9)) == 1


def test_what_takes_its_worker_along_again_and_again_is_given_up(ledger):
    ledger.accept([row(1)])
    for number in range(LOST):
        (work,) = ledger.due(ENDED, **HOW)
        ledger.take(work, "t")
        assert ledger.lost("t", "lost") == (number == LOST - 1)
    assert ledger.due(ENDED, **HOW) == []


def test_a_clock_that_is_set_back_stops_nothing(ledger):
    ledger.accept([row(1, received=1e9)])
    (work,) = ledger.due(ENDED, now=5.0, settle=30.0, most=9)
    ledger.take(work, "t")
    ledger.failed("t", "why", now=1e9, attempts=3, backoff=1.0)
    assert ledger.due(ENDED, now=5.0, settle=30.0, most=9) == [work]


def test_what_matters_more_goes_first_and_then_what_waits_longest(ledger):
    ledger.accept([row(n, incident=str(n), received=float(n), priority=n == 3) for n in range(5)])
    assert [one.incident for one in ledger.due(ENDED, **HOW)] == ["3", "0", "1", "2", "4"]


def test_cancelled_is_done_no_more(ledger):
    ledger.accept([row(1)])
    assert ledger.cancel("none") is None
    assert ledger.cancel(case_id("desk", "7")) == ""
    assert ledger.due(ENDED, **HOW) == []


def test_a_channel_is_told_once_of_each_report(ledger):
    ledger.accept([row(1)])
    (work,) = ledger.due(ENDED, **HOW)
    ledger.take(work, "t")
    ledger.done("t", "{}")
    first, second = ledger.owed(2, now=0.0)
    ledger.told(first)
    ledger.told(second, reason="slow", due=10.0)
    assert ledger.owed(2, now=5.0) == []
    assert [one["failed"] for one in ledger.owed(2, now=10.0)] == [1]


def test_incidents_of_one_spelling_are_apart():
    names = {case_id("desk", one) for one in ("a b", "a-b", "A b", "a b ", "a\0b")}
    assert len(names) == 5
