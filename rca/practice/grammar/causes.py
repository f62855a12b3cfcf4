"""Causes of an incident: each changes one thing of the scene that makes the current window, and can be taken back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from rca.arrays import Floats, Mask
from rca.practice.grammar.column_faults import (
    FAULTS,
    WORDY,
    NotPossible,
    Scope,
    Setting,
    absent_code,
    scope,
    some_slice,
)
from rca.practice.grammar.deployment import LABEL, SAID, SCORE, Deployed, Relabel, Scene
from rca.practice.grammar.worlds.law import AT, Law

CONCEPT, MODEL, LABELS = ("concept", LABEL), ("model", "model"), ("labels", LABEL)

Change = Callable[[Scene], Scene]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause, with every draw made: what it does to a scene, and what is right to say of it.

    Attributes
    ----------
    kind : str
    does : callable
        From a scene to the scene with the cause in it.
    answers : tuple of (str, str)
        Kinds and names of the causes that are right to name.
    faults : tuple of str
        Words that are right for how a column broke; empty where any is.
    scope : Scope
    """

    kind: str
    does: Change
    answers: tuple[tuple[str, str], ...] = ()
    faults: tuple[str, ...] = ()
    scope: Scope


@dataclass(frozen=True, kw_only=True)
class Bench(Setting):
    """A setting with the model in service, a way to train another, and columns that a cause hit already."""

    model: Deployed
    law: Law | None
    retrain: Callable[[np.random.Generator], Deployed]
    taken: tuple[str, ...] = ()
    force: Mapping[str, Any] = field(default_factory=dict)


Make = Callable[[np.random.Generator, Bench], Cause]


# ---------------------------------------------------------------------------------------------------------- columns


def column_cause(rng: np.random.Generator, bench: Bench, kind: str) -> Cause:
    """A fault of a column that the model makes use of."""
    fault, kinds = FAULTS[kind]
    free = replace(bench, gains={name: gain for name, gain in bench.gains.items() if name not in bench.taken})
    name = _absent(bench) if kind == "refitted" else free.important(rng, *kinds)
    if name is None:
        raise NotPossible(f"no column for {kind}")
    broken = fault(rng, bench, name)
    if bench.taken and set(broken.values) & set(bench.taken):
        raise NotPossible("both faults hit one column")
    hit = scope(rng, bench, but=tuple(broken.values))

    def does(scene: Scene) -> Scene:
        return scene.serving({col: _mixed(scene.served[col], new, hit.hit) for col, new in broken.values.items()})

    answers = tuple(("feature", col) for col in broken.values)
    return Cause(kind=kind, does=does, answers=answers, faults=broken.faults, scope=hit)


def _absent(bench: Setting) -> str | None:
    """A column of codes of which one is absent."""
    return next((one for one in bench.read("code") if absent_code(bench, one) >= 0), None)


def _mixed(old: "pd.Series[Any]", new: Any, hit: Mask) -> Any:
    """New values in the rows hit; a column of numbers that becomes text is text throughout."""
    values = np.asarray(new)
    if values.dtype.kind in "iuf" and old.dtype.kind in "iuf":
        return np.where(hit, values, old.to_numpy())
    plain = old.map(str) if old.dtype.kind in "iuf" else old
    return np.where(hit, values.astype(object), plain.to_numpy(object))


# ---------------------------------------------------------------------------------------------------------- concept


def _in_time(rng: np.random.Generator, bench: Bench, *, share: bool = False) -> Scope:
    """All rows, or from some moment on; a share of them where a canary may be."""
    drawn = scope(rng, replace(bench, world=replace(bench.world, entities=0)))
    if drawn.place == "share" and share:
        return drawn
    kept = np.asarray(bench.progress >= (0.0 if drawn.time != "step" else rng.uniform(0.1, 0.5)))
    return Scope(hit=kept, time=drawn.time if drawn.time == "step" else "start")


def _relabelled(kind: str, hit: Scope, change: Relabel) -> Cause:
    """A cause by which rows that are hit have another outcome."""

    def relabel(rows: pd.DataFrame, label: Floats, score: Floats) -> Floats:
        return np.where(hit.hit, change(rows, label, score), label)

    answers = (CONCEPT, *((("slice", hit.where),) if hit.where else ()))
    return Cause(
        kind=kind,
        does=lambda scene: replace(scene, relabels=(*scene.relabels, relabel)),
        answers=answers,
        scope=hit,
    )


def _by_law(law: Law) -> Relabel:
    return lambda rows, _label, _score: law.outcome(rows)


def _real(rng: np.random.Generator, bench: Bench, way: str) -> Relabel:
    """Another outcome where no law is known: real labels turned with some chance, or a number changed."""
    uniform, chance = rng.random(len(bench.current)), float(rng.uniform(0.2, 0.6))
    if bench.world.task == "regression":
        factor = float(rng.choice([rng.uniform(1.3, 2.0), rng.uniform(0.3, 0.7)]))
        return lambda _rows, label, _score: np.where(uniform < 2 * chance, label * factor, label)
    to = {"up": 1.0, "down": 0.0}.get(way)
    return lambda _rows, label, _score: np.where(uniform < chance, 1 - label if to is None else to, label)


def concept_global(rng: np.random.Generator, bench: Bench) -> Cause:
    """Every feature acts otherwise than before, some the other way round."""
    if bench.law is None:
        return _relabelled("concept_global", _in_time(rng, bench), _real(rng, bench, "both"))
    law = bench.law.reweighted(rng.choice([-0.8, -0.3, 0.3, 1.0, 1.4], len(bench.law.terms)))
    return _relabelled("concept_global", _in_time(rng, bench), _by_law(law))


def concept_column(rng: np.random.Generator, bench: Bench) -> Cause:
    """One column no longer acts, or the other way round."""
    hit = _in_time(rng, bench)
    if bench.law is None:
        name = bench.important(rng, "number", "heavy", "integer")
        values = bench.current[name or _none("a column of numbers")]
        high = (values > values.median()).to_numpy()
        return _relabelled("concept_column", replace(hit, hit=hit.hit & high), _real(rng, bench, "both"))
    acting = [name for name in bench.law.columns if bench.gains.get(name, 0) > 0]
    weight = np.sqrt([bench.gains[name] for name in acting])
    name = str(rng.choice(acting, p=weight / weight.sum()))
    law = bench.law.reversed(name) if rng.random() < 0.6 else bench.law.without(name)
    return _relabelled("concept_column", hit, _by_law(law))


def _none(what: str) -> str:
    raise NotPossible(f"the model reads no {what}")


def concept_slice(rng: np.random.Generator, bench: Bench) -> Cause:
    """In a slice the outcome follows another law."""
    inside, where = some_slice(rng, bench)
    if where is None:
        raise NotPossible("no slice")
    time = _in_time(rng, bench)
    hit = Scope(hit=inside & time.hit, where=where, place="slice", time=time.time)
    if bench.law is None:
        return _relabelled("concept_slice", hit, _real(rng, bench, str(rng.choice(["both", "up", "down"]))))
    law = bench.law
    changed = law.reweighted(np.full(len(law.terms), -0.8)) if rng.random() < 0.4 else law.moved(_step(rng, law))
    return _relabelled("concept_slice", hit, _by_law(changed))


def concept_base(rng: np.random.Generator, bench: Bench) -> Cause:
    """The base rate, or the level, of the outcome moved: the world, or the threshold of the labelling."""
    hit = _in_time(rng, bench)
    if bench.law is None:
        return _relabelled("concept_base", hit, _real(rng, bench, str(rng.choice(["up", "down"]))))
    return _relabelled("concept_base", hit, _by_law(bench.law.moved(_step(rng, bench.law))))


def _step(rng: np.random.Generator, law: Law) -> float:
    size = {"logit": (0.9, 2.0), "softmax": (1.5, 3.0), "log": (0.25, 0.6), "identity": (0.6, 1.5)}[law.link]
    return float(rng.choice([-1, 1]) * rng.uniform(*size))


def feedback(rng: np.random.Generator, bench: Bench) -> Cause:
    """What is done about a high score keeps the outcome from happening."""
    uniform, effect = rng.random(len(bench.current)), float(rng.uniform(0.35, 0.85))
    part, hit = float(rng.uniform(0.5, 0.8)), _in_time(rng, bench)

    def act(_rows: pd.DataFrame, label: Floats, score: Floats) -> Floats:
        acted = (score >= np.quantile(score, part)) & (uniform < effect)
        return np.where(acted, 0.0 if bench.world.task == "binary" else label * 0.5, label)

    return _relabelled("feedback", hit, act)


# ------------------------------------------------------------------------------------------------------------ model


def _served_by(kind: str, hit: Scope, model: Deployed) -> Cause:
    return Cause(
        kind=kind,
        does=lambda scene: replace(scene, others=(*scene.others, (hit.hit, model))),
        answers=(MODEL,),
        scope=hit,
    )


def model_swapped(rng: np.random.Generator, bench: Bench) -> Cause:
    """Another model answers: one trained on little, on a lesser set of columns, or on an older world."""
    return _served_by("model_swapped", _in_time(rng, bench, share=True), bench.retrain(rng))


def threshold_moved(rng: np.random.Generator, bench: Bench) -> Cause:
    """Another threshold of the decision."""
    to = float(rng.choice([rng.uniform(0.1, 0.35), rng.uniform(0.65, 0.85)]))
    return _served_by("threshold_moved", _in_time(rng, bench, share=True), replace(bench.model, threshold=to))


def recalibrated(rng: np.random.Generator, bench: Bench) -> Cause:
    """Scores recalibrated by a monotone map; a number multiplied and moved."""
    if bench.world.task == "regression":
        slope = float(rng.choice([rng.uniform(0.5, 0.85), rng.uniform(1.15, 1.6)]))
        return _served_by("recalibrated", _in_time(rng, bench), replace(bench.model, slope=slope))
    slope, level = float(rng.choice([0.4, 0.6, 1.6, 2.2])), float(rng.choice([-1, 1]) * rng.uniform(0.6, 1.6))
    return _served_by("recalibrated", _in_time(rng, bench), replace(bench.model, slope=slope, level=level))


# ------------------------------------------------------------------------------------------------------------- rows


def duplicates(rng: np.random.Generator, bench: Bench) -> Cause:
    """Rows of a slice, or a random few, are written two to eight times."""
    hit, where = some_slice(rng, bench) if rng.random() < 0.85 else (rng.random(len(bench.current)) < 0.2, None)
    times = int(rng.integers(2, 9))
    place = Scope(hit=hit, where=where, place="slice" if where else "share")

    def does(scene: Scene) -> Scene:
        return replace(scene, copies=np.where(hit, scene.copies * times, scene.copies))

    return Cause(kind="duplicates", does=does, answers=(("rows", "duplicates"),), scope=place)


def sampling(rng: np.random.Generator, bench: Bench) -> Cause:
    """Rows of a level no longer arrive, or only few of them, so that the mix is another."""
    names = bench.world.of_kind(*WORDY)
    name = str(rng.choice(names)) if names else _none("category")
    usual = bench.reference[name]
    level = usual.iloc[int(rng.integers(len(usual)))]
    left = float(rng.choice([0.0, 0.1, 0.25]))
    lost = (bench.current[name] == level).to_numpy() & (rng.random(len(bench.current)) >= left)

    def does(scene: Scene) -> Scene:
        return replace(scene, copies=np.where(lost, 0, scene.copies))

    hit = Scope(hit=lost, where=f"{name}={level}", place="slice")
    return Cause(kind="sampling", does=does, answers=(("rows", "sampling"), ("feature", name)), scope=hit)


def mix(rng: np.random.Generator, bench: Bench) -> Cause:
    """A column that the outcome depends on truly moves: of three times as many rows, others are the ones that came."""
    name = bench.important(rng, "number", "heavy", "integer") or _none("a column of numbers")
    rank = bench.current[name].rank(pct=True).fillna(0.5).to_numpy() - 0.5
    tilt = np.exp(float(rng.choice([-1, 1]) * rng.uniform(2.5, 6.0)) * rank)
    n = len(bench.current)
    came = np.zeros(n, dtype=np.int64)
    came[rng.choice(n, n // 3, replace=False, p=tilt / tilt.sum())] = 1
    return Cause(
        kind="mix",
        does=lambda scene: replace(scene, copies=came),
        answers=(("feature", name), ("rows", "sampling")),
        scope=Scope(hit=came > 0),
    )


# ----------------------------------------------------------------------------------------------------------- labels


def _lost(kind: str, hit: Scope, known: Callable[[pd.DataFrame], Mask], *, quiet: bool = False) -> Cause:
    return Cause(
        kind=kind,
        does=lambda scene: replace(scene, known=(*scene.known, known)),
        answers=() if quiet else (LABELS,),
        scope=hit,
    )


def labels_late(rng: np.random.Generator, bench: Bench) -> Cause:
    """One outcome is known at once, the other after some days only."""
    at_once = float(rng.random() < 0.8)
    days, end = int(rng.integers(8, 30)), bench.current[AT].max() + pd.Timedelta(days=1)
    old = ((end - bench.current[AT]).dt.days >= days).to_numpy()
    return _lost("labels_late", Scope(hit=~old), lambda table: np.asarray((table[LABEL] == at_once) | old))


def labels_slice(rng: np.random.Generator, bench: Bench) -> Cause:
    """Most outcomes of a slice are lost."""
    inside, where = some_slice(rng, bench)
    lost = inside & (rng.random(len(inside)) < rng.uniform(0.6, 1.0))
    hit = Scope(hit=lost, where=where, place="slice")
    return _lost("labels_slice", hit, lambda _table: ~lost)


def labels_answer(rng: np.random.Generator, bench: Bench) -> Cause:
    """Whether an outcome is known depends on the answer: those of a yes (or of a no) are rarely looked at."""
    uniform, yes = rng.random(len(bench.current)), rng.random() < 0.5
    chance, regress = float(rng.uniform(0.5, 0.95)), bench.world.task == "regression"

    def known(table: pd.DataFrame) -> Mask:
        high = table[SCORE] > table[SCORE].median() if regress else table[SAID] == 1
        return np.asarray(((high != yes) | (uniform >= chance)).to_numpy())

    return _lost("labels_answer", Scope(hit=uniform < chance), known)


def labels_at_random(rng: np.random.Generator, bench: Bench) -> Cause:
    """Outcomes are missing completely at random: nothing is wrong."""
    known = rng.random(len(bench.current)) >= rng.uniform(0.1, 0.5)
    return _lost("labels_at_random", Scope(hit=~known), lambda _table: known, quiet=True)


# ------------------------------------------------------------------------------------------------- what says nothing


def hidden(rng: np.random.Generator, bench: Bench) -> Cause:
    """What no column records raises an outcome that no column ever told of."""
    law = bench.law or _law()
    there = rng.random(len(bench.current)) < rng.uniform(0.3, 0.9)
    hit = replace(_in_time(rng, bench), where=None)
    cause = _relabelled("hidden", replace(hit, hit=hit.hit & there), _by_law(law.moved(abs(_step(rng, law)))))
    return replace(cause, answers=())


def _law() -> Law:
    raise NotPossible("no law is known")


def few_rows(rng: np.random.Generator, bench: Bench) -> Cause:
    """Two to five wild rows of a loss without bound carry the change."""
    wild = rng.choice(len(bench.current), int(rng.integers(2, 6)), replace=False)
    factor, regress = rng.uniform(30, 300, len(wild)), bench.world.task == "regression"

    def edit(table: pd.DataFrame) -> pd.DataFrame:
        values = table[LABEL if regress else SCORE].to_numpy(float).copy()
        wrong = np.where(table[LABEL].to_numpy(float)[wild] == 1, 1e-13, 1 - 1e-13)
        values[wild] = (np.abs(values[wild]) + values.std()) * factor if regress else wrong
        return table.assign(**{LABEL if regress else SCORE: values})

    hit = np.isin(np.arange(len(bench.current)), wild)
    return Cause(kind="few_rows", does=lambda s: replace(s, edits=(*s.edits, edit)), scope=Scope(hit=hit))


OTHERS: dict[str, Make] = {
    "concept_global": concept_global, "concept_column": concept_column, "concept_slice": concept_slice,
    "concept_base": concept_base, "feedback": feedback, "model_swapped": model_swapped,
    "threshold_moved": threshold_moved, "recalibrated": recalibrated, "duplicates": duplicates, "sampling": sampling,
    "mix": mix, "labels_late": labels_late, "labels_slice": labels_slice, "labels_answer": labels_answer,
    "labels_at_random": labels_at_random, "hidden": hidden, "few_rows": few_rows,
}  # fmt: skip
"""Causes that are no fault of a column, by name."""


def cause(rng: np.random.Generator, bench: Bench, kind: str) -> Cause:
    """Draw a cause of a kind.

    Raises
    ------
    NotPossible
        If this world has none of it.
    """
    return column_cause(rng, bench, kind) if kind in FAULTS else OTHERS[kind](rng, bench)
