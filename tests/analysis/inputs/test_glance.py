"""Both windows at a glance: rows, days, rows a day, and the metric, as far as a case has them."""

import pytest

from rca.analysis.inputs.glance import glance
from rca.record.case import load
from tests.record.written_case import table, write


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sample"


def test_a_window_has_rows_days_and_the_metric(folder):
    (reference, current), said = glance(load(write(folder)))
    assert (reference.name, reference.rows, current.name, current.rows) == ("reference", 60, "current", 60)
    assert reference.rows_per_day == pytest.approx(60 / (59 / 24))
    assert str(reference) == "reference  60 rows, 2026-05-01 to 2026-05-03, 24 a day"
    wrong = table(seed=1).query("defaulted == 0")["declined"].mean()
    assert current.metric == pytest.approx(wrong)
    assert said.startswith("false positive rate went from")


def test_without_a_metric_rows_are_told_alone(folder):
    seen, said = glance(load(write(folder, {"metric": None})))
    assert [one.metric for one in seen] == [None, None]
    assert said == ""


def test_without_times_there_are_no_days(folder):
    changes = {"data": {"time": None}}
    (reference, _), _ = glance(load(write(folder, changes)))
    assert (reference.start, reference.rows_per_day) == (None, None)
    assert str(reference) == "reference  60 rows"
