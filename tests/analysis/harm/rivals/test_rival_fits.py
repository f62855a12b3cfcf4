"""Shares that rivals would predict: how often a value coincides with another, and who answers are known of."""

import numpy as np
import pandas as pd

from rca.analysis.harm.rivals.rival_fits import by_answer, coincidence
from tests.analysis.harm.rivals.simulated_windows import drawn, windows


def test_values_of_many_hardly_coincide_and_of_two_often():
    rng = np.random.default_rng(0)
    many, two = (pd.Series(rng.normal(size=500)) for _ in range(2)), pd.Series(rng.integers(0, 2, 500))
    assert coincidence(*many) < 0.05
    assert 0.4 < coincidence(two, two.sample(frac=1, random_state=1)) < 0.6


def test_each_row_has_a_chance():
    before, after = drawn(1, 400)
    chances = by_answer(windows(before, after), after, "y")
    assert len(chances) == len(after)
    assert ((chances >= 0) & (chances <= 1)).all()
