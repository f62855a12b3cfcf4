"""Draw an incident from its seed: a structure, a model, what else goes on, a cause, and what of it is handed over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.arrays import Counts
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.practice.grammar import families
from rca.practice.grammar.causes import Bench, Cause, cause
from rca.practice.grammar.column_faults import FAULTS, NotPossible, Place
from rca.practice.grammar.delivery import metrics_of, parcel, reader_of
from rca.practice.grammar.deployment import Deployed, Scene, outcome, train
from rca.practice.grammar.families import FIRST_JUDGED, GROUP_OF, GROUPS, Part
from rca.practice.grammar.incident import Answer, Effect, Incident, Measure, Proof
from rca.practice.grammar.worlds.bystanders import grouped, with_bystanders
from rca.practice.grammar.worlds.columns import FIRST, Kind, Moments, World
from rca.practice.grammar.worlds.law import dull_at
from rca.practice.grammar.worlds.packaged import packaged
from rca.practice.grammar.worlds.simulated import simulated

ATTEMPTS = 10
"""How often a cause is drawn anew in a world where its effect is too small."""

STRONG = 0.62
"""How often that is asked for; else the first that does harm is taken."""

WORLDS = 8
"""How many structures are tried for a kind that does not fit the first."""

TRAIN_ROWS = 3000

LARGE = 0.02
"""Share of incidents with tens of thousands of rows."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be drawn: kinds, one or two, of a group, in a family."""

    kinds: tuple[str, ...]
    group: str
    family: str
    dull: Literal["weekend", "night"] | None = None
    strong: bool = True
    place: Place | None = None

    @property
    def ask(self) -> tuple[Kind, ...]:
        """Kinds of columns that are needed."""
        return tuple(dict.fromkeys(kind for one in self.kinds for kind in families.NEEDS.get(one, ())))


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A world with its three tables and its model, before anything goes wrong."""

    plan: Plan
    world: World
    trained: pd.DataFrame
    reference: pd.DataFrame
    current: pd.DataFrame
    model: Deployed
    loud: tuple[str, ...]
    others: tuple[str, ...]
    group: str | None

    @property
    def bench(self) -> Bench:
        return Bench(
            world=self.world, reference=self.reference, current=self.current, gains=self.model.gains, model=self.model,
            law=self.world.law, retrain=self.retrained, place=self.plan.place,
        )  # fmt: skip

    def retrained(self, rng: np.random.Generator) -> Deployed:
        """Another model: of few rows, without the columns that tell most, or of an older law."""
        way, law = str(rng.choice(["few", "lesser", "older"])), self.world.law
        rows = self.trained.iloc[: int(rng.integers(120, 300))] if way == "few" else self.trained
        best = sorted(self.model.gains, key=lambda name: -self.model.gains[name])[: int(rng.integers(1, 4))]
        dead = frozenset(best if way == "lesser" else ()) | set(self.loud)
        if way == "older" and law is not None:
            law = law.reweighted(rng.choice([-0.5, 0.2, 1.0, 1.5], len(law.terms)))
        return train(rows, outcome(rows, law), self.world, read=self.model.read, dead=dead)


def draw(seed: int, part: Part = "trying", *, kind: str | None = None, place: Place | None = None) -> Incident:
    """Draw an incident; the same seed gives the same incident.

    Parameters
    ----------
    seed : int
        Below `families.FIRST_JUDGED` for trying, from there on for judging.
    part : {'trying', 'judging'}
    kind : str, optional
        A kind of incident, where it is not to be drawn.
    place : {'all', 'half', 'slice'}, optional
        Which rows it hits, likewise.

    Raises
    ------
    InvalidCase
        If the seed belongs to the other part, or there is no such kind.

    Examples
    --------
    >>> draw(3).kind == draw(3).kind
    True
    """
    if (seed >= FIRST_JUDGED) != (part == "judging"):
        hint = f"seeds from {FIRST_JUDGED} on are judging, those below are trying"
        raise InvalidCase.because(f"seed {seed} is not of the part {part!r}", place="seed", hint=hint)
    rng = np.random.default_rng(seed)
    if kind is not None and kind not in GROUP_OF:
        raise InvalidCase.because(f"no kind {kind!r}", place="kind", hint=did_you_mean(kind, GROUP_OF))
    plan = replace(_plan(rng, part, kind), place=place)
    for left in reversed(range(WORLDS)):
        try:
            return _incident(rng, _stage(rng, plan), seed=seed, part=part)
        except (NotPossible, Unanswerable):
            weak_too = plan.strong and left > WORLDS // 2
            plan = replace(plan, family=_family(rng, plan.kinds, part), strong=weak_too)
    raise Unanswerable("what would happen", f"no structure has a {' + '.join(plan.kinds)} that does harm")


# ------------------------------------------------------------------------------------------------------------- plan


def _plan(rng: np.random.Generator, part: Part, kind: str | None = None) -> Plan:
    group = str(rng.choice(list(GROUPS), p=[share for share, _ in GROUPS.values()])) if kind is None else GROUP_OF[kind]
    kinds: tuple[str, ...] = (str(rng.choice(GROUPS[group][1])) if kind is None else kind,)
    if group == "pair":
        pairs = [pair for pair in families.PAIRS if (pair in families.JUDGED_PAIRS) == (part == "judging")]
        kinds = pairs[int(rng.integers(len(pairs)))]
    dull: Literal["weekend", "night"] = "weekend" if rng.random() < 0.5 else "night"
    return Plan(
        kinds=kinds, group=group, family=_family(rng, kinds, part), dull=dull if group == "season" else None,
        strong=bool(rng.random() < STRONG),
    )  # fmt: skip


def _family(rng: np.random.Generator, kinds: tuple[str, ...], part: Part) -> str:
    fitting = families.families(kinds, part)
    own = [name for name in fitting if name in families.JUDGED_FAMILIES]
    if own and rng.random() < families.JUDGED_SHARE:
        return str(rng.choice(own))
    return str(rng.choice([name for name in fitting if name not in families.JUDGED_FAMILIES]))


# ------------------------------------------------------------------------------------------------------------ stage


def _sizes(rng: np.random.Generator, plan: Plan, most: int) -> tuple[int, int]:
    """Rows of both windows: 300 to 6,000, seldom tens of thousands, and no more than the table has."""
    if rng.random() < LARGE and most >= 10**6:
        reference, current = (int(rows) for rows in rng.integers(20_000, 50_000, 2))
    else:
        reference, current = (int(rng.lognormal(np.log(mean), 0.65)) for mean in (1550, 1250))
        reference, current = min(max(reference, 300), 6000), min(max(current, 300), 6000)
    left = (most - TRAIN_ROWS) / (reference + current * (3.3 if plan.group == "mix" else 1.3))
    return (reference, current) if left >= 1 else (int(reference * left), int(current * left))


def _moments(rng: np.random.Generator, world: World, rows: int, *, days: tuple[int, int], first: int) -> Moments:
    """Times from one day on, up to another: round the clock."""
    seconds = np.sort(rng.integers(days[0] * 86400, days[1] * 86400, rows))
    at = FIRST + pd.to_timedelta(seconds, unit="s").as_unit("s")
    return Moments(at=pd.DatetimeIndex(at), entity=rng.integers(0, max(world.entities, 1), rows), first=first)


def _stage(rng: np.random.Generator, plan: Plan) -> Stage:
    """Draw a world, its tables and its model."""
    world = _world(rng, plan)
    rows, now = _sizes(rng, plan, world.most)
    drawn = now * 3 if plan.group == "mix" else now
    spans = ((0, 90), (96, 96 + int(rng.integers(21, 43))))
    end = spans[1][1]
    trained = world.sample(rng, _moments(rng, world, TRAIN_ROWS, days=spans[0], first=0))
    reference = world.sample(rng, _moments(rng, world, rows, days=spans[1], first=TRAIN_ROWS))
    late = (end, end + int(rng.integers(14, 29)))
    current = _current(rng, plan, world, late=late, rows=(drawn, TRAIN_ROWS + rows))
    reference, current = (one.sort_values("at", kind="stable").reset_index(drop=True) for one in (reference, current))
    return _furnished(rng, plan, world, tables=(trained, reference, current))


def _world(rng: np.random.Generator, plan: Plan) -> World:
    if plan.family in families.PACKAGED:
        return packaged(rng, plan.family)
    world = simulated(rng, plan.family, plan.ask)
    law = world.law
    assert law is not None
    if plan.group == "hidden":
        law = law.reweighted(np.zeros(len(law.terms)))
    return replace(world, law=replace(law, dull=plan.dull))


def _current(
    rng: np.random.Generator, plan: Plan, world: World, *, late: tuple[int, int], rows: tuple[int, int]
) -> pd.DataFrame:
    """Rows of the failing window: in a season case only such of it; else often with a mild drift of the mix."""
    n, first = rows
    if plan.dull is not None:
        begin = late[0] + (5 - late[0] % 7) % 7
        days = (begin, begin + 14) if plan.dull == "night" else (begin, begin + 7)
        many = world.sample(rng, _moments(rng, world, 4 * n, days=days, first=first))
        return many[dull_at(many, plan.dull)].head(n)
    numbers = world.of_kind("number", "integer", "heavy")
    if plan.group in ("quiet", "mix", "hidden", "few_rows") or not numbers or rng.random() < 0.6:
        return world.sample(rng, _moments(rng, world, n, days=late, first=first))
    many = world.sample(rng, _moments(rng, world, int(1.3 * n), days=late, first=first))
    pull = float(rng.uniform(-0.6, 0.6)) * many[str(rng.choice(numbers))].rank(pct=True).fillna(0.5).to_numpy()
    return many.iloc[np.sort(rng.choice(len(many), n, replace=False, p=np.exp(pull) / np.exp(pull).sum()))]


def _furnished(rng: np.random.Generator, plan: Plan, world: World, *, tables: Sequence[pd.DataFrame]) -> Stage:
    """Add columns that neither the outcome nor the model heeds, some of which move loudly, and train the model."""
    most = 1 if plan.kinds == ("quiet",) else 3
    count = int(rng.integers(plan.kinds == ("innocents",), most)), int(rng.integers(0, 3))
    loud, still, tables = with_bystanders(rng, tables, count=count)
    group, tables = grouped(rng, world, tables)
    given = tuple(name for name in (*loud, *still) if rng.random() < 0.5)
    read = (*(name for name in world.kinds), *given)
    trained, reference, current = tables
    model = train(trained, outcome(trained, world.law), world, read=read, dead=frozenset(given))
    return Stage(
        plan=plan, world=world, trained=trained, reference=reference, current=current, model=model,
        loud=loud, others=still, group=group,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- cause and proof


@dataclass(frozen=True, kw_only=True)
class Found:
    """Causes with a metric that they move, and the proof of it."""

    causes: tuple[Cause, ...]
    metric: Mapping[str, Any]
    proof: Proof
    recorded: tuple[pd.DataFrame, Counts]


def _incident(rng: np.random.Generator, stage: Stage, *, seed: int, part: Part) -> Incident:
    stage = _absent_code(rng, stage) if "refitted" in stage.plan.kinds else stage
    found, plan = _found(rng, stage), stage.plan
    features = tuple(name for name in (*stage.world.kinds, *stage.loud, *stage.others) if name != stage.group)
    packed = parcel(
        rng, stage.world.task, found.metric, features=features,
        codes=tuple(name for name in stage.world.levels if name in features), group=stage.group,
        entity=stage.world.entities > 0, only=_only(rng, plan),
    )  # fmt: skip
    reference = Scene.of(stage.reference, stage.world.law, stage.model).table()
    ones = np.ones(len(reference), dtype=np.int64)
    roles = {role: name for role, name in packed.roles.items() if role != "outcome"}
    scopes = [one.scope for one in found.causes]
    copies = found.recorded[1]
    hit = np.logical_or.reduce([one.hit for one in scopes]) if scopes else np.zeros(len(copies), dtype=bool)
    return Incident(
        seed=seed, part=part, kind=" + ".join(plan.kinds), group=plan.group, family=plan.family,
        reference=packed.table(reference, ones), current=packed.table(*found.recorded), roles=roles,
        metric=found.metric, model=stage.model.booster if packed.model else None, deployed=stage.model,
        answer=_answer(stage, found), proof=found.proof, hit=float(hit.mean()),
        place=scopes[0].place if scopes else "none", time=scopes[0].time if scopes else "none",
    )  # fmt: skip


def _absent_code(rng: np.random.Generator, stage: Stage) -> Stage:
    """The current window without one of the first codes, in every world alike."""
    name = stage.bench.important(rng, "code")
    if name is None:
        raise NotPossible("the model reads no code")
    gone = int(rng.integers(0, max(stage.world.levels[name] // 2, 1)))
    return replace(stage, current=stage.current[stage.current[name] != gone].reset_index(drop=True))


def _only(rng: np.random.Generator, plan: Plan) -> frozenset[str]:
    """What a kind needs to be handed over, or must not be."""
    asked = set(plan.kinds)
    if asked & {"stale", "kept", "hour_shifted", "gain_drift", "labels_late", "season"}:
        return frozenset({"time"})
    if "duplicates" in asked:
        return frozenset({"id"} if rng.random() < 0.6 else {"-id"})
    return frozenset({"-model"}) if "few_rows" in asked else frozenset()


def _found(rng: np.random.Generator, stage: Stage) -> Found:
    """Draw causes until they do harm, and where that is asked for, enough of it.

    Raises
    ------
    NotPossible
        If none does in this world.
    """
    for _ in range(ATTEMPTS):
        try:
            tried = _tried(rng, stage)
        except (NotPossible, Unanswerable):
            continue
        if stage.plan.group == "quiet" or (_does_harm(tried) and not (_asked(stage.plan) and tried.proof.weak)):
            return tried
    raise NotPossible("nothing does enough harm")


def _asked(plan: Plan) -> bool:
    return plan.strong and plan.group != "few_rows"


def _does_harm(found: Found) -> bool:
    return found.proof.effect.value > 0 and found.proof.effect.z > 0.5


def _tried(rng: np.random.Generator, stage: Stage) -> Found:
    bench, causes = stage.bench, []
    for kind in () if stage.plan.kinds[0] in ("quiet", "innocents", "season") else stage.plan.kinds:
        causes.append(cause(rng, bench, kind))
        bench = replace(bench, taken=(*bench.taken, *(name for of, name in causes[-1].answers if of == "feature")))
    options = metrics_of(stage.plan.kinds, stage.world.task, grouped=stage.group is not None)
    metric = dict(options[int(rng.integers(len(options)))])
    return _proved(stage, tuple(causes), metric)


def _proved(stage: Stage, causes: tuple[Cause, ...], metric: dict[str, Any]) -> Found:
    """Take each cause back alone, and all of them, and read the metric on the same rows."""
    start = _start(stage)
    reference = Scene.of(stage.reference, stage.world.law, stage.model).table()
    clean, broken = _world_with(start, ()), _world_with(start, causes)
    reader = reader_of(metric, stage.group)
    arrived = broken[0].iloc[np.flatnonzero(broken[1])]
    measure = Measure(reader=reader, segments=reader.segments(reference, arrived))
    unpaired = measure.unpaired(reference, broken)
    effect = measure.paired(clean, broken) if causes else unpaired
    if metric["name"] in ("rate", "mean") and effect.value < 0:
        metric, measure = {**metric, "harm": "lower"}, replace(measure, sign=-1)
        effect, unpaired = (Effect(value=-one.value, error=one.error) for one in (effect, unpaired))
    without = {one.kind: _world_with(start, [other for other in causes if other is not one]) for one in causes}
    each = {kind: measure.paired(world, broken) for kind, world in without.items()}
    before = measure.parts(reference).value()
    proof = Proof(
        effect=effect, unpaired=unpaired, each=each, reference=before,
        current=before + measure.sign * unpaired.value,
    )  # fmt: skip
    return Found(causes=causes, metric=metric, proof=proof, recorded=broken)


def _start(stage: Stage) -> Scene:
    """The current window with nothing wrong; where the mix is to move, every third row of those that might come."""
    scene = Scene.of(stage.current, stage.world.law, stage.model)
    if stage.plan.group != "mix":
        return scene
    return replace(scene, copies=(np.arange(len(stage.current)) % 3 == 0).astype(np.int64))


def _world_with(start: Scene, causes: Sequence[Cause]) -> tuple[pd.DataFrame, Counts]:
    scene = start
    for one in causes:
        scene = one.does(scene)
    return scene.table(), scene.copies


def _answer(stage: Stage, found: Found) -> Answer:
    """What is right to say: of two causes each that does its part alone, or both where neither does."""
    group, joint = stage.plan.group, found.proof.effect.value
    if group in ("quiet", "few_rows", "hidden", "season"):
        statuses = {"quiet": ("no_incident",), "hidden": ("cannot_tell",)}.get(group, ("cannot_tell", "no_incident"))
        causes = (("slice", "*"), ("rows", "*")) if group == "season" else ()
        return Answer(statuses=statuses, causes=causes, decoys=stage.loud)
    able = [
        one for one in found.causes
        if (effect := found.proof.each[one.kind]).value >= 0.15 * joint and effect.z > 2
    ] or list(found.causes)  # fmt: skip
    told = [one for one in able if one.kind in FAULTS]
    return Answer(
        statuses=("cannot_tell",) if all(GROUP_OF[one.kind] == "labels" for one in able) else (),
        causes=tuple(dict.fromkeys(answer for one in able for answer in one.answers)),
        faults=tuple(dict.fromkeys(word for one in told for word in one.faults)) if all(o.faults for o in told) else (),
        decoys=stage.loud,
        where=able[0].scope.where,
    )
