"""Counterfactual prediction by an additive-noise SCM (abduction, action, prediction), with bootstrapped parameters.

Structural equations are fitted on the reference. The noise of each row is kept; the column that was broken is set to
what it would have been, and its descendants are recomputed. Parameter uncertainty comes from equations fitted on
resampled rows, one a draw.

References
----------
Pearl, J. (2009). Causality, 2nd ed., theorem 7.1.7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.causal.graph_columns import measured_parents, with_answers
from rca.analysis.causal.structural_model import Law, Scm, fit
from rca.analysis.harm.rescoring import Scorer, decision_rule
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats, Mask
from rca.errors import Unanswerable

LAWS = 10
"""Bootstrap fits, the one on all rows included."""

MAX_ROWS = 20_000
"""Reference rows that the SCM is fitted on, at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Follower(Scorer):
    """A structural causal model as an outcome model: propagates set values along the graph.

    Attributes
    ----------
    laws : tuple of Scm
        The first fitted on all rows, the others on resampled ones.
    moving : tuple of str
        Descendants of the nodes that are set, causes first.
    targets : tuple of str
        Those of them that answers are read off.
    rng : numpy.random.Generator
        Draws the noise of what is missing, and of categories.
    """

    laws: tuple[Scm, ...]
    moving: tuple[str, ...]
    targets: tuple[str, ...]
    rng: np.random.Generator

    def instead(self, rows: pd.DataFrame, mended: pd.DataFrame, **_: Mask | None) -> pd.DataFrame:
        """The rows with the counterfactual values of the nodes downstream of their repaired columns."""
        return self.follow(rows, mended, draw=0)

    def follow(self, rows: pd.DataFrame, mended: pd.DataFrame, *, draw: int) -> pd.DataFrame:
        """The same by the SCM of one bootstrap draw."""
        model = self.laws[draw % len(self.laws)]
        values = model.read(rows)
        given = {name: column for name, column in model.read(mended).items() if name not in self.moving}
        noise = {name: self._noise(model.laws[name], values) for name in self.moving}
        found = model.predict(noise, given=given)
        told: dict[str, Any] = {
            name: _written(model.laws[name], np.where(np.isfinite(found[name]), found[name], values[name]), rows[name])
            for name in self.targets
        }
        if self.roles.score in told and self.roles.prediction is not None:
            told[self.roles.prediction] = self.decides(told[str(self.roles.score)])
        return mended.assign(**told)

    def _noise(self, law: Law, values: Mapping[str, Floats]) -> Floats:
        own = law.abduct(values, self.rng)
        unknown = ~np.isfinite(own)
        return np.where(unknown, law.draw(len(own), self.rng), own)


def _written(law: Law, found: Floats, like: "pd.Series[Any]") -> Any:
    """A node's decoded values, in the type of its column."""
    if not law.scale.levels:
        return law.scale.plain(found)
    names = np.array([*law.scale.levels, None], dtype=object)
    said = pd.Series(names[np.where(np.isfinite(found), found, len(names) - 1).astype(int)], index=like.index)
    if pd.api.types.is_bool_dtype(like):
        return said == "True"
    return pd.to_numeric(said, errors="coerce") if pd.api.types.is_numeric_dtype(like) else said


def follower(windows: Windows, columns: Sequence[str], *, rng: np.random.Generator, question: str) -> Follower:
    """Fit an SCM along the graph, from some columns to the columns of answers, with bootstrap replicates.

    Raises
    ------
    InvalidCase
        If the graph has a cycle, or misspells a column.
    Unanswerable
        If there is no graph, or it leads from the columns to no answer; or an unmeasured common cause stands between.
    """
    roles, outcome = windows.roles, windows.meter.outcome
    ends = [one for one in dict.fromkeys((roles.score, roles.prediction, outcome)) if one is not None]
    parents = with_answers(windows, ends)
    known = [one for one in ends if parents.get(one)]
    if roles.score in known and roles.prediction in known:
        known.remove(roles.prediction)  # a threshold of the score gives it
    if not windows.parents or not known:
        raise Unanswerable(question, "the case has neither a model that could be asked again nor a graph")
    measured, _ = measured_parents(parents, windows, known, question=question)
    moving = _downstream(measured, columns)
    targets = tuple(one for one in known if one in moving)
    if not targets:
        why = f"the graph leads from {' and '.join(columns)} to nothing that was decided"
        raise Unanswerable(question, why)
    return Follower(
        score=lambda rows: np.full(len(rows), np.nan),
        roles=roles,
        decides=decision_rule(windows),
        features=tuple(measured),
        laws=_laws(windows, measured, rng),
        moving=moving,
        targets=targets,
        rng=rng,
    )


def _downstream(parents: Mapping[str, Sequence[str]], columns: Sequence[str]) -> tuple[str, ...]:
    """Descendants of some columns, causes first; the columns themselves are set."""
    reached = set(columns)
    found = []
    for node, causes in parents.items():
        if node not in columns and reached & set(causes):
            reached.add(node)
            found.append(node)
    return tuple(found)


def _laws(windows: Windows, parents: Mapping[str, Sequence[str]], rng: np.random.Generator) -> tuple[Scm, ...]:
    rows, coded = windows.reference.iloc[:MAX_ROWS], windows.roles.categorical
    first = fit(rows, parents, categorical=coded)
    again = (rows.iloc[rng.integers(0, len(rows), len(rows))].reset_index(drop=True) for _ in range(LAWS - 1))
    return (first, *(fit(one, parents, categorical=coded, like=first) for one in again))
