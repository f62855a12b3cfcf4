"""Explanation shift in words and tables."""

from typing import TYPE_CHECKING, Any

from rca.finding import Interval
from rca.report.parts.explanation.charts import MOST_NUMBERS, rank_of, unit_of
from rca.report.rendering.html import bullets, paragraph, table
from rca.report.rendering.plain_text import count, number, span

if TYPE_CHECKING:
    from rca.analysis.explanation.cohorts import CohortShift
    from rca.analysis.explanation.results import ExplanationShift, Reason

# --- the model's reasons ---------------------------------------------------------------------------------------------

SCALES = {
    "log-odds": "on the scale of log-odds, where 0.69 more doubles the odds",
    "probability": "as a probability",
    "prediction": "in the unit of the prediction",
    "score": "in the unit of the model's score",
}
"""Units of SHAP values."""

TWO_MODELS = {
    True: "Two models answered. Each window is explained by its own, and each model explained the rows of both: same "
    "rows, two models, so that what the update did to the reasons is told apart from what the rows did.",
    False: "The values of each window are those of the model that answered in it, and these may be two: a reason can "
    "have moved because the rows did, or because the model did.",
}
"""What it means that each window has its own model, where each explained the other's rows too, and where not."""

ONE_MODEL = (
    "One model explains both windows: its reasons can only have moved because the rows did, and the same row would "
    "still be explained the same."
)


def method(result: "ExplanationShift") -> str:
    """How SHAP values were computed, and what may move them."""
    rows = f"{count(result.n_reference, 'reference row')} and {count(result.n_current, 'current row')}"
    error = f"; sampled values are off by {number(result.error)} on average" if result.error else ""
    crossed = any(one.update is not None for one in result.reasons)
    worth = (
        f"What a feature is worth to the model in a row is its SHAP value, {SCALES.get(result.scale, result.scale)}. "
        "The usual answer and the SHAP values of a row add up to the model's answer. How they came about: "
        f"{result.method}; for {rows}{error}."
    )
    told = (
        worth,
        ONE_MODEL if result.models == 1 else TWO_MODELS[crossed],
        "A shift of reasons is an observation; whether it did harm, the harm decides.",
    )
    assumed = [f"{one[:1].upper()}{one[1:].rstrip('.')}." for one in result.assumptions]
    return "".join(paragraph(one) for one in told) + (bullets(assumed) if assumed else "")


def reasons(result: "ExplanationShift") -> str:
    """Mean |SHAP| of each feature before and during, and its contribution to the loss."""
    unit = unit_of(result.scale)
    rows = [_reason(one, result.loss_unit) for one in result.reasons[:MOST_NUMBERS]]
    left = len(result.reasons) - len(rows)
    more = paragraph(f"Left out, as they changed less: {count(left, 'feature')}.", "rca-note") if left else ""
    return (
        table(rows, f"What each feature is worth: mean |SHAP| ({unit}), the largest change first; 95% intervals") + more
    )


def ends(interval: Interval) -> str:
    """An interval in words, its level being said elsewhere."""
    return span(interval.low, interval.high)


def _reason(one: "Reason", loss_unit: str) -> dict[str, Any]:
    return {
        "feature": one.column,
        "before": one.reference,
        "during": one.current,
        "rank": rank_of(one).removeprefix("rank "),
        "change": one.size.value,
        "its interval": ends(one.size.interval),
        "q": one.size.q_value,
        "change of mean SHAP": one.direction.value,
        "same value otherwise": one.curve.value if one.curve else None,
        "by the new model": one.update.value if one.update else None,
        f"loss ({loss_unit})": one.loss.value if one.loss else None,
        "interval of the loss": ends(one.loss.interval) if one.loss else None,
        "moved": one.moved,
    }


MOST_COHORTS = 12
"""Cohorts that are listed."""


def cohorts(result: "ExplanationShift") -> str:
    """Cohorts whose explanations shifted, and how much more than the other rows."""
    told = [one for one in result.cohorts if abs(one.change) >= result.material]
    left = len(result.cohorts) - len(told[:MOST_COHORTS])
    more = paragraph(f"Left out, as they changed less: {count(left, 'part')} of the rows.", "rca-note")
    caption = f"Parts of the rows, and the feature whose mean |SHAP| ({unit_of(result.scale)}) changed farthest in each"
    rows = [_cohort(one) for one in told[:MOST_COHORTS]]
    return table(rows, f"{caption}; 95% intervals") + (more if left else "")


def _cohort(one: "CohortShift") -> dict[str, Any]:
    apart = one.apart_interval.low < one.apart_interval.high
    return {
        "rows where": one.cohort,
        "feature": one.column,
        "before": one.reference,
        "during": one.current,
        "change": one.change,
        "its interval": ends(one.interval),
        "more than elsewhere": one.apart if apart else None,
        "interval of that": ends(one.apart_interval) if apart else None,
        "rows during": one.n_current,
    }
