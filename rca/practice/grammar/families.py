"""What the grammar can say, and which part of it is kept back to judge.

Rules are tried on the `trying` part only. The `judging` part has seeds, families and pairs of its own, fixed here
before the first rule was changed; every run of the product on it is a line of `tests/JUDGED.md`.
"""

from itertools import combinations
from typing import Literal, get_args

from rca.practice.grammar.worlds.columns import Kind, Task

Part = Literal["trying", "judging"]

PARTS: tuple[Part, ...] = get_args(Part)

FIRST_JUDGED = 1_000_000
"""Seeds from here on are judging, those below are trying."""

FIRST_COUNTED = 3_000_000
"""Judging seeds from here on judge nothing: verdicts on them are counted, for how sure a verdict may be.

No rule was tried on their families, so that the counts are no better than a new system has to expect. Nobody reads
their lines one by one.
"""

TASKS: dict[str, Task] = {
    "linear": "binary", "interactions": "binary", "thresholds": "binary", "categories": "binary", "seasonal": "binary",
    "panel": "binary", "factor": "binary", "heavy_tails": "binary", "multiplicative": "regression",
    "additive": "regression", "classes": "classes", "flights": "binary", "affairs": "binary", "tumours": "binary",
    "voters": "binary", "visits": "regression", "diabetes": "regression",
}  # fmt: skip
"""Structure families, simulated and packaged, and what is predicted there."""

PACKAGED = ("flights", "affairs", "tumours", "voters", "visits", "diabetes")
"""Families whose features and labels are real, from packages that are installed."""

JUDGED_FAMILIES = ("interactions", "factor", "heavy_tails", "additive", "affairs", "diabetes")
"""Families that only judging draws from."""

JUDGED_SHARE = 0.6
"""How often judging draws from its own families; else from the others."""

GROUPS: dict[str, tuple[float, tuple[str, ...]]] = {
    "column": (0.46, (
        "frozen", "default_value", "missing", "scaled", "shifted", "recoded", "refitted", "new_values", "swapped",
        "stale", "permuted", "clipped", "truncated", "blurred", "hour_shifted", "gain_drift", "retyped",
    )),
    "pair": (0.1, ("pair",)),
    "concept": (0.12, ("concept_global", "concept_column", "concept_slice", "concept_base", "feedback")),
    "model": (0.07, ("model_swapped", "threshold_moved", "recalibrated")),
    "rows": (0.05, ("duplicates", "sampling")),
    "labels": (0.05, ("labels_late", "labels_slice", "labels_answer")),
    "quiet": (0.06, ("quiet", "innocents", "labels_at_random")),
    "mix": (0.025, ("mix",)),
    "hidden": (0.025, ("hidden",)),
    "season": (0.025, ("season",)),
    "few_rows": (0.015, ("few_rows",)),
}  # fmt: skip
"""Kinds of incidents, in groups with the share of each."""

ALONE = ("rotated", "kept", "succeeded")
"""Faults of a column that are drawn only where they are asked for, so that seeds go on meaning what they meant."""

KINDS: tuple[str, ...] = tuple(kind for _, kinds in GROUPS.values() for kind in kinds)

GROUP_OF: dict[str, str] = {
    **{kind: group for group, (_, kinds) in GROUPS.items() for kind in kinds},
    **dict.fromkeys(ALONE, "column"),
}

PAIRED = (
    "frozen", "default_value", "missing", "scaled", "shifted", "recoded", "new_values", "swapped", "permuted",
    "clipped", "truncated", "gain_drift", "concept_base", "concept_column", "model_swapped", "threshold_moved",
    "duplicates", "labels_slice",
)  # fmt: skip
"""Kinds that come in pairs."""

NOT_COLUMNS = frozenset(PAIRED[12:])

PAIRS: tuple[tuple[str, str], ...] = tuple(pair for pair in combinations(PAIRED, 2) if not NOT_COLUMNS.issuperset(pair))
"""Two causes at once, of which one is a column's at least."""

JUDGED_PAIRS: tuple[tuple[str, str], ...] = PAIRS[1::3]
"""Every third pair: only judging draws them, and it draws no others."""

NEEDS: dict[str, tuple[Kind, ...]] = {
    "hour_shifted": ("hour",), "stale": ("daily",), "refitted": ("code",), "recoded": ("category",),
    "new_values": ("category",), "sampling": ("category",), "succeeded": ("category",),
}  # fmt: skip
"""Kinds of columns that a simulated structure is given for a kind of incident."""

SIMULATED_ONLY = frozenset({"hour_shifted", "stale", "refitted", "hidden", "season"})

WITH_ENTITIES_ONLY = frozenset({"kept"})

WITH_ENTITIES = frozenset({"panel"})
"""Families in which one customer has several rows."""

BINARY_ONLY = frozenset({"threshold_moved", "labels_late", "feedback"})

WITH_NUMBERS_ONLY = frozenset(
    {"scaled", "shifted", "swapped", "clipped", "truncated", "blurred", "gain_drift", "mix", "retyped", "rotated"}
)

WITH_WORDS_ONLY = frozenset({"recoded", "new_values", "sampling", "succeeded"})

NO_WORDS = frozenset({"tumours", "diabetes", "visits"})
"""Packaged families without a category."""


def families(kinds: tuple[str, ...], part: Part) -> list[str]:
    """Families in which all the kinds can happen, of a part's own where judging.

    Examples
    --------
    >>> families(("season",), "trying")
    ['linear', 'thresholds', 'categories', 'panel', 'multiplicative']
    """
    return [name for name in TASKS if _fits(name, kinds) and (part == "judging" or name not in JUDGED_FAMILIES)]


def _fits(name: str, kinds: tuple[str, ...]) -> bool:
    asked, task = set(kinds), TASKS[name]
    if name in PACKAGED and (asked & SIMULATED_ONLY or (name in NO_WORDS and asked & WITH_WORDS_ONLY)):
        return False
    if "season" in asked and name == "seasonal":  # its weekday moves along with the season, and would be right too
        return False
    if asked & WITH_ENTITIES_ONLY and name not in WITH_ENTITIES:
        return False
    if asked & BINARY_ONLY and task != "binary":
        return False
    return task != "classes" or not asked & {"recalibrated", "few_rows", "labels_answer", "season"}
