"""Service-level targets: the share of incidents within a time limit, by Kaplan-Meier, and whether the target is met."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from rca.analysis.portfolio.durations import BETWEEN, MEASURED, Lengths
from rca.analysis.portfolio.incident_log import Incidents
from rca.analysis.portfolio.kaplan_meier import Estimate, survival
from rca.analysis.portfolio.results import SCALES, in_unit, unit_for, words_of
from rca.arrays import Mask
from rca.errors import InvalidCase, did_you_mean
from rca.record.files.yaml_document import plain, show
from rca.result import Result, Row


@dataclass(frozen=True, kw_only=True)
class ServiceTarget:
    """A service-level target: a share of incidents is to be within a time limit.

    Attributes
    ----------
    measure : str
    seconds : float
    share : float
    severity : str
        Incidents that it is about; empty for all.
    """

    measure: str
    seconds: float
    share: float
    severity: str = ""


@dataclass(frozen=True, kw_only=True)
class Kept(Result):
    """Compliance with a service-level target, with an interval.

    Attributes
    ----------
    target : ServiceTarget
    within : Estimate
        Share of incidents within the limit; one that is open counts for as long as it has been seen.
    state : {'met', 'missed', 'cannot tell'}
        `cannot tell` where the interval contains the promised share.
    n : int
    over : tuple of str
        The first incidents beyond the limit, by name.
    """

    target: ServiceTarget
    within: Estimate
    state: str
    n: int
    over: tuple[str, ...]

    def __str__(self) -> str:
        unit = unit_for(self.target.seconds)
        of = f" ({self.target.severity})" if self.target.severity else ""
        limit = f"{words_of(self.target.measure)}{of} within {in_unit(self.target.seconds, unit)} {unit}"
        if self.within.value is None:
            return f"{limit}: {self.state}, no incident has both moments"
        low, high = (100 * (end or 0.0) for end in (self.within.low, self.within.high))
        got = f"{100 * self.within.value:.3g} % ({low:.3g}–{high:.3g})"
        return f"{limit}: {got} of {self.n:,}, promised {100 * self.target.share:g} %: {self.state}"

    def rows(self) -> list[Row]:
        row: Row = {
            "measure": self.target.measure,
            "severity": self.target.severity,
            "limit": self.target.seconds,
            "promised": self.target.share,
        }
        return [
            row
            | {"within": self.within.value, "low": self.within.low, "high": self.within.high}
            | {"n": self.n, "state": self.state, "over": len(self.over)}
        ]


# --- targets ---------------------------------------------------------------------------------------------------------


def targets_of(given: Mapping[str, Any] | str | None) -> tuple[ServiceTarget, ...]:
    """Parse service-level targets, given as a mapping or as one text.

    Raises
    ------
    InvalidCase
        If there is no such measure, or the limit or the share is none.

    Examples
    --------
    >>> [(one.measure, one.seconds, one.share) for one in targets_of("time_to_recover=4h:0.9, exposure = 15 min")]
    [('time_to_recover', 14400.0, 0.9), ('exposure', 900.0, 0.95)]
    >>> targets_of({"time_to_recover": ("1 d", 2)})
    Traceback (most recent call last):
    rca.errors.InvalidCase: targets, time_to_recover: the share must lie between 0 and 1, got 2. Hint: give a number \
such as 0.95
    """
    if not given:
        return ()
    if not isinstance(given, str):
        return tuple(_target(name, limit) for name, limit in given.items())
    pairs = [part.partition("=") for part in given.split(",") if part.strip()]
    return tuple(_target(name.strip(), limit.strip()) for name, _, limit in pairs)


def _target(name: str, limit: Any) -> ServiceTarget:
    known = (*MEASURED, BETWEEN)
    measure, _, severity = name.partition("@")
    if measure not in known:
        hint = did_you_mean(plain(measure), known)
        raise InvalidCase.because(f"no measure {show(measure)}", place="targets", hint=hint)
    length, share = limit if isinstance(limit, tuple | list) and len(limit) == 2 else (limit, None)
    if isinstance(length, str) and ":" in length:
        length, _, share = length.partition(":")
    promised = _share(0.95 if share is None else share, name)
    return ServiceTarget(measure=measure, seconds=_limit(length, name), share=promised, severity=severity)


def _limit(given: Any, name: str) -> float:
    """Parse a time limit to seconds: a number of them, a timedelta, or a number with its unit."""
    seconds = given.total_seconds() if isinstance(given, timedelta) else given
    if isinstance(given, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)\s*", given)
        seconds = float(found[1]) * SCALES[found[2]] if found else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        hint = "write a number with its unit: 90 s, 15 min, 4 h, 2 d"
        what = f"the limit must be a length of time above 0, got {show(str(given))}"
        raise InvalidCase.because(what, place=f"targets, {name}", hint=hint)
    return float(seconds)


def _share(given: Any, name: str) -> float:
    try:
        share = float(given)
    except (TypeError, ValueError):
        share = math.nan
    if not 0 < share < 1:
        what = f"the share must lie between 0 and 1, got {plain(str(given))}"
        raise InvalidCase.because(what, place=f"targets, {name}", hint="give a number such as 0.95")
    return share


def kept(target: ServiceTarget, read: Incidents, measured: Iterable[Lengths]) -> Kept:
    """Share of incidents within the limit, with an interval, against the target."""
    lengths = next((one for one in measured if one.measure == target.measure), None)
    of = _about(target, read, lengths) if lengths is not None else None
    if lengths is None or of is None or not of.any():
        return Kept(target=target, within=Estimate(value=None), state="cannot tell", n=0, over=())
    seconds = lengths.seconds[of]
    beyond = survival(seconds, lengths.ended[of]).beyond(target.seconds)
    low, high = 1 - (beyond.high or 0.0), 1 - (beyond.low or 0.0)
    within = Estimate(value=1 - (beyond.value or 0.0), low=low, high=high)
    state = "met" if low >= target.share else "missed" if high < target.share else "cannot tell"
    late = lengths.rows[of][seconds > target.seconds][:100]
    return Kept(target=target, within=within, state=state, n=len(seconds), over=tuple(map(str, read.names[late])))


def _about(target: ServiceTarget, read: Incidents, lengths: Lengths) -> Mask:
    """Mask of the durations that a target applies to."""
    if not target.severity:
        return np.ones(len(lengths), bool)
    codes, names = read.labels.get("severity", (np.full(len(read), -1), ()))
    code = names.index(target.severity) if target.severity in names else -2
    return np.asarray(codes[lengths.rows] == code)
