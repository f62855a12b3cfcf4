"""The post-mortem: its parts, each filled or marked as missing; names of people become roles."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

import rca
from rca.analysis.conclusion.why_tree_draft import draft_why_tree
from rca.record.schema.debrief import Debrief
from rca.record.schema.incident import Data, Impact, Incident, Obligations, System, Timeline
from rca.record.schema.why_tree import Factor, Why
from rca.record.why_tree.blameless import nameless
from rca.report.postmortem.context import context_of
from rca.report.postmortem.what_happened import PARTS

PARTED = {
    "identity", "system", "impact", "detection", "classification", "timeline", "metrics", "why_tree", "factors",
    "response", "review", "actions", "recurrence", "obligations", "frameworks", "comms", "open", "evidence", "signoff",
}  # fmt: skip


class Text(HTMLParser):
    """The text of markup, one block a line."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_starttag(self, tag, attrs):
        self.parts.append(" | " if tag in ("td", "th") else "\n" if tag in ("p", "li", "tr", "dd", "dt", "h4") else "")

    def handle_data(self, data):
        self.parts.append(data)


def text(markup):
    reader = Text()
    reader.feed(markup)
    return re.sub(r"\n+", "\n", "".join(reader.parts)).strip()


@pytest.fixture
def post(analysis_of):
    """By name, the post-mortem of an incident that ships."""
    return lambda name: context_of(rca.load(f"data/incidents/{name}"), analysis_of(name))


@pytest.fixture
def credit(post):
    return post("credit-drift")


@pytest.fixture
def line(post):
    return post("line-cascade")


@pytest.fixture
def draft(credit):
    """An incident whose why-tree nobody has worked on."""
    incident, analysis = credit.incident.model_copy(update={"whys": ()}), credit.analysis
    return replace(
        credit, incident=incident, whys=draft_why_tree(incident, analysis.verdict, moved=analysis.drift.moved())
    )


@pytest.fixture
def bare(line):
    """A record with next to nothing on it."""
    empty = Incident.model_validate(
        {"schema": 1, "id": "i", "title": "t", "severity": "sev3", "category": "other", "status": "open"}
    )
    analysis = replace(line.analysis, durations=(), lifecycle=None, whys=(), cascade=None, unanswered=())
    analysis = replace(analysis, verdict=replace(analysis.verdict, onset=None, causes=()))
    return type(line)(incident=empty, whys=(), analysis=analysis, inputs={})


def told_of(post, name):
    return text(PARTS[name](post))


def test_the_parts_of_the_template_are_there_and_the_agenda():
    assert set(PARTS) == PARTED | {"agenda"}


@pytest.mark.parametrize("name", sorted(PARTED | {"agenda"}))
@pytest.mark.parametrize("which", ["credit", "line", "draft", "bare"])
def test_every_part_says_something_of_every_record(request, which, name):
    assert told_of(request.getfixturevalue(which), name)


MISSING = {
    "identity": ["owner of the report (postmortem.owner)", "authors (postmortem.authors)"],
    "system": ["which systems took part (systems)"],
    "detection": ["first signal (postmortem.first_signal)", "noticed at (timeline.detected)"],
    "timeline": ["any moment (timeline)"],
    "impact": ["people (impact.people)", "money (impact.money)", "exposure, from the data"],
    "why_tree": ["what else was suspected (whys[].rejected)"],
    "factors": ["made it worse (postmortem.aggravating)"],
    "response": ["temporary fix (postmortem.temporary_fix)", "rows from after it (data.recovered)"],
    "review": ["what went well (postmortem.went_well)", "where luck helped (postmortem.luck)"],
    "actions": ["any corrective action (actions)"],
    "recurrence": ["whether it was seen before (postmortem.seen_before"],
    "obligations": ["jurisdictions (obligations.jurisdictions)", "clocks run from awareness (timeline.aware)"],
    "comms": ["who told a regulator (postmortem.messages, to: regulator)"],
    "open": ["not known (postmortem.unknown)"],
    "evidence": ["evidence kept elsewhere (postmortem.evidence)"],
    "signoff": ["roles (postmortem.sign_off)"],
}


@pytest.mark.parametrize(("name", "lacks"), MISSING.items(), ids=MISSING)
def test_what_is_missing_says_so_with_the_key_that_would_fill_it(bare, name, lacks):
    said = told_of(bare, name)
    assert "Not on record:" in said
    assert [words for words in lacks if words not in said] == []


def keys_of(model, at=""):
    return {f"{at}{field.alias or name}" for name, field in model.model_fields.items()}


def test_every_key_that_is_named_is_a_key_of_the_record(bare, line):
    known = keys_of(Incident) | keys_of(Debrief, "postmortem.") | keys_of(Impact, "impact.") | keys_of(Data, "data.")
    known |= keys_of(Timeline, "timeline.") | keys_of(Obligations, "obligations.") | keys_of(System, "systems[].")
    known |= keys_of(Why, "whys[].")
    named = {
        key
        for post in (bare, line)
        for name in PARTED
        for said in re.findall(r"\(([^()]*)\)", " ".join(re.findall(r"Not on record:.*", told_of(post, name))))
        for key in re.findall(r"(?:postmortem|impact|data|timeline|obligations|systems\[\]|whys\[\])\.\w+", said)
    }
    assert len(named) > 30
    assert named - known == set()


def test_the_actions_are_told_with_owner_date_aim_and_test(credit):
    said = told_of(credit, "actions")
    assert "data-platform | 2026-07-15 | open | detect | automate | unwatched, frozen" in said
    assert "rings within 24 hours | not checked yet" in said
    assert "as of 24 Jun 2026" in said


def test_an_overdue_action_and_a_failed_check_are_told(credit):
    later = credit.incident.model_dump(mode="json", by_alias=True) | {"as_of": "2026-08-01T00:00:00Z"}
    later["actions"][0]["checked"] = {"at": "2026-07-20T00:00:00Z", "held": False}
    later["actions"][1]["checked"] = {"at": "2026-07-20T00:00:00Z", "held": True}
    said = told_of(
        type(credit)(incident=Incident.model_validate(later), whys=(), analysis=credit.analysis, inputs={}), "actions"
    )
    assert "2026-07-15 OVERDUE" in said
    assert "2026-09-30 |" in said
    assert "it does NOT work, 20 Jul 2026" in said
    assert "it works, 20 Jul 2026" in said


def test_whether_it_worked_is_told_by_group(credit):
    said = told_of(credit, "response")
    assert "Did it work? False positive rate is back where it was: 5.5 after the repair, 5.43 before" in said
    assert "region=R01" in said


def test_moments_have_their_sources_and_missed_signals_are_shown(credit, line):
    said = told_of(credit, "timeline")
    assert "incident.yaml, timeline.detected (line" in said
    assert "23 Feb 2026, 20:20 UTC and 24 Feb 2026, 07:21 UTC" in said
    assert "first written complaint reaches a branch, 2026-03-17 11:00 UTC) came 33 d 22 h before detection" in said
    assert "with 3,804 rows in the data" in said
    assert "Missed signals:" in said
    assert "contradict" not in said
    assert "Missed signals:" not in told_of(line, "timeline")


def test_a_time_in_which_harm_could_be_done_that_is_not_known_says_so(line):
    life = replace(line.analysis.lifecycle, exposure=None)
    said = told_of(replace(line, analysis=replace(line.analysis, lifecycle=life)), "timeline")
    assert "how long harm could be done (timeline.contained, and an onset)" in said


def test_the_tree_has_its_evidence_and_says_everything_once(line):
    said = told_of(line, "why_tree")
    assert "evidence: timeline.events:2026-03-05T06:12:00Z, sources/minutes.md#2" in said
    assert said.count("Parts of a new supplier have a matt finish") == 1
    assert "A draft" not in said


def test_factors_name_the_missing_guard_and_what_addresses_them(line):
    said = told_of(line, "factors")
    assert "A trial of the new parts on the detector should have kept them off the line | A2" in said
    assert "Enough together, by the tree" in said
    assert "Any one of these gone" in said


def test_a_draft_is_called_one_and_its_open_questions_are_the_agenda(draft):
    assert "A draft from the findings" in told_of(draft, "why_tree")
    agenda = told_of(draft, "agenda")
    assert "which guard could have stopped it before harm was done?" in agenda
    assert "to mend in the why-tree and the plan:" in agenda
    assert "told once no why is open" in told_of(draft, "factors")


@pytest.mark.parametrize("name", ["credit-drift", "chatbot-update", "line-cascade"])
def test_the_trees_that_ship_are_sound(post, name):
    assert [str(flaw) for flaw in post(name).flaws] == []
    assert "The why-tree and the plan are sound." in told_of(post(name), "agenda")


def test_the_impact_names_the_group_whose_gap_opened_most(credit):
    assert "by group | " in told_of(credit, "impact")
    assert "751" in told_of(credit, "impact")


def test_a_root_alone_and_more_sets_than_anybody_reads_are_not_counted_out(line):
    root = Why(question="Why so?", answer=Factor(statement="s"))
    leaves = [[Why(question=f"Why {n}.{m}?", answer=Factor(statement=f"{n}.{m}")) for m in range(3)] for n in range(9)]
    arms = [root.model_copy(update={"join": "or", "whys": tuple(three)}) for three in leaves]
    for whys, words in (((root,), ""), (tuple(arms), "cannot tell, because there are more than")):
        said = told_of(replace(line, whys=whys), "factors")
        assert "Enough together" not in said
        assert words in said


# --- blameless -------------------------------------------------------------------------------------------------------


def with_people(incident):
    plain = incident.model_dump(mode="json", by_alias=True)
    plain["summary"] = "Maria Lopez saw it first; Xu Li answered. Julia replied."
    plain["systems"].append({"name": "Julia", "owner": "jo.doe@example.org"})
    plain["postmortem"]["people"] = {"Xu Li": "the on-call engineer"}
    plain["timeline"]["events"][0]["source"] = "sources/Maria.json"
    return Incident.model_validate(plain)


def test_names_of_people_become_roles_and_names_of_things_stay(line):
    known = nameless(with_people(line.incident))
    assert known.summary == "a person saw it first; the on-call engineer answered. Julia replied."
    assert known.systems[-1].owner == "a person"
    assert known.timeline.events[0].source == "sources/Maria.json"
    assert known.postmortem.people == {}
    assert nameless(line.incident) == line.incident


def test_what_is_hostile_is_escaped_in_every_part(line):
    evil = "<script>alert(1)</script>"
    plain = line.incident.model_dump(mode="json", by_alias=True)

    def poisoned(value, key=""):
        if isinstance(value, dict):
            return {name: poisoned(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [poisoned(one, key) for one in value]
        free = {
            "what",
            "title",
            "summary",
            "text",
            "question",
            "statement",
            "owner",
            "because",
            "first_signal",
            "by",
            "guard",
        }
        return evil if isinstance(value, str) and (key in free or key.startswith("went")) else value

    bad = Incident.model_validate(poisoned(plain))
    poisoned_post = replace(line, incident=bad, whys=bad.whys)
    assert [name for name in PARTS if "<script" in PARTS[name](poisoned_post)] == []
