"""The post-mortem: nineteen parts, each filled or marked as missing; names of people become roles."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import rca
from rca.analysis.conclusion.verdict import Cause, Verdict, weigh_windows
from rca.analysis.conclusion.why_tree_draft import draft_why_tree
from rca.finding import Interval
from rca.methods.metric import Measured
from rca.practice.simulate import tabular
from rca.record.schema.debrief import Debrief
from rca.record.schema.incident import Data, Impact, Incident, Obligations, System, Timeline
from rca.record.schema.why_tree import Factor, Why
from rca.record.why_tree.blameless import nameless
from rca.report.postmortem.board_summary import JARGON, MOST_ACTIONS, PLAINLY, board, jargon
from rca.report.postmortem.context import context_of
from rca.report.postmortem.what_happened import PARTS

NINETEEN = {
    "identity", "summary", "system", "impact", "detection", "timeline", "metrics", "why_tree", "factors", "response",
    "review", "actions", "recurrence", "obligations", "frameworks", "comms", "open", "evidence", "signoff",
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


def test_the_nineteen_parts_of_the_template_are_there_and_the_agenda():
    assert set(PARTS) == NINETEEN | {"agenda"}


@pytest.mark.parametrize("name", sorted(NINETEEN | {"agenda"}))
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
        for name in NINETEEN
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


def test_moments_have_their_sources_and_contradictions_are_shown(credit, line):
    said = told_of(credit, "timeline")
    assert "incident.yaml, timeline.detected (line" in said
    assert "23 Feb 2026, 20:20 UTC and 24 Feb 2026, 07:21 UTC" in said
    assert "first written complaint reaches a branch, 2026-03-17 11:00 UTC) came 33 d 22 h before detection" in said
    assert "with 3,804 rows in the data" in said
    assert "No two sources contradict each other." in told_of(line, "timeline")


def test_a_time_in_which_harm_could_be_done_that_is_not_known_says_so(line):
    life = replace(line.analysis.lifecycle, exposure=None)
    said = told_of(replace(line, analysis=replace(line.analysis, lifecycle=life)), "timeline")
    assert "how long harm could be done (timeline.contained, and an onset)" in said


def test_the_tree_has_its_evidence_its_five_whys_and_what_was_rejected(line):
    said = told_of(line, "why_tree")
    assert "evidence: timeline.events:2026-03-05T06:12:00Z, sources/minutes.md#2" in said
    assert "Its longest path, read as five whys" in said
    assert "The compressor outside its usual range slowed the robot arms" in said
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


# --- for a board -----------------------------------------------------------------------------------------------------

TOLD = ("credit-drift", "chatbot-update", "line-cascade")


def says(one, **changes):
    lines = board(one.incident.model_copy(update=changes), replace(one.analysis, whys=one.whys))
    return {line.asks: line.says for line in lines}


@pytest.mark.parametrize("name", TOLD)
def test_a_board_is_told_without_words_of_the_trade(post, name):
    text = " ".join(f"{asks} {said}" for asks, said in says(post(name)).items())
    assert jargon(text) == ()


WANTED = {
    "credit-drift": {
        "What happened?": "would have paid were rated high risk",
        "Since when?": "Since 24 Feb 2026",
        "Who was hurt, and how much was at stake?": "751 people",
        "Why?": "stood still from 24 February on. Behind that: The statistics office moved its series to new names",
        "Which guard was missing?": "An alarm on a figure that stands still",
        "Where do we stand?": "Measured after the repair, it is back where it was.",
        "Who does what by when?": "data-platform, by 2026-07-15: Ring when a figure",
    },
    "chatbot-update": {
        "What happened?": "answered some friendly questions offensively",
        "Since when?": "Since 11 May 2026",
        "Who was hurt, and how much was at stake?": "235 people",
        "Why?": "Version 2.0 of the chatbot answers questions with the words",
        "Which guard was missing?": "A trial with questions about people",
        "Where do we stand?": "Of 3 actions, 0 done and 0 overdue.",
        "Who does what by when?": "trust-and-safety, by 2026-06-30",
    },
    "line-cascade": {
        "What happened?": "the share of faulty parts that passed the final check doubled",
        "Since when?": "Since 5 Mar 2026, 06:13 UTC",
        "Who was hurt, and how much was at stake?": "38,000 euros",
        "Why?": "Behind that: Parts of a new supplier have a matt finish",
        "Which guard was missing?": "A stop of the line when the detector is unsure",
        "Where do we stand?": "It is repaired",
        "Who does what by when?": "vision, by 2026-05-01: The line stops by itself",
    },
}


@pytest.mark.parametrize("name", TOLD)
def test_every_question_of_a_board_has_its_answer(post, name):
    answers = says(post(name))
    assert answers.keys() == WANTED[name].keys()
    assert {asks: wanted in answers[asks] for asks, wanted in WANTED[name].items()} == dict.fromkeys(WANTED[name], True)


@pytest.mark.parametrize("word", JARGON)
def test_every_word_of_the_trade_is_found_as_a_word_and_not_within_another(word):
    assert jargon(f"We saw the {word.upper()}, again.") == (word,)
    assert word not in jargon(f"x{word}x")


def test_a_metric_of_every_name_is_said_plainly():
    assert set(PLAINLY) == set(
        Incident.model_fields["metric"].annotation.__args__[0].model_fields["name"].annotation.__args__
    )
    assert jargon(" ".join(PLAINLY.values())) == ()


def measured(name, reference=0.05, current=0.2):
    interval = Interval(low=0.1, high=0.2)
    of = "cost_of" if name in ("mean", "rate") else None
    return Measured(
        name=name, of=of, harm="higher", reference=reference, current=current, change=current - reference,
        reference_interval=interval, current_interval=interval, interval=interval, p_value=0.0, n_reference=9,
        n_current=9,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [("rmse", "The usual error: 0.2 instead of 0.05."), ("mean", "The average of “cost of”: 0.2 instead of 0.05."),
     ("group_gap", "The difference between groups: 20 in 100 instead of 5 in 100.")],
)  # fmt: skip
def test_a_change_is_told_as_cases_in_a_hundred_or_as_a_number(credit, name, said):
    verdict = replace(credit.analysis.verdict, metric=measured(name))
    lines = board(credit.incident, replace(credit.analysis, verdict=verdict))
    assert said in lines[2].says


def test_what_is_not_on_record_is_said_to_be_so(bare):
    answers = [line.says for line in board(bare.incident, bare.analysis)]
    assert answers == [
        "t. The record has no summary.",
        "When it began is not known.",
        "How many people it reached is not on record. What it cost is not on record.",
        "Why is not established; the open questions are listed for the meeting.",
        "Not established; it is asked under the open questions.",
        "It goes on. No action is on record.",
        "Nobody has taken anything on yet.",
    ]


def test_a_long_plan_is_cut_and_dropped_actions_are_left_out(line):
    action = line.incident.actions[0]
    plan = tuple(action.model_copy(update={"what": f"do {n}"}) for n in range(MOST_ACTIONS + 2))
    dropped = action.model_copy(update={"what": "never", "state": "dropped", "reason": "r"})
    said = says(line, actions=(*plan, dropped))["Who does what by when?"]
    assert said.endswith("2 more below.")
    assert "never" not in said


def test_a_quiet_case_has_nothing_to_explain(line):
    quiet = Verdict(status="no_incident", summary="s")
    answers = says(replace(line, whys=(), analysis=replace(line.analysis, verdict=quiet)))
    assert answers["Why?"] == "Nothing harmful was found in the data."
    assert answers["Which guard was missing?"] == "None that would have been needed."


def test_an_onset_on_record_is_not_called_an_estimate(line):
    timeline = line.incident.timeline.model_copy(update={"onset": line.incident.timeline.detected})
    assert "found in the data" not in says(line, timeline=timeline)["Since when?"]
    assert re.search(r"certain to within \d+ min", says(line)["Since when?"])


@pytest.mark.parametrize(("kind", "name"), [("rows", "duplicates"), ("labels", "churned")])
def test_rows_and_outcomes_are_told_without_words_of_the_trade(credit, kind, name):
    cause = Cause(kind=kind, name=name, strength="suggested", findings=("metric.change",))
    verdict = replace(credit.analysis.verdict, causes=(cause,))
    whys = draft_why_tree(credit.incident, verdict)
    lines = board(credit.incident, replace(credit.analysis, verdict=verdict, whys=whys))
    assert jargon(" ".join(line.says for line in lines)) == ()


@pytest.mark.parametrize("fault", ["concept", "missing"])
def test_a_drafted_tree_is_told_without_words_of_the_trade(credit, fault):
    reference, current = tabular(np.random.default_rng(1), fault=fault, rows=700)
    found = rca.harm(reference, current, metric="error_rate", label="label", prediction="prediction", score="score")
    verdict = weigh_windows(found, None)
    whys = draft_why_tree(credit.incident, verdict)
    lines = board(credit.incident, replace(credit.analysis, verdict=verdict, whys=whys, recovery=None))
    assert jargon(" ".join(line.says for line in lines)) == ()
