"""A record in which the facts of a rule hold, with changes; and what the rule answers to it."""

from datetime import datetime

from rca.record.obligations.answers import duty
from rca.record.obligations.known import Known
from rca.record.obligations.rules import alternatives, rule_table
from rca.record.schema.incident import Incident

RULES = {rule.id: rule for rule in rule_table().rules}

HELD = {"ai_act_class": "annex_iii", "placed_on_market": "2029-01-01"}
"""Facts under which no rule waits for the transition of older systems."""


def facts_of(rule):
    held = {name: True for condition in rule.when for name in alternatives(condition)[:1]}
    return HELD | dict.fromkeys((name for one in rule.unless for name in alternatives(one)), False) | held


def incident_of(places, *, facts, stamps, sent=(), zone=None, **more):
    """`sent` is a list of (report or its id, time), or of whole notifications."""
    sent = [one if isinstance(one, dict) else {"regime": one[0], "submitted_at": one[1]} for one in sent]
    obligations = {"jurisdictions": places, "facts": facts, "triggers": stamps, "zone": zone}
    base = {"schema": 1, "id": "one", "title": "One", "severity": "sev2", "category": "other", "status": "closed"}
    return Incident.model_validate({**base, "obligations": obligations, "notifications": sent, **more})


def asked(rule, incident, now=None):
    now = datetime.fromisoformat(now) if isinstance(now, str) else now
    return duty(RULES[rule], Known.of(incident, now))
