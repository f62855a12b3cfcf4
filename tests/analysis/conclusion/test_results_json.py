"""`results.json`: what a run concludes keeps to the contract, whatever the case."""

import json
import math
from datetime import datetime

import jsonschema
import pytest
import yaml

from rca.analysis.conclusion.analysis import Analysis
from rca.analysis.conclusion.results_json import moment
from rca.practice.score import compare
from tests.conftest import INCIDENTS

SHIPPED = INCIDENTS
NAMES = sorted(path.parent.name for path in SHIPPED.glob("*/incident.yaml"))

TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": ["number", "null"]}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
INTERVAL = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
KIND = {"enum": ["feature", "mechanism", "concept", "model", "slice", "component", "event", "rows", "labels"]}
STRENGTH = {"enum": ["shown", "suggested", "assumed"]}
FAULT = {
    "enum": [
        "frozen", "default_value", "scaled", "shifted", "missing", "recoded", "new_values", "swapped", "stale",
        "clipped", "truncated", "retyped", "distribution",
    ]
}  # fmt: skip


def closed(required, **properties):
    """An object with these keys and no other."""
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


WHERE = closed(["condition", "reference", "current"], condition=TEXT, reference=NUMBER, current=NUMBER)
CAUSE = closed(
    ["kind", "name", "strength", "findings"],
    kind=KIND, name=TEXT, fault=FAULT, signal=TEXT, contribution={"type": "number"}, interval=INTERVAL,
    strength=STRENGTH, findings={"type": "array", "items": TEXT, "minItems": 1}, where=WHERE,
)  # fmt: skip
DECIDED_BY = closed(
    ["what", "rule", "rows", "power", "between"],
    what=TEXT, rule=TEXT, rows=NUMBER, power=NUMBER, between={"type": "array", "items": TEXT},
)  # fmt: skip
METRIC = closed(
    ["name", "reference", "current", "change", "interval", "level"],
    name=TEXT, reference={"type": "number"}, current={"type": "number"}, change={"type": "number"}, interval=INTERVAL,
    level={"const": 0.95},
)  # fmt: skip
FLAG = {"type": "boolean"}
ONSET = closed(
    ["at", "earliest", "latest", "level", "censored"],
    at=TIME, earliest=TIME, latest=TIME, level={"type": "number"}, censored=FLAG,
)  # fmt: skip
COUNT = {"type": "integer", "minimum": 0}
CONFIDENCE = closed(["right", "of", "on"], right=COUNT, of=COUNT, on=TEXT)
VERDICT = closed(
    ["status", "summary", "metric", "causes", "onset", "confidence"],
    status={"enum": ["explained", "no_incident", "cannot_tell"]}, summary=TEXT,
    metric={"oneOf": [METRIC, {"type": "null"}]}, causes={"type": "array", "items": CAUSE},
    onset={"oneOf": [ONSET, {"type": "null"}]}, confidence={"oneOf": [CONFIDENCE, {"type": "null"}]},
)  # fmt: skip
FINDING = closed(
    ["id", "notebook", "claim", "cause", "effect", "unit", "interval", "level", "q_value", "n_effective", "strength",
     "assumptions", "refuters"],
    id={"type": "string", "pattern": r"^[a-z]+\..+"}, notebook=TEXT, claim=TEXT,
    cause={"oneOf": [closed(["kind", "name"], kind=KIND, name=TEXT), {"type": "null"}]}, effect=NUMBER,
    unit={"type": "string"}, interval={"oneOf": [INTERVAL, {"type": "null"}]}, level=NUMBER, q_value=NUMBER,
    n_effective=NUMBER, strength=STRENGTH,
    assumptions={"type": "array", "items": TEXT}, refuters={"type": "array", "items": TEXT},
)  # fmt: skip
DURATION = closed(
    ["seconds", "from", "to"],
    **{
        "seconds": {"type": "number"},
        "from": TEXT,
        "to": TEXT,
        "earliest": {"type": "number"},
        "latest": {"type": "number"},
    },
)
OPEN = closed(["question", "why"], question=TEXT, why=TEXT, would_decide=DECIDED_BY)


def perhaps(schema):
    """Something, or null."""
    return {"oneOf": [schema, {"type": "null"}]}


def listed(schema):
    """A list of it."""
    return {"type": "array", "items": schema}


ROWS = {"type": ["integer", "null"], "minimum": 0}
ESTIMATE = closed(["value", "interval", "rows"], value={"type": "number"}, interval=INTERVAL, rows=COUNT)
POINT = closed(
    ["from", "to", "value", "interval", "rows", "phase"],
    **{"from": TIME, "to": TIME, "value": NUMBER, "interval": perhaps(INTERVAL), "rows": COUNT},
    phase={"enum": ["before", "since", "after"]},
)
GROUP = closed(
    ["column", "name", "value", "interval", "rows"],
    column=TEXT, name=TEXT, value={"type": "number"}, interval=INTERVAL, rows=COUNT,
)  # fmt: skip
OTHERWISE = closed(
    ["columns", "rows", "interval", "righted", "wronged", "would_be", "would_be_interval"],
    columns=listed(TEXT), rows={"type": "number"}, interval=INTERVAL, righted=NUMBER, wronged=NUMBER, would_be=NUMBER,
    would_be_interval=perhaps(INTERVAL),
)  # fmt: skip
SINCE_ONSET = closed(
    ["what", "is_share", "from", "to", "window", "decisions", "counted", "hits", "above", "usual", "usual_range",
     "since", "recovered", "groups", "compared", "apart", "otherwise", "step", "points"],
    **{"from": perhaps(TIME), "to": perhaps(TIME)},
    what=TEXT, is_share=FLAG, window=perhaps(listed(TIME)), decisions=ROWS, counted=ROWS, hits=ROWS, above=NUMBER,
    usual={"type": "number"}, usual_range=perhaps(INTERVAL), since=perhaps(ESTIMATE), recovered=perhaps(ESTIMATE),
    groups=listed(GROUP), compared=listed(TEXT), apart=listed(TEXT), otherwise=perhaps(OTHERWISE),
    step={"type": "number"}, points=listed(POINT),
)  # fmt: skip
RECOVERY = closed(
    ["outcome", "margin", "groups"],
    outcome=TEXT, margin={"type": "number"}, groups=listed(closed(["where", "outcome"], where=TEXT, outcome=TEXT)),
)  # fmt: skip
RIVAL = closed(
    ["kind", "name", "fault", "against"], kind=KIND, name=TEXT, fault=perhaps(FAULT), against={"type": "string"}
)
NEAR = closed(["at", "name", "lag", "p_value"], at=TIME, name=TEXT, lag={"type": "number"}, p_value={"type": "number"})
LEFT = closed(
    ["component", "signal", "at", "earliest", "score"],
    component=TEXT, signal=TEXT, at=TIME, earliest=perhaps(TIME), score={"type": "number"},
)  # fmt: skip
RESULTS = closed(
    ["schema", "incident", "verdict", "durations", "findings", "unanswered", "since_onset", "recovery", "ruled_out",
     "near_event", "out_of_range"],
    since_onset=perhaps(SINCE_ONSET), recovery=perhaps(RECOVERY), ruled_out=listed(RIVAL), near_event=perhaps(NEAR),
    out_of_range=listed(LEFT),
    schema={"const": 1}, incident=TEXT, verdict=VERDICT,
    durations={"type": "object", "additionalProperties": DURATION},
    findings={"type": "array", "items": FINDING}, whys={"type": "array"},
    unanswered={"type": "array", "items": OPEN},
)  # fmt: skip


LONG = "flights-storm"
"""An incident whose analysis takes as long as those of all others."""


@pytest.fixture(scope="module", params=[pytest.param(n, marks=pytest.mark.prove) if n == LONG else n for n in NAMES])
def analysis(request, analysis_of):
    """One shipped incident, analysed."""
    return analysis_of(request.param)


@pytest.fixture
def found(analysis):
    """What is written of it."""
    return analysis.results()


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for one in value for number in numbers(one)]
    return [value] if isinstance(value, float) else []


def test_results_keep_to_the_contract(found):
    jsonschema.Draft202012Validator(RESULTS).validate(found)


def test_results_are_plain_json_without_infinities(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert all(math.isfinite(number) for number in numbers(found))


def test_causes_are_ranked_and_go_with_the_status(found):
    causes = found["verdict"]["causes"]
    assert bool(causes) == (found["verdict"]["status"] == "explained")
    weighed = [cause for cause in causes if "contribution" in cause and cause["kind"] != "slice"]
    assert weighed == sorted(weighed, key=lambda one: (STRENGTH["enum"].index(one["strength"]), -one["contribution"]))
    for cause in weighed:
        assert cause["strength"] != "assumed"


def test_every_finding_that_a_cause_cites_is_there_and_ids_are_unique(found):
    ids = [finding["id"] for finding in found["findings"]]
    assert len(ids) == len(set(ids))
    assert {name for cause in found["verdict"]["causes"] for name in cause["findings"]} <= set(ids)


def test_a_number_lies_in_its_interval(found):
    rows = [(one["effect"], one["interval"]) for one in found["findings"] if one["interval"]]
    rows += [(one["contribution"], one["interval"]) for one in found["verdict"]["causes"] if "interval" in one]
    metric = found["verdict"]["metric"]
    rows += [(metric["change"], metric["interval"])] if metric else []
    for value, (low, high) in rows:
        assert low - 1e-12 <= value <= high + 1e-12


def test_an_onset_lies_between_its_ends(found):
    onset = found["verdict"]["onset"]
    if onset:
        earliest, at, latest = (datetime.fromisoformat(onset[key]) for key in ("earliest", "at", "latest"))
        assert earliest <= at <= latest


def test_an_analysis_comes_back_from_json(analysis):
    assert Analysis.from_dict(json.loads(json.dumps(analysis.to_dict(), allow_nan=False))) == analysis


def test_a_shipped_incident_is_answered_rightly(analysis, found):
    answer = yaml.safe_load((SHIPPED / analysis.incident / "answer.yaml").read_text(encoding="utf-8"))
    row = compare(analysis.incident, answer, found["verdict"])
    assert row.right
    assert row.decoy is not True
    assert row.fault is not False
    assert row.onset is not False


def test_counts_since_the_onset_relate_and_points_lie_in_their_intervals(found):
    now = found["since_onset"]
    if now["counted"] is not None:
        assert now["hits"] <= now["counted"] <= now["decisions"]
        assert now["since"]["value"] == pytest.approx(now["hits"] / now["counted"])
        assert now["above"] == pytest.approx(now["hits"] - now["usual"] * now["counted"])
    known = [one for one in now["points"] if one["value"] is not None and one["interval"]]
    assert all(one["interval"][0] <= one["value"] <= one["interval"][1] for one in known)
    if now["is_share"]:
        assert all(0 <= end <= 1 for one in known for end in one["interval"])
    begun = [one["from"] for one in now["points"] if one["phase"] == "since"]
    if begun and now["counted"] is not None:
        assert sum(one["rows"] for one in now["points"] if one["phase"] == "since") == now["decisions"]
        assert min(begun) == now["from"]


def test_a_moment_is_written_in_utc():
    assert moment(datetime.fromisoformat("2026-02-01T01:00:00+01:00")) == "2026-02-01T00:00:00Z"
