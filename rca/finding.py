"""Finding, the one row every analysis answers in, and the cause it may name."""

from dataclasses import dataclass
from typing import Literal

CauseKind = Literal["feature", "mechanism", "concept", "model", "slice", "component", "event", "rows", "labels"]

Fault = Literal[
    "frozen",
    "default_value",
    "scaled",
    "shifted",
    "missing",
    "recoded",
    "new_values",
    "swapped",
    "stale",
    "clipped",
    "truncated",
    "retyped",
    "distribution",
]

Strength = Literal["shown", "suggested", "assumed"]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A confidence interval of a number, in the number's own unit."""

    low: float
    high: float
    level: float = 0.95

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:.3g} to {self.high:.3g}"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a finding accuses: the kind of thing and its name in the case."""

    kind: CauseKind
    name: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A claim with its evidence and its strength.

    Attributes
    ----------
    id : str
        `analysis.subject`, unique in a report; whys and causes cite it.
    notebook : str
        The notebook that shows it.
    claim : str
        One sentence, with numbers and units.
    cause : Target or None
        What it accuses; None for an observation.
    effect : float or None
        Size of the claim, in `unit`.
    interval : Interval or None
        Sampling interval of `effect`.
    q_value : float or None
        p-value after control of the false discovery rate.
    n_effective : float or None
        Effective sample size behind `effect`, in rows.
    strength : {'shown', 'suggested', 'assumed'}
        `shown` survived its `refuters`.
    assumptions, refuters : tuple of str
    """

    id: str
    notebook: str
    claim: str
    cause: Target | None = None
    effect: float | None = None
    unit: str = ""
    interval: Interval | None = None
    q_value: float | None = None
    n_effective: float | None = None
    strength: Strength = "suggested"
    assumptions: tuple[str, ...] = ()
    refuters: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A question the data cannot answer, why, and which observation would decide it where one is known."""

    question: str
    why: str
    would_decide: str = ""
