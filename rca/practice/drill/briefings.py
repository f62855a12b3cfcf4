"""What a team is told of each kind of drill: the system, the record at the first alert, and the measures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from rca.practice.drill.hidden import Measure
from rca.record.schema.incident import Incident


@dataclass(frozen=True, kw_only=True)
class Briefing:
    """A kind of drill in words; whatever is named here is made up."""

    place: str
    harm: str
    alert: str
    lead: str
    asks: str
    category: str
    sector: str
    systems: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    perhaps: tuple[str, ...] = ()
    events: tuple[tuple[float, str, str], ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict)


def _measures(**given: tuple[float, float]) -> dict[str, Measure]:
    return {name: Measure(called=CALLED[name], stops=stops, costs=costs) for name, (stops, costs) in given.items()}


CALLED = {
    "disable": "switch the feature off", "fallback": "answer by a simple rule instead of the model",
    "rollback": "go back to the last version", "manual": "people decide instead",
    "review": "a person looks before anything is acted on", "throttle": "half of the traffic only",
    "isolate": "cut the link to what it reads from", "revoke": "take away its tools and its credentials",
    "halt": "stop the line",
}  # fmt: skip

_NO = dict.fromkeys(
    ("gpai_systemic", "medical_device", "trust_service_provider", "public_authority", "significant_design_change"),
    False,
)

_MODEL = _measures(
    disable=(1, 1), fallback=(0.95, 0.3), manual=(1, 0.7), review=(0.8, 0.3), throttle=(0.5, 0.5), rollback=(0, 0.2)
)

BRIEFINGS = {
    "credit": Briefing(
        place="the credit model of a bank", harm="applicants rated high risk who would have paid",
        alert="the share of applications that are rated high risk is above its band", lead="applicant_age",
        asks="your bank turns down people for no reason", category="model_drift", sector="credit",
        systems=("credit-risk", "feature-store", "application-portal"),
        facts={
            **_NO, "automated_decision": False, "human_review_before_refusal": True, "personal_data_breach": False,
            "high_risk_ai_system": True, "ai_act_class": "annex_iii", "placed_on_market": "2024-09-02",
            "dora_entity": True, "classified_within_24h_of_awareness": True, "same_apparent_root_cause": False,
            "nis2_entity": False,
        },
        perhaps=("major_ict_incident",),
        events=((31, "deploy", "application portal 2027.1"), (24, "external", "a campaign for young customers starts"),
                (20, "config", "feature store moves to a new cache")),
        measures=_MODEL,
    ),
    "hiring": Briefing(
        place="the screening model of an employer", harm="qualified applicants who were not invited",
        alert="the works council asks why so few applicants from abroad are invited", lead="commute_km",
        asks="your company sorts out foreigners by computer", category="bias", sector="employment",
        systems=("applicant-screening", "applicant-tracking", "school-register"),
        facts={
            **_NO, "high_risk_ai_system": True, "ai_act_class": "annex_iii", "placed_on_market": "2025-03-03",
            "discrimination_suspected": True, "human_review_before_refusal": False, "dora_entity": False,
            "nis2_entity": False, "risk_to_persons": True, "high_risk_to_persons": False,
        },
        perhaps=("personal_data_breach",),
        events=((31, "deploy", "applicant tracking 27.1, new upload form"),
                (26, "data", "distance to work from the nearest office"),
                (20, "data", "suppliers deliver their files in a new edition")),
        measures=_MODEL,
    ),
    "chatbot": Briefing(
        place="the chatbot of a railway", harm="passengers answered offensively",
        alert="moderators flag more replies than usual", lead="reply_seconds",
        asks="your chatbot insults passengers", category="harmful_output", sector="transport",
        systems=("support-chat", "reply-filter", "passenger-app"),
        facts={**_NO, "discrimination_suspected": True, "high_risk_ai_system": False, "dora_entity": False,
               "nis2_entity": True, "personal_data_breach": False},
        perhaps=("significant_incident",),
        events=((31, "config", "a longer timeout of the passenger app"), (19, "deploy", "support-chat 2.0")),
        measures=_measures(disable=(1, 1), rollback=(0, 0.2), review=(0.8, 0.3), throttle=(0.5, 0.5),
                           fallback=(0.9, 0.4)),
    ),
    "injection": Briefing(
        place="an assistant that reads documents and sends mail for a railway", harm="replies that sent data out",
        alert="the mail gateway holds back more messages of the assistant than usual", lead="reply_seconds",
        asks="your assistant gives away data of passengers", category="security", sector="transport",
        systems=("assistant", "document-store", "mail-gateway"),
        facts={**_NO, "personal_data_breach": True, "high_risk_ai_system": False, "dora_entity": False,
               "nis2_entity": True},
        perhaps=("significant_incident", "risk_to_persons", "high_risk_to_persons"),
        events=((31, "deploy", "assistant 3.2, longer answers"), (22, "data", "the document store was indexed anew")),
        measures=_measures(disable=(1, 1), revoke=(1, 0.4), isolate=(1, 0.2), review=(0.8, 0.3), throttle=(0.5, 0.5),
                           rollback=(0, 0.2)),
    ),
    "line": Briefing(
        place="the quality line of a factory", harm="faulty parts passed as good",
        alert="the false pass rate on the quality dashboard is above its band", lead="compressor",
        asks="faulty parts of your plant are in the shops", category="cascade", sector="manufacturing",
        systems=("defect-detector", "robot-arm-1", "robot-arm-2", "inventory", "qa-dashboard", "compressor"),
        facts={**_NO, "product_delivered": False, "safety_part": False, "personal_data_breach": False,
               "high_risk_ai_system": False, "dora_entity": False, "nis2_entity": True},
        perhaps=("significant_incident",),
        events=((30, "config", "the compressor runs on a new pressure curve"), (28, "deploy", "inventory 11.1"),
                (27, "config", "parts of a new supplier")),
        measures=_measures(halt=(1, 1), isolate=(0.9, 0.3), manual=(0.95, 0.5), review=(0.7, 0.3), throttle=(0.5, 0.5)),
    ),
}  # fmt: skip
"""The stories."""


def record(briefing: Briefing, begins: pd.Timestamp, rng: np.random.Generator, *, kind: str) -> Incident:
    """The record as it stands at the first alert; facts that may be so or not are drawn."""
    facts = {**briefing.facts, **{name: bool(rng.random() < 0.5) for name in briefing.perhaps}}
    systems = [{"name": name, "kind": "service" if at else "model"} for at, name in enumerate(briefing.systems)]
    events = [
        {"at": (begins - pd.Timedelta(hours=hours)).isoformat(), "kind": what, "what": said}
        for hours, what, said in briefing.events
    ]
    return Incident.model_validate({
        "schema": 1, "id": f"drill-{kind}", "title": briefing.alert, "summary": f"An exercise: {briefing.place}.",
        "severity": "sev3", "category": briefing.category, "status": "open", "systems": systems,
        "timeline": {"detected": begins.isoformat(), "aware": begins.isoformat(), "events": events},
        "obligations": {"jurisdictions": ["eu", "de"], "sector": briefing.sector, "facts": facts},
    })  # fmt: skip
