"""The law of an outcome given its features, known by construction: a generalised additive model with interactions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.arrays import Floats, Mask

AT, ID, ENTITY, NOISE, REAL = "at", "row_id", "customer", "\0noise", "\0real"
"""Columns of every table: time, id, whose row it is, the uniform draw behind the label, the real label."""

Link = Literal["logit", "identity", "log", "softmax"]

Shape = Literal["linear", "step", "hinge", "square", "night", "product", "both"]

FARTHEST = 3.5
"""Standardised values are clipped here, so that no single row rules a label."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """One additive part of a linear predictor, of mean 0 and standard deviation 1 over a pilot sample.

    Attributes
    ----------
    columns : tuple of str
        Those it reads; two for the shapes `product` and `both`.
    shape : Shape
        Of the standardised columns; a column with `levels` has its level's effect instead.
    weight : tuple of float
        One, or one a class.
    scales : mapping of str to (float, float)
        Column → centre and spread.
    levels : mapping of str to float
        Level of a category → effect.
    logged : bool
        Whether `log(1 + value)` is standardised, as for heavy tails.
    cut : float
        Where a step, hinge or conjunction begins.
    centre, spread : float
        Of the shape itself.
    """

    columns: tuple[str, ...]
    shape: Shape = "linear"
    weight: tuple[float, ...] = (1.0,)
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    levels: Mapping[str, float] = field(default_factory=dict)
    logged: bool = False
    cut: float = 0.0
    centre: float = 0.0
    spread: float = 1.0

    def of(self, rows: pd.DataFrame) -> Floats:
        """The part of each row, of shape (rows,); 0 where a column has no value."""
        z = [self._standard(rows[name]) for name in self.columns]
        value = _SHAPES[self.shape](z, self.cut)
        return np.asarray(np.nan_to_num((value - self.centre) / self.spread))

    def _standard(self, values: "pd.Series[Any]") -> Floats:
        if self.levels:
            return np.asarray(values.astype(str).map(dict(self.levels)), dtype=float)
        numbers = values.to_numpy(float)
        if self.shape == "night":
            return numbers
        centre, spread = self.scales[str(values.name)]
        z = ((_logged(numbers) if self.logged else numbers) - centre) / spread
        return np.asarray(np.clip(z, -FARTHEST, FARTHEST))

    def fitted(self, pilot: pd.DataFrame) -> "Term":
        """The term standardised on a pilot sample."""
        plain = (
            {} if self.levels or self.shape == "night" else {name: self._scale(pilot[name]) for name in self.columns}
        )
        scaled = replace(self, scales=plain, centre=0.0, spread=1.0)
        value = scaled.of(pilot)
        return replace(scaled, centre=float(value.mean()), spread=float(value.std()) or 1.0)

    def _scale(self, values: "pd.Series[Any]") -> tuple[float, float]:
        numbers = _logged(values.to_numpy(float)) if self.logged else values.to_numpy(float)
        return float(np.nanmean(numbers)), float(np.nanstd(numbers)) or 1.0


def _logged(numbers: Floats) -> Floats:
    return np.asarray(np.log1p(np.maximum(numbers, 0.0)))


_SHAPES: dict[str, Any] = {
    "linear": lambda z, _: z[0],
    "step": lambda z, cut: (z[0] > cut).astype(float),
    "hinge": lambda z, cut: np.maximum(z[0] - cut, 0.0),
    "square": lambda z, _: z[0] ** 2,
    "night": lambda z, _: ((z[0] < 6) | (z[0] >= 21)).astype(float),
    "product": lambda z, _: z[0] * z[1],
    "both": lambda z, cut: ((z[0] > cut) & (z[1] > cut)).astype(float),
}


@dataclass(frozen=True, kw_only=True)
class Law:
    """P(label given features): a linear predictor, a link, and noise.

    Attributes
    ----------
    terms : tuple of Term
    base : tuple of float
        Intercept; one, or one a class.
    link : Link
        `logit` of a flag, `identity` or `log` of a number, `softmax` of a class.
    noise : float
        Standard deviation of a number's noise, on the scale of the link.
    unit : float
        What one unit of the predictor is in the label's unit.
    dull : {'weekend', 'night'} or None
        When the features always told less of the outcome.
    """

    terms: tuple[Term, ...]
    base: tuple[float, ...]
    link: Link
    noise: float = 0.5
    unit: float = 1.0
    dull: Literal["weekend", "night"] | None = None

    def predictor(self, rows: pd.DataFrame) -> Floats:
        """Linear predictor, of shape (rows, classes), or (rows, 1)."""
        total = np.zeros((len(rows), len(self.base)))
        for term in self.terms:
            total += term.of(rows)[:, None] * np.asarray(term.weight)
        pull = np.where(dull_at(rows, self.dull), 0.15, 1.0)[:, None]
        return np.asarray(np.asarray(self.base) + pull * total)

    def outcome(self, rows: pd.DataFrame) -> Floats:
        """The label of each row, by its own uniform draw: the same draw under another law gives a paired label."""
        from scipy.special import expit, ndtri, softmax

        eta, uniform = self.predictor(rows), rows[NOISE].to_numpy(float)
        if self.link == "logit":
            return np.asarray(uniform < expit(eta[:, 0]), dtype=float)
        if self.link == "softmax":
            below = np.cumsum(softmax(eta, axis=1), axis=1)
            return np.asarray((uniform[:, None] > below[:, :-1]).sum(axis=1), dtype=float)
        wider = np.where(dull_at(rows, self.dull), 2.5, 1.0)
        value = eta[:, 0] + self.noise * wider * ndtri(uniform)
        return np.asarray(self.unit * (np.exp(value) if self.link == "log" else value))

    def without(self, column: str) -> "Law":
        """The law in which a column no longer acts."""
        return replace(self, terms=tuple(term for term in self.terms if column not in term.columns))

    def reversed(self, column: str) -> "Law":
        """The law in which a column acts the other way round."""
        return replace(self, terms=tuple(_against(term) if column in term.columns else term for term in self.terms))

    def moved(self, by: float) -> "Law":
        """The law with another base rate, or level."""
        shift = np.linspace(0.0, by, len(self.base)) if len(self.base) > 1 else np.array([by])
        return replace(self, base=tuple(float(one) for one in np.asarray(self.base) + shift))

    def reweighted(self, weights: Floats) -> "Law":
        """The law whose terms' weights are multiplied by `weights` (terms,)."""
        pairs = zip(self.terms, weights, strict=True)
        return replace(
            self, terms=tuple(replace(t, weight=tuple(float(w * one) for one in t.weight)) for t, w in pairs)
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that act on the outcome."""
        return tuple(sorted({name for term in self.terms for name in term.columns}))


def _against(term: Term) -> Term:
    return replace(term, weight=tuple(-one for one in term.weight))


def dull_at(rows: pd.DataFrame, when: Literal["weekend", "night"] | None) -> Mask:
    """Rows of the weekend, or of the night."""
    if when is None:
        return np.zeros(len(rows), dtype=bool)
    at = rows[AT].dt
    return np.asarray(at.day_of_week >= 5 if when == "weekend" else (at.hour < 6) | (at.hour >= 22), dtype=bool)
