"""Case folders: loaded, checked, scaffolded; sound ones and hostile ones."""

import hashlib
import os
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rca.errors import InvalidCase
from rca.record.case import Case, load, scaffold
from rca.record.check import check
from rca.record.files.graph_file import Graph
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared" / "cases"
START = datetime(2026, 5, 1, tzinfo=UTC)

RECORD = {
    "schema": 1,
    "id": "sample",
    "title": "Good applicants are turned away",
    "severity": "sev2",
    "category": "model_drift",
    "status": "closed",
    "timeline": {
        "detected": "2026-05-02T09:10:00Z",
        "closed": "2026-05-20T16:00:00Z",
        "events": [{"at": "2026-05-01T02:00:00+02:00", "kind": "deploy", "what": "schema v12"}],
    },
    "data": {
        "reference": "reference.parquet",
        "current": "current.parquet",
        "time": "at",
        "label": "defaulted",
        "prediction": "declined",
        "score": "probability",
        "id": "application",
        "groups": ["band"],
        "categorical": ["purpose"],
    },
    "metric": {"name": "false_positive_rate"},
}


def table(n=60, seed=0, start=START):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "at": [start + timedelta(hours=hour) for hour in range(n)],
            "application": np.arange(n),
            "income": random.normal(size=n),
            "purpose": random.integers(0, 3, n),
            "band": random.choice(["young", "old"], n),
            "defaulted": np.arange(n) % 2,
            "declined": random.integers(0, 2, n),
            "probability": random.random(n),
        }
    )


def merged(record, changes):
    out = dict(record)
    for key, value in changes.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def write(folder, changes=None, **tables):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "incident.yaml").write_text(yaml.safe_dump(merged(RECORD, changes or {}), sort_keys=False))
    for name, frame in {"reference": table(), "current": table(seed=1), **tables}.items():
        if frame is not None:
            frame.to_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sample"


def told(folder):
    """What `check` says, one line a problem."""
    return [str(problem) for problem in check(folder)]


def only(folder):
    lines = told(folder)
    assert len(lines) == 1, lines
    return lines[0]


# --- loading ----------------------------------------------------------------------------------------------------------


def test_a_sound_case_has_no_problems(folder):
    assert told(write(folder)) == []


def test_a_column_without_a_role_that_no_other_key_names_is_a_feature(folder):
    case = load(write(folder, {"metric": {"name": "rate", "column": "declined"}, "data": {"prediction": None}}))
    assert case.roles.features == ("income", "purpose")
    assert case.roles.categorical == ("purpose",)
    assert case.roles.prediction is None


def test_loading_reads_no_table(folder):
    write(folder)
    (folder / "reference.parquet").unlink()
    case = load(folder)
    with pytest.raises(InvalidCase, match=r"data.reference.*no file 'reference.parquet'"):
        _ = case.reference


def test_what_a_case_has_not_is_none(folder):
    write(folder, {"data": None, "metric": None}, reference=None, current=None)
    case = load(folder)
    assert [case.reference, case.current, case.recovered, case.signals, case.graph, case.model] == [None] * 6
    assert case.roles.features == ()
    assert told(folder) == []


def test_what_a_caller_writes_into_a_table_stays_with_the_caller(folder):
    case = load(write(folder))
    mine = case.reference
    mine["income"] = 0.0
    mine.loc[:, "purpose"] = 9
    pd.testing.assert_frame_equal(case.reference, table(), check_dtype=False)


def test_the_record_itself_may_be_named(folder):
    write(folder)
    assert load(folder / "incident.yaml").incident == load(folder).incident


def test_a_folder_that_is_not_there_is_refused_with_a_hint(folder):
    write(folder)
    with pytest.raises(InvalidCase, match=r"no such folder.*did you mean 'sample'"):
        load(folder.parent / "sampel")


def test_a_case_reached_by_a_link_keeps_its_name(folder, tmp_path):
    write(folder)
    (tmp_path / "latest").symlink_to(folder)
    assert load(tmp_path / "latest").incident.id == "sample"
    assert told(tmp_path / "latest") == []


def test_load_raises_what_check_says_of_the_record(folder):
    write(folder, {"severity": "sev9", "colour": "red", "timeline": {"closed": "2026-01-01T00:00:00Z"}})
    with pytest.raises(InvalidCase) as caught:
        load(folder)
    assert list(caught.value.problems) == check(folder)
    assert len(caught.value.problems) == 3


# --- windows and formats ----------------------------------------------------------------------------------------------


WINDOWS = {
    "reference": {"path": "log.parquet", "from": "2026-05-01T00:00:00Z", "to": "2026-05-02T00:00:00Z"},
    "current": {"path": "log.parquet", "from": "2026-05-02T02:00:00+02:00", "to": "2026-05-03T00:00:00Z"},
}


def test_a_window_takes_its_first_moment_and_leaves_its_last(folder):
    case = load(write(folder, {"data": WINDOWS}, log=table()))
    assert len(case.reference) == len(case.current) == 24
    assert case.reference["at"].max() < case.current["at"].min() == pd.Timestamp("2026-05-02T00:00:00Z")
    assert list(case.current.index) == list(range(24))
    assert told(folder) == []


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather", "csv", "csv.gz"])
@pytest.mark.parametrize("times", ["typed", "text", "zoned"])
def test_every_format_gives_the_same_rows(folder, ending, times):
    frame = table()
    if times == "text":
        frame["at"] = [at.isoformat() for at in frame["at"]]
    elif times == "zoned":
        frame["at"] = frame["at"].dt.tz_convert("America/New_York")
    data = {name: {**window, "path": f"log.{ending}"} for name, window in WINDOWS.items()}
    write(folder, {"data": data}, reference=None, current=None)
    writer = frame.to_csv if "csv" in ending else frame.to_parquet if ending == "parquet" else frame.to_feather
    writer(folder / f"log.{ending}", **({"index": False} if "csv" in ending else {}))
    expected = table().iloc[24:48].reset_index(drop=True)
    pd.testing.assert_frame_equal(load(folder).current, expected, check_dtype=False)
    assert str(load(folder).current["at"].dtype) == "datetime64[us, UTC]"
    assert told(folder) == []


@pytest.mark.parametrize("path", ["days", "days/*.parquet", "days/day-[12].parquet", "**/*.parquet"])
def test_a_folder_and_a_glob_are_read_in_order_of_name(folder, path):
    write(folder, {"data": {"current": path}}, reference=None)
    (folder / "current.parquet").unlink()
    table().to_csv(folder / "reference.csv", index=False)
    (folder / "days").mkdir()
    table(start=START + timedelta(days=9)).iloc[30:].to_parquet(folder / "days" / "day-2.parquet")
    table(start=START + timedelta(days=9)).iloc[:30].to_parquet(folder / "days" / "day-1.parquet")
    (folder / "days" / "_README.md").write_text("not a table")
    (folder / "days" / ".day-0.parquet.swp").write_text("nor this")
    case = load(folder)
    assert case.current["application"].tolist() == list(range(60))


def test_the_files_of_a_table_have_the_same_columns(folder):
    write(folder, {"data": {"current": "days"}}, current=None)
    (folder / "days").mkdir()
    table().to_parquet(folder / "days" / "1.parquet")
    table().drop(columns="income").to_parquet(folder / "days" / "2.parquet")
    assert "'2.parquet' has other columns than '1.parquet'" in only(folder)


def test_the_files_of_a_table_may_keep_numbers_in_several_types(folder):
    write(folder, {"data": {"current": "days"}}, current=None)
    (folder / "days").mkdir()
    table().astype({"purpose": "int8"}).to_parquet(folder / "days" / "1.parquet")
    table().astype({"purpose": float}).assign(purpose=2.5).to_parquet(folder / "days" / "2.parquet")
    assert told(folder) == []
    assert load(folder).current["purpose"].tolist() == [*table()["purpose"].tolist(), *[2.5] * 60]


def test_truth_with_gaps_and_decimals_become_floats(folder):
    import decimal

    odd = {"income": [decimal.Decimal("1.50"), None] * 30, "purpose": pd.array([True, None] * 30, dtype="boolean")}
    case = load(write(folder, current=table().assign(**odd)))
    assert case.current["income"].dtype == case.current["purpose"].dtype == np.float64
    assert case.current["purpose"].isna().sum() == 30


def test_the_index_that_pandas_stored_is_no_column(folder):
    kept = table().set_index(pd.Index(np.arange(60) * 3))
    case = load(write(folder, reference=kept, current=kept))
    assert list(case.reference.columns) == list(table().columns)
    assert told(folder) == []


# --- tables that are not sound ----------------------------------------------------------------------------------------


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
    "lists in a feature": (lambda f: f.assign(income=[[1, 2]] * 60), r"'income' holds lists"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_not_what_the_record_says_is_named(folder, name):
    change, message = TABLES[name]
    lines = told(write(folder, current=change(table(seed=1))))
    assert any(pd.Series([line]).str.contains(message).item() for line in lines), lines
    assert len(lines) <= 2
    assert not any("reference.parquet" in line for line in lines)


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


def test_a_wrong_part_brings_no_follow_up_problems(folder):
    assert "data.label" in only(write(folder, {"data": {"label": ["defaulted"]}}))


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        ("parquet", b"not parquet"),
        ("parquet", b""),
        ("csv", b""),
        ("csv", b"a,a\n1,2\n"),
        ("csv", b'a,b\n"1,2\n'),
        ("csv", b"\xff\xfe\x00"),
        ("arrow", b"ARROW1" * 9),
        ("txt", b"a\n1\n"),
        ("parquet", b"\x80\x04\x95."),
    ],
)
def test_a_table_that_cannot_be_read_is_a_problem_and_no_crash(folder, ending, content):
    write(folder, {"data": {"current": f"bad.{ending}"}})
    (folder / f"bad.{ending}").write_bytes(content)
    assert any("data.current" in line for line in told(folder))
    with pytest.raises(InvalidCase):
        _ = load(folder).current


def test_windows_of_one_file_must_not_overlap(folder):
    late = {**WINDOWS["current"], "from": "2026-05-01T23:59:59Z"}
    assert "shares rows with the reference" in only(write(folder, {"data": {**WINDOWS, "current": late}}, log=table()))


def test_a_window_without_rows_is_told(folder):
    late = {**WINDOWS["current"], "from": "2027-01-01T00:00:00Z", "to": "2027-01-02T00:00:00Z"}
    line = only(write(folder, {"data": {**WINDOWS, "current": late}}, log=table()))
    assert "the current window has no rows" in line
    assert "`from` and `to`" in line


# --- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["../outside.parquet", "/etc/passwd", "a/../../outside.parquet", "..", "C:/x.parquet", "..\\x", "", ".", "\x00",
     "a\nb", ".hidden.parquet", "answer.yaml", "data.pkl", "m.joblib", "../*.parquet", "x" * 5000, "~/x.parquet"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["data", "model", "graph", "signals"])
def test_no_path_leads_out_of_the_folder(folder, key, path):
    window = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-02T00:00:00Z"}
    values = {"data": {"current": path}, "model": {"path": path, "format": "lightgbm"}, "graph": path,
              "signals": {"path": path, **window}}  # fmt: skip
    write(folder, {key: values[key]})
    table().to_parquet(folder.parent / "outside.parquet")
    lines = told(folder)
    assert lines
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("via", ["current.parquet", "days", "days/*.parquet"])
def test_a_link_that_leaves_the_folder_is_refused(folder, via):
    write(folder, {"data": {"current": via}})
    (folder / "current.parquet").unlink()
    table().to_parquet(folder.parent / "secret.parquet")
    if via == "current.parquet":
        (folder / via).symlink_to(folder.parent / "secret.parquet")
    else:
        (folder / "days").mkdir()
        (folder / "days" / "a.parquet").symlink_to(folder.parent / "secret.parquet")
    case = load(folder)
    with pytest.raises(InvalidCase, match="leaves the case folder through a link"):
        _ = case.current
    with pytest.raises(InvalidCase, match="leaves the case folder through a link"):
        case.inputs()


def test_a_link_within_the_folder_is_followed(folder):
    write(folder)
    (folder / "current.parquet").rename(folder / "real.parquet")
    (folder / "current.parquet").symlink_to("real.parquet")
    assert told(folder) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_keeps_nobody_waiting(folder):
    write(folder)
    for name in ("current.parquet", "incident.yaml"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
        assert told(folder)


# --- graph, signals, model, sources -----------------------------------------------------------------------------------


GRAPHS = {
    "kind: causal\nedges: [[income, probability], [probability, declined]]": "",
    "kind: calls\nedges: [[web, db], [db, web]]": "",
    "kind: casual\nedges: [[income, declined]]": r"kind \(line 1\): 'casual' is no kind.* did you mean 'causal'",
    "kind: causal\nedge: []\nedges: [[income, declined]]": r"unknown key 'edge'. Hint: did you mean 'edges'",
    "kind: causal": r"edges: a list of pairs was expected",
    "kind: causal\nedges: [[income, income]]": r"edges\[0\] \(line 2\): 'income' has an edge to itself",
    "kind: causal\nedges: [[income]]": r"an edge is a pair of names",
    "kind: causal\nedges: [[income, 3]]": r"an edge is a pair of names",
    "kind: causal\nedges: [[income, declined], [income, declined]]": r"comes twice",
    "kind: causal\nedges: [[incom, declined]]": r"'incom' is no column and no component. Hint: did you mean 'income'",
    "kind: causal\nedges: [[income, declined], [declined, income]]": r"run in a circle: \w+ → \w+ → \w+",
    "edges: &a [[income, declined]]\nkind: *a": r"anchor or alias",
    "- 1": r"holds a list; a mapping",
}


@pytest.mark.parametrize("text", GRAPHS)
def test_a_graph_is_sound_or_its_problem_named(folder, text):
    write(folder, {"graph": "graph.yaml"})
    (folder / "graph.yaml").write_text(text)
    if GRAPHS[text]:
        assert pd.Series([only(folder)]).str.contains(r"^graph.yaml.*" + GRAPHS[text]).item(), told(folder)
    else:
        assert told(folder) == []
        assert isinstance(load(folder).graph, Graph)


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
    lines = told(write(folder, {"timeline": {"events": [event]}, "whys": [why]}))
    assert ["timeline.events[0].source" in lines[0], "whys[0].answer.evidence[0]" in lines[1]] == [True, True]
    (folder / "sources").mkdir()
    for name in ("deploys.json", "mail.txt"):
        (folder / "sources" / name).write_text("{}")
    assert told(folder) == []


# --- what a metric needs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "without", "wanted"),
    [
        ({"name": "false_positive_rate"}, ["label"], "needs `data.label`"),
        ({"name": "error_rate"}, ["prediction", "score"], "needs `data.prediction` or `data.score`"),
        ({"name": "log_loss"}, ["score"], "needs `data.score`"),
        ({"name": "group_gap", "of": "brier"}, ["score"], "brier needs `data.score`"),
        ({"name": "group_gap", "of": "error_rate"}, ["groups"], "needs `data.groups`"),
        ({"name": "rate"}, [], "needs `column`"),
        ({"name": "mean", "column": "incom"}, [], "no column 'incom'"),
    ],
)
def test_a_metric_that_lacks_what_it_needs_is_told(folder, metric, without, wanted):
    data = {key: value for key, value in RECORD["data"].items() if key not in without}
    spare = [RECORD["data"][role] for role in without if role != "groups"]
    folder.mkdir()
    record = {**RECORD, "data": {**data, "ignore": spare}, "metric": metric}
    (folder / "incident.yaml").write_text(yaml.safe_dump(record))
    for name in ("reference", "current"):
        table().to_parquet(folder / f"{name}.parquet")
    lines = told(folder)
    assert lines
    assert all(wanted in line for line in lines)


def test_a_metric_without_data_is_told(folder):
    assert "the case has no `data`" in only(write(folder, {"data": None}, reference=None, current=None))


def test_a_probability_outside_zero_to_one_is_told_where_the_metric_takes_it_for_one(folder):
    percent = table().assign(probability=50.0)
    assert told(write(folder, current=percent)) == []
    assert "runs from 50 to 50" in only(write(folder, {"metric": {"name": "brier"}}, current=percent))


# --- inputs and digest ------------------------------------------------------------------------------------------------


def test_inputs_are_the_files_and_their_sums_without_the_answer(folder):
    write(folder)
    for name in ("answer.yaml", ".hidden"):
        (folder / name).write_text("secret")
    (folder / "sources").mkdir()
    (folder / "sources" / "page.json").write_text("{}")
    inputs = load(folder).inputs()
    assert list(inputs) == ["current.parquet", "incident.yaml", "reference.parquet", "sources/page.json"]
    assert inputs["sources/page.json"] == hashlib.sha256(b"{}").hexdigest()


def test_the_digest_changes_with_any_input_and_with_nothing_else(folder, tmp_path):
    write(folder)
    digest = load(folder).digest
    (folder / "answer.yaml").write_text("status: explained")
    shutil.copytree(folder, tmp_path / "copy" / "sample")
    assert load(tmp_path / "copy" / "sample").digest == load(folder).digest == digest
    (folder / "note.txt").write_text("more")
    assert load(folder).digest != digest


# --- a new case -------------------------------------------------------------------------------------------------------


def test_a_new_case_is_sound_and_there_at_once(tmp_path):
    made = scaffold(tmp_path / "incidents", "credit-drift_2026.q2")
    assert made == tmp_path / "incidents" / "credit-drift_2026.q2"
    assert check(made) == []
    assert [entry.name for entry in made.parent.iterdir()] == [made.name]


@pytest.mark.parametrize("name", ["1e3", "true", "2026", "null", "0x10"])
def test_a_name_that_yaml_would_take_for_something_else_stays_a_name(tmp_path, name):
    assert load(scaffold(tmp_path, name)).incident.id == name


def test_a_new_case_overwrites_nothing(folder):
    write(folder)
    before = load(folder).digest
    with pytest.raises(InvalidCase, match="is there already"):
        scaffold(folder.parent, "sample")
    assert load(folder).digest == before


@pytest.mark.parametrize("name", ["../x", "", ".x", "a/b", "x" * 65, "a b", "a\n", "ä"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path, name):
    with pytest.raises(InvalidCase, match="no name for a case"):
        scaffold(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


# --- hostile records --------------------------------------------------------------------------------------------------

HOSTILE = {
    "a bomb": ("a: &a [x, x]\nb: &b [*a, *a]\n", "anchor or alias"),
    "code": ("id: !!python/object/apply:os.system ['true']\n", "has the tag"),
    "a binary tag": ("id: !!binary aGk=\n", "has the tag"),
    "an anchor on a key": ("&a id: x\n", "anchor or alias"),
    "depth": ("a: " + "[" * 5_000, "deeper than 64"),
    "two documents": ("a: 1\n---\nb: 2\n", "second document"),
    "size": ("#" * 1_000_001, "larger than 1,000,000 bytes"),
    "no mapping": ("- 1\n- 2\n", "holds a list"),
    "nothing": ("", "is empty"),
    "a mapping for a key": ("{a: 1}: 2\n", "for a key"),
    "no yaml": ("id: [1\ntitle: x\n", r"line \d+, column \d+: is not YAML"),
    "a tab": ("id: x\n\ttitle: y\n", r"line 2, column 1: is not YAML"),
    "a control character": ("id: \x1b[31m\n", "is not YAML"),
    "a lonely surrogate": ('id: "\\ud800"\n', "is not YAML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_refused_in_one_plain_line(folder, name):
    text, message = HOSTILE[name]
    folder.mkdir()
    (folder / "incident.yaml").write_text(text)
    with pytest.raises(InvalidCase, match=message) as caught:
        load(folder)
    assert [str(problem) for problem in caught.value.problems] == told(folder) == [str(caught.value)]
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_record_that_is_not_utf_8_is_refused_with_its_line(folder):
    folder.mkdir()
    (folder / "incident.yaml").write_bytes(b"id: x\ntitle: \xe9\n")
    assert "not UTF-8 from byte 13 (line 2)" in only(folder)


def test_a_key_that_comes_twice_is_told_with_both_lines(folder):
    write(folder)
    with (folder / "incident.yaml").open("a") as file:
        file.write("severity: sev1\n")
    assert only(folder) == "incident.yaml, severity (line 28): the key comes twice, first in line 4."


def test_what_an_outsider_wrote_is_escaped_and_cut_in_messages(folder):
    nasty = "\x1b]0;owned\x07\u202e" + "A" * 5_000
    lines = told(write(folder, {nasty: 1, "severity": nasty, "data": {"label": nasty}}))
    assert len(lines) == 4
    assert all(line.isprintable() and len(line) < 700 for line in lines)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["sev1", "x.pkl"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*RECORD, *RECORD["data"], "path", "from", "to", "at"]) | st.text(max_size=5), inner
        )
    ),
    max_leaves=12,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def case_or_refusal(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "incident.yaml").write_bytes(text.encode("utf-8", errors="surrogatepass"))
    try:
        case = load(folder)
    except InvalidCase as refusal:
        said = [str(problem) for problem in refusal.problems] or ["\n"]  # a refusal says why
    else:
        said = [] if isinstance(case, Case) else ["\n"]
    assert all(line.isprintable() for line in said)
    assert all(str(problem).isprintable() for problem in check(folder))


@QUICK
@given(text=st.text())
@example(text="schema: 1\nid: \U0010ffff")
@example(text="? \n")
@example(text="%YAML 9.9\n---\na: 1")
def test_any_text_is_a_case_or_a_refusal(folder, text):
    case_or_refusal(folder, text)


@QUICK
@given(
    key=st.sampled_from([*RECORD, "signals", "model", "graph", "impact", "obligations", "whys", "actions", "as_of"]),
    value=JUNK,
)
def test_any_value_of_any_key_is_a_case_or_a_refusal(folder, key, value):
    case_or_refusal(folder, yaml.safe_dump({**RECORD, key: value}, allow_unicode=True))


@QUICK
@given(role=st.sampled_from([*RECORD["data"], "weight", "text", "positive", "recovered"]), value=JUNK)
def test_any_value_of_any_role_is_a_case_or_a_refusal(folder, role, value):
    case_or_refusal(folder, yaml.safe_dump({**RECORD, "data": {**RECORD["data"], role: value}}, allow_unicode=True))


# --- the scored libraries ---------------------------------------------------------------------------------------------


def shared(kind, step=1):
    return sorted(path for path in (SHARED / kind).glob("*") if path.is_dir())[::step]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the scored libraries are not beside the repository")
@pytest.mark.parametrize("path", [*shared("library"), *shared("signals", step=14)], ids=lambda path: path.name)
def test_every_scored_case_is_sound(path):
    assert check(path) == []


@pytest.mark.parametrize("written", ["index", "trailing", "odd"])
def test_a_csv_as_people_export_it_is_read_or_refused_and_never_shifted(tmp_path, written):
    from rca.record.files.table_files import Table

    lines = {
        "index": ",a,b\n0,1,2\n1,3,4\n",
        "trailing": "a,b\n1,2,\n3,4,\n",
        "odd": "a,NA\n1,2\n3,4\n",
    }
    file = tmp_path / "rows.csv"
    file.write_text(lines[written])
    table = Table(files=(file,), place="incident.yaml, data.current", time=None, start=None, end=None)
    if written == "trailing":
        with pytest.raises(InvalidCase, match="more fields than its header"):
            table.read()
    else:
        rows = table.read()
        assert rows.iloc[:, 0].tolist() == [1, 3]
        assert rows.iloc[:, 1].tolist() == [2, 4]
        assert list(rows.columns) == ["a", "b" if written == "index" else "NA"]
