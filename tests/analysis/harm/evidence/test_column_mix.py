"""Other people came: the reference weighted to their shares is as bad, or it is not."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.evidence.column_mix import column_mix
from rca.analysis.inputs.windows import windows_from


def rows(rng, n, bad_share, *, harder=0.4):
    shop = np.where(rng.random(n) < bad_share, "bad", rng.choice(["fine", "good"], n))
    return pd.DataFrame({"shop": shop, "x": rng.normal(size=n), "late": rng.random(n) < 0.1 + harder * (shop == "bad")})


def mixed(before, after, column="shop", **how):
    return column_mix(windows_from(before, after, metric={"name": "rate", "column": "late"}, **how), column)


def test_weights_to_the_same_shares_change_nothing():
    before = rows(np.random.default_rng(0), 900, 0.2)
    for column in ("shop", "x"):
        found = mixed(before, before, column)
        assert found.value == pytest.approx(0, abs=1e-12)
        assert found.n_effective == pytest.approx(900)
        assert (found.covered, found.vanished) == pytest.approx((1.0, 0.0))


def test_a_bad_group_that_grew_explains_the_change():
    rng = np.random.default_rng(1)
    before, after = rows(rng, 1500, 0.2), rows(rng, 1500, 0.7)
    found = mixed(before, after)
    change = after["late"].mean() - before["late"].mean()
    assert found.value == pytest.approx(change, abs=0.05)
    assert found.value > 4 * found.error
    assert all(half > 0 for half in found.halves)
    assert found.n_effective < 1500
    assert abs(mixed(before, after, "x").value) < 0.02


def test_a_group_that_grew_and_is_like_the_others_explains_nothing():
    rng = np.random.default_rng(2)
    found = mixed(rows(rng, 1500, 0.2, harder=0.0), rows(rng, 1500, 0.7, harder=0.4))
    assert abs(found.value) < 3 * found.error


def test_errors_are_those_of_repeated_draws():
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found.append(mixed(rows(rng, 500, 0.2), rows(rng, 400, 0.5)))
    assert np.mean([one.error for one in found]) == pytest.approx(np.std([one.value for one in found]), rel=0.25)


def test_a_number_is_cut_by_the_references_quantiles_and_the_missing_are_a_cell():
    rng = np.random.default_rng(3)
    before = rows(rng, 1000, 0.2, harder=0.0).assign(x=np.where(rng.random(1000) < 0.2, np.nan, rng.normal(size=1000)))
    before["late"] = before["x"].isna()
    after = before[before["x"].isna() | (before.index % 4 == 0)]
    assert mixed(before, after, "x").value == pytest.approx(after["late"].mean() - before["late"].mean(), abs=1e-9)


def test_values_that_vanished_or_were_never_seen_are_counted():
    rng = np.random.default_rng(4)
    before, after = rows(rng, 800, 0.25), rows(rng, 800, 0.25)
    gone = mixed(before, after[after["shop"] != "bad"])
    assert gone.vanished == pytest.approx((before["shop"] == "bad").mean())
    assert gone.covered == 1.0
    new = mixed(before, after.replace({"shop": {"good": "new"}}))
    assert new.covered == pytest.approx((after["shop"] != "good").mean())


def test_one_value_alone_and_only_values_never_seen_have_no_mix():
    rng = np.random.default_rng(5)
    before, after = rows(rng, 300, 0.3), rows(rng, 300, 0.3)
    assert mixed(before.assign(shop="one"), after.assign(shop="one")) is None
    assert mixed(before, after.assign(shop="new")) is None
    assert mixed(before, after) is not None
