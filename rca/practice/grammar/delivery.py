"""What is handed over of an incident: the metric that went wrong, the columns with their roles, and maybe the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.inputs.arguments import metric_of
from rca.analysis.inputs.metric_reader import MetricReader
from rca.arrays import Counts
from rca.practice.grammar.deployment import LABEL, SAID, SCORE
from rca.practice.grammar.families import GROUP_OF
from rca.practice.grammar.worlds.columns import Task
from rca.practice.grammar.worlds.law import AT, ENTITY, ID
from rca.record.case import Roles

OF_ANSWERS: dict[Task, tuple[dict[str, Any], ...]] = {
    "binary": (
        *({"name": name} for name in ("error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier")),
        {"name": "rate", "column": SAID},
        {"name": "mean", "column": SCORE},
    ),
    "regression": ({"name": "mae"}, {"name": "rmse"}, {"name": "mean", "column": SAID}),
    "classes": ({"name": "error_rate"},),
}
"""Metrics that a model's answers move, by task."""

OF_OUTCOMES: dict[Task, tuple[dict[str, Any], ...]] = {
    "binary": ({"name": "rate", "column": LABEL},),
    "regression": ({"name": "mean", "column": LABEL},),
    "classes": (),
}
"""Metrics of the outcome alone."""

GAPS = tuple({"name": "group_gap", "of": of} for of in ("error_rate", "false_positive_rate", "false_negative_rate"))

FOLLOWS_THE_WORLD = frozenset({"concept", "labels", "rows", "mix", "quiet"})
"""Groups of kinds that move the outcome too."""


def metrics_of(kinds: tuple[str, ...], task: Task, *, grouped: bool) -> list[dict[str, Any]]:
    """Metrics that kinds of incidents can move.

    Examples
    --------
    >>> [one["name"] for one in metrics_of(("few_rows",), "regression", grouped=False)]
    ['mae', 'rmse']
    """
    groups = {GROUP_OF[kind] for kind in kinds}
    told = list(OF_ANSWERS[task])
    if groups - {"column", "model", "rows", "quiet"}:
        told = [one for one in told if "column" not in one]
    if groups & {"season", "hidden", "few_rows"}:
        told = [one for one in told if one["name"] in _plain(kinds)]
    if "threshold_moved" in kinds:
        told = [one for one in told if one["name"] not in ("log_loss", "brier", "mean")]
    if groups <= FOLLOWS_THE_WORLD or groups == {"hidden"}:
        told += OF_OUTCOMES[task] * (4 if groups == {"hidden"} else 1)
    gaps = GAPS if task == "binary" and grouped and not groups & {"season", "hidden", "few_rows"} else ()
    return [*told, *gaps]


def _plain(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return ("log_loss", "mae", "rmse") if "few_rows" in kinds else ("error_rate", "log_loss", "brier", "mae", "rmse")


def reader_of(metric: Mapping[str, Any], group: str | None) -> MetricReader:
    """Reader of a metric from the whole recorded table."""
    roles = Roles(label=LABEL, prediction=SAID, score=SCORE, groups=(group,) if group else ())
    return MetricReader(metric=metric_of(metric), roles=roles)


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """Which columns and roles are handed over, and whether the model is.

    Attributes
    ----------
    features : tuple of str
    roles : mapping of str to object
    words : bool
        Whether flags are written as yes and no.
    model : bool
    """

    features: tuple[str, ...]
    roles: Mapping[str, Any]
    words: bool
    model: bool

    def table(self, recorded: pd.DataFrame, copies: Counts) -> pd.DataFrame:
        """The rows as they are handed over, in time order."""
        told = [name for role, name in self.roles.items() if role not in ("groups", "categorical", "positive")]
        names = dict.fromkeys([*told, *self.features, *self.roles.get("groups", ())])
        if self.roles.get("label") is None and LABEL not in names:
            names |= dict.fromkeys([LABEL] if self.roles.get("outcome") else [])
        rows = recorded.iloc[np.repeat(np.arange(len(recorded)), copies)]
        shown = rows[list(names)].reset_index(drop=True)
        return shown.assign(**{name: self._flag(shown[name]) for name in (LABEL, SAID) if name in shown})

    def _flag(self, values: "pd.Series[Any]") -> Any:
        """Flags and classes as whole numbers or words, where they are such."""
        if self.words:
            return values.map({1.0: "yes", 0.0: "no"}).astype(object).where(values.notna(), None)
        whole = values.notna().all() and bool((values == values.round()).all())
        return values.astype(np.int64) if whole else values


def parcel(
    rng: np.random.Generator,
    task: Task,
    metric: Mapping[str, Any],
    *,
    features: tuple[str, ...],
    codes: tuple[str, ...],
    group: str | None,
    entity: bool,
    only: frozenset[str] = frozenset(),
) -> Parcel:
    """Draw what is handed over: what the metric needs, and of all else some.

    Parameters
    ----------
    rng : numpy.random.Generator
    task : Task
    metric : mapping
    features, codes : tuple of str
        Columns of features, and those that are codes among them.
    group : str or None
    entity : bool
        Whether rows belong to entities.
    only : frozenset of str
        What has to be handed over: `time`, `id`, `model`; with a `-` before it, what must not be.
    """
    told = _answers(rng, task, metric)
    chances = {"time": (AT, 0.85), "id": (ID, 0.55), "entity": (ENTITY, 1.0 if entity else 0.0)}
    for role, (column, chance) in chances.items():
        if _given(rng, role, chance, only=only):
            told[role] = column
    if codes:
        told["categorical"] = tuple(codes)
    if group is not None:
        told["groups"] = (group,)
    words = task == "binary" and rng.random() < 0.12
    told["positive"] = "yes" if words else 1
    model = _given(rng, "model", 0.6 if task != "classes" else 0.3, only=only)
    return Parcel(features=features, roles=told, words=words, model=model)


def _given(rng: np.random.Generator, what: str, chance: float, *, only: frozenset[str]) -> bool:
    drawn = rng.random() < chance
    return what in only or (drawn and f"-{what}" not in only)


def _answers(rng: np.random.Generator, task: Task, metric: Mapping[str, Any]) -> dict[str, Any]:
    """Roles of label and answers: those that the metric reads, and some more."""
    column, base = metric.get("column"), metric.get("of") or metric["name"]
    told: dict[str, Any] = {}
    if column != LABEL and (column is None or rng.random() < 0.5):
        told["label"] = LABEL
    if base not in ("log_loss", "brier") or rng.random() < 0.6:
        told["prediction"] = SAID
    if task == "binary" and (base in ("log_loss", "brier") or column == SCORE or rng.random() < 0.6):
        told["score"] = SCORE
    if column == LABEL:
        told["outcome"] = LABEL
    return told
