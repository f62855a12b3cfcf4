"""Names that mean others now, as the model's errors or the relation tell; other columns are left as they are."""

import numpy as np
import pytest

from rca.analysis.harm.rivals.recoded_columns import recoded_columns
from tests.analysis.harm.rivals.simulated_windows import chance, drawn, weighing

ODDS = {"p": -1.6, "q": 1.6, "r": 0.0}


def law(rows, odds=ODDS):
    return rows["a"] + rows["shop"].astype(object).map(odds).astype(float)


def model(rows):
    return chance(law(rows))


def exchanged(rows, _):
    return rows.assign(shop=rows["shop"].replace({"p": "q", "q": "p"}))


def asked(before, after, **how):
    return recoded_columns(weighing(before, after, **how), ["a", "shop"])


@pytest.mark.parametrize(("known", "dtype"), [({"model": model}, object), ({}, "category")])
def test_two_names_that_were_exchanged_are_found(known, dtype):
    both = drawn(1, 1500, law=law, broken=exchanged, answer=model)
    both[0]["y"] = (np.random.default_rng(5).random(1500) < model(both[0])).astype(int)
    found = asked(*(rows.assign(shop=rows["shop"].astype(dtype)) for rows in both), **known)
    assert list(found) == ["shop"]
    assert dict(found["shop"].recoding) == {"p": "q", "q": "p"}


def test_names_that_mean_what_they_did_and_columns_without_any_are_not_recoded():
    before, after = drawn(2, 1500, law=law, answer=model)
    before["y"] = (np.random.default_rng(5).random(1500) < model(before)).astype(int)
    assert asked(before, after, model=model) == {}
    assert asked(before.assign(shop=None), after.assign(shop=None)) == {}
