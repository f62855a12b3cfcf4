"""Content of `results.json`: the only place of numbers that another program reads."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rca.analysis.conclusion.observation import Observation
from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.finding import Finding, Interval, Unanswered
from rca.methods.changepoint.dating import Onset
from rca.methods.metric import Measured
from rca.record.durations import Duration
from rca.record.schema.why_tree import Why

SCHEMA = 1


def results_json(
    *,
    incident: str,
    verdict: Verdict,
    durations: Iterable[Duration],
    findings: Iterable[Finding],
    whys: Iterable[Why],
    unanswered: Iterable[Unanswered],
    decisive: Iterable[Observation] = (),
) -> dict[str, Any]:
    """The content of `results.json`, version 1."""
    deciding = {one.question: one for one in decisive}
    return {
        "schema": SCHEMA,
        "incident": incident,
        "verdict": {
            "status": verdict.status,
            "summary": verdict.summary,
            "metric": _metric(verdict.metric),
            "causes": [_cause(cause) for cause in verdict.causes],
            "onset": _onset(verdict.onset),
            "confidence": asdict(verdict.confidence) if verdict.confidence is not None else None,
        },
        "durations": {
            one.name: _without_none(
                {
                    "seconds": one.seconds,
                    "from": one.start,
                    "to": one.end,
                    "earliest": one.earliest,
                    "latest": one.latest,
                }
            )
            for one in durations
        },
        "findings": [_finding(finding) for finding in findings],
        "whys": [why.model_dump(mode="json") for why in whys],
        "unanswered": [_unanswered(one, deciding.get(one.question)) for one in unanswered],
    }


def _unanswered(one: Unanswered, decides: Observation | None) -> dict[str, Any]:
    plain = {"question": one.question, "why": one.why}
    if decides is None:
        return plain
    told = {
        "what": decides.what,
        "rule": decides.rule,
        "rows": decides.rows,
        "power": decides.power,
        "between": list(decides.between),
    }
    return {**plain, "would_decide": told}


def _metric(measured: Measured | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    return {
        "name": measured.name,
        "reference": measured.reference,
        "current": measured.current,
        "change": measured.change,
        "interval": plain_interval(measured.interval),
        "level": measured.interval.level,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    plain = {
        "kind": cause.kind,
        "name": cause.name,
        "fault": cause.fault,
        "signal": cause.signal,
        "contribution": cause.contribution,
        "interval": plain_interval(cause.interval),
        "strength": cause.strength,
        "findings": list(cause.findings),
        "where": asdict(cause.where) if cause.where is not None else None,
    }
    return _without_none(plain)


def _onset(onset: Onset | None) -> dict[str, Any] | None:
    if onset is None:
        return None
    return {
        "at": moment(onset.at),
        "earliest": moment(onset.earliest),
        "latest": moment(onset.latest),
        "level": onset.level,
        "censored": onset.censored,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "notebook": finding.notebook,
        "claim": finding.claim,
        "cause": {"kind": finding.cause.kind, "name": finding.cause.name} if finding.cause else None,
        "effect": finding.effect,
        "unit": finding.unit,
        "interval": plain_interval(finding.interval),
        "level": finding.interval.level if finding.interval else None,
        "q_value": finding.q_value,
        "n_effective": finding.n_effective,
        "strength": finding.strength,
        "assumptions": list(finding.assumptions),
        "refuters": list(finding.refuters),
    }


def plain_interval(interval: Interval | None) -> list[float] | None:
    """Its two ends."""
    return None if interval is None else [interval.low, interval.high]


def moment(time: datetime) -> str:
    """A time in UTC, in ISO 8601.

    >>> moment(datetime(2026, 2, 1, tzinfo=UTC))
    '2026-02-01T00:00:00Z'
    """
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _without_none(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if value is not None}
