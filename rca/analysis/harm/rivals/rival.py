"""A rival explanation of a metric's change: what it predicts, how that was tested, and what killed it."""

from dataclasses import dataclass

from rca.analysis.harm.contribution import Contribution
from rca.finding import CauseKind, Fault, Strength


@dataclass(frozen=True, kw_only=True)
class Rival:
    """One explanation that was asked, whether it stands or not.

    Attributes
    ----------
    kind, name, fault
        What it accuses, as a cause.
    part : Contribution or None
        Its harm with an interval; None where it was rejected before its harm was worked out.
    strength : Strength or None
        None where it was rejected.
    found : str
        What speaks for it, in one clause.
    against : str
        What killed it, or weakens it; empty where nothing does.
    paired : bool
        Whether the same rows show its harm, whatever two windows show of each other.
    broke : bool
        Of a column: whether its own values, or how they go with the others, show a fault.
    """

    kind: CauseKind
    name: str
    fault: Fault | None = None
    part: Contribution | None = None
    strength: Strength | None = None
    found: str = ""
    against: str = ""
    paired: bool = False
    broke: bool = False

    @property
    def rejected(self) -> bool:
        """Whether it does not stand."""
        return self.strength is None


RANK: dict[Strength, int] = {"shown": 0, "suggested": 1, "assumed": 2}
"""Order of strengths, the strongest first."""
