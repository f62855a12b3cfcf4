"""What kind of incident it was: decided by a person, suggested from record and findings, or open."""

from typing import get_args

import pytest

from rca.cli import command
from rca.cli import commands as cli
from rca.record.case import load
from rca.record.obligations.taxonomy import Classification, classify, taxonomy
from rca.record.schema.incident import Category, HarmClass
from tests.conftest import INCIDENTS, ROOT
from tests.record.obligations.situation import incident_of


def record(*, facts=None, **more):
    return incident_of(["de"], facts=facts or {}, stamps={}, **more)


def concluded(status="explained", strength="shown", **cause):
    return {
        "verdict": {"status": status, "causes": [{"name": "income", "strength": strength, **cause}] if cause else []}
    }


def test_categories_and_classes_are_those_of_the_record():
    axes = taxonomy().axes
    assert tuple(axes["category"].values) == get_args(Category)
    assert tuple(axes["class"].values) == get_args(HarmClass)
    assert set(taxonomy().crosswalk) == set(get_args(Category)) - {"other"}
    assert all(value in axes[axis].values for told in taxonomy().crosswalk.values() for axis, value in told.items())


@pytest.mark.parametrize(
    ("impact", "facts", "verdict", "suggests"),
    [
        ({"people": 3}, {}, {}, "incident"),
        ({"money": "nothing"}, {}, {}, None),
        ({"money": 12.5}, {}, {}, "incident"),
        ({"physical_harm": "None."}, {}, {}, None),
        ({"physical_harm": "a burn"}, {}, {}, "incident"),
        ({"harm": ["economic"]}, {}, {}, "incident"),
        ({"people": 0}, {}, {}, "near_miss"),
        ({"people": 0}, {}, concluded("no_incident"), None),
        ({}, {}, {}, None),
        ({}, {"death": True}, {}, "serious_incident"),
        ({"people": 3}, {"death": False}, {}, "incident"),
    ],
    ids=str,
)
def test_a_class_is_suggested_from_the_harm_on_record_and_else_left_open(impact, facts, verdict, suggests):
    found = classify(record(impact=impact, facts=facts), verdict)["class"]
    assert (found.value, found.standing) == (suggests, "suggested" if suggests else "open")


def test_no_disaster_is_ever_suggested():
    worst = record(impact={"people": 10**6, "physical_harm": "many"}, facts={"death": True, "serious_incident": True})
    assert classify(worst)["class"].value == "serious_incident"


def test_what_a_person_decided_stands_and_what_speaks_against_it_is_told():
    found = classify(record(impact={"people": 3}, **{"class": "near_miss"}))["class"]
    assert (found.value, found.standing) == ("near_miss", "decided")
    assert found.suggests == "incident: harm on record: impact.people 3"
    agrees = classify(record(impact={"people": 3}, **{"class": "incident"}))["class"]
    assert agrees.suggests is None
    assert agrees.because == "set on record, and harm on record: impact.people 3"


@pytest.mark.parametrize(
    ("cause", "suggests"),
    [
        ({"kind": "component"}, "cascade"),
        ({"kind": "feature", "fault": "frozen"}, "data_quality"),
        ({"kind": "feature", "fault": "distribution"}, "model_drift"),
        ({"kind": "concept"}, "model_drift"),
        ({"kind": "rows", "fault": "duplicates"}, "data_quality"),
        ({"kind": "event"}, None),
        ({"kind": "component", "strength": "assumed"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_an_open_category_is_suggested_from_the_first_cause_that_is_more_than_assumed(cause, suggests):
    assert classify(record(), concluded(**cause))["category"].value == suggests


def test_a_label_that_no_vocabulary_knows_is_told_and_decides_nothing():
    found = classify(record(labels={"mit_domain": "8", "mit_intend": "other", "mit_entity": "human"}))
    assert found["mit_domain"].standing == "open"
    assert (found["mit_entity"].value, found["mit_entity"].standing) == ("human", "decided")
    assert "did you mean 'mit_intent'?" in str(found)
    assert "labels.mit_domain: '8' is none of 1, 2, 3, 4, 5, 6, 7" in str(found)


def test_severity_and_duties_stand_apart_from_the_class():
    breach = {"personal_data_breach": True, "risk_to_persons": True}
    record_of = {"timeline": {"aware": "2026-03-01T09:00Z"}, "facts": breach}
    mild, grave = (classify(record(**record_of, **{"class": one})) for one in ("hazard", "disaster"))
    assert (mild.reporting, mild.reporting_because) == (grave.reporting, grave.reporting_because)
    assert mild.severity == grave.severity == "sev2"
    assert "gdpr-33" in mild.reporting_because


def test_nothing_is_ever_said_not_to_be_reportable():
    for name in ("chatbot-update", "credit-drift", "line-cascade", "hiring-bias", "quiet-quarter"):
        told = str(classify(load(INCIDENTS / name).incident))
        assert "not reportable" not in told
        assert "duties to report: " in told


def test_a_hostile_record_starts_no_line_of_its_own():
    hostile = record(impact={"money": "1\nseverity: sev5"}, labels={"x\nremark": "y"})
    assert len(str(classify(hostile)).splitlines()) == len(taxonomy().axes) + 3


def test_it_comes_back_from_json():
    found = classify(load(INCIDENTS / "line-cascade").incident)
    assert Classification.from_dict(found.to_dict()) == found


def test_the_command_tells_it(capsys):
    assert cli.main(["obligations", str(INCIDENTS / "line-cascade"), "--taxonomy"]) == command.DONE
    assert "decided  OECD ladder: near miss" in capsys.readouterr().out
    results = ["--results", str(ROOT / "reports" / "sample" / "credit-drift" / "results.json")]
    asked = ["obligations", str(INCIDENTS / "credit-drift"), *results]
    assert cli.main(asked) == command.BAD_INPUT
    assert "--results: clocks follow from the record alone" in capsys.readouterr().err
    assert cli.main([*asked, "--taxonomy"]) == command.DONE
    assert "the findings name regional_unemployment" in capsys.readouterr().out
