"""The rules are data that can be checked: sourced, dated, and no surer than they were read."""

import re
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from rca.record.obligations.rules import Limit, Rule, members, rule_table

TABLE = rule_table()

SOUND = {
    "id": "x", "regime": "X", "in": "eu", "cite": "Art. 1", "who": "provider", "owes": "report", "within": "3 days",
    "of": "aware", "by": "days", "confidence": "high: read", "source": "the text",
}  # fmt: skip


@pytest.mark.parametrize("lacking", ["source", "confidence", "cite"])
def test_no_rule_without_a_source(lacking):
    Rule.model_validate(SOUND)
    with pytest.raises(ValidationError):
        Rule.model_validate(
            {**SOUND, lacking: ""} if lacking != "cite" else {k: v for k, v in SOUND.items() if k != "cite"}
        )


def test_every_rule_of_the_table_is_sourced_and_cited():
    for rule in TABLE.rules:
        assert rule.source.strip()
        assert rule.cite.strip()
        assert len(rule.confidence) > len("high: x")


@pytest.mark.parametrize(
    "change",
    [{"confidence": "low: a guess"}, {"of": None}, {"counsel": "ask"}, {"clock": "prompt"}, {"status": "proposed"},
     {"status": "repealed"}, {"status": "guidance"}],
    ids=str,
)  # fmt: skip
def test_low_confidence_or_an_unread_start_never_computes(change):
    assert Rule.model_validate(SOUND).computes
    assert not Rule.model_validate(SOUND | change).computes


def test_forty_three_of_eighty_rules_compute():
    assert len({rule.id for rule in TABLE.rules}) == 80
    assert sum(rule.computes for rule in TABLE.rules) == 43
    assert all(rule.level != "low" for rule in TABLE.rules if rule.computes)


def test_a_rule_that_only_plans_has_a_status_and_one_to_come_a_date():
    for rule in TABLE.rules:
        if rule.status == "not_yet_applicable" and rule.id != "euaia-111-2":
            assert rule.since, rule.id


def test_every_fact_has_a_question_and_every_question_a_rule():
    used = {name for rule in TABLE.rules for name in rule.facts}
    beside = {"ai_act_class", "placed_on_market", "significant_design_change", "public_authority"}
    assert used | beside == set(TABLE.facts)
    assert all(re.fullmatch(r"[A-Z].*\?", asks) for asks in TABLE.facts.values())


def test_what_a_rule_refers_to_is_there():
    names = {rule.report for rule in TABLE.rules}
    for rule in TABLE.rules:
        assert rule.readings is None or rule.readings in TABLE.readings
        assert not rule.of or set(rule.of.reports) <= names
        assert rule.place == "international" or rule.place in TABLE.zones


def test_every_zone_and_every_country_of_a_union_exists():
    for zone in TABLE.zones.values():
        ZoneInfo(zone)
    assert len(members("eu") - {"eu"}) == 27
    assert members("eea") <= set(TABLE.zones)


def test_a_limit_is_told_as_a_law_states_it():
    assert [str(Limit(value=count, unit="day")) for count in (1, 15)] == ["1 day", "15 days"]
    with pytest.raises(ValidationError):
        Rule.model_validate(SOUND | {"within": "3 fortnights"})
