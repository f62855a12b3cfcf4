"""The brief of the first hour: all of it from the record, the rest asked for, each audience in its own words."""

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from rca.cli import command
from rca.cli import commands as cli
from rca.errors import InvalidCase
from rca.record.case import load, scaffold
from rca.record.schema.incident import Incident
from rca.report.first_response.audiences import PHASES, audiences, told
from rca.report.first_response.brief import _blocks, brief, written
from rca.report.first_response.containment import playbook
from rca.report.first_response.known import CERTAINTIES, PLACEHOLDER, facts
from rca.report.rendering.document import Document, Grid, Heading, Line
from tests.conftest import HOSTILE, INCIDENTS, ROOT

NAMES = sorted(file.parent.name for file in INCIDENTS.glob("*/incident.yaml"))

CHAT = {"name": "support-chat", "kind": "model", "version": "2.0", "owner": "conversational-ai", "last_good": "1.9"}
DEPLOY = {"at": "2026-05-11T06:00:00Z", "kind": "deploy", "system": "support-chat", "what": "support-chat 2.0"}
MOMENT = "2026-05-01T00:00:00Z"

FIRST = {
    "schema": 1,
    "id": "chat",
    "title": "The chatbot insults customers",
    "severity": "sev1",
    "category": "harmful_output",
    "status": "open",
    "systems": [CHAT],
    "timeline": {"detected": "2026-05-13T16:20:00Z", "events": [DEPLOY]},
    "triggering_inputs": ["is there a ramp\nfor my wheelchair?"],
    "impact": {"people": 12},
}  # fmt: skip
"""A record after the first questions."""


def record(**changed):
    return Incident.model_validate({**FIRST, **changed})


def document(incident, audience=None, folder=ROOT):
    how = playbook(incident.category, folder)
    return Document(title=incident.id, blocks=tuple(_blocks(incident, how, audience, left=0)))


def text(incident, audience=None):
    return written(document(incident, audience), "markdown").decode()


def case(folder, **changed):
    made = folder / changed.get("id", "chat")
    made.mkdir(parents=True)
    (made / "incident.yaml").write_text(yaml.safe_dump({**FIRST, **changed}), encoding="utf-8")
    return made


# --- every field is from the record ----------------------------------------------------------------------------------

FULL = {
    **FIRST,
    "summary": "words",
    "status": "recovered",
    "class": "serious_incident",
    "severity": "sev3",
    "systems": [
        CHAT,
        {"name": "arm", "kind": "device", "version": "3", "owner": "automation"},
        {"name": "register", "kind": "supplier"},
    ],
    "timeline": {
        **dict.fromkeys(("onset", "detected", "aware", "mitigated", "contained", "recovered"), MOMENT),
        "events": [
            {"at": MOMENT, "kind": "deploy", "what": "change", "system": "support-chat"},
            {"at": MOMENT, "kind": "human", "what": "switched off", "system": "support-chat"},
        ],
        "sources": {"detected": "sources/pager.json"},
    },
    "data": {"current": "current.parquet", "id": "row", "groups": ["origin"]},
    "metric": {"name": "rate", "column": "offensive"},
    "impact": {"people": 1, "decisions": 1, "wrong": 1, "wrong_interval": [1, 1], "support_cases": 1, "money": 1,
               "harm": ["dignity"], "data_lost": "some", "physical_harm": "burn", "slo": "budget", "text": "reach"},
    "obligations": {"jurisdictions": ["eu"], "sector": "rail", "facts": {"public_statement": True, "breach": False}},
    "notifications": [
        {"regime": "gdpr", "submitted_at": MOMENT, "by": "counsel"},
        {"regime": "nis", "not_reportable_because": "small"},
    ],
    "whys": [{"question": "why", "answer": {"statement": "cause", "role": "trigger", "strength": "shown"}}],
    "detections": [{"vendor": "maker", "detector": "test", "at": MOMENT, "drift": True, "column": "age"}],
    "postmortem": {
        "owner": "quality", "found_by": "user", "first_signal": "letter", "temporary_fix": "fix", "rollback_to": "1.8",
        "messages": [{"at": MOMENT, "to": to, "what": "note", "by": "press"}
                     for to in ("internal", "external", "affected")],
        "evidence": [{"id": "E1", "what": "prompt", "where": "frozen/p"}],
    },
    "actions": [{"what": "act", "owner": "team", "due": "2026-06-01"}],
}  # fmt: skip
"""A record in which every key is filled that a brief tells."""

ENUMS = {"schema", "severity", "category", "status", "class", "kind", "role", "strength", "to", "found_by", "harm_",
         "name_", "id_"}  # fmt: skip
"""Keys whose values are words of the format."""


class Marks:
    """Every value of a record replaced by one of its own."""

    def __init__(self, letter, start):
        self.letter, self.number, self.at = letter, start, datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=start)

    def of(self, value, key=""):
        if isinstance(value, dict):
            return {self.name(name) if key == "facts" else name: self.of(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self.of(one, key) for one in value]
        if isinstance(value, bool) or key in ENUMS or (key == "name" and value == "rate"):
            return value
        if isinstance(value, int):
            self.number += 7
            return self.number
        return self.time() if re.match(r"\d{4}-\d\d-\d\dT", value) else self.name(value)

    def name(self, _):
        self.number += 1
        return f"{self.letter}{self.number}"

    def time(self):
        self.at += timedelta(days=1, hours=1, minutes=1)
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ")


def marked(letter, start):
    made = Marks(letter, start).of(FULL)
    made["systems"][0]["name"] = made["timeline"]["events"][0]["system"]
    made["timeline"]["sources"] = {"detected": made["timeline"]["sources"]["detected"]}
    made["timeline"]["events"][0]["at"] = "2029-12-01T01:01:00Z"
    return made


def tokens(said):
    return set(re.findall(r"[A-Za-z]+\d+|\d[\d,:.]*\d|\d|[A-Za-z_]+", said))


def held(value):
    """The words, numbers and times of a record as a brief would write them."""
    if isinstance(value, dict):
        return set().union(*(tokens(name) | held(one) for name, one in value.items()))
    if isinstance(value, list):
        return set().union(*map(held, value))
    if isinstance(value, int):
        return {f"{value:,}"}
    if re.match(r"\d{4}-\d\d-\d\dT", str(value)):
        at = datetime.fromisoformat(value)
        return {str(at.day), at.strftime("%b"), str(at.year), at.strftime("%H:%M"), *tokens(value)}
    return tokens(value)


@pytest.mark.parametrize("audience", audiences())
def test_every_name_number_and_time_is_of_the_record_and_changes_with_it(audience):
    (one, said), (_, other) = (
        (made, tokens(text(Incident.model_validate(made), audience))) for made in (marked("X", 1000), marked("Y", 5000))
    )
    assert said - other  # what differs between the two is what their records say
    assert said - other <= held(one)
    numbers = {token for token in said if re.search(r"\d", token) and not re.fullmatch(r"Q\d+", token)}
    assert numbers <= held(one) | {one["severity"], str(len(one["triggering_inputs"]))}


UNTOLD = {
    "systems 1 owner", "postmortem owner", "notifications 0 by",  # told as owners of workstreams, where it is a sev1
    *(f"postmortem messages {number} by" for number in range(3)),
    "data current", "data id",  # told where no input is on record word for word
    "postmortem evidence 0 id", "whys 0 question",
}  # fmt: skip


def leaves(value, at=""):
    """Every name and number of a marked record, with its place."""
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, f"{at} {key}".strip())
    elif re.fullmatch(r"[XY]?\d{4,}", str(value)):
        yield at, value


def test_what_the_record_says_is_told():
    made = marked("X", 1000)
    said = tokens(text(Incident.model_validate(made)))
    assert {place for place, value in leaves(made) if not held(value) <= said} == UNTOLD
    worst = text(Incident.model_validate({**made, "severity": "sev1"}))
    assert {place for place, value in leaves(made) if place in UNTOLD and not held(value) <= tokens(worst)} == {
        "postmortem messages 0 by", "postmortem messages 2 by", "data current", "data id", "postmortem evidence 0 id",
        "whys 0 question",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_fact_names_the_keys_it_is_from(name):
    plain = load(INCIDENTS / name).incident.model_dump(by_alias=True)
    systems = {one["name"]: one for one in plain["systems"]}
    for fact in facts(load(INCIDENTS / name).incident).values():
        for key in fact.keys:
            value, rest = plain, key.partition(": ")[0]
            while rest:
                part, _, rest = rest.partition(".")
                value = systems if part == "systems" and rest else value[part]
            assert value not in (None, "", (), {})


def test_every_line_tells_a_fact_or_asks_for_it():
    fields = set(facts(Incident.model_validate(FULL))) | {"severity_doubt"}
    for form in told()["audiences"].values():
        for line in form["lines"]:
            named = set(re.findall(r"\{(\w+)\}", line["says"]))
            assert named <= fields
            assert "if" in line or named <= set(told()["questions"])


# --- what is not on record -------------------------------------------------------------------------------------------


def test_a_brief_of_an_empty_record_is_short_and_asks(tmp_path):
    folder = scaffold(tmp_path, "new-one")
    assert load(folder).incident.title == PLACEHOLDER
    document, problems = brief(folder)
    said = written(document, "markdown").decode()
    assert problems == []
    assert len(said.splitlines()) <= 50
    report = told()["audiences"]["report"]["lines"]
    asked = {told()["questions"][line["says"].strip("{}")] for line in report if "if" not in line}
    assert all(question in said for question in asked)
    assert not re.search("sev3|not contained|other", said)  # what only stands in for an answer
    assert "Nothing to tell yet" in said
    assert "Find one exact input" in said


def test_a_question_is_put_once_and_named_by_its_number_from_then_on():
    said = text(record(impact={}))
    question = told()["questions"]["people"]
    assert said.count(question) == 1
    number = re.search(rf"(Q\d+): {re.escape(question)}", said)[1]
    assert len(re.findall(rf"\b{number}\b", said)) > 3


@pytest.mark.parametrize("audience", [one for one in audiences() if one != "report"])
def test_alone_a_message_carries_its_questions_in_full(audience):
    said = text(record(), audience)
    assert not re.search(r"Q\d+(?!: )(?!\d)", said)
    assert said.count("\n## ") == 1


@pytest.mark.parametrize(
    "key", [key for key in FULL if key not in ("schema", "id", "title", "severity", "category", "status")]
)
def test_any_part_of_the_record_may_be_missing(key):
    assert text(Incident.model_validate({name: one for name, one in FULL.items() if name != key}))


# --- each audience its own certainty ---------------------------------------------------------------------------------


def test_phases_come_in_their_order():
    for form in told()["audiences"].values():
        places = [PHASES.index(line["in"]) for line in form["lines"]]
        assert places == sorted(places)
        assert set(form["words"]) == set(CERTAINTIES)
    headings = [block.text for block in document(record()).blocks if isinstance(block, Heading) and block.level == 3]
    assert headings == ["Detect", "Triage", "Contain", "Communicate", "Next two steps"]


def test_a_suspicion_is_told_to_those_who_can_test_it_and_to_nobody_else():
    cause = {"statement": "Version 2.0 was trained on a forum", "role": "trigger", "strength": "suggested"}
    suspected = record(whys=[{"question": "Why?", "answer": cause}])
    told_to = {one for one in audiences() if "forum" in text(suspected, one)}
    assert told_to == {"report", "ml_operations"}
    assert "To be tested: On record as a cause" in text(suspected, "ml_operations")
    assert "do not yet know why" in text(suspected, "customers")
    shown = record(whys=[{"question": "Why?", "answer": {**cause, "strength": "shown"}}])
    assert "Why it happened: Version 2.0 was trained on a forum." in text(shown, "customers")


def test_a_count_that_may_grow_is_a_bound_and_stays_inside():
    told_to = {one: text(record(), one) for one in audiences()}
    assert "So far: Reach: at least 12 people" in told_to["manager"]
    assert "Counted so far, may change: Reach: at least 12 people" in told_to["legal"]
    assert "Not final, not for publication: Reach: at least 12 people" in told_to["communications"]
    assert "12" not in re.sub("2026.*", "", told_to["customers"])
    assert "still finding out whom" in told_to["customers"]
    assert "It reached 12 people." in text(record(status="recovered"), "customers")


def test_where_sources_differ_it_is_said_inside_and_settled_before_it_is_said_outside():
    clash = {"of": "detected", "taken": "2026-05-13T16:20:00Z", "source": "incident.yaml",
             "against": "2026-05-13T15:00:00Z", "said_by": "pager.json"}  # fmt: skip
    apart = record(imports={"contradictions": [clash]})
    assert "Sources contradict each other" in text(apart, "legal")
    assert "13 May 2026, 15:00 UTC by pager.json" in text(apart, "legal")
    assert "13 May" not in text(apart, "customers").partition("##")[2]
    assert "Sources differ; which is right? timeline.detected" in text(apart, "customers")


def test_a_moment_that_is_missing_is_bounded_by_those_after_it():
    said = text(record(timeline={"acknowledged": "2026-05-13T16:30:00Z"}), "report")
    assert "not later than (acknowledged) 13 May 2026, 16:30 UTC" in said
    assert "since before (acknowledged) 13 May 2026, 16:30 UTC, no end on record" in said


# --- severity, command, steps ----------------------------------------------------------------------------------------


def test_severity_has_its_reason_and_the_worst_a_command_with_owners():
    blocks = document(record(), "report").blocks
    lines = {block.label: block.text for block in blocks if isinstance(block, Line)}
    assert (lines["Severity"], lines["Because"]) == ("sev1", "at least 12 people; not contained yet")
    command = next(block for block in blocks if isinstance(block, Grid) and block.head[0] == "Workstream")
    rows = {row[0]: row[1:] for row in command.rows}
    assert rows["Engineering"] == ("isolates support-chat and reverts to a manual process", "conversational-ai")
    assert rows["Operations"][0].startswith("halts the line")
    assert "safety reporting" in rows["Legal"][0]
    assert rows["Legal"][1].endswith("Who looks at reporting duties?")
    assert "Workstream" not in text(record(severity="sev2"), "report")


def test_a_severity_that_a_new_record_has_is_asked_for():
    new = text(record(severity="sev3", impact={}, status="closed"))
    assert "sev3, as in a record that is new; has anybody set it?" in new
    assert "has anybody" not in text(record(severity="sev3")) + text(record(severity="sev2", impact={}))


def test_a_severity_below_what_the_record_tells_is_doubted():
    assert "Too low?:** physical harm: a burn" in text(record(severity="sev4", impact={"physical_harm": "a burn"}))
    assert "Too low?" not in text(record(severity="sev4", impact={"physical_harm": "none"}))


def steps(incident):
    blocks = document(incident, "report").blocks
    at = next(place for place, one in enumerate(blocks) if isinstance(one, Heading) and one.text == "Next two steps")
    return [block.text for block in blocks[at + 1 :]]


def test_the_next_steps_are_two_and_follow_from_what_is_lacking():
    assert [one[:4] for one in steps(record(triggering_inputs=[]))] == ["Keep", "Find"]
    assert [one[:4] for one in steps(record())] == ["Keep", "Ask "]
    kept = {"evidence": [{"id": "E1", "what": "prompt", "where": "frozen/p"}]}
    assert [one[:4] for one in steps(record(postmortem=kept))] == ["Ask ", "Look"]
    assert steps(record(status="closed", actions=[{"what": "act", "owner": "team", "due": "2026-06-01"}])) == [
        "act (owner team, due 2026-06-01)"
    ]


def test_inputs_are_shown_letter_by_letter():
    assert "\n```text\nis there a ramp\nfor my wheelchair?\n```\n" in text(record(), "report")


# --- the incidents that ship -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_record_alone_is_read(name, tmp_path):
    shutil.copy(INCIDENTS / name / "incident.yaml", tmp_path)
    (tmp_path / name).mkdir()
    shutil.move(tmp_path / "incident.yaml", tmp_path / name)
    assert brief(tmp_path / name) == brief(INCIDENTS / name)


def test_hiring_bias_has_its_containment_its_notes_and_its_first_log():
    said = written(brief(INCIDENTS / "hiring-bias")[0], "markdown").decode()
    measures = re.findall(r"^\| (\w.+?) \| applicant-screening", said, flags=re.MULTILINE)
    assert measures[:2] == ["Answer by a rule instead of the model", "Disable the endpoint or feature"]
    assert "At once, in parallel:** Legal, Diversity officer, ML operations and engineering" in said
    assert all(f"\n## {one}\n" in said for one in ("Legal", "Diversity officer", "ML operations and engineering"))
    assert "**Version:** 1.6" in said
    assert "**Scope, people:** 1,380 people" in said
    assert "all rows as they came in are in current.parquet, each known by its candidate_id" in said


def test_what_is_over_is_not_left_to_decide():
    said = {one: text(record(status=one)) for one in ("open", "closed")}
    assert "To decide: which way to contain it" in said["open"]
    assert "To decide" not in said["closed"]
    assert "Isolate it" not in said["closed"]
    assert "It has been contained" in said["closed"]


# --- the command -----------------------------------------------------------------------------------------------------


def test_nothing_heavy_is_loaded():
    heavy = ("numpy", "pandas", "plotly", "polars", "pyarrow", "scipy", "sklearn", "docx", "markdown_it", "holidays")
    asked = "import sys; from rca.cli.commands import main; status = main(sys.argv[1:]);"
    asked += f"print(status, [name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    command = [sys.executable, "-c", asked, "brief", str(INCIDENTS / "hiring-bias")]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert shown.stderr.strip() == "0 []"
    assert shown.stdout.startswith("# First response: hiring-bias\n")


def test_the_command_writes_what_it_says(tmp_path, capsys):
    folder, page = case(tmp_path), tmp_path / "brief.html"
    assert cli.main(["brief", str(folder), "--format", "html", "--out", str(page)]) == command.DONE
    assert capsys.readouterr().out.strip() == str(page)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert cli.main(["brief", str(folder), "--format", "slack", "--audience", "status-page"]) == command.DONE
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["blocks"][0]["type"] == "header"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["brief.html", "chat"]


def test_docx_wants_a_file(tmp_path, capsys):
    pytest.importorskip("docx")
    folder, paper = case(tmp_path), tmp_path / "brief.docx"
    assert cli.main(["brief", str(folder), "--format", "docx"]) == command.BAD_INPUT
    assert "--out FILE" in capsys.readouterr().err
    said = ["--audience", "status_page", "--format", "docx", "--out", str(paper)]
    assert cli.main(["brief", str(folder), *said]) == command.DONE
    assert paper.read_bytes().startswith(b"PK")


def test_a_record_with_faults_is_briefed_as_far_as_it_can_be_read(tmp_path, capsys):
    folder = case(tmp_path, severity="terrible", impact={"people": -1})
    assert cli.main(["brief", str(folder)]) == command.NEEDS_A_PERSON
    shown = capsys.readouterr()
    assert "The chatbot insults customers" in shown.out
    assert "Problems of the record: 2" in shown.out
    assert "severity" in shown.err
    assert "impact.people" in shown.err


def test_an_unknown_audience_is_refused_with_a_hint(tmp_path):
    with pytest.raises(InvalidCase, match="did you mean 'customers'"):
        brief(case(tmp_path), audience="custmers")


@pytest.mark.parametrize("form", ["markdown", "html", "slack"])
def test_a_hostile_record_comes_out_inert(form, tmp_path):
    hostile = HOSTILE + " <!channel> @here [x](javascript:alert(1)) `a`\n# b"
    folder = case(tmp_path, title=hostile, summary=hostile, triggering_inputs=[hostile], impact={"text": hostile},
                  systems=[{"name": hostile[:80], "kind": "model", "version": hostile}])  # fmt: skip
    said = written(brief(folder)[0], form).decode()
    assert not re.search("[\x1b\u202e]|ann@example", said)
    if form == "markdown":
        assert not re.search(r"[<@]|(?<!\\)\]\(javascript", re.sub(r"(`{3,})text\n.*?\n\1", "", said, flags=re.DOTALL))
    if form == "html":
        assert not re.search("<script|<img", said)
    if form == "slack":
        assert '"type": "mrkdwn"' not in said
