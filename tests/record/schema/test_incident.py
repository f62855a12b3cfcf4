"""The record of one incident, as types."""

import json
import textwrap
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rca.record.files.validation import take_in
from rca.record.files.yaml_document import read_yaml
from rca.record.schema.incident import MOMENTS, SEQUENCE, Incident, Metric, Timeline, is_identifier, json_schema

LEAST = {"schema": 1, "id": "x", "title": "t", "severity": "sev1", "category": "other", "status": "open"}
NOON = "2026-05-02T12:00:00Z"


def incident(**more):
    return Incident.model_validate({**LEAST, **more})


def test_six_keys_are_enough():
    assert incident().timeline == Timeline()


@pytest.mark.parametrize("key", LEAST)
def test_each_of_the_six_is_needed(key):
    with pytest.raises(ValidationError):
        Incident.model_validate({name: value for name, value in LEAST.items() if name != key})


@pytest.mark.parametrize("place", [{"colour": "red"}, {"timeline": {"fixed": NOON}}, {"data": {"lable": "y"}}])
def test_unknown_keys_are_refused(place):
    with pytest.raises(ValidationError, match="Extra inputs"):
        incident(**place)


def test_a_record_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        incident().title = "other"


# --- moments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["2026-05-02T12:00:00", "2026-05-02", "2026-05-02T12", "noon", "", 1777723200, 1777723200.0, "1777723200", True, [],
     "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", datetime(2026, 5, 2)],  # noqa: DTZ001 - a naive time is meant
)  # fmt: skip
@pytest.mark.parametrize("name", ["onset", "closed"])
def test_a_time_without_an_offset_is_refused_and_what_is_no_time_too(name, value):
    with pytest.raises(ValidationError):
        incident(timeline={name: value})


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        "2026-05-02T14:00:00+02:00",
        "2026-05-02 12:00Z",
        "2026-05-02T07:00:00-0500",
        datetime(2026, 5, 2, 12, tzinfo=UTC),
    ],
)
def test_a_time_is_the_same_moment_however_it_is_written(value):
    assert incident(timeline={"onset": value}).timeline.onset == datetime(2026, 5, 2, 12, tzinfo=UTC)


def test_moments_come_in_the_order_a_report_prints_them():
    timeline = incident(timeline={"closed": NOON, "onset": NOON, "alerted": NOON}).timeline
    assert [name for name, _ in timeline.moments()] == ["onset", "alerted", "closed"]


def test_every_moment_of_the_sequence_is_one():
    assert set(SEQUENCE) < set(MOMENTS) == set(Timeline.model_fields) - {"events", "sources"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, None),
        ({"timeline": {"events": [{"at": NOON, "kind": "deploy", "what": "v2"}]}}, NOON),
        ({"timeline": {"detected": NOON, "closed": "2026-05-03T00:00:00Z", "resolved": "2026-05-04T00:00:00Z"}},
         "2026-05-03T00:00:00Z"),
        ({"as_of": NOON, "timeline": {"closed": "2026-05-03T00:00:00Z"}}, NOON),
    ],
)  # fmt: skip
def test_now_is_as_of_then_closure_then_the_last_moment_on_record(more, expected):
    assert incident(**more).now == (expected and datetime.fromisoformat(expected))


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_a_source_is_one_of_a_moment():
    assert Timeline(sources={"detected": "sources/page.json"}).sources == {"detected": "sources/page.json"}
    with pytest.raises(ValidationError, match="'detcted' is no moment"):
        Timeline(sources={"detcted": "sources/page.json"})


def test_a_window_may_be_a_bare_path():
    data = {"reference": "a.parquet", "current": {"path": "b.parquet", "from": NOON}}
    windows = incident(data=data).data
    assert (windows.reference.path, windows.reference.from_) == ("a.parquet", None)
    assert windows.current.from_ == datetime(2026, 5, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", ["yes", 1, 0.5, True])
def test_the_positive_value_keeps_its_type(value):
    kept = incident(data={"positive": value}).data.positive
    assert kept == value
    assert type(kept) is type(value)


@pytest.mark.parametrize(
    "metric",
    [{"name": "rate"}, {"name": "mean"}, {"name": "group_gap"}, {"name": "group_gap", "of": "group_gap"},
     {"name": "group_gap", "of": "rate"}, {"name": "accuracy"}, {"name": "mae", "threshold": float("nan")}],
)  # fmt: skip
def test_a_metric_that_does_not_say_what_it_measures_is_refused(metric):
    with pytest.raises(ValidationError):
        Metric.model_validate(metric)


def test_signals_open_before_they_close():
    with pytest.raises(ValidationError, match="comes before"):
        incident(signals={"path": "s.parquet", "from": NOON, "to": "2026-05-01T00:00:00Z"})


def test_the_model_is_named_after_the_system_that_is_one():
    service, model = {"name": "api"}, {"name": "scorer", "kind": "model"}
    names = [incident(systems=systems).model_name for systems in ([service, model], [service], [])]
    assert names == ["scorer", "api", "model"]


@given(st.text(max_size=70))
def test_what_is_an_identifier_can_be_a_folder_beside_others(text):
    if is_identifier(text):
        assert text.isascii()
        assert not {"/", "\\", "\n", "\0", " "} & set(text)
        assert text not in (".", "..")
        assert incident(id=text).id == text
    else:
        with pytest.raises(ValidationError):
            incident(id=text)


def test_a_trailing_newline_is_no_part_of_an_identifier():
    assert not is_identifier("credit-drift\n")
    with pytest.raises(ValidationError):
        incident(id="credit-drift\n")


def test_the_schema_is_json_and_knows_the_keys_as_they_are_written():
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"].endswith("2020-12/schema")
    assert {"schema", "id", "timeline", "signals"} <= set(schema["properties"])
    assert set(schema["required"]) == set(LEAST)
    assert set(schema["$defs"]["Window"]["properties"]) == {"path", "from", "to"}
    assert schema["additionalProperties"] is False


def test_the_schema_lets_a_window_be_a_bare_path():
    reference = json_schema()["$defs"]["Data"]["properties"]["reference"]
    assert {"type": "string"} in reference["anyOf"]


def test_a_record_goes_through_json_and_comes_back():
    whole = incident(
        timeline={"onset": NOON}, data={"reference": "a.parquet", "positive": "yes"}, impact={"money": "1 M€"}
    )
    assert Incident.model_validate_json(whole.model_dump_json(by_alias=True)) == whole


def test_whatever_the_format_knows_has_a_place(tmp_path):
    text = """
    schema: 1
    id: grown
    title: Everything at once
    severity: sev2
    category: bias
    class: serious_incident
    status: open
    data:
      reference: {path: a.csv}
      training: train.parquet
      label: kind
      score: {cat: p_cat, dog: p_dog, 3: p_three}
      entity: customer
      blocks: {embedding: [e0, e1]}
      words: {unemployment: {say: regional unemployment, unit: "%", values: {1: yes, 0: no}}}
    metric: {name: log_loss}
    impact: {harm: [economic]}
    obligations: {jurisdictions: [eu], triggers: {classified_major: 2026-05-01T00:00:00Z}}
    notifications:
      - {regime: gdpr-33, report_type: initial, submitted_at: 2026-05-02T00:00:00Z, by: dpo}
      - {regime: dora, not_reportable_because: no client was reached, also_reported_under: [nis2]}
    """
    (tmp_path / "incident.yaml").write_text(textwrap.dedent(text))
    incident, problems = take_in(read_yaml(tmp_path / "incident.yaml", name="incident.yaml"), names=["grown"])
    assert problems == []
    assert incident.class_ == "serious_incident"
    assert incident.data.score == {"cat": "p_cat", "dog": "p_dog", "3": "p_three"}
    assert incident.data.words["unemployment"].values == {"1": "yes", "0": "no"}
    assert [one.regime for one in incident.notifications] == ["gdpr-33", "dora"]
