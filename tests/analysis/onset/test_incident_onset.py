"""Since when an incident lasts: each cause on the rows that show it, the metric where none does."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.contribution import Contribution
from rca.analysis.harm.harm import Harm
from rca.analysis.inputs.windows import Windows
from rca.analysis.onset.incident_onset import Since, incident_onset
from rca.errors import Unanswerable
from rca.finding import Interval
from rca.methods.metric import measure
from rca.record.case import Roles
from rca.record.schema.incident import Metric
from rca.tables.condition import Condition

START = pd.Timestamp("2026-03-01", tz="UTC")
ROWS = 2000
HARMED = 1000
"""The row from which the outcome is wrong more often, unless a test says otherwise."""


def hour(count):
    return START + pd.Timedelta(hours=count)


def made(seed=0, at=HARMED, high=0.4):
    """Two windows with a flag that is wrong more often from `at` on, and columns that a test may break."""
    rng = np.random.default_rng(seed)
    frames = []
    for first in (-ROWS, 0):
        late = (np.arange(ROWS) >= at) & (first == 0)
        columns = {name: rng.normal(size=ROWS) for name in ("age", "income", "rate")}
        wrong = (rng.random(ROWS) < np.where(late, high, 0.05)).astype(int)
        times = START + pd.to_timedelta(first + np.arange(ROWS), unit="h")
        frames.append(pd.DataFrame({**columns, "site": rng.choice(list("abcd"), ROWS), "wrong": wrong, "at": times}))
    return frames


def told(frames, faults=(), parts=(), *, time="at", slices=()):
    reference, current = frames
    metric, roles = Metric(name="rate", column="wrong"), Roles(time=time, features=("age", "income", "rate", "site"))
    windows = Windows(reference=reference, current=current, roles=roles, metric=metric, parents={})
    measured = measure(*map(windows.meter.parts, frames), metric, rng=np.random.default_rng(0))
    harm = Harm(measured=measured, contributions=tuple(part(*one) for one in parts), unexplained=0.0)
    return incident_onset(windows, harm, Faults(columns=tuple(faults)), slices=slices)


def part(name, value, kind="feature"):
    ends = Interval(low=value - 0.01, high=value + 0.01)
    return Contribution(
        kind=kind, name=name, value=value, interval=ends, method="mended", n_effective=900.0, strength="shown"
    )


def fault(column, kind, **about):
    return ColumnFault(column=column, fault=kind, share=0.5, evidence="a test says so", **about)


def broken(frame, column, at, value):
    """A copy with a column that holds one value from a row on."""
    return frame.assign(**{column: np.where(np.arange(len(frame)) >= at, value, frame[column])})


def near(onset, row, hours=12):
    return abs(onset.at - hour(row)) <= timedelta(hours=hours)


def test_what_shows_in_no_row_is_dated_on_the_metric():
    found = told(made(), parts=[("label", 0.1, "concept")])
    assert near(found.onset, HARMED, hours=30)
    assert found.onset == found.metric
    assert found.by_cause == ()


def test_a_column_that_broke_is_dated_on_the_rows_that_show_it():
    reference, current = made()
    found = told((reference, broken(current, "age", 990, 0.5)), [fault("age", "frozen", value="0.5")], [("age", 0.15)])
    assert near(found.onset, 990, hours=1)
    assert found.onset.what == "age frozen"
    assert found.metric.latest - found.metric.earliest > found.onset.latest - found.onset.earliest


def test_missing_values_show_in_their_rows():
    reference, current = made()
    found = told((reference, broken(current, "age", 1000, np.nan)), [fault("age", "missing")], [("age", 0.15)])
    assert found.onset.at == hour(1000)


def test_values_never_seen_show_in_their_rows():
    reference, current = made()
    found = told((reference, broken(current, "site", 1000, "z")), [fault("site", "new_values")], [("site", 0.15)])
    assert found.onset.at == hour(1000)


@pytest.mark.parametrize("kind", ["scaled", "shifted"])
def test_a_column_whose_rows_show_no_fault_is_dated_on_how_they_look(kind):
    reference, current = made()
    late = np.arange(ROWS) >= 1000
    wrong = current.assign(
        age=current["age"] * np.where(late, 12, 1) if kind == "scaled" else current["age"] + 3 * late
    )
    found = told((reference, wrong), [fault("age", kind)], [("age", 0.15)])
    assert near(found.onset, 1000, hours=6)
    assert found.by_cause[0].cause.name == "age"


def test_of_two_faults_each_has_its_date_and_the_incident_the_earlier_one():
    reference, current = made()
    current = broken(broken(current, "age", 1300, 0.5), "income", 900, 7.5)
    columns = [fault("age", "frozen", value="0.5"), fault("income", "default_value", value="7.5")]
    found = told((reference, current), columns, [("age", 0.1), ("income", 0.06)])
    assert [(one.cause.name, one.onset.at) for one in found.by_cause] == [("age", hour(1300)), ("income", hour(900))]
    assert found.onset.at == hour(900)


def test_a_column_that_did_little_harm_dates_nothing():
    reference, current = made()
    current = broken(current, "income", 300, 7.5)
    found = told((reference, current), [fault("income", "default_value", value="7.5")], [("income", 0.005)])
    assert found.by_cause == ()
    assert near(found.onset, HARMED, hours=30)


def test_a_stale_column_looks_right_and_is_dated_on_the_metric():
    found = told(made(), [fault("age", "stale")], [("age", 0.15)])
    assert found.by_cause == ()
    assert found.onset == found.metric


def test_harm_in_a_slice_is_dated_there():
    rng = np.random.default_rng(3)
    reference, current = made(high=0.05)
    late = (np.arange(ROWS) >= HARMED) & (current["site"] == "a")
    current = current.assign(wrong=np.where(late & (rng.random(ROWS) < 0.6), 1, current["wrong"]))
    whole, local = (
        told((reference, current), slices=slices)
        for slices in ((), [[Condition(column="site", operator="=", value="a")]])
    )
    assert local.onset.what == 'rate of "wrong" where site=a'
    assert local.onset.latest - local.onset.earliest < whole.onset.latest - whole.onset.earliest
    assert near(local.onset, HARMED, hours=48)
    assert local.metric == whole.metric


def test_where_nothing_material_happened_nothing_is_dated():
    assert told(made(high=0.05)) is None


def test_without_a_time_column_there_is_no_answer():
    with pytest.raises(Unanswerable, match="time column"):
        told(made(), time=None)


def test_it_says_itself_and_comes_back_from_its_dictionary():
    reference, current = made()
    found = told((reference, broken(current, "age", 990, 0.5)), [fault("age", "frozen", value="0.5")], [("age", 0.15)])
    assert Since.from_dict(found.to_dict()) == found
    assert str(found) == str(found.onset)
    assert [row["of"] for row in found.rows()] == ["feature age", "metric"]
    assert [one.id for one in found.findings()] == ["onset.metric", "onset.age"]


def test_columns_of_unhashable_mixed_and_infinite_values_are_passed_over_or_dated():
    reference, current = made()
    odd = [[1], {"a": 2}, "x", np.inf, None] * (ROWS // 5)
    reference, current = reference.assign(age=odd), current.assign(age=odd)
    found = told((reference, current), [fault("age", "recoded")], [("age", 0.15)])
    assert found.onset is not None
