"""Level incidents: drawn the same from the same seed, and their truth is in what the observation would show."""

import numpy as np
import pytest

from rca.practice.grammar.deciding import SORTS, excess, level, made


@pytest.mark.parametrize("seed", range(2 * len(SORTS)))
def test_the_same_seed_draws_the_same_level_incident(seed):
    one, again = level(seed), level(seed)
    assert (one.sort, one.truth) == (again.sort, again.truth)
    assert one.windows.current.equals(again.windows.current)
    assert one.harm.material


@pytest.mark.parametrize("seed", range(2 * len(SORTS)))
def test_only_what_changed_differs_from_its_source(seed):
    one = level(seed)
    recorded = one.windows.current
    known = recorded["y"].notna()
    differs = {name for name in recorded if (recorded[name][known] != one.source[name][known]).any()}
    expected = {
        "column": {"x", "said"} if one.truth == "changed" else set(),
        "answers": {"said"} if one.truth == "changed" else set(),
        "again": {"y"} if one.truth == "unchanged" else set(),
        "outcomes": set(),
    }
    assert differs == expected[one.sort]


def test_every_sort_is_given_an_observation():
    found = [made(level(seed), np.random.default_rng(seed)) for seed in range(len(SORTS))]
    assert [one.sort for one in found] == list(SORTS)
    assert -1 <= excess(found)[0] <= 1
