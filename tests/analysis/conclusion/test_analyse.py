"""The one engine: the same numbers each time, whatever is missing from a case."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

import rca
from rca.analysis.conclusion.analyse import analyse
from rca.analysis.inputs.windows import windows_of
from rca.analysis.onset import question
from rca.errors import Unanswerable
from rca.practice.simulate import tabular
from rca.record.case import load
from tests.conftest import ROOT
from tests.statistical.test_incidents import answers_that_a_verdict_rests_on

SHIPPED = ROOT / "data" / "incidents"
NAMES = ("hiring-bias", "line-cascade", "quiet-quarter")
TABLES = {"reference": "reference.parquet", "current": "current.parquet"}
ROLES = {"label": "label", "score": "score", "prediction": "prediction", "time": "at"}


def case_of(folder, *, reference=None, current=None, **record):
    """A small case folder, loaded."""
    folder = folder / "case"
    folder.mkdir(exist_ok=True)
    for name, frame in (("reference", reference), ("current", current)):
        if frame is not None:
            frame.to_parquet(folder / f"{name}.parquet")
    timeline = {"detected": "2026-03-01T00:00:00Z", "recovered": "2026-03-02T00:00:00Z"}
    whole = {
        "schema": 1, "id": "case", "title": "A case", "severity": "sev3", "category": "other", "status": "closed",
        "systems": [{"name": "scorer", "kind": "model"}], "timeline": timeline,
    }  # fmt: skip
    (folder / "incident.yaml").write_text(yaml.safe_dump(whole | record), encoding="utf-8")
    return load(folder)


def windows(fault="concept", rows=400, seed=0):
    reference, current = tabular(np.random.default_rng(seed), rows=rows, fault=fault)
    days = [
        pd.Timestamp(start, tz="UTC") + pd.to_timedelta(np.arange(rows), unit="min")
        for start in ("2026-01-01", "2026-02-01")
    ]
    return reference.assign(at=days[0]), current.assign(at=days[1])


HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def concept(tmp_path_factory):
    """Of rows of which one in each window has no weight: the world turned round."""
    one = np.where(np.arange(600) == 3, np.nan, 1.0)
    reference, current = (frame.assign(w=one) for frame in windows("concept", rows=600))
    data = {**TABLES, **ROLES, "weight": "w"}
    folder = tmp_path_factory.mktemp("concept")
    return analyse(case_of(folder, reference=reference, current=current, data=data, metric={"name": "error_rate"}))


def broken(folder, *, shuffled=False):
    """A case of a column with a hostile name that froze."""
    reference, current = (frame.rename(columns={"x0": HOSTILE}) for frame in windows("frozen"))
    current = current.sample(frac=1, random_state=0) if shuffled else current
    data = {**TABLES, **ROLES}
    return case_of(folder, reference=reference, current=current, data=data, metric={"name": "error_rate"})


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    return analyse(broken(tmp_path_factory.mktemp("frozen")))


@pytest.fixture
def analysed(analysis_of):
    """A few shipped incidents, analysed."""
    return {name: analysis_of(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_are_those_that_their_own_calls_give(analysed, name):
    case, whole = load(SHIPPED / name), analysed[name]
    if whole.drift is not None:
        assert rca.drift(case) == whole.drift
    if whole.cascade is not None:
        assert rca.cascade(case) == whole.cascade


def test_harm_alone_is_the_harm_of_the_whole(analysed, answer_of):
    assert answer_of("harm", "hiring-bias") == analysed["hiring-bias"].harm


def test_an_onset_alone_is_that_of_the_whole(analysed, answer_of, monkeypatch):
    monkeypatch.setattr(question, "harm_of", lambda *_, **__: answer_of("harm", "hiring-bias"))
    assert rca.onset(load(SHIPPED / "hiring-bias")) == analysed["hiring-bias"].onset


def test_a_verdict_alone_is_that_of_the_whole(analysed):
    assert rca.verdict(load(SHIPPED / "line-cascade")) == analysed["line-cascade"].verdict


def test_another_seed_gives_the_same_cause(frozen, tmp_path):
    found = rca.harm(broken(tmp_path), seed=1)
    assert found.contributions[0].name == frozen.verdict.causes[0].name
    assert found != frozen.harm
    assert analyse(case_of(tmp_path), seed=1).seed == 1


def test_the_order_in_which_python_hashes_does_not_matter(analysed):
    names = ["hiring-bias", "line-cascade"]
    code = (
        f"import json, rca; names = {names};"
        "print(json.dumps([rca.analyse(rca.load(f'data/incidents/{n}')).to_dict() for n in names], sort_keys=True))"
    )
    another = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": another, "PYTHONPATH": str(ROOT)},
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    assert said.strip() == json.dumps([analysed[name].to_dict() for name in names], sort_keys=True)


def test_the_same_seed_gives_the_same_analysis_and_the_known_answer_is_never_read(tmp_path, frozen):
    case = broken(tmp_path)
    (case.folder / "answer.yaml").write_text("status: explained\ncauses: [{kind: feature, name: x1}]\n")
    assert analyse(load(case.folder)) == frozen


# -- whatever is missing -----------------------------------------------------------------------------------------------


def test_a_bare_record_is_answered(tmp_path):
    found = analyse(case_of(tmp_path))
    assert found.verdict.status == "cannot_tell"
    assert [(one.question, one.why) for one in found.unanswered] == [
        ("what moved", "the case has no tables of both windows")
    ]
    assert found.findings() == ()
    assert str(found).startswith("case: ")
    assert [one.name for one in found.durations] == []


@pytest.mark.parametrize("only", ["reference", "current"])
def test_one_window_alone_cannot_say_what_moved(tmp_path, only):
    frame = windows()[0]
    case = case_of(tmp_path, **{only: frame}, data={only: TABLES[only], **ROLES}, metric={"name": "error_rate"})
    found = analyse(case)
    assert found.verdict.status == "cannot_tell"
    assert found.drift is None
    with pytest.raises(Unanswerable):
        rca.drift(case)


def test_without_a_metric_there_is_drift_and_no_harm(tmp_path):
    reference, current = windows("frozen")
    found = analyse(case_of(tmp_path, reference=reference, current=current, data={**TABLES, **ROLES}))
    assert found.drift.moved() == ("x0",)
    assert found.harm is None
    assert found.verdict.status == "cannot_tell"
    assert "how much harm was done" in [one.question for one in found.unanswered]


def test_without_a_time_there_is_no_onset(tmp_path):
    reference, current = (frame.drop(columns="at") for frame in windows())
    data = {**TABLES, **{role: name for role, name in ROLES.items() if role != "time"}}
    found = analyse(case_of(tmp_path, reference=reference, current=current, data=data, metric={"name": "error_rate"}))
    assert found.onset is None
    assert "since when" in [one.question for one in found.unanswered]


def test_labels_that_have_not_come_yet_cannot_say(tmp_path):
    reference, current = windows()
    current = current.assign(label=np.nan)
    found = analyse(
        case_of(tmp_path, reference=reference, current=current, data={**TABLES, **ROLES}, metric={"name": "error_rate"})
    )
    assert found.verdict.status == "cannot_tell"
    assert "only 0 rows of the current window count" in found.unanswered[-1].why


def test_identical_windows_are_no_incident(tmp_path):
    reference, _ = windows()
    case = case_of(tmp_path, reference=reference, current=reference, data={**TABLES, **ROLES}, metric={"name": "brier"})
    found = analyse(case)
    assert found.verdict.status == "no_incident"
    assert found.drift.moved() == ()
    assert found.onset is None
    assert found.whys == ()


def test_an_incident_is_dated_and_measured_from_its_onset(concept):
    assert concept.verdict.status == "explained"
    assert concept.onset.at >= pd.Timestamp("2026-02-01", tz="UTC")
    durations = {one.name: one for one in concept.durations}
    assert durations["time_to_detect"].estimated
    assert (
        durations["time_to_detect"].earliest
        <= durations["time_to_detect"].seconds
        <= durations["time_to_detect"].latest
    )


def test_a_why_tree_on_record_is_kept(tmp_path):
    tree = [{"question": "Why?", "answer": {"statement": "Because."}}]
    assert analyse(case_of(tmp_path, whys=tree)).whys[0].question == "Why?"


def test_rows_need_not_be_in_order_of_time(tmp_path, frozen):
    mixed = answers_that_a_verdict_rests_on(windows_of(broken(tmp_path, shuffled=True)))
    assert mixed.faults == frozen.faults
    assert mixed.since.onset.at == frozen.onset.at
    assert mixed.harm.contributions[0].name == frozen.verdict.causes[0].name


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows_is_answered(tmp_path, rows):
    reference, current = windows("frozen", rows=rows)
    found = analyse(
        case_of(tmp_path, reference=reference, current=current, data={**TABLES, **ROLES}, metric={"name": "error_rate"})
    )
    assert found.verdict.status in ("no_incident", "cannot_tell", "explained")
    json.dumps(found.results(), allow_nan=False)


def test_hostile_names_pass_through_to_a_table_escaped(frozen):
    assert frozen.drift.moved() == (HOSTILE,)
    for part in (frozen, frozen.drift, frozen.harm, frozen.verdict):
        assert "<img" not in part._repr_html_()


def test_a_weight_that_is_missing_does_not_spoil_the_metric(concept):
    assert np.isfinite(concept.harm.measured.reference)
    json.dumps(concept.results(), allow_nan=False)


def test_a_column_that_only_one_window_has_is_an_invalid_case(tmp_path):
    reference, current = windows()
    case = case_of(
        tmp_path,
        reference=reference,
        current=current.drop(columns="x3"),
        data={**TABLES, **ROLES},
        metric={"name": "brier"},
    )
    with pytest.raises(rca.InvalidCase, match="x3"):
        analyse(case)
