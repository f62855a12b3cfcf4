"""Results of a cascade analysis: candidate origins, propagation steps, silent guards, and blast radius."""

from dataclasses import dataclass
from datetime import datetime

from rca.analysis.cascade.anomaly_score import How
from rca.analysis.cascade.blast_radius import Touched
from rca.finding import Finding, Target
from rca.methods.changepoint.dating import Onset
from rca.record.durations import duration_in_words
from rca.result import Result, Row

FINER = 10
"""Times as many samples as there are that would tell two onsets apart."""

TOLD = 10
"""Components that become findings, at most."""


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A candidate origin: a component, by the signal that represents it.

    Attributes
    ----------
    component, signal : str
    score : float
        Largest robust deviation from normal that was held for three samples, in standard deviations, in the bad
        direction where it is known.
    onset : datetime or None
        First sample outside the normal range, held for three; None where it stayed in its range.
    explained : bool
        Whether the first suspect can have brought half of its departure or more: then it may only have passed it on.
    upstream : bool
        Whether it can act on the alarm at all; true where the case has no graph.
    earliest : datetime or None
        The last sample before the onset that was surely normal, be it the last one before the failing window: it left
        between the two.
    direction : {-1, 0, 1}
    how : {'moved', 'lasting', 'stuck', 'silent'}
    linked : bool
        Whether a way of failing components leads from it to the alarm.
    probability : float
        Of being the origin, given that one of the components is.
    """

    component: str
    signal: str
    score: float
    onset: datetime | None
    explained: bool
    upstream: bool
    earliest: datetime | None = None
    direction: int = 0
    how: How = "moved"
    linked: bool = True
    probability: float = 0.0


@dataclass(frozen=True, kw_only=True)
class FailureStep:
    """One step of propagation, from a component to the next.

    Attributes
    ----------
    cause, effect : str
    lag : float
        Seconds from the onset of the cause to that of the effect.
    earliest, latest : float
        The least and the most seconds that the samples allow.
    over : str or None
        The component between the two that stayed green: a guard that said nothing.
    to_alarm : bool
        Whether the step lies on the way to the alarm.
    """

    cause: str
    effect: str
    lag: float
    earliest: float
    latest: float
    over: str | None = None
    to_alarm: bool = False

    @property
    def simultaneous(self) -> bool:
        """Whether the order of the two onsets is not identifiable at this sampling."""
        return self.earliest <= 0

    def __str__(self) -> str:
        when = "at the same time" if self.simultaneous else f"after {duration_in_words(self.lag)}"
        return f"{self.cause} → {self.effect} {when}" + (f", past {self.over}" if self.over else "")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One signal that left its normal range; times as in `Suspect`."""

    signal: str
    score: float
    direction: int
    how: How
    onset: datetime
    earliest: datetime
    samples: int


@dataclass(frozen=True, kw_only=True)
class Cascade(Result):
    """Components ranked as the origin, the likeliest first, and the propagation path from there.

    Attributes
    ----------
    suspects : tuple of Suspect
    target : str or None
        The alarm.
    n_signals : int
    chance : float
        Probability that a random guess names the first suspect.
    doubt : str or None
        Why the first suspect is not to be named as the origin; None where it is.
    quiet : bool
        Whether the window is like normal time.
    grounded : bool or None
        Whether a path of failing components leads from the first suspect to the alarm; None where none can be known.
    where : str or None
        Caller and callee, `cart -> redis`, where the failure lies between the two.
    silent_alarm : str or None
        That the alarm's own signal shows no departure, as a clause.
    steps : tuple of FailureStep
        The way from the first suspect, as a tree, in the order of arrival; empty without a graph.
    traces : tuple of Trace
        All signals that left their range, in the order in which they did.
    touched : tuple of Touched
        What each failing component went through between its onset and containment.
    n_sigma : str or None
        The component that a plain n-sigma would name, to compare with.
    step : float
        Seconds between two samples.
    unseen : float
        Seconds right before the failing window without a sample; 0 where samples go on.
    """

    suspects: tuple[Suspect, ...]
    target: str | None
    n_signals: int
    chance: float
    doubt: str | None = None
    quiet: bool = False
    grounded: bool | None = None
    where: str | None = None
    silent_alarm: str | None = None
    steps: tuple[FailureStep, ...] = ()
    traces: tuple[Trace, ...] = ()
    touched: tuple[Touched, ...] = ()
    n_sigma: str | None = None
    step: float = 0.0
    unseen: float = 0.0

    def __str__(self) -> str:
        if self.quiet or not self.abnormal:
            return f"none of {self.n_signals} signals left its normal range"
        first = self.suspects[0]
        said = f"{first.component} first, by {first.signal}: {first.score:.3g} standard deviations from normal"
        return f"{said}; but {self.doubt}" if self.doubt else said

    @property
    def abnormal(self) -> tuple[Suspect, ...]:
        """Suspects that left their normal range."""
        return tuple(one for one in self.suspects if one.onset is not None)

    @property
    def would_decide(self) -> str:
        """What to observe next where the first two cannot be told apart: finer samples, or one restarted alone."""
        if self.doubt is None or self.quiet or len(self.suspects) < 2:
            return ""
        one, other = self.suspects[:2]
        restart = (
            f"restart {one.component} alone and watch {other.signal}: it recovers where the failure began in "
            f"{one.component}, and not where it began in {other.component}"
        )
        if not self._order_is_open(one, other):
            return restart
        finer = duration_in_words(max(self.step / FINER, 1.0))
        sample = f"sample {one.signal} and {other.signal} every {finer}, so that the order of their onsets shows"
        return f"{sample}; or {restart}"

    def _order_is_open(self, one: Suspect, other: Suspect) -> bool:
        """Whether the onset intervals of two suspects overlap, and finer samples are to be had."""
        if one.onset is None or other.onset is None or one.earliest is None or other.earliest is None or self.step <= 1:
            return False
        return one.earliest <= other.onset and other.earliest <= one.onset

    @property
    def onset(self) -> Onset | None:
        """When the first suspect left its normal range; None where it did not."""
        first = next(iter(self.abnormal), None)
        if first is None or first.onset is None:
            return None
        before = first.earliest or first.onset
        return Onset(at=first.onset, earliest=before, latest=first.onset, what=first.signal, unit="standard deviations")

    @property
    def guards(self) -> tuple[str, ...]:
        """Components between two failing ones that stayed in range, in the order of the path."""
        return tuple(dict.fromkeys(one.over for one in self.steps if one.over is not None))

    @property
    def way(self) -> tuple[FailureStep, ...]:
        """Propagation path from the first suspect to the alarm."""
        return tuple(one for one in self.steps if one.to_alarm)

    def rows(self) -> list[Row]:
        return [
            {
                "component": one.component,
                "signal": one.signal,
                "standard deviations": one.score,
                "first abnormal": one.onset.isoformat() if one.onset else None,
                "last normal": one.earliest.isoformat() if one.earliest else None,
                "how": one.how,
                "explained upstream": one.explained,
                "upstream of the alarm": one.upstream,
                "linked to the alarm": one.linked,
            }
            for one in self.suspects
        ]

    def findings(self) -> tuple[Finding, ...]:
        return (*(self._claim(one) for one in self.abnormal[:TOLD]), *self._silent(), *self._way())

    def _claim(self, one: Suspect) -> Finding:
        went = {
            "moved": f"went {one.score:.3g} standard deviations from normal",
            "lasting": f"went {one.score:.3g} standard deviations from normal, as it does not for so long",
            "stuck": "stood still, as it never does for so long",
            "silent": "reported no more",
        }[one.how]
        gap = f"nothing else changed in the {duration_in_words(self.unseen)} without samples before the failing window"
        return Finding(
            id=f"cascade.{one.component}",
            notebook="cascade",
            claim=f"{one.signal} {went}",
            cause=Target(kind="component", name=one.component),
            effect=one.score,
            unit="robust standard deviations",
            assumptions=("the rows before the failure are normal", *([gap] if self.unseen else [])),
        )

    def _silent(self) -> list[Finding]:
        """A finding for each silent guard between two failing components."""
        first = {one.over: one for one in reversed(self.steps) if one.over is not None}
        return [
            Finding(
                id=f"cascade.silent.{guard}",
                notebook="cascade",
                claim=f"{guard} stayed in its normal range while {first[guard].cause} failed before it "
                f"and {first[guard].effect} after it",
                assumptions=("the graph has the way the failure took", "its signals would have shown the failure"),
            )
            for guard in self.guards
        ]

    def _way(self) -> list[Finding]:
        if not self.way:
            return []
        whole = sum(one.lag for one in self.way)
        return [
            Finding(
                id="cascade.way",
                notebook="cascade",
                claim="; ".join(map(str, self.way)),
                effect=whole,
                unit="seconds from origin to alarm",
                assumptions=("the graph has every way the failure can have taken",),
            )
        ]


def component_of(signal: str) -> str:
    """The part of a signal's name before the bar.

    >>> component_of("qa-dashboard|false_pass_rate"), metric_of("qa-dashboard|false_pass_rate")
    ('qa-dashboard', 'false_pass_rate')
    """
    return signal.partition("|")[0]


def metric_of(signal: str) -> str:
    """The part of a signal's name after the bar."""
    return signal.partition("|")[2]
