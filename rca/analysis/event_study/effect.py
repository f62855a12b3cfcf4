"""Result of an event study: effect of an event on the metric, its interval, and which refutation tests it passed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rca.analysis.event_study.designs import ASSUMED, EffectEstimate
from rca.analysis.event_study.refutation import Kind, Refuter
from rca.finding import Finding, Interval, Strength, Target
from rca.methods.ar1_regression import Sized
from rca.methods.metric import SHARES
from rca.record.durations import span_in_words
from rca.result import Result, Row

ROWS_ALIKE: dict[bool, str] = {
    True: "the covariates are not changed by the event, and say all by which the mix of rows matters",
    False: "the mix of rows did not change at the event",
}
"""What is assumed of the covariate distribution, where it is held fixed and where it is not."""

NEEDED: tuple[Kind, ...] = ("placebo_date", "placebo_group")
"""Placebo tests, without at least one of which nothing is shown."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """One period of the series that the effect is read off.

    Attributes
    ----------
    at : datetime
        Its start.
    value : float
    interval : Interval
        Its sampling interval.
    rows : int
        That count.
    without, without_interval : float, Interval
        What the design expects without the event: before the event its fit, from then on the counterfactual.
    """

    at: datetime
    value: float
    interval: Interval
    rows: int
    without: float
    without_interval: Interval


@dataclass(frozen=True, kw_only=True)
class Effect(Result):
    """Effect of an event on the metric, with its series, interval and refutation tests.

    Attributes
    ----------
    event : str
        Its name, as the timeline has it.
    at : datetime
    metric : str
        In words.
    unit : str
    is_share : bool
        Whether it is read in per cent, and its changes in percentage points.
    harm : {'higher', 'lower'}
        The bad direction.
    estimate : EffectEstimate
    before, after : float
        The metric of the rows on either side; of the affected groups alone where some are not.
    length : float
        Seconds of a period.
    periods : tuple of Period
    refuters : tuple of Refuter
        Empty where no effect was found that could be refuted.
    n_before, n_after : int
        Rows that count.
    n_effective : float
        Rows that the comparison rests on: the smaller side, or what weights leave of it.
    """

    event: str
    at: datetime
    metric: str
    unit: str
    is_share: bool
    harm: Literal["higher", "lower"]
    estimate: EffectEstimate
    before: float
    after: float
    length: float
    periods: tuple[Period, ...]
    refuters: tuple[Refuter, ...]
    n_before: int
    n_after: int
    n_effective: float

    @property
    def effect(self) -> Sized:
        """Mean effect over the periods after the event."""
        return self.estimate.effect

    @property
    def without(self) -> float:
        """Counterfactual: the metric after the event without it."""
        return self.after - self.effect.value

    @property
    def found(self) -> bool:
        """Whether the interval excludes zero."""
        return 0 not in self.effect.interval

    @property
    def strength(self) -> Strength | None:
        """`shown` where all refuters that could be tried passed, a placebo (in time or in groups) among them."""
        if not self.found:
            return None
        tried = [one for one in self.refuters if one.passed is not None]
        placebo = any(one.kind in NEEDED for one in tried)
        return "shown" if placebo and all(one.passed for one in tried) else "suggested"

    @property
    def failed(self) -> tuple[Refuter, ...]:
        """Refuters that the effect did not pass."""
        return tuple(one for one in self.refuters if one.passed is False)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the design assumes."""
        mix = () if self.estimate.design == "did" else (ROWS_ALIKE[bool(self.estimate.adjusted)],)
        return (*ASSUMED[self.estimate.design], *mix)

    def say(self, sized: Sized) -> str:
        """A change of the metric with its interval, as text."""
        if not self.is_share:
            return str(sized)
        ends = sized.interval
        value, low, high = (round(100 * one, 1) + 0.0 for one in (sized.value, ends.low, ends.high))  # no negative zero
        return f"{value:+.1f} points ({low:.1f} to {high:.1f})"

    def __str__(self) -> str:
        if not self.found:
            return f"no effect of {self.event} on the {self.metric} was found: {self.say(self.effect)}"
        doubts = "; ".join(one.says for one in self.failed)
        sure = f"{self.strength}, but {doubts}" if doubts else str(self.strength)
        worse = (self.effect.value > 0) == (self.harm == "higher")
        return (
            f"{self.event} changed the {self.metric} by {self.say(self.effect)}, for the "
            f"{'worse' if worse else 'better'}: {sure}"
        )

    def rows(self) -> list[Row]:
        quantities = (
            ("effect, on average after the event", self.effect),
            ("effect at the moment of the event", self.estimate.jump),
            (f"growth of the effect in {span_in_words(self.length)}", self.estimate.growth),
        )
        plain = (
            ("before", self.before),
            ("after", self.after),
            ("after, had the event not happened", self.without),
        )
        levels: list[Row] = [{"what": what, "value": value, "interval": None, "p-value": None} for what, value in plain]
        return levels + [
            {"what": what, "value": one.value, "interval": str(one.interval), "p-value": one.p_value}
            for what, one in quantities
            if one is not None
        ]

    def checks(self) -> list[Row]:
        """Refutation tests as rows of a table."""
        return [{"asked": one.asks, "verdict": one.verdict, "found": one.says} for one in self.refuters]

    def findings(self) -> tuple[Finding, ...]:
        if self.strength is None:
            return ()
        return (
            Finding(
                id="effect.event",
                notebook="causes",
                claim=str(self),
                cause=Target(kind="event", name=self.event),
                effect=self.effect.value,
                unit=self.metric,
                interval=self.effect.interval,
                n_effective=self.n_effective,
                strength=self.strength,
                assumptions=self.assumptions,
                refuters=tuple(f"{one.asks} {one.says}" for one in self.refuters if one.passed),
            ),
        )


def is_share(name: str) -> bool:
    """Whether a metric is a share, reported in per cent."""
    return name in SHARES
