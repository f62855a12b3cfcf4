"""An incident whose cause is known, and the proof of it: the cause taken back, paired on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.inputs.metric_reader import MetricReader, Segment
from rca.analysis.inputs.windows import Windows, windows_from
from rca.arrays import Counts, Floats
from rca.methods.metric import NEGLIGIBLE, Parts
from rca.practice.grammar.deployment import Deployed
from rca.practice.grammar.families import Part

BEYOND = 4.0
"""Standard errors of the paired effect up to which a known cause counts as weak."""

NAMELESS = frozenset({"concept", "model", "labels"})
"""Kinds of causes of which there is one, so that any name is right."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What taking something back does to the metric, in the bad direction, paired on the same rows.

    Attributes
    ----------
    value, error : float
        In the metric's unit; `error` is the standard error of the paired difference by its influence values.
    """

    value: float
    error: float

    @property
    def z(self) -> float:
        """The effect in standard errors; 0 where nothing changed."""
        return self.value / self.error if self.error > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A reader of the metric with the segments that are compared, and the bad direction.

    Attributes
    ----------
    reader : MetricReader
    segments : tuple of (str, str)
    sign : int
    """

    reader: MetricReader
    segments: tuple[Segment, ...] = ()
    sign: int = 1

    def parts(self, table: pd.DataFrame) -> Parts:
        return self.reader.parts(table, groups=self.segments or None)

    def paired(self, without: tuple[pd.DataFrame, Counts], with_it: tuple[pd.DataFrame, Counts]) -> Effect:
        """Effect of what two worlds differ by; each has the same rows, and how often each row is written."""
        (before, psi), (after, other) = (self._value(*world) for world in (without, with_it))
        return Effect(value=self.sign * (after - before), error=float(np.sqrt(np.sum((other - psi) ** 2))))

    def unpaired(self, reference: pd.DataFrame, current: tuple[pd.DataFrame, Counts]) -> Effect:
        """The change between the windows, with the error of two independent samples."""
        ones = np.ones(len(reference), dtype=np.int64)
        (before, psi), (after, other) = self._value(reference, ones), self._value(*current)
        error = float(np.sqrt(np.sum(psi**2) + np.sum(other**2)))
        return Effect(value=self.sign * (after - before), error=error)

    def _value(self, table: pd.DataFrame, copies: Counts) -> tuple[float, Floats]:
        parts, weights = self.parts(table), copies.astype(float)
        return parts.value(weights), parts.influence(weights)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is right to say.

    Attributes
    ----------
    statuses : tuple of str
        Right without a cause; empty where one has to be named.
    causes : tuple of (str, str)
        Kind and name of every cause that is right to name first; the name `*` is any.
    faults : tuple of str
        Right words for how the column broke; empty where any is.
    decoys : tuple of str
        Columns that moved and did nothing.
    where : str or None
        The slice to which the cause is confined.
    """

    statuses: tuple[str, ...] = ()
    causes: tuple[tuple[str, str], ...] = ()
    faults: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    where: str | None = None

    @property
    def status(self) -> str:
        """The status that the truth has."""
        return self.statuses[0] if self.statuses else "explained"

    def names(self, kind: str, name: str) -> bool:
        """Whether a cause is right to name.

        >>> Answer(causes=(("concept", "outcome"),)).names("concept", "label")
        True
        """
        return any(kind == k and (kind in NAMELESS or n in ("*", name)) for k, n in self.causes)

    def right(self, status: str, causes: Sequence[tuple[str, str]]) -> bool:
        """Whether a verdict is right: by its first cause, or by its status where that may be enough.

        >>> Answer(statuses=("no_incident",)).right("no_incident", [])
        True
        """
        return status in self.statuses or (bool(causes) and self.names(*causes[0]))


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The effect of the cause, and of each where there are two, taken back on the same rows.

    Attributes
    ----------
    effect : Effect
        Of all causes together; of what cannot be taken back, the change between the windows.
    unpaired : Effect
        The change between the windows.
    each : mapping of str to Effect
        Kind → what taking back this one alone does.
    reference, current : float
        The metric.
    """

    effect: Effect
    unpaired: Effect
    each: Mapping[str, Effect]
    reference: float
    current: float

    @property
    def weak(self) -> bool:
        """Whether the effect is within `BEYOND` standard errors, or negligible beside the metric."""
        return self.effect.z <= BEYOND or self.effect.value <= NEGLIGIBLE * abs(self.reference)


@dataclass(frozen=True, kw_only=True, eq=False)
class Incident:
    """A composed incident: two windows with roles, a metric, maybe a model, and the truth.

    Attributes
    ----------
    seed : int
    part : Part
    kind : str
        Of `families.KINDS`; for a pair, both kinds joined by ` + `.
    group : str
    family : str
    reference, current : pandas.DataFrame
    roles : mapping of str to object
        As `windows_from` takes them.
    metric : mapping of str to object
    model : lightgbm.Booster or None
        The model in service in the reference window, where it is handed over.
    deployed : Deployed
        That model in any case.
    answer : Answer
    proof : Proof
    hit : float
        Share of the current rows that the cause touches.
    place, time : str
        Where and when, in a word.
    """

    seed: int
    part: Part
    kind: str
    group: str
    family: str
    reference: pd.DataFrame
    current: pd.DataFrame
    roles: Mapping[str, Any]
    metric: Mapping[str, Any]
    model: Any
    deployed: Deployed
    answer: Answer
    proof: Proof
    hit: float
    place: str
    time: str

    @property
    def weak(self) -> bool:
        """Whether there is something to find, and too little of it to be asked for."""
        return self.group not in ("quiet", "few_rows") and self.proof.weak

    def contributions(self, rows: pd.DataFrame) -> Any:
        """SHAP values of the model in service, as LightGBM gives them."""
        return self.deployed.booster.predict(self.deployed.typed(rows), pred_contrib=True, num_threads=1)

    def windows(self) -> Windows:
        """The inputs of the analyses."""
        return windows_from(self.reference, self.current, metric=self.metric, model=self.model, **self.roles)
