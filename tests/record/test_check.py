"""What only the files of a case tell: tables, signals, model and sources are what the record says, or it is said."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from rca.errors import InvalidCase
from rca.record.case import load
from rca.record.check import check
from tests.conftest import ROOT
from tests.record.written_case import RECORD, START, WINDOWS, only, table, told, write

SHARED = ROOT.parent / "shared" / "cases"


def test_a_sound_case_has_no_problems(folder):
    assert told(write(folder)) == []


def test_every_problem_is_told_at_once(folder):
    broken = no_offset(table()).assign(defaulted=1).drop(columns="band")
    changes = {
        "id": "other",
        "severity": "SEV2",
        "titel": "x",
        "graph": "graph.yaml",
        "model": {"path": "model.pkl", "format": "lightgbm"},
        "timeline": {
            "detected": "2026-05-02T09:10:00",
            "closed": "2026-01-01T00:00:00Z",
            "recovered": "2026-02-01T00:00:00Z",
        },
    }
    lines = told(write(folder, changes, current=broken))
    for message in (
        "timeline.detected (line 8): '2026-05-02T09:10:00' has no offset. Hint: if it is in UTC, write",
        "severity (line 4): 'SEV2' is not one of sev1, sev2, sev3, sev4, sev5. Hint: did you mean 'sev2'?",
        "titel (line 29): unknown key 'titel'. Hint: did you mean 'title'?",
        "id (line 2): 'other' is not the name of the folder, 'sample'",
        "closed (2026-01-01T00:00:00+00:00) comes before recovered",
        "model.path (line 32): 'model.pkl' is in a format that can run code",
        "graph (line 30): there is no file 'graph.yaml'",
        "the times have no offset",
        "every label of the current table is 1",
        "the current table has no column 'band'",
    ):
        assert any(message in line for line in lines), (message, lines)
    assert len(lines) == 10, lines


def no_offset(frame):
    return frame.assign(at=frame["at"].dt.tz_localize(None))


def with_text(frame, **values):
    return frame.assign(at=[at.isoformat() for at in frame["at"]]).assign(**values)


TABLES = {
    "naive times": (no_offset, r"the times have no offset.*ISO 8601"),
    "one naive time as text": (
        lambda f: with_text(f, at=[*(at.isoformat() for at in f["at"][:-1]), "2026-05-09T00:00:00"]),
        r"row 60 says '2026-05-09T00:00:00', a time without an offset",
    ),
    "no time at all": (lambda f: with_text(f, at="yesterday 10:00Z"), r"row 1 says 'yesterday 10:00Z'"),
    "an impossible time": (lambda f: with_text(f, at="2026-13-45T10:00:00Z"), r"'2026-13-45T10:00:00Z', no time"),
    "numbers for times": (lambda f: f.assign(at=range(60)), r"holds int64, and times were expected"),
    "no rows": (lambda f: f.iloc[:0], r"data.current \(line \d+\): the current window has no rows"),
    "one class": (lambda f: f.assign(defaulted=0), r"every label of the current table is 0; false_positive_rate"),
    "no labels": (lambda f: f.assign(defaulted=None), r"the label is missing in every row of the current table"),
    "no positive label": (
        lambda f: f.assign(defaulted=["y", "n"] * 30),
        r"no label of the current table is 1.*'n', 'y'",
    ),
    "no score": (lambda f: f.assign(probability=np.nan), r"'probability' is missing in every row"),
    "text for a score": (lambda f: f.assign(probability="high"), r"'probability' holds str, and a score is a number"),
    "a column less": (lambda f: f.drop(columns="income"), r"the current table has no column 'income', which the ref"),
    "a column more": (lambda f: f.assign(extra=1), r"has a column 'extra', which the reference has not.*data.ignore"),
    "a column renamed": (lambda f: f.rename(columns={"income": "incom"}), r"did you mean 'incom'\?"),
    "a role's column gone": (
        lambda f: f.drop(columns="band"),
        r"data.groups\[0\].*the current table has no column 'band'",
    ),
    "no time column": (lambda f: f.rename(columns={"at": "At"}), r"data.time.*no column 'at'.*did you mean 'At'"),
    "lists in a feature": (lambda f: f.assign(income=[[1, 2], [1]] * 30), r"'income' holds lists"),
    "lists in a label": (lambda f: f.assign(defaulted=[[1, 2]] * 60), r"'defaulted' holds lists"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_not_what_the_record_says_is_named(folder, name):
    change, message = TABLES[name]
    lines = told(write(folder, current=change(table(seed=1))))
    assert any(pd.Series([line]).str.contains(message).item() for line in lines), lines
    assert len(lines) <= 2
    assert not any("reference.parquet" in line for line in lines)


def test_a_window_without_rows_is_told(folder):
    late = {**WINDOWS["current"], "from": "2027-01-01T00:00:00Z", "to": "2027-01-02T00:00:00Z"}
    line = only(write(folder, {"data": {**WINDOWS, "current": late}}, log=table()))
    assert "the current window has no rows" in line
    assert "`from` and `to`" in line


def test_a_probability_outside_zero_to_one_is_told_where_the_metric_takes_it_for_one(folder):
    percent = table().assign(probability=50.0)
    assert told(write(folder, current=percent)) == []
    assert "runs from 50 to 50" in only(write(folder, {"metric": {"name": "brier"}}, current=percent))


def readings():
    hours = [START + timedelta(hours=hour) for hour in range(48)]
    return pd.DataFrame({"time": hours, "web|latency": np.arange(48.0), "db|latency": 1.0, "db|up": np.nan})


SIGNALS = {
    "path": "signals.parquet",
    "from": "2026-05-02T00:00:00Z",
    "to": "2026-05-02T12:00:00Z",
    "target": "web|latency",
    "bad": {"latency": "up"},
}


def test_signals_come_in_order_of_time(folder):
    case = load(write(folder, {"signals": SIGNALS}, signals=readings().sample(frac=1, random_state=0)))
    pd.testing.assert_frame_equal(case.signals, readings())
    assert told(folder) == []


CASCADES = {
    "no time": (lambda f: f.rename(columns={"time": "time|s"}), {}, r"no column 'time'. Hint: did you mean 'time\|s'"),
    "an empty window": (lambda f: f.iloc[:20], {}, r"signals.from.*no row lies in the failing window"),
    "nothing before": (lambda f: f.iloc[24:], {}, r"no row lies before `from`"),
    "an unknown target": (lambda f: f, {"target": "web|latenc"}, r"signals.target.*did you mean 'web\|latency'"),
    "an empty target": (lambda f: f, {"target": "db|up"}, r"the target 'db\|up' is missing in every row"),
    "nothing at all": (lambda f: f.assign(**dict.fromkeys(f.columns[1:], np.nan)), {}, r"every signal is missing"),
    "an unknown metric": (lambda f: f, {"bad": {"latncy": "up"}}, r"signals.bad.latncy.*did you mean 'latency'"),
    "a wrong direction": (
        lambda f: f,
        {"bad": {"latency": "worse"}},
        r"signals.bad.latency.*'worse' is not one of up, down",
    ),
    "a signal without a metric": (
        lambda f: f.assign(web=1.0),
        {},
        r"'web' is no signal. Hint: name it `component\|metric`",
    ),
    "text": (lambda f: f.assign(**{"db|up": "yes"}), {}, r"'db\|up' holds str, and numbers were expected"),
    "a time twice": (lambda f: pd.concat([f, f.iloc[:1]]), {}, r"2026-05-01T00:00:00\+00:00 comes twice"),
    "naive times": (lambda f: f.assign(time=f["time"].dt.tz_localize(None)), {}, r"the times have no offset"),
    "a window that closes first": (lambda f: f, {"to": "2026-05-01T12:00:00Z"}, r"`to` comes before `from`"),
}


@pytest.mark.parametrize("name", CASCADES)
def test_signals_are_sound_or_their_problem_named(folder, name):
    change, settings_, message = CASCADES[name]
    line = only(write(folder, {"signals": {**SIGNALS, **settings_}}, signals=change(readings())))
    assert pd.Series([line]).str.contains(message).item(), line


def test_a_feature_that_the_model_reads_and_a_table_lacks_is_named(folder):
    import lightgbm

    frame = table()[["income", "purpose"]].rename(columns={"income": "incomes"})
    booster = lightgbm.train({"verbosity": -1, "min_data_in_leaf": 5}, lightgbm.Dataset(frame, table()["defaulted"]), 2)
    write(folder, {"model": {"path": "model.txt", "format": "lightgbm"}})
    booster.save_model(folder / "model.txt")
    lines = told(folder)
    assert [window in line for window, line in zip(("reference", "current"), lines, strict=True)] == [True, True]
    assert all("the model reads 'incomes'" in line and "did you mean 'income'" in line for line in lines)


def test_a_source_that_is_cited_has_to_be_there(folder):
    event = {**RECORD["timeline"]["events"][0], "source": "sources/deploys.json"}
    why = {"question": "Why?", "answer": {"statement": "So.", "evidence": ["sources/mail.txt", "drift.income"]}}
    sent = {"regime": "gdpr-33", "submitted_at": "2026-05-03T09:00:00Z", "evidence": ["sources/receipt.txt"]}
    lines = told(write(folder, {"timeline": {"events": [event]}, "whys": [why], "notifications": [sent]}))
    places = ("timeline.events[0].source", "notifications[0].evidence[0]", "whys[0].answer.evidence[0]")
    assert [place in line for place, line in zip(places, lines, strict=True)] == [True, True, True]
    (folder / "sources").mkdir()
    for name in ("deploys.json", "mail.txt", "receipt.txt"):
        (folder / "sources" / name).write_text("{}")
    assert told(folder) == []


def shared(kind, step=1):
    return sorted(path for path in (SHARED / kind).glob("*") if path.is_dir())[::step]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the scored libraries are not beside the repository")
@pytest.mark.parametrize("path", [*shared("library"), *shared("signals", step=14)], ids=lambda path: path.name)
def test_every_scored_case_is_sound(path):
    assert check(path) == []


@pytest.mark.parametrize("name", ["mail\nof monday.md", "old.pkl"])
def test_a_file_that_no_report_can_list_is_told_before_the_run(folder, name):
    written = write(folder)
    (written / "sources").mkdir()
    (written / "sources" / name).write_text("It began on Monday.")
    line = only(written)
    assert "rename it, or take it out" in line
    with pytest.raises(InvalidCase):
        load(written).inputs()
