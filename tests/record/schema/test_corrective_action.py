"""Corrective actions: what they are for, their state over time, and which are overdue."""

from datetime import UTC, date, datetime

import pytest

from rca.record.schema.corrective_action import CorrectiveAction, overdue


def action(**keys):
    return CorrectiveAction.model_validate({"what": "watch the feed", **keys})


@pytest.mark.parametrize(
    ("keys", "aim"),
    [({"kind": "mitigate"}, "contain"), ({"kind": "detect", "aim": "prevent"}, "prevent"), ({"kind": "process"}, None),
     ({"kind": "prevent"}, "prevent"), ({}, None)],
)  # fmt: skip
def test_an_aim_is_what_it_says_or_what_its_kind_says(keys, aim):
    assert action(**keys).aims_to == aim


@pytest.mark.parametrize(
    ("due", "on"),
    [("2026-07-15", date(2026, 7, 15)), ("2026-07-15T12:00", date(2026, 7, 15)), ("soon", None), (None, None)],
)
def test_a_due_date_is_read_where_it_is_one(due, on):
    assert action(due=due).due_on == on


def at(day):
    return datetime(2026, 7, day, 12, tzinfo=UTC)


HISTORY = [{"at": "2026-07-20T00:00:00Z", "state": "done"}, {"at": "2026-07-10T00:00:00Z", "state": "started"}]


@pytest.mark.parametrize(("day", "state"), [(9, "open"), (11, "started"), (21, "done")])
def test_the_state_at_a_moment_is_the_last_on_record_by_then(day, state):
    assert action(state="done", history=HISTORY).state_at(at(day)) == state


def test_without_a_history_or_a_moment_the_state_is_as_written():
    assert action(state="done").state_at(at(1)) == "done"
    assert action(state="done", history=HISTORY).state_at(None) == "done"


def test_overdue_is_what_was_due_before_today_and_is_not_finished():
    due = action(due="2026-07-15")
    late = action(due="2026-07-15", state="done", history=HISTORY)
    others = [action(due="2026-07-15", state=state) for state in ("done", "dropped")]
    assert overdue([due, late, *others, action(), action(due="soon")], at(16)) == (due, late)
    assert overdue([due, late], at(15)) == ()
    assert overdue([due, late], at(21)) == (due,)
    assert overdue([due], None) == ()
