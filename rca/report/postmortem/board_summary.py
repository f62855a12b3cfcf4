"""Plain-language summary for a board: what happened, who was affected, why, what is done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rca.record.durations import duration_in_words
from rca.record.schema.corrective_action import overdue
from rca.record.why_tree.views import distinct, steps
from rca.report.rendering.plain_text import MONTHS, count, number, plain, utc, words

if TYPE_CHECKING:
    from datetime import datetime

    from rca.analysis.conclusion.analysis import Analysis
    from rca.methods.changepoint.dating import Onset
    from rca.methods.metric import Measured
    from rca.record.schema.incident import Impact, Incident
    from rca.record.schema.why_tree import Factor

JARGON = (
    "a/b test", "api", "auc", "backfill", "batch job", "bootstrap", "brier", "cache", "caches", "cached",
    "classifier", "confidence interval", "config", "covariate", "cron", "dashboard metric", "dataset", "deploy",
    "deploys", "deployed", "deployment", "distribution", "drift", "drifted", "drifts", "embedding", "endpoint",
    "epoch", "etl", "f1", "false negative", "false positive", "feature store", "features", "fine-tuned",
    "fine-tuning", "gradient", "hyperparameter", "inference", "interval", "json", "label", "labels", "labelled",
    "latency", "log loss", "log-odds", "logit", "mae", "metric", "mttd", "mttr", "nan", "null", "on-call",
    "outlier", "p-value", "parquet", "percentile", "pipeline", "precision", "q-value", "quantile", "recall",
    "regex", "regression", "rmse", "rollback", "roll back", "schema", "sev1", "sev2", "sev3", "sev4", "sev5",
    "shap", "shapley", "significant", "slo", "stack trace", "standard deviation", "stdev", "test set",
    "threshold", "token", "tokens", "training set", "variance",
)  # fmt: skip
"""Words of the trade that a board member need not know."""

_JARGON = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, sorted(JARGON, key=len, reverse=True))) + r")(?![\w-])")

PLAINLY = {
    "error_rate": "wrong decisions",
    "false_positive_rate": "cases flagged by mistake, of those that were fine",
    "false_negative_rate": "cases missed, of those that mattered",
    "rate": "cases with the outcome “{column}”",
    "log_loss": "how far off its certainty was",
    "brier": "how far off its certainty was",
    "mae": "the usual error",
    "rmse": "the usual error",
    "mean": "the average of “{column}”",
    "group_gap": "the difference between groups",
}
"""A metric in everyday words."""

MOST_ACTIONS = 5

MOST_FACTORS = 3

OUTCOMES = {
    "recovered": "Measured after the repair, it is back where it was.",
    "no_worse": "Measured after the repair, it is no worse than before.",
    "not_recovered": "Measured after the repair, it is NOT back where it was.",
    "perhaps_worse": "Measured after the repair, it may still be worse than before.",
    "cannot_tell": "Measured after the repair, there are too few cases yet to say whether it is back where it was.",
}
"""What a recovery came to, in everyday words."""

NOW = {
    "open": "It goes on.",
    "contained": "It does no more harm; the cause is not repaired yet.",
    "recovered": "It is repaired.",
    "closed": "It is repaired, and the incident is closed.",
}
"""What a status means."""


@dataclass(frozen=True, kw_only=True)
class SummaryLine:
    """One line of the summary: what it answers, and the answer."""

    asks: str
    says: str


def jargon(text: str) -> tuple[str, ...]:
    """Technical terms in a text, each once, in order of appearance.

    >>> jargon("The schema moved, the API drifted, and the schema came back.")
    ('schema', 'api', 'drifted')
    """
    return tuple(dict.fromkeys(_JARGON.findall(text.casefold())))


def board(incident: "Incident", analysis: "Analysis") -> tuple[SummaryLine, ...]:
    """What a board has to know, in the order in which it asks."""
    lines = (
        SummaryLine(asks="What happened?", says=incident.summary or f"{incident.title}. The record has no summary."),
        SummaryLine(asks="Since when?", says=" ".join(_since(incident, analysis))),
        SummaryLine(asks="Who was hurt, and how much was at stake?", says=" ".join(_hurt(incident.impact, analysis))),
        SummaryLine(asks="Why?", says=" ".join(_why(analysis))),
        SummaryLine(asks="Which guard was missing?", says=" ".join(_guards(analysis))),
        SummaryLine(asks="Where do we stand?", says=" ".join(_state(incident, analysis))),
        SummaryLine(asks="Who does what by when?", says=" ".join(_plan(incident))),
    )
    return tuple(SummaryLine(asks=line.asks, says=plain(line.says)) for line in lines)


def _day(at: "datetime") -> str:
    at = utc(at)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def _since(incident: "Incident", analysis: "Analysis") -> Iterator[str]:
    onset, ended = analysis.onset or analysis.verdict.onset, incident.timeline.contained
    start = incident.timeline.onset or (onset.at if onset else None)
    guessed = "" if incident.timeline.onset or onset is None else _sure(onset)
    yield f"Since {_day(start)}{guessed}." if start else "When it began is not known."
    if incident.timeline.detected and start:
        late = (incident.timeline.detected - start).total_seconds()
        yield f"It was noticed on {_day(incident.timeline.detected)}, {duration_in_words(late)} later."
    if ended and start:
        yield f"The harm ended on {_day(ended)}, after {duration_in_words((ended - start).total_seconds())}."


def _sure(onset: "Onset") -> str:
    wide = (onset.latest - onset.earliest).total_seconds()
    return f" (found in the data; certain to within {duration_in_words(wide)})" if wide else " (found in the data)"


def _hurt(impact: "Impact", analysis: "Analysis") -> Iterator[str]:
    told = [
        count(impact.people, "person").replace("persons", "people") if impact.people is not None else "",
        count(impact.decisions, "decision") if impact.decisions is not None else "",
        count(impact.wrong, "wrong decision") if impact.wrong is not None else "",
        f"money: {number(impact.money) if isinstance(impact.money, int | float) else impact.money}"
        if impact.money
        else "",
    ]
    told = [one for one in told if one]
    yield f"On record: {'; '.join(told)}." if told else "How many people it reached is not on record."
    if impact.text:
        yield impact.text if impact.text.endswith(".") else f"{impact.text}."
    if analysis.verdict.metric is not None and analysis.verdict.status != "no_incident":
        yield _measured(analysis.verdict.metric)
    if not impact.money:
        yield "What it cost is not on record."


def _measured(metric: "Measured") -> str:
    """The change of the metric as cases in a hundred, or as a number."""
    called = PLAINLY[metric.name].format(column=words(metric.of or "")).capitalize()
    if metric.is_share or metric.name == "group_gap":
        before, during = (f"{_in_a_hundred(value)} in 100" for value in (metric.reference, metric.current))
        return f"{called}: {during} instead of {before}."
    return f"{called}: {number(metric.current)} instead of {number(metric.reference)}."


def _in_a_hundred(share: float) -> str:
    """A share as whole cases in a hundred; a decimal where there is less than one."""
    return f"{100 * share:.0f}" if abs(share) >= 0.01 or share == 0 else f"{100 * share:.1g}"


def _why(analysis: "Analysis") -> Iterator[str]:
    if analysis.verdict.status == "no_incident":
        yield "Nothing harmful was found in the data."
        return
    triggers = dict.fromkeys(_said(one) for one in _of_role(analysis, "trigger"))
    latent = dict.fromkeys(_said(one) for one in _of_role(analysis, "latent"))
    behind = dict.fromkeys(_behind(analysis))
    if not triggers:
        yield "Why is not established; the open questions are listed for the meeting."
    for said, several in (("What set it off:", triggers), ("Behind that:", behind), ("What let it happen:", latent)):
        if several:
            yield f"{said} {'; '.join([*several][:MOST_FACTORS])}."


def _of_role(analysis: "Analysis", role: str) -> "list[Factor]":
    return [one for one in distinct(analysis.whys) if one.role == role]


def _behind(analysis: "Analysis") -> Iterator[str]:
    """Contributing factors directly under the trigger."""
    for step in steps(analysis.whys):
        above = step.above[-1].answer if step.above else None
        if above is not None and above.role == "trigger" and step.why.answer and step.why.answer.role == "contributing":
            yield _said(step.why.answer)


def _said(factor: "Factor") -> str:
    """A factor with the name of a column in words, and its strength where it is not certain."""
    doubt = {"shown": "", "suggested": " (likely)", "assumed": " (assumed)"}[factor.strength]
    return factor.statement.rstrip(".").replace("_", " ") + doubt


def _guards(analysis: "Analysis") -> Iterator[str]:
    missing = list(dict.fromkeys(one.guard for one in distinct(analysis.whys) if one.guard))
    if missing:
        yield from (f"{guard.rstrip('.')}." for guard in missing)
    elif analysis.verdict.status == "no_incident":
        yield "None that would have been needed."
    else:
        yield "Not established; it is asked under the open questions."


def _state(incident: "Incident", analysis: "Analysis") -> Iterator[str]:
    yield NOW[incident.status]
    if analysis.recovery is not None:
        yield OUTCOMES[analysis.recovery.outcome]
    states = [action.state_at(incident.now) for action in incident.actions]
    if not states:
        yield "No action is on record."
        return
    late = len(overdue(incident.actions, incident.now))
    yield f"Of {count(len(states), 'action')}, {states.count('done')} done and {late} overdue."


def _plan(incident: "Incident") -> Iterator[str]:
    kept = [action for action in incident.actions if action.state != "dropped"]
    for action in sorted(kept, key=lambda one: one.due or "9999")[:MOST_ACTIONS]:
        yield f"{action.owner or 'Nobody yet'}, by {action.due or 'no date yet'}: {action.what.rstrip('.')}."
    if len(kept) > MOST_ACTIONS:
        yield f"{len(kept) - MOST_ACTIONS} more below."
    if not kept:
        yield "Nobody has taken anything on yet."
