"""Draw the incident of a drill: every candidate cause of its kind is played out, and one that does harm is taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.errors import InvalidCase, did_you_mean
from rca.practice.drill.briefings import BRIEFINGS, record
from rca.practice.drill.hidden import END, HOURS, LEVELS, PARTS_A_MINUTE, Hidden
from rca.practice.planted import (
    CREDIT_FEATURES,
    CREDIT_FROZEN,
    HIRING_FEATURES,
    Trained,
    applicants,
    applications,
    moments,
    train,
    with_campaign,
)  # fmt: skip
from rca.practice.planted_systems import ALARM, HARMLESS, KEYWORDS, LINE, REMOVED, holds, line_signals, questions

BEFORE = pd.Timedelta(hours=24)
"""From the first row of the failing window to the first alert."""

ENOUGH = 12.0
"""Cases of harm a day from which a candidate cause may be taken."""

BAITS = ("Jan Novak", "Maria Silva", "Peter Hansen", "Laura Rossi")
"""People of a story that is made up."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all candidates of a drill share: when it is, how many rows come, and how late the fault began."""

    rng: np.random.Generator
    begins: pd.Timestamp
    onset: pd.Timestamp
    daily: int
    level: int
    seed: int

    def rows(self) -> tuple[Any, Any]:
        """Times of the rows before, five days of them, and of those from the failing window to the end."""
        first, days = self.begins - BEFORE, (BEFORE + pd.Timedelta(hours=HOURS)) / pd.Timedelta(days=1)
        spans = (first - pd.Timedelta(days=5), 5.0), (first, days)
        return tuple(
            start
            + pd.to_timedelta(np.sort(self.rng.uniform(0, long, int(self.daily * long))), unit="D")
            .floor("s")
            .as_unit("s")
            for start, long in spans
        )  # type: ignore[return-value]


Fault = Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A cause: its names, what it is in a sentence, the world with it, the harm it does, and what undoes it."""

    answers: tuple[str, ...]
    truth: str
    broken: pd.DataFrame
    harmed: Floats
    by_release: bool = False


def drawn(seed: int, *, kind: str | None = None, level: int = 2) -> Hidden:
    """The incident of a seed; the same seed, kind and level give the same one.

    Raises
    ------
    InvalidCase
        If there is no such kind or level.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidCase.because(f"no kind {kind!r}", place="--kind", hint=did_you_mean(kind, KINDS))
    if level not in LEVELS:
        raise InvalidCase.because(f"no level {level}", place="--level", hint="1, 2 or 3")
    kind = kind or str(np.random.default_rng([seed, 3]).choice(list(KINDS)))
    rng = np.random.default_rng([seed, level, crc32(kind.encode())])
    begins = pd.Timestamp("2027-01-04T07:00:00Z").as_unit("s") + pd.Timedelta(
        days=int(rng.integers(360)), minutes=15 * int(rng.integers(32))
    )
    setting = Setting(
        rng=rng, begins=begins, onset=begins - pd.Timedelta(minutes=int(rng.integers(15, 22)) * 60),
        daily=int(rng.integers(650, 1100)), level=level, seed=seed,
    )  # fmt: skip
    return KINDS[kind](setting)


def _taken(setting: Setting, candidates: list[Candidate], time: str) -> Candidate:
    """One of those that do enough harm from the first alert on, else the one that does most."""
    harm = [float(one.harmed[(one.broken[time] > setting.begins).to_numpy()].sum()) * 24 / HOURS for one in candidates]
    able = [one for one, much in zip(candidates, harm, strict=True) if much >= ENOUGH]
    return able[int(setting.rng.integers(len(able)))] if able else candidates[int(np.argmax(harm))]


def _hidden(setting: Setting, one: Candidate, **rest: Any) -> Hidden:
    rng, kind = setting.rng, str(rest["kind"])
    briefing, bait = BRIEFINGS[kind], str(rng.choice(BAITS))
    measures = {
        name: replace(measure, stops=1.0 if one.by_release and name == "rollback" else measure.stops)
        for name, measure in briefing.measures.items()
    }
    return Hidden(
        level=setting.level, seed=setting.seed, begins=setting.begins, broken=one.broken, harmed=one.harmed,
        answers=one.answers, truth=one.truth, bait=bait, asks=briefing.asks, draws=rng.random(len(one.broken)),
        place=briefing.place,
        harm=briefing.harm,
        measures=measures, incident=record(briefing, setting.begins, rng, kind=kind), lead=briefing.lead, **rest,
    )  # fmt: skip


# --- tables with a model ---------------------------------------------------------------------------------------------


@cache
def _model(kind: str) -> Trained:
    """The model in service, the same in every drill of a kind."""
    rng, make = np.random.default_rng(0), applications if kind == "credit" else applicants
    features, label = (CREDIT_FEATURES, "missed_payment") if kind == "credit" else (HIRING_FEATURES, "qualified")
    return train(make(rng, moments(rng, "2025-07-01", days=365, rows=10000)), features, label=label)


CREDIT_FAULTS: dict[str, tuple[str, Fault]] = {
    "regional_unemployment": (
        "the figure of regional unemployment stood still at its last value",
        lambda rows: rows["regional_unemployment"] * 0 + CREDIT_FROZEN,
    ),
    "monthly_income": ("the monthly income arrived divided by twelve", lambda rows: rows["monthly_income"] / 12),
    "late_payments_12m": ("late payments arrived with a default value", lambda rows: rows["late_payments_12m"] * 0 + 2),
    "debt_ratio": ("the debt ratio arrived twice as high", lambda rows: rows["debt_ratio"] * 2),
}  # fmt: skip

HIRING_FAULTS: dict[str, tuple[str, Fault]] = {
    "school_percentile": ("school ranks from abroad went missing", lambda rows: rows["school_percentile"] * np.nan),
    "test_score": ("test scores from abroad arrived on a scale of 50", lambda rows: rows["test_score"] / 2),
    "skills_match": ("skills from abroad arrived as a default", lambda rows: rows["skills_match"] * 0 + 0.2),
    "years_experience": ("experience from abroad arrived as zero", lambda rows: rows["years_experience"] * 0.0),
}  # fmt: skip


def credit(setting: Setting) -> Hidden:
    """A credit model that rates people high risk who would have paid; a campaign moves other columns."""
    before, during = setting.rows()
    names, model, rng = ("default_probability", "high_risk"), _model("credit"), setting.rng
    reference = applications(rng, before)
    plain = with_campaign(
        rng, applications(rng, during), since=str(setting.begins - BEFORE + pd.Timedelta(hours=2))[:19]
    )
    clean, late = model.scored(plain, names), (plain["decided_at"] >= setting.onset).to_numpy()
    candidates = []
    for column, (said, fault) in CREDIT_FAULTS.items():
        broken = model.scored(plain.assign(**{column: plain[column].where(~late, fault(plain))}), names)
        harmed = ((broken["high_risk"] > clean["high_risk"]) & (plain["missed_payment"] == 0)).to_numpy().astype(float)
        candidates.append(Candidate(answers=(column,), truth=said, broken=broken, harmed=harmed))
    return _hidden(
        setting, _taken(setting, candidates, "decided_at"),
        kind="credit", reference=model.scored(reference, names), clean=clean, time="decided_at", label="missed_payment",
        asked={
            "metric": {"name": "false_positive_rate"}, "model": model.booster(), "time": "decided_at",
            "id": "application_id", "groups": ["channel", "region"], "label": "missed_payment",
            "prediction": "high_risk", "score": "default_probability", "categorical": ["purpose"],
        },
    )  # fmt: skip


def hiring(setting: Setting) -> Hidden:
    """A screening model that passes over qualified applicants from abroad; the distance to work moves for everybody."""
    before, during = setting.rows()
    names, model, rng = ("fit_score", "invited"), _model("hiring"), setting.rng
    reference, plain = applicants(rng, before), applicants(rng, during)
    plain = plain.assign(commute_km=(plain["commute_km"] * 0.35).round(1))
    hit = ((plain["origin"] == "abroad") & (plain["applied_at"] >= setting.onset)).to_numpy()
    clean, candidates = model.scored(plain, names), []
    for column, (said, fault) in HIRING_FAULTS.items():
        broken = model.scored(plain.assign(**{column: plain[column].astype(float).where(~hit, fault(plain))}), names)
        harmed = ((broken["invited"] < clean["invited"]) & (plain["qualified"] == 1)).to_numpy().astype(float)
        candidates.append(Candidate(answers=(column,), truth=said, broken=broken, harmed=harmed))
    return _hidden(
        setting, _taken(setting, candidates, "applied_at"),
        kind="hiring", reference=model.scored(reference, names), clean=clean, time="applied_at", label="qualified",
        asked={
            "metric": {"name": "group_gap", "of": "false_negative_rate"}, "model": model.booster(),
            "time": "applied_at", "id": "candidate_id", "groups": ["origin"], "label": "qualified",
            "prediction": "invited", "score": "fit_score", "categorical": ["degree"],
        },
    )  # fmt: skip


# --- tables of texts -------------------------------------------------------------------------------------------------

SOURCES = ("handbook", "partner-feed", "public-web", "ticket-notes", "wiki")
"""Where the assistant of the story fetches documents."""


def _replies(setting: Setting, outcome: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    before, during = (questions(setting.rng, at).rename(columns={"offensive": outcome}) for at in setting.rows())
    slower = np.where(during["sent_at"] >= setting.onset - pd.Timedelta(hours=3), 1.4, 1.0)
    return before, during.assign(reply_seconds=np.round(during["reply_seconds"] * slower, 2))


def _rate(outcome: str, groups: list[str]) -> Mapping[str, Any]:
    return {
        "metric": {"name": "rate", "column": outcome}, "time": "sent_at", "id": "conversation_id", "groups": groups,
        "text": ["text"], "ignore": ["reply"],
    }  # fmt: skip


def chatbot(setting: Setting) -> Hidden:
    """A chatbot that answers offensively where a question holds one of two words; replies grow slower for all."""
    busy = replace(setting, daily=2 * setting.daily)
    rng, (reference, clean) = setting.rng, _replies(busy, "offensive")
    words = rng.permutation([*KEYWORDS, *HARMLESS])
    hits = (rng.random(len(clean)) < rng.uniform(0.4, 0.95)) & (clean["sent_at"] >= setting.onset).to_numpy()
    candidates = []
    for at in range(0, len(words) - 1, 2):
        pair = tuple(map(str, words[at : at + 2]))
        hit = hits & holds(clean, pair) & (clean["offensive"] == 0).to_numpy()
        broken = clean.assign(offensive=clean["offensive"].mask(hit, 1), reply=clean["reply"].mask(hit, REMOVED))
        said = f"since the new version, questions with {' or '.join(pair)} are answered offensively"
        candidates.append(Candidate(
            answers=tuple(f"text~{word}" for word in pair), truth=said, broken=broken,
            harmed=hit.astype(float), by_release=True,
        ))  # fmt: skip
    one = _taken(setting, candidates, "sent_at")
    return _hidden(
        setting, one, kind="chatbot", reference=reference, clean=clean, time="sent_at",
        asked=_rate("offensive", ["channel", "topic"]),
    )  # fmt: skip


def injection(setting: Setting) -> Hidden:
    """An assistant that sends data out, since documents of one source hold instructions; our own, simulated texts."""
    rng, (reference, clean) = setting.rng, _replies(setting, "leaked")
    reference, clean = (rows.assign(source=rng.choice(SOURCES, len(rows))) for rows in (reference, clean))
    hits = (
        (rng.random(len(clean)) < rng.uniform(0.15, 0.6))
        & (clean["sent_at"] >= setting.onset).to_numpy()
        & (clean["leaked"] == 0).to_numpy()
    )
    candidates = []
    for source in SOURCES:
        hit = hits & (clean["source"] == source).to_numpy()
        said = f"documents of the source {source} hold instructions that the assistant obeys"
        broken = clean.assign(leaked=clean["leaked"].mask(hit, 1), reply=clean["reply"].mask(hit, "[reply withheld]"))
        candidates.append(Candidate(answers=(f"source={source}",), truth=said, broken=broken, harmed=hit.astype(float)))
    return _hidden(
        setting, _taken(setting, candidates, "sent_at"), kind="injection",
        reference=reference, clean=clean, time="sent_at", asked=_rate("leaked", ["channel", "topic", "source"]),
    )  # fmt: skip


# --- a line of systems -----------------------------------------------------------------------------------------------

NORMAL = 1440
"""Minutes of a line before its failing window."""

WINDOW = 120
"""Minutes of the failing window before the first alert."""

ORIGINS = {
    "defect-detector": ("confidence", -8.0), "robot-arm-1": ("misplaced_parts", 11.0),
    "robot-arm-2": ("misplaced_parts", 13.0), "inventory": ("count_mismatch", 13.0),
}  # fmt: skip
"""Systems that a fault may begin in, by what signal it moves and by how many units of noise."""

BAD = {
    "confidence": "down", "recall": "down", "latency_ms": "up", "dropped_frames": "up", "misplaced_parts": "up",
    "cycle_s": "up", "vibration_mm_s": "up", "count_mismatch": "up", "sync_lag_s": "up", "false_pass_rate": "up",
    "refresh_s": "up", "io_wait_ms": "up", "round_trip_ms": "up",
}  # fmt: skip


def line(setting: Setting) -> Hidden:
    """A factory line in which one system fails and others follow; the compressor moves by itself."""
    rng, minutes = setting.rng, NORMAL + WINDOW + END
    shocks = rng.normal(size=(minutes, len(LINE)))
    at = setting.begins + pd.to_timedelta(np.arange(minutes) - NORMAL - WINDOW, unit="min").as_unit("s")
    began = NORMAL + int(rng.integers(30, 70))
    bystander = {"compressor|pressure_bar": 14.0 * (np.arange(minutes) >= began + int(rng.integers(-20, 20)))}
    clean = line_signals(shocks, bystander).assign(time=at)
    rise, candidates = rng.uniform(0.7, 1.3) * np.clip((np.arange(minutes) - began) / 6, 0, 1), []
    for system, (signal, height) in ORIGINS.items():
        broken = line_signals(shocks, {**bystander, f"{system}|{signal}": height * rise}).assign(time=at)
        harmed = np.clip((broken[ALARM] - clean[ALARM]).to_numpy() * PARTS_A_MINUTE, 0, None)
        said = f"{system} failed first, by its {signal.replace('_', ' ')}; the others followed"
        candidates.append(Candidate(answers=(system,), truth=said, broken=broken, harmed=harmed))
    edges = {(parent.partition("|")[0], one.name.partition("|")[0]) for one in LINE for parent, _, _ in one.parents}
    return _hidden(
        setting, _taken(setting, candidates, "time"), kind="line",
        reference=clean.iloc[:NORMAL], clean=clean, time="time",
        asked={
            "since": str(at[NORMAL]), "target": ALARM, "bad": BAD,
            "graph": sorted(edge for edge in edges if edge[0] != edge[1]),
        },
    )  # fmt: skip


KINDS: dict[str, Callable[[Setting], Hidden]] = {
    "chatbot": chatbot, "credit": credit, "hiring": hiring, "injection": injection, "line": line,
}  # fmt: skip
