"""Of thousands of columns few are weighed: those that moved or broke, and those that tell of the outcome."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.question import drift_of
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.column_screening import ALIKE, MOST, screened
from rca.analysis.inputs.windows import windows_from


def windows(columns, **how):
    rng = np.random.default_rng(0)

    def rows():
        table = pd.DataFrame(rng.normal(size=(300, columns)), columns=[f"n{at}" for at in range(columns)])
        table["paid"] = (table["n7"] + 0.5 * rng.normal(size=300) > 0).astype(int)
        return table.assign(said=(table["n9"] > 0).astype(int))

    before, after = rows(), rows()
    after["n11"] *= 12
    return windows_from(before, after, metric="error_rate", label="paid", prediction="said", **how)


def weighed(asked):
    drift = drift_of(asked)
    return screened(asked, drift, faults_of(asked, drift))


def test_few_columns_are_all_weighed():
    asked = windows(20)
    assert weighed(asked) is asked


def test_of_many_columns_those_that_broke_or_tell_of_outcome_and_answers_are_weighed_in_their_order():
    asked = windows(MOST + 20)
    kept = weighed(asked).roles.features
    assert {"n7", "n9", "n11"} <= set(kept)
    assert ALIKE <= len(kept) < MOST
    assert list(kept) == [name for name in asked.roles.features if name in kept]


@pytest.mark.parametrize("how", [{"model": lambda rows: (rows["n9"] > 0).astype(float)}])
def test_a_model_that_reads_them_keeps_every_column(how):
    asked = windows(MOST + 20, **how)
    assert weighed(asked) is asked


def test_a_causal_parent_is_weighed_however_little_it_tells():
    for name in ("n0", "n1", "n2"):
        assert name in weighed(windows(MOST + 20, graph=[(name, "paid")])).roles.features
