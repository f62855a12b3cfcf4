"""A record that is not sound: every problem in plain words, and what is sound of it is kept."""

import json

import pytest
import yaml

from rca.record.files.validation import take_in
from rca.record.files.yaml_document import document
from tests.record.written_case import RECORD, WINDOWS, only, table, told, write


def test_what_is_sound_of_a_broken_record_is_kept_for_further_checks():
    broken = {**RECORD, "severity": "sev9", "colour": "red", "timeline": {**RECORD["timeline"], "detected": "noon"}}
    incident, problems = take_in(document(json.dumps(broken), name="incident.yaml"), names=["sample"])
    assert [problem.place.partition(" ")[2] for problem in problems] == [
        "severity (line 1)", "timeline.detected (line 1)", "colour (line 1)",
    ]  # fmt: skip
    assert (incident.title, incident.timeline.detected) == (RECORD["title"], None)
    assert incident.timeline.closed.isoformat() == "2026-05-20T16:00:00+00:00"
    assert incident.data.label == "defaulted"


def test_a_wrong_part_brings_no_follow_up_problems(folder):
    assert "data.label" in only(write(folder, {"data": {"label": ["defaulted"]}}))


def test_windows_of_one_file_must_not_overlap(folder):
    late = {**WINDOWS["current"], "from": "2026-05-01T23:59:59Z"}
    assert "shares rows with the reference" in only(write(folder, {"data": {**WINDOWS, "current": late}}, log=table()))


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


def test_what_an_outsider_wrote_is_escaped_and_cut_in_messages(folder):
    nasty = "\x1b]0;owned\x07\u202e" + "A" * 5_000
    lines = told(write(folder, {nasty: 1, "severity": nasty, "data": {"label": nasty}}))
    assert len(lines) == 4
    assert all(line.isprintable() and len(line) < 700 for line in lines)
