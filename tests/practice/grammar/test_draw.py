import hashlib
from itertools import count

import numpy as np
import pandas as pd
import pytest

from rca.errors import InvalidCase
from rca.practice.grammar import draw as drawing
from rca.practice.grammar.column_faults import NotPossible
from rca.practice.grammar.deployment import LABEL, SAID, SCORE
from rca.practice.grammar.draw import Plan, draw
from rca.practice.grammar.families import ALONE, FIRST_JUDGED, GROUP_OF, JUDGED_PAIRS, KINDS, families

ANSWERS = [SCORE, SAID]


def plans(part, seeds):
    first = FIRST_JUDGED if part == "judging" else 0
    return [drawing._plan(np.random.default_rng(first + seed), part) for seed in range(seeds)]


def digest(incident):
    told = hashlib.sha256()
    for table in (incident.reference, incident.current):
        told.update(table.to_csv(index=False).encode())
    told.update(repr((incident.kind, incident.metric, incident.roles, incident.answer, incident.proof)).encode())
    told.update(incident.deployed.booster.model_to_string().encode())
    return told.hexdigest()


@pytest.mark.parametrize(("seed", "part"), [(6, "trying"), (FIRST_JUDGED + 2, "judging")])
def test_the_same_seed_gives_the_same_bytes(seed, part):
    assert digest(draw(seed, part)) == digest(draw(seed, part))


@pytest.mark.parametrize(("seed", "part"), [(FIRST_JUDGED, "trying"), (FIRST_JUDGED - 1, "judging")])
def test_a_seed_belongs_to_one_part(seed, part):
    with pytest.raises(InvalidCase, match="is not of the part"):
        draw(seed, part)


@pytest.mark.parametrize("part", ["trying", "judging"])
def test_every_kind_is_drawn_in_both_parts(part):
    drawn = plans(part, 800)
    assert {kind for plan in drawn if plan.group != "pair" for kind in plan.kinds} == set(KINDS) - {"pair"}
    pairs = {plan.kinds for plan in drawn if plan.group == "pair"}
    assert pairs
    assert pairs <= set(JUDGED_PAIRS) if part == "judging" else not pairs & set(JUDGED_PAIRS)


def tried(kind, seed=0):
    """A stage, and a cause of a kind in it, with the proof."""
    return next(made for at in count(100 * seed) if (made := attempt(kind, at)) is not None)


def attempt(kind, seed):
    rng = np.random.default_rng(seed)
    family = str(rng.choice(families((kind,), "trying")))
    dull = "weekend" if kind == "season" else None
    try:
        stage = drawing._stage(rng, Plan(kinds=(kind,), group=GROUP_OF[kind], family=family, dull=dull, strong=False))
        stage = drawing._absent_code(rng, stage) if kind == "refitted" else stage
        return stage, drawing._found(rng, stage)
    except NotPossible:
        return None


def both_worlds(stage, found):
    start = drawing._start(stage)
    return drawing._world_with(start, ()), found.recorded


def differs(one, other, columns):
    """Columns that differ, and the rows in which any does."""
    unlike = pd.DataFrame(
        {name: ~((one[name] == other[name]) | (one[name].isna() & other[name].isna())) for name in columns}
    )
    return set(unlike.columns[unlike.any()]), unlike.any(axis=1).to_numpy()


PROVED = [kind for kind in KINDS if GROUP_OF[kind] in ("column", "concept", "model", "rows", "labels", "mix")]


@pytest.mark.parametrize("kind", PROVED)
def test_a_cause_changes_its_own_part_of_the_window_in_the_rows_hit_and_nothing_else(kind):
    stage, found = tried(kind)
    (clean, once), (broken, copies) = both_worlds(stage, found)
    columns, rows = differs(clean, broken, [name for name in broken if not name.startswith("\0")])
    accused = {name for of, name in found.causes[0].answers if of == "feature"}
    may = {
        "column": {*accused, *ANSWERS}, "concept": {LABEL}, "model": set(ANSWERS), "rows": set(), "mix": set(),
        "labels": {LABEL},
    }  # fmt: skip
    assert columns <= may[stage.plan.group]
    if kind != "retyped":  # the whole column is text then, and the rows not hit can still be read
        assert not (rows & ~found.causes[0].scope.hit).any()
    assert np.array_equal(once, copies) == (stage.plan.group not in ("rows", "mix"))
    if stage.plan.group == "labels":
        known = broken[LABEL].notna()
        assert (broken[LABEL] == clean[LABEL])[known].all()


@pytest.mark.parametrize("kind", ["frozen", "concept_base", "threshold_moved", "duplicates", "labels_slice"])
def test_the_effect_is_what_taking_the_cause_back_does_to_the_metric(kind):
    stage, found = tried(kind, seed=1)
    reader = drawing.reader_of(found.metric, stage.group)
    reference = drawing.Scene.of(stage.reference, stage.world.law, stage.model).table()
    written = [table.iloc[np.repeat(np.arange(len(table)), copies)] for table, copies in both_worlds(stage, found)]
    segments = reader.segments(reference, written[1]) or None
    clean, broken = (reader.parts(table, groups=segments).value() for table in written)
    sign = -1 if found.metric.get("harm") == "lower" else 1
    assert found.proof.effect.value == pytest.approx(sign * (broken - clean))
    assert found.proof.effect.value > 0


@pytest.mark.parametrize("kind", ["quiet", "innocents", "labels_at_random"])
def test_a_quiet_window_has_nothing_that_could_act_on_the_metric(kind):
    stage, found = tried(kind)
    (clean, _), (broken, _) = both_worlds(stage, found)
    assert differs(clean, broken, [name for name in broken if name != LABEL and not name.startswith("\0")])[0] == set()
    assert all(stage.model.gains.get(name, 0) == 0 for name in stage.loud)
    assert not set(stage.loud) & set(stage.world.kinds)
    assert bool(stage.loud) >= (kind == "innocents")
    assert drawing._answer(stage, found).statuses == ("no_incident",)


def test_a_hidden_cause_leaves_features_that_tell_nothing():
    stage, found = tried("hidden")
    assert stage.world.law.predictor(stage.reference).std() == pytest.approx(0)
    assert drawing._answer(stage, found).statuses == ("cannot_tell",)


def test_a_season_case_has_only_rows_of_a_time_that_was_always_worse():
    stage, found = tried("season")
    assert (stage.current["at"].dt.day_of_week >= 5).all()
    assert 0 < (stage.reference["at"].dt.day_of_week >= 5).mean() < 0.5
    assert not found.causes


@pytest.mark.parametrize("seed", range(8))
def test_a_drawn_incident_is_accepted_by_the_product_and_is_answered(seed):
    incident = draw(seed)
    windows = incident.windows()
    assert len(windows.reference) == len(incident.reference)
    assert incident.answer.causes or incident.answer.statuses
    assert not [name for name in incident.current if name.startswith("\0")]
    features = {name for kind, name in incident.answer.causes if kind == "feature"}
    assert features <= {*windows.roles.features, *windows.roles.groups}


@pytest.mark.parametrize("kind", ALONE)
def test_a_kind_and_the_rows_it_hits_can_be_asked_for(kind):
    made = draw(2, kind=kind, place="half")
    assert (made.kind, made.group) == (kind, "column")
    assert 0.35 <= made.hit <= 0.65
    with pytest.raises(InvalidCase, match=f"did you mean '{kind}'"):
        draw(2, kind=kind[:-1])
