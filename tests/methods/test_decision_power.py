"""A design is as strong as it says: more rows decide more often, and no fewer are asked for than are needed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.methods.decision_power import (
    DRAWS,
    ENOUGH,
    MOST,
    SLIP,
    Pool,
    cheapest,
    counted,
    evenly,
    made_up_for,
    rarely,
    sizes,
    tilted,
)
from rca.methods.metric import Parts


def of_counts(share, most, *, seed=0, slip=SLIP):
    rng = np.random.default_rng(seed)
    return cheapest(lambda rows: counted(rng, rows, wrong=np.full(DRAWS, share), slip=slip), most)


def rows_with(rate, rows=1000):
    return Parts(numerator=1.0 * (np.arange(rows) < rate * rows)[:, None], denominator=np.ones((rows, 1)))


@given(st.integers(0, 20_000))
def test_sizes_double_up_to_the_rows_that_there_are(most):
    tried = list(sizes(most))
    assert tried == sorted(set(tried))
    assert tried[-1:] == [min(most, MOST)] * (most > 0)


def test_more_rows_more_power():
    powers = [of_counts(0.03, most).power for most in (10, 40, 160)]
    assert powers == sorted(powers)
    assert powers[0] < 0.5 < ENOUGH < powers[-1]


@settings(deadline=None, max_examples=20)
@given(st.floats(0.05, 0.9))
def test_a_larger_share_needs_no_more_rows(share):
    assert of_counts(min(1.0, share + 0.1), 5000).rows <= of_counts(share, 5000).rows


def test_where_the_rows_do_not_suffice_their_power_is_said():
    found = of_counts(0.02, 40)
    assert found.rows == 40
    assert found.power < ENOUGH


def test_without_slips_one_row_that_differs_is_enough():
    assert of_counts(0.5, 5000, slip=0.0).threshold == 1


def test_of_no_rows_nothing_is_designed():
    assert of_counts(0.5, 0) is None


def test_two_worlds_that_are_one_cannot_be_told_apart():
    rng = np.random.default_rng(0)
    pool = Pool(parts=rows_with(0.3), chances=evenly(rows_with(0.3)))
    assert cheapest(lambda rows: (pool.draws(rows, rng), pool.draws(rows, rng)), 640).power == pytest.approx(
        0.5, abs=0.1
    )


def test_a_metric_that_cannot_be_read_decides_nothing():
    nothing = cheapest(lambda rows: (np.full(5, np.nan), np.full(5, np.nan)), 10)
    assert nothing.power == 0


def test_rare_rows_take_many():
    rng = np.random.default_rng(0)
    found = cheapest(lambda rows: rarely(rng, rows, of=((20, 1000), (0, 1000))), 5000)
    assert found.rows >= 160
    assert found.power >= ENOUGH


@settings(deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_tilted_rows_have_the_mean_that_is_asked_for(rate, asked):
    parts = rows_with(round(rate, 2))
    chances = tilted(parts, evenly(parts), level=0.0, mean=asked)
    assert float(chances @ parts.numerator[:, 0]) == pytest.approx(asked, abs=1e-6)


def test_a_mean_beyond_the_rows_is_met_as_far_as_they_go():
    parts = rows_with(0.5)
    assert float(tilted(parts, evenly(parts), level=0.0, mean=7.0) @ parts.numerator[:, 0]) == pytest.approx(1.0)


def test_what_makes_up_for_the_known_gives_the_reference_in_all():
    before, known = rows_with(0.2), rows_with(0.3, rows=500)
    pool = Pool(
        parts=before, chances=made_up_for(before, evenly(before), known, missing=1500), beside=known, standing_for=1500
    )
    assert pool.draws(500, np.random.default_rng(0)).mean() == pytest.approx(0.2, abs=0.01)
