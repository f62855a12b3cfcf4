"""Columns on which nothing depends: some stand still, some move loudly, and some are groups."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rca.practice.grammar.worlds.columns import World

NAMES = ("build", "payload", "queue_len", "latency_ms", "page_version", "battery", "session_s", "agent_load")

GROUPS = "cohort"


def with_bystanders(
    rng: np.random.Generator, tables: Sequence[pd.DataFrame], *, count: tuple[int, int]
) -> tuple[tuple[str, ...], tuple[str, ...], Sequence[pd.DataFrame]]:
    """Add columns that neither the outcome nor the model heeds.

    Parameters
    ----------
    rng : numpy.random.Generator
    tables : sequence of pandas.DataFrame
        Of which the last is the failing window.
    count : (int, int)
        Columns that move there, and columns that do not.

    Returns
    -------
    tuple
        Names of both, and the tables with them.
    """
    names = [str(name) for name in rng.permutation(NAMES)]
    loud, still = tuple(names[: count[0]]), tuple(names[count[0] : sum(count)])
    for name in (*loud, *still):
        tables = _with(rng, name, tables, moves=name in loud)
    return loud, still, tables


def _with(
    rng: np.random.Generator, name: str, tables: Sequence[pd.DataFrame], *, moves: bool
) -> Sequence[pd.DataFrame]:
    """A normal column; where it moves, by one to four of its standard deviations, and in its spread."""
    scale, centre = float(rng.choice([1.0, 10.0, 100.0])), float(rng.uniform(5.0, 9.0))
    shift = float(rng.choice([-1, 1]) * rng.uniform(1.0, 4.0)) if moves else 0.0
    wider = float(rng.uniform(0.6, 1.8)) if moves else 1.0
    *usual, failing = (rng.normal(size=len(table)) for table in tables)
    drawn = [*usual, shift + wider * failing]
    pairs = zip(tables, drawn, strict=True)
    return [table.assign(**{name: np.round(scale * (centre + z), 1)}) for table, z in pairs]


def grouped(
    rng: np.random.Generator, world: World, tables: Sequence[pd.DataFrame]
) -> tuple[str | None, Sequence[pd.DataFrame]]:
    """A column of groups, in four of ten: one that the model reads, or one that nobody does."""
    words, drawn = world.of_kind("category"), rng.random()
    if drawn > 0.4:
        return None, tables
    if words and drawn < 0.2:
        return str(rng.choice(words)), tables
    share = float(rng.uniform(0.25, 0.75))
    drawn_groups = [rng.choice(["A", "B"], len(table), p=[share, 1 - share]) for table in tables]
    return GROUPS, [table.assign(**{GROUPS: of}) for table, of in zip(tables, drawn_groups, strict=True)]
