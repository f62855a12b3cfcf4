"""Content of `results.json`: the only place of numbers that another program reads."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rca.analysis.cascade.results import Cascade
from rca.analysis.conclusion.observation import Observation
from rca.analysis.conclusion.recovery import Recovery
from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.analysis.harm.harm import Harm
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.onset.event_proximity import EventProximity
from rca.analysis.onset.since_onset import Estimate, Otherwise, Point, SinceOnset
from rca.finding import Finding, Interval, Unanswered
from rca.methods.changepoint.dating import Onset
from rca.methods.metric import Measured
from rca.record.durations import Duration
from rca.record.schema.why_tree import Why

SCHEMA = 1

UNTESTED = ("never told", "too few rows")
"""Words in what speaks against a rival that no test could reach."""


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


# --- beside the verdict --------------------------------------------------------------------------------------------


def since_json(
    *,
    since_onset: SinceOnset | None = None,
    recovery: Recovery | None = None,
    harm: Harm | None = None,
    events: EventProximity | None = None,
    cascade: Cascade | None = None,
) -> dict[str, Any]:
    """What a brief says beside the verdict, each None or empty where there is nothing to say."""
    return {
        "since_onset": _since_onset(since_onset),
        "recovery": _recovery(recovery),
        "ruled_out": [_rival(one) for one in ruled_out(harm)] if harm is not None else [],
        "near_event": _near(events),
        "out_of_range": _out_of_range(cascade),
    }


def _since_onset(known: SinceOnset | None) -> dict[str, Any] | None:
    """The metric of the rows since the onset: counts, groups, course, and decisions that would have been others."""
    if known is None:
        return None
    return {
        "what": known.what,
        "is_share": known.is_share,
        "from": _moment(known.start),
        "to": _moment(known.end),
        "window": None if known.window is None else [moment(one) for one in known.window],
        "decisions": known.decisions,
        "counted": known.counted,
        "hits": known.hits,
        "above": known.above,
        "usual": known.usual,
        "usual_range": plain_interval(known.usual_range),
        "since": _estimate(known.since),
        "recovered": _estimate(known.recovered),
        "groups": [
            {"column": one.column, "name": one.name, "value": one.value, "interval": plain_interval(one.interval),
             "rows": one.rows}
            for one in known.groups
        ],
        "compared": list(known.compared),
        "apart": list(known.apart),
        "otherwise": _otherwise(known.otherwise),
        "step": known.step,
        "points": [_point(one) for one in known.points],
    }  # fmt: skip


def _estimate(one: Estimate | None) -> dict[str, Any] | None:
    return None if one is None else {"value": one.value, "interval": plain_interval(one.interval), "rows": one.rows}


def _otherwise(one: Otherwise | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "columns": list(one.columns),
        "rows": one.rows,
        "interval": plain_interval(one.interval),
        "righted": one.righted,
        "wronged": one.wronged,
        "would_be": one.would_be,
        "would_be_interval": plain_interval(one.would_be_interval),
    }


def _point(one: Point) -> dict[str, Any]:
    return {
        "from": moment(one.start),
        "to": moment(one.end),
        "value": one.value,
        "interval": plain_interval(one.interval),
        "rows": one.rows,
        "phase": one.phase,
    }


def _recovery(known: Recovery | None) -> dict[str, Any] | None:
    """Whether the repair worked, and for which groups that is open."""
    if known is None:
        return None
    return {
        "outcome": known.outcome,
        "margin": known.margin,
        "groups": [{"where": one.where, "outcome": one.outcome} for one in known.groups],
    }


def ruled_out(harm: Harm) -> Iterator[Rival]:
    """Rivals that a test killed: not what no test reached, what stands in another way, or what the verdict leaves open.

    Parameters
    ----------
    harm : Harm
    """
    standing = {(one.kind, one.name) for one in harm.rivals if not one.rejected}
    for one in harm.rivals:
        is_open = untested(one) or (harm.undecided != "" and one.found == harm.undecided)
        if one.rejected and not is_open and (one.kind, one.name) not in standing:
            yield one


def untested(one: Rival) -> bool:
    """Whether no test could reach a rival: it does not stand, and it is not ruled out."""
    return one.rejected and any(said in one.against for said in UNTESTED)


def _rival(one: Rival) -> dict[str, Any]:
    return {"kind": one.kind, "name": one.name, "fault": one.fault, "against": one.against}


def _near(events: EventProximity | None) -> dict[str, Any] | None:
    """The event that may have set it off, and how often chance puts one so near."""
    named = events.named if events is not None else None
    if named is None:
        return None
    return {"at": moment(named.at), "name": named.name, "lag": named.lag, "p_value": named.p_value}


def _out_of_range(known: Cascade | None) -> list[dict[str, Any]]:
    """When each system was first seen out of its normal range, and since when it may have been."""
    return [
        {
            "component": one.component,
            "signal": one.signal,
            "at": moment(one.onset),
            "earliest": _moment(one.earliest),
            "score": one.score,
        }
        for one in (known.abnormal if known is not None else ())
        if one.onset is not None
    ]


def _moment(time: datetime | None) -> str | None:
    return None if time is None else moment(time)
