"""Columns that go round, turned by a constant as the shares of their values tell; and what only looks so."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import inflict, mend
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.ring_shift import by_shares, turned_back
from rca.tables.column_pair import ColumnPair

RINGS = [
    (0.0, 24.0, True, 8.0),
    (0.0, 24.0, False, 5.0),
    (0.0, 7.0, True, 3.0),
    (1.0, 7.0, True, 3.0),
    (1.0, 12.0, True, 5.0),
    (0.0, 360.0, False, 90.0),
    (-180.0, 360.0, False, 180.0),
    (-np.pi, 2 * np.pi, False, np.pi / 2),
]
"""Lowest value, span, whether whole, offset."""


def told(before, after):
    return by_shares(ColumnPair(reference=before["c"], current=after["c"]))


def law(rng, *, waves=3):
    """Draws round a ring of span one, with some peaks of their own."""
    middle, width = rng.uniform(0, 1, waves), rng.uniform(0.03, 0.12, waves)
    weight = rng.dirichlet(np.full(waves, 3.0))

    def draw(rows, weight=weight):
        peak = rng.choice(waves, rows, p=weight)
        return np.where(rng.random(rows) < 0.4, rng.random(rows), rng.normal(middle[peak], width[peak])) % 1

    return draw


def placed(drawn, ring):
    lowest, span, whole, _ = ring
    return pd.DataFrame({"c": lowest + (np.floor(drawn * span) if whole else drawn * span)})


def turned_by(rows, ring):
    lowest, span, _, by = ring
    return lowest + (rows["c"] - lowest + by) % span


@pytest.mark.parametrize("ring", RINGS)
def test_a_ring_that_is_turned_is_known_by_its_shares_and_turned_back(ring):
    found = []
    for seed in range(10):
        draw = law(np.random.default_rng(seed))
        before, truth = placed(draw(5000), ring), placed(draw(5000), ring)
        after = truth.assign(c=turned_by(truth, ring))
        fault = told(before, after)
        if fault is not None:
            assert fault.ring == ring[:2]
            found.append(abs(fault.offset - ring[3]) / ring[1])
            if found[-1] == 0:
                np.testing.assert_allclose(mend(fault, after), truth["c"], atol=1e-9 * ring[1])
    assert len(found) >= 4
    assert max(found) <= 5 / 360


def test_a_ring_that_is_turned_from_a_row_on_is_dated():
    draw = law(np.random.default_rng(4))
    ring = (0.0, 24.0, True, 8.0)
    before, truth = placed(draw(4000), ring), placed(draw(4000), ring)
    late = np.arange(4000) >= 1500
    after = truth.assign(c=np.where(late, turned_by(truth, ring), truth["c"]))
    found = diagnose(before, after, univariate_drift(before, after), ordered=True).get("c")
    assert (found.fault, found.offset, found.ring) == ("shifted", 8, (0, 24))
    assert found.since == pytest.approx(1500, abs=40)


@pytest.mark.parametrize("ring", RINGS)
def test_shares_that_stay_or_another_mix_are_not_a_turn(ring):
    for seed in range(14):
        rng = np.random.default_rng(seed)
        draw, other = law(rng), np.random.default_rng(seed).dirichlet(np.ones(3))
        before = placed(draw(2000), ring)
        for weight in ({}, {"weight": other}):
            assert told(before, placed(draw(2000, **weight), ring)) is None


def test_whole_numbers_without_a_seam_are_not_turned():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        mean, more = rng.uniform(3, 9), int(rng.integers(1, 6))
        before, after = (pd.DataFrame({"c": np.minimum(rng.poisson(mean, 3000), 23.0)}) for _ in range(2))
        after["c"] = np.minimum(after["c"] + more, 23)
        assert told(before, after) is None


def test_a_ring_as_common_all_round_or_too_short_to_tell_is_not_turned():
    rng = np.random.default_rng(0)
    even = [pd.DataFrame({"c": rng.integers(0, 24, 3000).astype(float)}) for _ in range(2)]
    assert told(even[0], even[1].assign(c=(even[1]["c"] + 8) % 24)) is None
    few = [rows.head(20) for rows in even]
    assert told(*few) is None
    words = [pd.DataFrame({"c": rng.choice(["a", "b"], 300)}) for _ in range(2)]
    assert told(*words) is None


# --- undone, and done -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ring", RINGS)
def test_what_is_turned_is_turned_back(ring):
    lowest, span, whole, by = ring
    rows = placed(np.random.default_rng(0).random(500), ring)
    fault = ColumnFault(column="c", fault="shifted", share=1.0, evidence="", offset=by, ring=(lowest, span))
    wrong = rows.assign(c=inflict(fault, rows, np.ones(500, dtype=bool)))
    assert wrong["c"].between(lowest, lowest + span).all()
    np.testing.assert_allclose(mend(fault, wrong), rows["c"], atol=1e-9 * span)
    if whole:
        assert mend(fault, wrong).tolist() == rows["c"].tolist()


def test_what_is_a_hair_below_the_beginning_is_at_the_beginning():
    assert turned_back(np.array([0.3]), offset=0.1 + 0.2, ring=(0, 24)).tolist() == [0.0]
