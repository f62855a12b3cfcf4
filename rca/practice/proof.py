"""Output of an incident simulation: tables, model, and the counterfactual proof of its cause."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ENOUGH, LITTLE = 0.80, 0.05
"""An answer taken back removes at least the first share of the change; a decoy less than the second."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What became of the metric's change when one thing was undone."""

    taken_back: str
    share: float
    expect: Literal["answer", "decoy"]

    @property
    def holds(self) -> bool:
        """Whether an answer removed enough of the change, or a decoy little enough."""
        return self.share >= ENOUGH if self.expect == "answer" else abs(self.share) < LITTLE

    def __str__(self) -> str:
        return f"{self.taken_back} taken back: {self.share:.1%} of the change gone ({self.expect})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """An incident as made: its tables by file stem, its model, and what was measured on them.

    Attributes
    ----------
    metric : str
        What `reference` and `current` are.
    reference, current : float
        The metric in the two windows.
    chance : float
        Half-width of the 95 % interval of its change had nothing happened.
    proofs : tuple of Proof
        Empty for a quiet case, which has to stay within chance instead.
    facts : mapping
        Words for the places in the hand-written texts.
    """

    tables: "Mapping[str, pd.DataFrame]"
    model: str | None = None
    metric: str
    reference: float
    current: float
    chance: float
    proofs: tuple[Proof, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the answer is proved."""
        beyond = abs(self.current - self.reference) > self.chance
        return beyond and all(proof.holds for proof in self.proofs) if self.proofs else not beyond

    def proof_lines(self) -> str:
        """The proof as Markdown list items."""
        change = f"{self.metric}: {self.reference:.4f} → {self.current:.4f} (95 % chance: ±{self.chance:.4f})"
        nothing = () if self.proofs else ("nothing was planted; the change has to stay within chance",)
        return "\n".join(f"- {line}" for line in (change, *map(str, self.proofs), *nothing))


def share_gone(reference: float, current: float, undone: float) -> float:
    """Share of the change from `reference` to `current` that disappears in `undone`.

    >>> share_gone(0.0, 1.0, 0.25)
    0.75
    """
    return (current - undone) / (current - reference)


def chance_of_means(first: "np.ndarray", second: "np.ndarray") -> float:
    """Half-width of the 95 % interval of the difference of two means under no change."""
    return float(1.96 * (first.var() / len(first) + second.var() / len(second)) ** 0.5)
