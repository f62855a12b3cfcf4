"""A category enumerated anew, as its rows' outcomes tell: found, dated, told from another base rate and from noise."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.outcome_recoding import Told, recoded_by_outcome

NAMES = list("abcdef")
CHANCE = dict(zip(NAMES, [0.1, 0.25, 0.4, 0.55, 0.7, 0.85], strict=True))

SHARES = [0.3, 0.2, 0.18, 0.14, 0.1, 0.08]


def told(rng, *, rows=2000, meant=None, since=0, chance=None):
    """Rows of a category whose outcomes follow what each name truly means."""
    truly = rng.choice(NAMES, rows, p=SHARES)
    outcome = rng.random(rows) < np.array([(chance or CHANCE)[name] for name in truly])
    late = np.arange(rows) >= since
    written = {was: now for now, was in (meant or {}).items()}
    held = np.where(late, [written.get(name, name) for name in truly], truly)
    known = pd.Series(rng.choice(NAMES, 3000, p=SHARES))
    return Told.of(pd.Series(held), known, lambda name: (outcome - CHANCE[name]) ** 2)


@pytest.mark.parametrize("meant", [{"a": "f", "f": "a"}, {"a": "b", "b": "c", "c": "d", "d": "e", "e": "f", "f": "a"}])
@pytest.mark.parametrize("since", [0, 900])
def test_names_that_mean_others_are_found_with_their_map(meant, since):
    found = recoded_by_outcome("plan", told(np.random.default_rng(0), meant=meant, since=since), ordered=True,
                               rng=np.random.default_rng(1))  # fmt: skip
    assert found.fault == "recoded"
    assert dict(found.recoding).items() <= meant.items() or dict(found.recoding) == meant
    assert abs(found.since - since) <= 200


def test_nothing_is_named_where_names_mean_what_they_did():
    named = [
        recoded_by_outcome("plan", told(np.random.default_rng(seed)), ordered=True, rng=np.random.default_rng(seed))
        for seed in range(30)
    ]
    assert not any(named)


def test_another_base_rate_is_no_recoding():
    higher = {name: min(chance + 0.15, 1.0) for name, chance in CHANCE.items()}
    named = [
        recoded_by_outcome(
            "plan", told(np.random.default_rng(seed), chance=higher), ordered=True, rng=np.random.default_rng(seed)
        )
        for seed in range(20)
    ]
    assert not any(named)


def test_names_as_common_as_ever_whose_outcomes_changed_are_another_concept():
    turned = dict(zip(NAMES, [CHANCE[name] for name in "fabcde"], strict=True))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert recoded_by_outcome("plan", told(rng, chance=turned), ordered=True, rng=rng) is None
