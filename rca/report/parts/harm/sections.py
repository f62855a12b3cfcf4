"""Rival explanations of the harm, and partial-identification bounds of the metric where labels are missing."""

from typing import TYPE_CHECKING, Any

from rca.analysis.conclusion.results_json import untested
from rca.report.rendering.chart import interval_of, scaled
from rca.report.rendering.html import paragraph, table
from rca.report.rendering.plain_text import change_unit, plain, words

if TYPE_CHECKING:
    from rca.analysis.harm.harm import Harm
    from rca.analysis.harm.label_free_bounds import Unlabelled
    from rca.analysis.harm.rivals.rival import Rival

MOST_RIVALS = 12
"""Rows of the table."""

NAME = 60
"""Letters of a name within an explanation."""

EXPLAINED = {
    "feature": "column {name}",
    "mechanism": "how {name} follows its causes",
    "concept": "how {name} follows the inputs",
    "model": "the answers of {name}",
    "labels": "missing outcomes of {name}",
    "slice": "what these {name} always bring",
    "duplicates": "rows written more than once",
    "outliers": "a few rows that carry it all",
    "mix": "another mix of {name}",
}
"""What is accused, in words, by its kind; of `rows` by its name, and of a column that was reweighted as a mix."""


def unlabelled(result: "Unlabelled") -> str:
    """Bounds of the metric over rows without a label."""
    return paragraph(str(result)) + table(result.rows(), "What the rows without a label leave open")


# --- rival explanations ----------------------------------------------------------------------------------------------


def rivals(result: "Harm") -> str:
    """Every explanation that was asked: those that stand, then the rejected, each with what killed it."""
    rows = [_row(one, result) for one in result.rivals[:MOST_RIVALS]]
    return table(rows, "Every explanation that was asked") + _and_more(len(result.rivals) - MOST_RIVALS)


def explanation(one: "Rival") -> str:
    """What a rival accuses, in words.

    >>> from rca.analysis.harm.rivals.rival import Rival
    >>> explanation(Rival(kind="feature", name="income", fault="default_value"))
    'column income (default value)'
    """
    mixed = one.kind == "feature" and one.part is not None and one.part.method == "reweighted"
    key = "mix" if mixed else one.name if one.kind == "rows" else one.kind
    broken = f" ({words(one.fault)})" if one.fault and one.fault != "distribution" else ""
    return EXPLAINED.get(key, "{name}").format(name=plain(one.name, NAME)) + broken


def _row(one: "Rival", harm: "Harm") -> dict[str, Any]:
    scale, part = harm.measured.scale, one.part
    return {
        "explanation": explanation(one),
        "speaks for it": one.found,
        f"harm ({change_unit(harm.measured)})": scale * part.value if part else None,
        "interval": interval_of(scaled(part.interval, scale)) if part else None,
        "strength": one.strength or ("not tested" if untested(one) else "rejected"),
        "speaks against it": one.against,
    }


def _and_more(left: int) -> str:
    return paragraph(f"And {left} more.", "rca-note") if left > 0 else ""
