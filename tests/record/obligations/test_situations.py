"""More than two hundred dated situations, each with its answer and citation, worked out by hand."""

from datetime import datetime
from pathlib import Path

import pytest

from rca.record.durations import duration_in_words
from rca.record.obligations.rules import rule_table
from rca.record.schema.incident import MOMENTS
from tests.record.obligations.situation import RULES, asked, facts_of, incident_of

WORDS = {"yes": True, "no": False, "?": None}


def situations():
    rule = cite = ""
    for number, line in enumerate(Path(__file__).with_name("situations.txt").read_text().splitlines(), 1):
        if line.startswith("["):
            rule, _, cite = line[1:].partition("] ")
        elif line and not line.startswith("#"):
            yield pytest.param(rule, cite, line.partition("  # ")[0], id=f"{rule}-line-{number}")


SITUATIONS = list(situations())


def put(told, token, rule):
    name, _, value = token.partition("=")
    if name.startswith("-"):
        told["facts"].pop(name[1:], None)
    elif name.startswith("sent"):
        report = name.partition(":")[2] or rule
        told["sent"].append((report, value))
    elif name in ("now", "zone"):
        told[name] = value
    elif name in MOMENTS:
        told["timeline"][name] = value
    elif name in rule_table().stamps:
        told["stamps"][name] = value
    else:
        assert name in rule_table().facts, name
        told["facts"][name] = WORDS.get(value, value)


@pytest.mark.parametrize(("rule", "cite", "line"), SITUATIONS)
def test_the_law_answers(rule, cite, line):
    places, given, answer = (part.strip() for part in line.split("|"))
    told = {"facts": facts_of(RULES[rule]), "stamps": {}, "timeline": {}, "sent": [], "now": None}
    for token in given.split():
        put(told, token, rule)
    now = told.pop("now")
    incident = incident_of([place for place in places.split() if place != "-"], **told)
    got = asked(rule, incident, now)
    assert said(got, answer.partition(" ")[0], answer.partition(" ")[2]) == answer, got
    assert got.citation == cite


def said(duty, word, rest):
    """The answer as the table words it."""
    if duty.answer == "cannot_tell":
        return f"cannot_tell {','.join(duty.missing)}"
    if duty.answer == "late_by":
        return f"late {duration_in_words(duty.seconds)}"
    if duty.answer in ("met", "not_yet_due"):
        expected = datetime.fromisoformat(rest) if word in ("met", "due") and rest else None
        shown = rest if duty.deadline == expected else duty.deadline.isoformat()
        return f"{'due' if duty.answer == 'not_yet_due' else 'met'} {shown}"
    return duty.answer


def test_there_are_two_hundred_situations_and_every_rule_has_one():
    assert len(SITUATIONS) >= 200
    assert {one.values[0] for one in SITUATIONS} == set(RULES)


def test_every_rule_that_computes_counts_to_a_deadline_in_one():
    counted = {one.values[0] for one in SITUATIONS if one.values[2].split("|")[2].split()[0] in ("met", "late", "due")}
    assert counted == {rule.id for rule in RULES.values() if rule.computes}
