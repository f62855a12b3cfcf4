"""The one game: what a division has to keep to, whatever is divided."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rca.methods.shapley import EXACT_UP_TO, Attribution, coalition, shapley, shapley_matrix

WORTHS = st.floats(-1e6, 1e6, allow_nan=False)
NAMES = "abcdef"
CROWD = [f"p{i}" for i in range(EXACT_UP_TO + 4)]


@st.composite
def games(draw, most=5):
    """Players, and the worth of every coalition of them."""
    players = NAMES[: draw(st.integers(1, most))]
    worths = draw(st.lists(WORTHS, min_size=2 ** len(players), max_size=2 ** len(players)))
    return players, {coalition(members, players): worth for members, worth in enumerate(worths)}


def by_definition(value, players):
    """The mean of what each player adds, over all orders in which they can join."""
    parts = dict.fromkeys(players, 0.0)
    orders = list(itertools.permutations(players))
    for order in orders:
        for i, name in enumerate(order):
            parts[name] += (value(frozenset(order[: i + 1])) - value(frozenset(order[:i]))) / len(orders)
    return [parts[name] for name in players]


def size_of(worth):
    return max(1.0, *(abs(one) for one in worth.values()))


def crowd_worth(members):
    """A game with pairs that only pay together."""
    own = sum(int(name[1:]) for name in members)
    return own + 5.0 * ("p0" in members and "p1" in members)


@given(games())
@settings(deadline=None)
def test_contributions_add_up_to_the_change(game):
    players, worth = game
    found = shapley(worth.__getitem__, players)
    assert found.total == worth[frozenset(players)] - worth[frozenset()]
    assert sum(found.contributions) == pytest.approx(found.total, abs=1e-9 * size_of(worth))


@given(games(most=4))
@settings(deadline=None)
def test_a_contribution_is_the_mean_of_what_is_added_over_all_orders(game):
    players, worth = game
    found = shapley(worth.__getitem__, players)
    assert_allclose(found.contributions, by_definition(worth.__getitem__, players), atol=1e-9 * size_of(worth))


@given(games())
@settings(deadline=None)
def test_a_player_who_changes_nothing_gets_nothing(game):
    players, worth = game
    found = shapley(lambda members: worth[members - {"idle"}], (*players, "idle"))
    assert found["idle"] == pytest.approx(0, abs=1e-9 * size_of(worth))


@given(games())
@settings(deadline=None)
def test_an_idle_player_takes_nothing_from_the_others(game):
    players, worth = game
    alone = shapley(worth.__getitem__, players)
    joined = shapley(lambda members: worth[members - {"idle"}], ("idle", *players))
    assert_allclose(joined.contributions[1:], alone.contributions, atol=1e-9 * size_of(worth))


@given(st.lists(WORTHS, min_size=5, max_size=5))
@settings(deadline=None)
def test_players_who_do_the_same_get_the_same(by_size):
    found = shapley(lambda members: by_size[len(members)], "abcd")
    assert_allclose(found.contributions, (by_size[4] - by_size[0]) / 4, atol=1e-9 * max(1, *map(abs, by_size)))


@given(games(), st.randoms())
@settings(deadline=None)
def test_the_order_of_the_players_does_not_matter(game, random):
    players, worth = game
    shuffled = list(players)
    random.shuffle(shuffled)
    one, other = shapley(worth.__getitem__, players), shapley(worth.__getitem__, shuffled)
    assert_allclose([one[name] for name in players], [other[name] for name in players], atol=1e-9 * size_of(worth))


@given(games(), st.floats(-10, 10), st.floats(-1e3, 1e3))
@settings(deadline=None)
def test_a_unit_scales_the_parts_and_an_origin_leaves_them(game, factor, origin):
    players, worth = game
    plain = shapley(worth.__getitem__, players)
    moved = shapley(lambda members: factor * worth[members] + origin, players)
    assert_allclose(moved.contributions, factor * np.array(plain.contributions), atol=1e-8 * size_of(worth))


@given(st.lists(WORTHS, min_size=1, max_size=8))
@settings(deadline=None)
def test_where_worths_add_each_gets_their_own(own):
    players = [str(i) for i in range(len(own))]
    found = shapley(lambda members: sum(own[int(name)] for name in members), players)
    assert_allclose(found.contributions, own, atol=1e-8 * max(1, *map(abs, own)))


@pytest.mark.parametrize("players", range(1, 9))
def test_the_rows_of_the_matrix_sum_to_zero_and_their_gains_to_one(players):
    matrix = shapley_matrix(players)
    assert_allclose(matrix.sum(axis=1), 0, atol=1e-12)
    assert_allclose(np.where(matrix > 0, matrix, 0).sum(axis=1), 1)


def test_nobody_can_write_into_the_matrix_that_all_share():
    before = shapley_matrix(3).copy()
    with pytest.raises(ValueError, match="read-only"):
        shapley_matrix(3)[:] = 7
    assert_allclose(shapley_matrix(3), before)


@pytest.mark.parametrize("players", [0, 1, 3, 6])
def test_every_coalition_is_valued_once(players):
    asked = []
    shapley(lambda members: asked.append(members) or 0.0, NAMES[:players])
    assert len(asked) == len(set(asked)) == 2**players


def test_nobody_at_the_table_divides_nothing():
    found = shapley(lambda _: 3.0, ())
    assert (found.players, found.contributions, found.total) == ((), (), 0.0)
    assert str(found) == "+0 divided among 0: "


def test_a_player_named_twice_is_refused():
    with pytest.raises(ValueError, match="named twice: a, b, a"):
        shapley(lambda _: 0.0, "aba")


def test_many_players_need_a_generator():
    with pytest.raises(ValueError, match="20 players are more than 16"):
        shapley(crowd_worth, CROWD)


def test_sampled_parts_add_up_exactly():
    found = shapley(crowd_worth, CROWD, rng=np.random.default_rng(0), permutations=20)
    assert sum(found.contributions) == pytest.approx(found.total)
    assert found.total == crowd_worth(frozenset(CROWD))


def test_sampled_parts_are_within_their_stated_error():
    found = shapley(crowd_worth, CROWD, rng=np.random.default_rng(1), permutations=400)
    truth = [int(name[1:]) + (2.5 if name in ("p0", "p1") else 0) for name in CROWD]
    away = np.abs(np.array(found.contributions) - truth)
    assert (away <= 4 * np.array(found.errors) + 1e-9).all()


def test_an_antithetic_pair_settles_a_game_of_pairs():
    found = shapley(crowd_worth, CROWD, rng=np.random.default_rng(1), permutations=4)
    assert found["p0"] == pytest.approx(2.5)
    assert found["p1"] == pytest.approx(3.5)


@pytest.mark.parametrize("permutations", [0, 1, 2, 3])
def test_too_few_permutations_for_an_error_are_refused(permutations):
    with pytest.raises(ValueError, match=f"{permutations} permutations leave no error to report"):
        shapley(crowd_worth, CROWD, rng=np.random.default_rng(0), permutations=permutations)


def test_the_fewest_permutations_allowed_give_an_error():
    found = shapley(crowd_worth, CROWD, rng=np.random.default_rng(0), permutations=4)
    assert all(math.isfinite(part) for part in (*found.contributions, *found.errors))


def test_the_same_seed_draws_the_same_permutations():
    one, other = (
        shapley(lambda m: len(m) ** 2 + ("p3" in m) * len(m), CROWD, rng=np.random.default_rng(7)) for _ in "ab"
    )
    assert one == other


def test_exact_parts_have_no_monte_carlo_error():
    assert shapley(lambda members: len(members) ** 2, "abc").errors == (0.0, 0.0, 0.0)


def test_an_attribution_comes_back_from_its_dictionary():
    found = shapley(lambda members: len(members) ** 2 + ("a" in members), "abc")
    assert Attribution.from_dict(found.to_dict()) == found


def test_an_attribution_lists_its_players_as_rows():
    found = shapley(lambda members: 2.0 * ("b" in members), "ab")
    assert found.rows() == [
        {"player": "a", "contribution": 0.0, "monte_carlo_error": 0.0},
        {"player": "b", "contribution": 2.0, "monte_carlo_error": 0.0},
    ]
    assert list(found.to_frame()["player"]) == ["a", "b"]


def test_the_sentence_names_the_three_largest_parts():
    found = shapley(lambda members: float(sum("abcd".index(name) for name in members)), "abcd")
    assert str(found) == "+6 divided among 4: d +3, c +2, b +1"


def test_asking_for_a_stranger_is_an_error():
    with pytest.raises((KeyError, ValueError)):
        shapley(lambda _: 0.0, "ab")["c"]
