"""What `results.json` says beside the verdict: rows since the onset, recovery, rivals, systems out of range."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rca.analysis.cascade.results import Cascade
from rca.analysis.conclusion.recovery import Recovery
from rca.analysis.conclusion.results_json import moment, plain_interval
from rca.analysis.conclusion.since_onset import Estimate, Otherwise, Point, SinceOnset
from rca.analysis.harm.harm import Harm
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.onset.event_proximity import EventProximity

UNTESTED = ("never told", "too few rows")
"""Words in what speaks against a rival that no test could reach."""


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
