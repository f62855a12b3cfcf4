"""The engine and a checker that counts days one by one agree on situations drawn at random."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from rca.record.obligations.rules import rule_table
from tests.record.obligations.day_by_day import CLOCKS, answer
from tests.record.obligations.situation import RULES, asked, facts_of, incident_of

PLACES = {"eu": ("de", "fr", "pl", "eu"), "eea": ("de", "fr", "pl", "eu")}

BORDERS = (-86400, -3601, -1, 0, 1, 2, 3600, 86400, 86400 * 30)
"""Seconds around a deadline at which a report is sent, or now is."""


def drawn(rng):
    """A rule and a situation: any hour of 2025 to 2030, and often just around the deadline."""
    rule = rng.choice(list(CLOCKS))
    stamp, name = CLOCKS[rule][3], CLOCKS[rule][5]
    place = rng.choice(PLACES.get(RULES[rule].place, (RULES[rule].place,)))
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(6 * 365 * 86400))
    turn = rng.choice([CLOCKS[rule][4], "2027-12-02", "2028-08-02"])
    if turn and rng.random() < 0.1:  # around a day from which a law applies
        start = datetime.fromisoformat(turn).replace(tzinfo=UTC) + timedelta(seconds=rng.randrange(-43200, 43200))
    told = {
        "place": place,
        "zone": rng.choice([None] * 4 + ["Europe/Athens", "America/Los_Angeles", "Asia/Tokyo"]),
        "class": rng.choice(["annex_iii", "annex_i", None]),
        "stamps": {} if stamp.startswith("sent ") or rng.random() < 0.05 else {stamp: start},
        "sent": [(stamp[5:], start)] if stamp.startswith("sent ") and rng.random() < 0.95 else [],
        "now": start + timedelta(days=400),
    }
    if rule == "dora-init-24h" and told["stamps"]:
        told["stamps"]["classified_major"] = start + timedelta(hours=rng.randrange(1, 24))
    if stamp == "sent dora-intermediate" and told["sent"]:
        told["sent"].append((stamp[5:], start - timedelta(days=rng.randrange(1, 9))))
    due = answer(rule, told)[1] or start + timedelta(days=rng.randrange(40))
    around = due + timedelta(seconds=rng.choice(BORDERS))
    if rng.random() < 0.5:
        told["sent"].append((name, max(around, start)))
    else:
        told["now"] = around
    return rule, told


def disagreements(count, seed):
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        rule, told = drawn(rng)
        facts = facts_of(RULES[rule]) | {"ai_act_class": told["class"]}
        facts.pop("classified_within_24h_of_awareness", None)
        if rule == "dora-init-24h" and not told["stamps"]:
            facts["classified_within_24h_of_awareness"] = True
        if rule == "dora-init-24h" and told["stamps"] and told["stamps"]["classified_major"] > told["now"]:
            continue
        record = incident_of([told["place"]], facts=facts, stamps=told["stamps"], sent=told["sent"], zone=told["zone"])
        got = asked(rule, record, told["now"])
        if (got.answer, got.deadline) != answer(rule, told):
            found.append((rule, told, (got.answer, got.deadline), answer(rule, told)))
    return found


def test_the_checker_knows_every_clock_that_counts_once():
    counting = {rule.id for rule in rule_table().rules if rule.computes and not rule.until and not rule.done}
    assert counting == set(CLOCKS)


def test_engine_and_checker_agree_on_a_sample():
    assert disagreements(500, seed=1) == []


@pytest.mark.prove
def test_engine_and_checker_agree_on_ten_thousand_situations():
    assert disagreements(10_000, seed=2) == []
