"""A deployed model and what is recorded of it: features as served, answers, outcomes, and which rows arrive."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Counts, Floats, Mask
from rca.practice.grammar.worlds.columns import Task, World
from rca.practice.grammar.worlds.law import REAL, Law

SCORE, SAID, LABEL = "score", "prediction", "outcome"
"""Columns of the answers and of the outcome."""


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A LightGBM model in service: what it reads, how it codes it, and from which score on it says yes.

    Attributes
    ----------
    booster : lightgbm.Booster
    read : tuple of str
    task : Task
    codes : mapping of str to int
        Codes of the columns that are categories written as numbers.
    words : frozenset of str
        Columns of words.
    threshold : float
    slope, level : float
        Of a logistic recalibration of the scores; of a number, its factor and what is added.
    """

    booster: Any
    read: tuple[str, ...]
    task: Task
    codes: Mapping[str, int] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    threshold: float = 0.5
    slope: float = 1.0
    level: float = 0.0

    def answers(self, served: pd.DataFrame) -> tuple[Floats, Floats]:
        """Score and prediction of each row; of classes the score of the first, and the class."""
        raw = np.asarray(self.booster.predict(self.typed(served), num_threads=1), dtype=float)
        if self.task == "classes":
            return raw[:, 0], raw.argmax(axis=1).astype(float)
        if self.task == "regression":
            value = self.slope * raw + self.level
            return value, value
        score = raw if (self.slope, self.level) == (1.0, 0.0) else _recalibrated(raw, self.slope, self.level)
        return score, (score >= self.threshold).astype(float)

    def typed(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What it reads: words and codes as categories, else numbers; what is no number is missing."""
        return pd.DataFrame(
            {name: _typed(rows[name], self.codes.get(name), words=name in self.words) for name in self.read},
            index=rows.index,
        )

    @property
    def gains(self) -> dict[str, float]:
        """Feature → total gain of its splits."""
        found = self.booster.feature_importance("gain")
        return dict(zip(self.read, map(float, found), strict=True))


def _recalibrated(score: Floats, slope: float, level: float) -> Floats:
    from scipy.special import expit, logit

    return np.asarray(expit(slope * logit(np.clip(score, 1e-9, 1 - 1e-9)) + level))


def _typed(values: "pd.Series[Any]", codes: int | None, *, words: bool) -> Any:
    if codes is not None:
        numbers = pd.to_numeric(values, errors="coerce")
        return pd.Categorical(numbers.where(numbers.isin(range(codes))), categories=range(codes))
    return values.astype("category") if words else pd.to_numeric(values, errors="coerce")


def train(rows: pd.DataFrame, label: Floats, world: World, *, read: tuple[str, ...], dead: frozenset[str]) -> Deployed:
    """Fit a small model; one thread and fixed settings, so that the same rows give the same model.

    Parameters
    ----------
    rows : pandas.DataFrame
    label : ndarray of shape (rows,)
    world : World
    read : tuple of str
        Features.
    dead : frozenset of str
        Those among them that the model is given and may not split on.
    """
    import lightgbm as lgb

    objective = {"binary": "binary", "regression": "regression", "classes": "multiclass"}[world.task]
    settings: dict[str, Any] = {
        "objective": objective, "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 30,
        "min_gain_to_split": 0.001, "seed": 0, "deterministic": True, "force_row_wise": True, "num_threads": 1,
        "verbosity": -1, "feature_contri": [0.0 if name in dead else 1.0 for name in read],
        **({"num_class": int(label.max()) + 1} if world.task == "classes" else {}),
    }  # fmt: skip
    made = Deployed(
        booster=None,
        read=read,
        task=world.task,
        codes={name: count for name, count in world.levels.items() if name in read},
        words=frozenset(world.of_kind("category")),
    )
    data = lgb.Dataset(made.typed(rows), label)
    return replace(made, booster=lgb.train(settings, data, num_boost_round=50 if world.task != "classes" else 30))


Relabel = Callable[[pd.DataFrame, Floats, Floats], Floats]
"""From the true rows, the labels so far and the scores, to other labels."""

Known = Callable[[pd.DataFrame], Mask]
"""From the recorded table, which labels are known."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that makes the current window, of which a cause changes one thing.

    Attributes
    ----------
    truth, served : pandas.DataFrame
        Rows as they are, and as they are served and recorded.
    law : Law or None
    model : Deployed
    others : tuple of (ndarray, Deployed)
        Rows that another model answers.
    relabels : tuple of Relabel
        Changes of the outcome, in order.
    known : tuple of Known
        Each leaves some labels out.
    edits : tuple of callable
        Of the recorded table, once it is there.
    copies : ndarray of shape (rows,)
        How often each row is written.
    """

    truth: pd.DataFrame
    served: pd.DataFrame
    law: Law | None
    model: Deployed
    others: tuple[tuple[Mask, Deployed], ...] = ()
    relabels: tuple[Relabel, ...] = ()
    known: tuple[Known, ...] = ()
    edits: tuple[Callable[[pd.DataFrame], pd.DataFrame], ...] = ()
    copies: Counts

    @classmethod
    def of(cls, rows: pd.DataFrame, law: Law | None, model: Deployed) -> "Scene":
        """A window in which nothing is wrong."""
        return cls(truth=rows, served=rows, law=law, model=model, copies=np.ones(len(rows), dtype=np.int64))

    def serving(self, values: Mapping[str, Any]) -> "Scene":
        """The scene with other values served in some columns."""
        return replace(self, served=self.served.assign(**values))

    def table(self) -> pd.DataFrame:
        """The recorded rows with answers and outcomes, each once."""
        score, said = self.model.answers(self.served)
        for rows, model in self.others:
            score, said = (
                np.where(rows, new, old) for new, old in zip(model.answers(self.served), (score, said), strict=True)
            )
        label = outcome(self.truth, self.law)
        for relabel in self.relabels:
            label = relabel(self.truth, label, score)
        table = self.served.assign(**{SCORE: score, SAID: said, LABEL: label})
        for known in self.known:
            table = table.assign(**{LABEL: table[LABEL].where(known(table))})
        for edit in self.edits:
            table = edit(table)
        return table


def outcome(rows: pd.DataFrame, law: Law | None) -> Floats:
    """The label of each row: by the law, or the real one."""
    return law.outcome(rows) if law is not None else rows[REAL].to_numpy(float)
