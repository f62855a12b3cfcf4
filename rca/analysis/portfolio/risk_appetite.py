"""Risk appetite: what many incidents did against the limits that an organisation set itself, with intervals."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rca.analysis.portfolio.durations import BETWEEN, MEASURED, Lengths
from rca.analysis.portfolio.incident_log import Incidents
from rca.analysis.portfolio.kaplan_meier import LEVEL, Estimate
from rca.analysis.portfolio.results import in_unit, unit_for, words_of
from rca.analysis.portfolio.service_targets import Kept, kept, targets_of
from rca.analysis.portfolio.timestamps import when
from rca.errors import InvalidCase, did_you_mean
from rca.record.files.yaml_document import plain, show
from rca.record.obligations.answers import duty
from rca.record.obligations.known import Known
from rca.record.obligations.rules import rule_table
from rca.record.schema.corrective_action import UNFINISHED
from rca.record.schema.incident import Incident
from rca.result import Result, Row

HARMS = ("incidents", "people", "decisions", "money")
"""What is counted a quarter; all but the first as `impact` has it."""

QUARTERLY = {f"{name}_per_quarter": name for name in HARMS}

COUNTED = ("overdue_actions", "overdue_duties")
"""What is counted at the censoring time: there is no sample, and so no interval."""

QUARTER = timedelta(days=365.25 / 4)

UNSEEN = 3.0
"""How many times the largest harm on record one that has not come yet may be."""

FEWEST = 5
"""Incidents with harm from which a rate may be said to be kept."""

MOST_NAMED = 20

KEPT, BREACHED, TOO_FEW, UNKNOWN = "kept", "breached", "not enough incidents to say", "not enough on record to say"

STATES = {"met": KEPT, "missed": BREACHED, "cannot tell": TOO_FEW}


@dataclass(frozen=True, kw_only=True)
class Appetite(Result):
    """One limit of a risk appetite, and what the incidents did.

    Attributes
    ----------
    name : str
        `time_to_detect`, `people_per_quarter`, `overdue_duties` and the like.
    limit : float
        The least share of incidents within `within`, else the most that is accepted.
    within : float or None
        Seconds, of limits in time.
    found : Estimate
        Share, amount a quarter, or count; a count has no interval.
    n, lacking : int
        Incidents that it rests on, and those (of actions: actions) that leave it open.
    state : {'kept', 'breached', 'not enough incidents to say', 'not enough on record to say'}
    over : tuple of str
        The first incidents that speak against it, the worst first.
    """

    name: str
    limit: float
    within: float | None = None
    found: Estimate
    n: int
    lacking: int
    state: str
    over: tuple[str, ...] = ()

    @property
    def accepts(self) -> str:
        """The limit in words."""
        if self.within is None:
            return f"{words_of(self.name)}: at most {in_unit(self.limit, '')}"
        unit = unit_for(self.within)
        share = f"{100 * self.limit:g} % of incidents"
        return f"{words_of(self.name)}: {share} within {in_unit(self.within, unit)} {unit}"

    def __str__(self) -> str:
        scale, unit = (100, " %") if self.within is not None else (1, "")
        ends = [in_unit(scale * one, "") if one is not None else "?" for one in (self.found.low, self.found.high)]
        between = f" ({ends[0]}–{ends[1]})" if self.name not in COUNTED else ""
        value = "nothing" if self.found.value is None else f"{in_unit(scale * self.found.value, '')}{unit}{between}"
        lacking = f", {self.lacking} leave it open" if self.lacking else ""
        return f"{self.accepts}; {value} on record of {self.n}{lacking}: {self.state}"

    def rows(self) -> list[Row]:
        return [
            {"name": self.name, "accepts": self.accepts, "limit": self.limit, "value": self.found.value,
             "low": self.found.low, "high": self.found.high, "n": self.n, "lacking": self.lacking, "state": self.state,
             "incidents": ", ".join(self.over)}
        ]  # fmt: skip


def appetite_of(given: Mapping[str, Any] | str | None) -> dict[str, str]:
    """Limits by name, of a mapping or a text such as ``"time_to_detect=1d:0.9, overdue_duties=0"``.

    Raises
    ------
    InvalidCase
        If there is no such limit, or it is no number.

    Examples
    --------
    >>> appetite_of("time_to_detect = 1d:0.9, people_per_quarter=1000")
    {'time_to_detect': '1d:0.9', 'people_per_quarter': '1000'}
    """
    if isinstance(given, str):
        pairs = [part.partition("=") for part in given.split(",") if part.strip()]
        given = {name.strip(): value.strip() for name, _, value in pairs}
    limits = {name: str(value).strip() for name, value in (given or {}).items()}
    known = (*MEASURED, BETWEEN, *QUARTERLY, *COUNTED)
    for name, value in limits.items():
        if name.partition("@")[0] not in known:
            hint = did_you_mean(plain(name), known)
            raise InvalidCase.because(f"no limit is called {show(name)}", place="appetite", hint=hint)
        if name in QUARTERLY or name in COUNTED:
            _number(value, name)
    targets_of(_in_time(limits))
    return limits


def _in_time(limits: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in limits.items() if name not in QUARTERLY and name not in COUNTED}


def _number(value: str, name: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        what = f"the limit must be a number from 0 on, got {show(value)}"
        raise InvalidCase.because(what, place=f"appetite, {name}", hint="write people_per_quarter: 1000, say")
    return number


def against(
    limits: Mapping[str, str], read: Incidents, measured: Iterable[Lengths], *, incidents: Sequence[Incident]
) -> tuple[Appetite, ...]:
    """What the incidents did against each limit.

    Parameters
    ----------
    limits : mapping of str to str
        By `appetite_of`.
    read : Incidents
    measured : iterable of Lengths
    incidents : sequence of Incident
        Their records; empty where there is only a table, and then harm, actions and duties are not known.
    """
    measured, now = tuple(measured), when(read.as_of)
    told = [
        _in_words(one, lacking=len(read) - one.n)
        for one in (kept(target, read, measured) for target in targets_of(_in_time(limits)))
    ]
    counted = {"overdue_actions": _actions, "overdue_duties": _duties}
    for name in (one for one in limits if one not in _in_time(limits)):
        limit = _number(limits[name], name)
        if name in QUARTERLY:
            told.append(_quarterly(name, limit, incidents, now=now))
        else:
            late, open_ = counted[name](incidents, now)
            told.append(_count(name, limit, late, lacking=open_ if incidents else len(read)))
    return tuple(told)


def _in_words(one: Kept, *, lacking: int) -> Appetite:
    target = one.target
    name = f"{target.measure}@{target.severity}" if target.severity else target.measure
    return Appetite(
        name=name, limit=target.share, within=target.seconds, found=one.within, n=one.n,
        lacking=0 if target.severity else lacking, state=STATES[one.state], over=one.over[:MOST_NAMED],
    )  # fmt: skip


def _quarterly(name: str, limit: float, incidents: Sequence[Incident], *, now: datetime | None) -> Appetite:
    harms = {one.id: _amount(one, QUARTERLY[name]) for one in incidents}
    known = {incident: harm for incident, harm in harms.items() if harm is not None}
    began = [at for one in incidents for _, at in one.timeline.moments()]
    quarters = (now - min(began)) / QUARTER if now and began else 0.0
    found = rate([*known.values()], quarters) if quarters >= 1 else Estimate(value=None)
    lacking = len(incidents) - len(known)
    worst = sorted((one for one in known if known[one] > 0), key=lambda one: -known[one])
    state = UNKNOWN if found.value is None else _judged(found, limit, enough=len(worst) >= FEWEST)
    state = UNKNOWN if lacking and state != BREACHED else state  # what is on record is a lower bound
    return Appetite(
        name=name, limit=limit, found=found, n=len(known), lacking=lacking, state=state, over=tuple(worst[:MOST_NAMED])
    )


def _amount(incident: Incident, what: str) -> float | None:
    value = 1.0 if what == "incidents" else getattr(incident.impact, what)
    return float(value) if isinstance(value, int | float) else None


def rate(harms: Sequence[float], quarters: float) -> Estimate:
    """Harm a quarter, with the gamma interval of a weighted sum of Poisson counts, its upper end wider.

    The largest incident to come may not have come yet. With `UNSEEN` times the largest on record in its place, the
    upper end lies below the truth in 0.2 to 4 of 100 draws of lognormal harms with a sigma of 1 to 1.5 and 8 to 80
    incidents, against 2 to 15 of the interval as published; with a sigma of 2, in 4 to 12 against 15 to 28.

    Parameters
    ----------
    harms : sequence of float
        Of each incident.
    quarters : float
        Over which they came.

    References
    ----------
    Fay and Feuer, *Statistics in Medicine* 16 (1997), 791-801.

    Examples
    --------
    >>> found = rate([1.0] * 12, quarters=4.0)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (3.0, 1.55, 6.31)
    """
    from scipy.stats import gamma

    total, largest = sum(harms), max(harms, default=0.0)
    if total <= 0:
        return Estimate(value=0.0 if harms else None, low=0.0 if harms else None)
    spread, tail = sum(one**2 for one in harms), (1 - LEVEL) / 2
    above, wide = total + UNSEEN * largest, spread + (UNSEEN * largest) ** 2
    low = gamma.ppf(tail, total**2 / spread, scale=spread / total)
    high = gamma.ppf(1 - tail, above**2 / wide, scale=wide / above)
    return Estimate(value=total / quarters, low=float(low) / quarters, high=float(high) / quarters)


def _judged(found: Estimate, limit: float, *, enough: bool) -> str:
    if found.low is not None and found.low > limit:
        return BREACHED
    return KEPT if enough and found.high is not None and found.high <= limit else TOO_FEW


def _count(name: str, limit: float, late: Mapping[str, int], *, lacking: int) -> Appetite:
    total = sum(late.values())
    worst = sorted((one for one in late if late[one]), key=lambda one: -late[one])[:MOST_NAMED]
    state = BREACHED if total > limit else UNKNOWN if lacking else KEPT
    found = Estimate(value=float(total))
    return Appetite(name=name, limit=limit, found=found, n=len(late), lacking=lacking, state=state, over=tuple(worst))


def _actions(incidents: Iterable[Incident], now: datetime | None) -> tuple[dict[str, int], int]:
    """Overdue actions by incident, and unfinished ones without a date."""
    open_ = {one.id: [each for each in one.actions if each.state_at(now) in UNFINISHED] for one in incidents}
    late = {incident: sum(each.is_overdue(now) for each in those) for incident, those in open_.items()}
    return late, sum(not each.due for those in open_.values() for each in those)


def _duties(incidents: Iterable[Incident], now: datetime | None) -> tuple[dict[str, int], int]:
    """Overdue duties by incident, and the incidents whose records leave a duty open."""
    late, open_ = {}, 0
    for incident in incidents:
        known = Known.of(incident, now)
        answers = [duty(rule, known) for rule in rule_table().rules]
        late[incident.id] = sum(one.overdue for one in answers)
        open_ += any(one.answer == "cannot_tell" for one in answers)
    return late, open_
