"""Measures fit the systems on record, and a team's own playbooks stand before those that ship."""

from typing import get_args

import pytest
import yaml

from rca.errors import InvalidCase
from rca.record.schema.incident import Category, Incident
from rca.report.first_response.audiences import audiences
from rca.report.first_response.containment import FILE, playbook
from rca.report.first_response.known import facts

BASE = {"schema": 1, "id": "a", "title": "t", "severity": "sev2", "category": "other", "status": "open"}


def incident(*systems, **more):
    return Incident.model_validate({**BASE, "systems": list(systems), **more})


def own(folder, **held):
    (folder / FILE).write_text(yaml.safe_dump(held), encoding="utf-8")


@pytest.mark.parametrize("category", get_args(Category))
def test_every_kind_of_incident_has_measures_steps_and_somebody_to_tell(category, tmp_path):
    told = playbook(category, tmp_path)
    assert len(told.measures) >= 3
    assert len(told.investigate) >= 2
    assert set(told.notify) <= set(audiences())
    assert all(one.called and one.costs and one.leaves for one in told.measures)


def called(told, incident):
    return {one.called.split()[0]: one.on(incident) for one in told.fitting(incident)}


def test_a_measure_is_for_systems_of_its_kind(tmp_path):
    told = playbook("other", tmp_path)
    plant = incident({"name": "press", "kind": "device"}, {"name": "feed", "kind": "supplier"})
    assert called(told, plant) == {"Go": ("press",), "Halt": ("press",)}
    line = incident(
        {"name": "eye", "kind": "model"}, {"name": "arm", "kind": "device"}, {"name": "belt", "kind": "Line"}
    )
    assert called(told, line)["Halt"] == ("arm", "belt")
    chat = incident({"name": "app", "kind": "service"}, {"name": "chat", "kind": "model"})
    assert "Halt" not in called(told, chat)
    assert called(told, chat)["Disable"] == ("chat",)
    assert called(told, incident({"name": "app", "kind": "service"}))["Disable"] == ("app",)
    assert len(told.fitting(incident({"name": "it"}))) == len(told.measures)  # a kind that nobody has said fits any
    assert len(told.fitting(incident())) == len(told.measures)


def test_the_file_of_a_team_need_hold_only_what_differs(tmp_path):
    pager = {"called": "Switch to the pager", "costs": "sleep", "leaves": "all"}
    case = tmp_path / "case"
    case.mkdir()
    own(tmp_path, measures={"pager": pager}, playbooks={"bias": {"measures": ["pager", "manual"]}})
    told = playbook("bias", case)
    assert [one.called for one in told.measures] == ["Switch to the pager", "Go over to the manual process"]
    assert told.notify[0] == "legal"
    assert playbook("security", case) == playbook("security", tmp_path / "elsewhere" / "case")
    own(case, measures={"manual": {"costs": "ten readers"}})
    assert playbook("bias", case).measures[-1].costs == "ten readers"
    own(tmp_path / "case", playbooks={"bias": {"measures": ["halt"]}})
    assert len(playbook("bias", case, tmp_path / FILE).measures) == 2  # the one that is named stands before both


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"playbook": {}}, "'playbook' is not known here. Hint: did you mean 'playbooks'"),
        ({"measures": []}, "holds a list; a mapping was expected"),
        ({"measures": {"x": "y"}}, "measures.x .*is a text; a mapping was expected"),
        ({"measures": {"x": {"called": "X"}}}, "lacks costs, leaves"),
        ({"measures": {"halt": {"cost": "much"}}}, "did you mean 'costs'"),
        ({"measures": {"halt": {"costs": 3}}}, "measures.halt.costs .*a text was expected"),
        ({"measures": {"halt": {"kinds": "line"}}}, "a list of texts was expected"),
        ({"playbooks": {"biass": {}}}, "did you mean 'bias'"),
        ({"playbooks": {"bias": {"measures": ["hlat"]}}}, "did you mean 'halt'"),
        ({"playbooks": {"bias": {"measures": []}}}, "a list of texts was expected"),
        ({"playbooks": {"bias": {"notify": ["legl"]}}}, "did you mean 'legal'"),
    ],
)
def test_what_is_wrong_with_it_is_told_with_its_place(held, said, tmp_path):
    own(tmp_path, **held)
    with pytest.raises(InvalidCase, match=said) as refused:
        playbook("bias", tmp_path)
    assert FILE in str(refused.value)


def test_a_link_out_of_the_case_is_not_followed(tmp_path):
    case = tmp_path / "case"
    case.mkdir()
    own(tmp_path, measures={})
    (case / FILE).symlink_to(tmp_path / FILE)
    with pytest.raises(InvalidCase, match="leaves the case folder"):
        playbook("bias", case)


MODEL = {"name": "scorer", "kind": "model", "version": "7"}
CHANGE = {"at": "2026-05-01T00:00:00Z", "system": "scorer", "what": "scorer 7"}


@pytest.mark.parametrize(
    ("held", "said", "key"),
    [
        ({"systems": [{**MODEL, "last_good": "6, by registry"}]}, "6, by registry", "systems.scorer.last_good"),
        ({"postmortem": {"rollback_to": "6"}}, "6", "postmortem.rollback_to"),
        ({"systems": [{**MODEL, "last_good": "7, on glossy"}]},
         "7, on glossy: the version in use, so going back changes nothing", "systems.scorer.last_good"),
        ({"timeline": {"events": [{**CHANGE, "kind": "deploy"}]}},
         "not named; perhaps what was in use before 1 May 2026, 00:00 UTC: scorer 7 (scorer)", "timeline.events"),
    ],
)  # fmt: skip
def test_the_version_to_go_back_to_comes_with_how_it_is_known(held, said, key):
    fact = facts(incident(**{"systems": [MODEL], **held}))["last_good"]
    assert (fact.text, fact.keys) == (said, (key,))
    assert fact.certainty == ("suspicion" if key == "timeline.events" else "fact")


def test_versions_that_differ_are_both_told():
    fact = facts(incident({**MODEL, "last_good": "6"}, postmortem={"rollback_to": "5"}))["last_good"]
    assert (fact.text, fact.certainty) == ("6; 5", "disputed")


def test_a_change_of_settings_names_no_version_to_go_back_to():
    assert "last_good" not in facts(incident(MODEL, timeline={"events": [{**CHANGE, "kind": "config"}]}))
