"""Two columns that hold each other's values: named as partners, from the row or in the rows in which they do."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import hit, mend
from rca.analysis.faults.diagnosis import diagnose
from tests.analysis.faults.broken_columns import NEXT, SKEWED


def test_swapped_columns_are_named_as_each_others_partner():
    rng = np.random.default_rng(1)
    before = pd.DataFrame({"a": SKEWED, "b": rng.normal(100, 5, 1200), "c": SKEWED + 1})
    after = pd.DataFrame({"a": rng.normal(100, 5, 1200), "b": NEXT, "c": NEXT + 1})
    found = diagnose(before, after, univariate_drift(before, after))
    assert {(row.column, row.fault, row.partner) for row in found.columns} == {
        ("a", "swapped", "b"),
        ("b", "swapped", "a"),
    }
    assert_allclose(mend(found.get("a"), after), after["b"])


@pytest.mark.parametrize("begins", [0, 600])
def test_columns_that_exchange_their_values_are_named_from_the_row_on_at_which_they_do(begins):
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"a": rng.normal(42, 12, 1500), "b": rng.exponential(5, 1500)}) for _ in range(2))
    wrong = np.arange(1500) >= begins
    mixed = pd.DataFrame({"a": np.where(wrong, after["b"], after["a"]), "b": np.where(wrong, after["a"], after["b"])})
    found = diagnose(before, mixed, univariate_drift(before, mixed), ordered=True)
    assert {row.column: (row.fault, row.partner) for row in found.columns} == {
        "a": ("swapped", "b"),
        "b": ("swapped", "a"),
    }
    assert found.get("a").since == pytest.approx(begins, abs=15)
    pd.testing.assert_series_equal(mend(found.get("a"), mixed).iloc[700:], after["a"].iloc[700:], check_dtype=False)


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_columns_exchanged_in_a_part_of_the_rows_are_each_others_partner(share):
    rng = np.random.default_rng(0)
    before, after = (
        pd.DataFrame({"limit": rng.lognormal(11, 0.7, 3000), "late": rng.integers(0, 9, 3000)}) for _ in range(2)
    )
    swapped = rng.random(3000) < share
    broken = after.astype(float).assign(
        limit=np.where(swapped, after["late"], after["limit"]), late=np.where(swapped, after["limit"], after["late"])
    )
    found = diagnose(before, broken, univariate_drift(before, broken))
    for name, partner in (("limit", "late"), ("late", "limit")):
        fault = found.get(name)
        assert (fault.fault, fault.partner) == ("swapped", partner)
        assert (hit(fault, broken) == swapped).mean() > 0.99
        assert (mend(fault, broken) == after[name]).mean() > 0.99


@pytest.mark.parametrize("left", [0, 1])
def test_a_column_that_is_gone_is_exchanged_with_none(left):
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"a": rng.normal(size=900), "b": rng.normal(50, 1, 900)}) for _ in range(2))
    after = after.assign(a=after["a"].where(after.index < left), b=after["b"].where(rng.random(900) < 0.5, 7.0))
    found = diagnose(before, after, univariate_drift(before, after))
    assert [row.partner for row in found.columns] == [None, None]
    assert found.get("a").fault == "missing"


@pytest.mark.parametrize("columns", [3, 5])
@pytest.mark.parametrize("begins", [0, 700])
def test_columns_turned_in_a_ring_hold_each_others_values_and_are_put_back_exactly(columns, begins):
    rng = np.random.default_rng(columns)
    before, after = (
        pd.DataFrame({f"x{at}": rng.normal(0, 1, 1500) * (1 + at) + 6 * at**2 for at in range(columns)})
        for _ in range(2)
    )
    names = list(after)
    turned = after.copy()
    turned.loc[begins:, names] = after.loc[begins:, [*names[1:], names[0]]].to_numpy()
    found = diagnose(before, turned, univariate_drift(before, turned), ordered=True)
    for name, partner, holder in zip(names, [*names[1:], names[0]], [names[-1], *names[:-1]], strict=True):
        fault = found.get(name)
        assert (fault.fault, fault.partner, fault.holder) == ("swapped", partner, holder)
        assert fault.since == pytest.approx(begins, abs=5)
        assert (mend(fault, turned) == after[name]).mean() > 0.99
        assert f"in a ring of {columns}" in fault.evidence


# --- rings in a part of the rows --------------------------------------------------------------------------------------


def four(seed, rows=2500):
    rng = np.random.default_rng(seed)
    columns = {"a": rng.normal(40, 10, rows), "b": rng.gamma(2, 20, rows), "c": rng.normal(90, 30, rows)}
    return pd.DataFrame({**columns, "d": rng.normal(size=rows), "shop": rng.choice(list("pqr"), rows)})


@pytest.mark.parametrize("ring", ["ab", "abc"])
@pytest.mark.parametrize(("where", "told"), [("shop", "shop=q"), ("d", "d>=0")])
def test_columns_of_a_ring_in_a_slice_are_known_with_it_and_undone(ring, where, told):
    before, after = four(0), four(1)
    struck = (after["shop"] == "q") if where == "shop" else (after["d"] >= 0)
    turned = after.copy()
    for one, then in zip(ring, ring[1:] + ring[:1], strict=True):
        turned.loc[struck, one] = after.loc[struck, then]
    found = diagnose(before, turned, univariate_drift(before, turned))
    for one, then in zip(ring, ring[1:] + ring[:1], strict=True):
        fault = found.get(one)
        assert (fault.fault, fault.partner) == ("swapped", then)
        assert str(fault.where[0]).startswith(told[:3])
        assert np.mean(mend(fault, turned).to_numpy() == after[one].to_numpy()) > 0.9


@pytest.mark.parametrize("ring", ["ab", "abc"])
def test_columns_that_mingle_in_some_rows_are_swapped_though_no_row_shows_it(ring):
    before, after = four(2), four(3)
    struck, turned = np.random.default_rng(4).random(len(after)) < 0.4, after.copy()
    for one, then in zip(ring, ring[1:] + ring[:1], strict=True):
        turned.loc[struck, one] = after.loc[struck, then]
    found = diagnose(before, turned, univariate_drift(before, turned))
    assert {one: found.get(one).fault for one in ring} == dict.fromkeys(ring, "swapped")
    assert not any(found.get(one).invertible for one in ring)


@pytest.mark.parametrize("seed", range(3))
def test_columns_that_drift_are_in_no_ring(seed):
    before, after = four(seed), four(seed + 50)
    after = after.assign(a=after["a"] * 1.2 + 5, b=after["b"] * 0.8, c=after["c"] + 20)
    assert not [
        row for row in diagnose(before, after, univariate_drift(before, after)).columns if row.fault == "swapped"
    ]


@pytest.mark.parametrize("after", [(0.1, 0.3, 0.4, 0.1, 0.1), (0.15, 0.3, 0.36, 0.1, 0.09)])
def test_flags_of_a_category_whose_mix_changed_are_not_exchanged(after):
    rng = np.random.default_rng(0)
    drawn = [rng.choice(5, 3000, p=shares) for shares in ((0.4, 0.3, 0.12, 0.1, 0.08), after)]
    flags = [pd.get_dummies(pd.Series(one), prefix="is", dtype=int) for one in drawn]
    assert not diagnose(*flags, univariate_drift(*flags)).broken
