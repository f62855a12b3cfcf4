"""How often verdicts of one kind and strength were right where the truth is known: counts that ship with the package.

The counts come from drawn incidents whose truth is proved (`rca.practice.grammar`), other than those that judge the
rules. A weighing whose rules change needs them counted anew: `python -m rca.practice.grammar.calibrate`, and of
cascades `python -m rca.practice.lines.run --calibrate`.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

COUNTS, CASCADES = "calibration.json", "calibration_cascades.json"
"""The counts, beside this module: ``{"on": text, "counts": {key: [right, of]}}``."""


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """How often such verdicts were right.

    Attributes
    ----------
    right, of : int
        Verdicts of the same kind and strength, where the truth is known.
    on : str
        Which incidents these were.
    """

    right: int
    of: int
    on: str

    def __str__(self) -> str:
        return f"verdicts of this kind and strength were right in {self.right} of {self.of} {self.on}"


BANDS = {"explained": (0.86, 0.93), "cannot_tell": (0.5, 0.7)}
"""Probabilities of an origin that part the verdicts on cascades, by status."""


def verdict_key(status: str, kind: str | None = None, strength: str | None = None) -> str:
    """What verdicts are counted by: the status, and of an explained one its first cause's kind and strength.

    >>> verdict_key("explained", "feature", "shown"), verdict_key("no_incident")
    ('feature, shown', 'no_incident')
    """
    return f"{kind}, {strength}" if status == "explained" else status


def cascade_key(status: str, probability: float) -> str:
    """What verdicts from signals are counted by: the status, and where origins are ranked the first's probability.

    >>> cascade_key("explained", 0.9), cascade_key("no_incident", 0.4)
    ('signals, explained, 0.86 to 0.93', 'signals, no_incident')
    """
    if status not in BANDS:
        return f"signals, {status}"
    edges = (0.0, *BANDS[status], 1.0)
    low, high = next(pair for pair in pairwise(edges) if probability <= pair[1])
    return f"signals, {status}, {low:.2f} to {high:.2f}"


def confidence_of(key: str) -> Confidence | None:
    """The counts of one kind of verdict; None where none was counted."""
    on, counts = _held(CASCADES if key.startswith("signals, ") else COUNTS)
    right, of = counts.get(key, (0, 0))
    return Confidence(right=right, of=of, on=on) if of else None


@cache
def _held(name: str) -> tuple[str, dict[str, tuple[int, int]]]:
    held = json.loads(files("rca.analysis.conclusion").joinpath(name).read_text(encoding="utf-8"))
    return str(held["on"]), {str(key): (int(right), int(of)) for key, (right, of) in held["counts"].items()}
