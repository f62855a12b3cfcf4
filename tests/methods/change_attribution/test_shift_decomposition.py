"""A change of a mean loss in terms: covariates, the label given them, and rows like none before."""

import json

import numpy as np
import pandas as pd
import pytest

from rca.errors import Unanswerable
from rca.methods.change_attribution.shift_decomposition import Decomposition, decompose
from rca.methods.metric import Parts


def drawn(rng, rows, *, shift=0.0, slope=1.0):
    w, z = rng.normal(shift, 1, rows), rng.normal(0, 1, rows)
    return pd.DataFrame({"w": w, "z": z, "loss": slope * w + z**2 + rng.normal(0, 1, rows)})


def split(reference, current, **options):
    known = {"features": ["w", "z"], "loss": "loss"} | options
    return decompose(reference, current, rng=np.random.default_rng(0), **known)


def pair(seed=0, rows=3000, **moved):
    rng = np.random.default_rng(seed)
    return drawn(rng, rows), drawn(rng, rows, **moved)


def within(term, truth):
    assert abs(term.value - truth) < 4 * term.error, str(term)


def test_the_terms_add_up_to_the_change():
    reference, current = pair(shift=0.5, slope=2.0)
    found = split(reference, current, baseline=["w"], features=["z"])
    assert [term.name for term in found.terms] == ["baseline", "features", "outcome", "unseen"]
    assert sum(term.value for term in found.terms) == pytest.approx(found.change)
    assert found.change == pytest.approx(current["loss"].mean() - reference["loss"].mean())


def test_covariates_that_moved_are_the_first_term():
    found = split(*pair(shift=0.7))
    within(found["features"], 0.7)
    within(found["outcome"], 0.0)


def test_a_label_that_follows_otherwise_is_the_outcome():
    found = split(*pair(shift=0.5, slope=3.0))
    within(found["features"], 0.5)
    within(found["outcome"], 1.0)


def test_a_baseline_that_moved_is_told_from_the_features():
    found = split(*pair(shift=0.5), baseline=["w"], features=["z"])
    within(found["baseline"], 0.5)
    within(found["features"], 0.0)


def test_rows_like_none_before_are_a_term_of_their_own():
    reference, current = pair()
    odd = np.arange(3000) < 300
    current["w"], current["loss"] = np.where(odd, 40.0, current["w"]), np.where(odd, 10.0, current["loss"])
    found = split(reference, current)
    assert found.unseen_share == pytest.approx(0.1)
    assert found["unseen"].value == pytest.approx(0.1 * (10 - reference["loss"].mean()), abs=1e-9)
    within(found["features"], 0.0)
    named = split(*(f.assign(w=np.where(f["w"] > 9, "new", "old")) for f in (reference, current)))
    assert named.unseen_share == pytest.approx(0.1)


def test_windows_that_hardly_overlap_give_no_number():
    found = split(*pair(rows=800, shift=5.0))
    assert not found["features"].identifiable
    assert found.rows()[0]["contribution"] is None
    assert "no overlap" in found.unanswered[0].why
    assert all(finding.id != "decomposition.features" for finding in found.findings())


def test_identical_windows_split_into_nothing():
    reference, _ = pair()
    for term in split(reference, reference).terms:
        assert abs(term.value) <= 3 * term.error


def test_a_ratio_of_means_is_split_like_a_mean():
    rng = np.random.default_rng(1)
    before, after = pair(shift=0.5)
    parts = []
    for rows in (before, after):
        counts = (rng.random(len(rows)) < 0.6).astype(float)[:, None]
        parts.append(Parts(numerator=counts * (rows[["w"]] > 0.5).to_numpy(float), denominator=counts))
    found = split(before, after, loss=tuple(parts))
    assert sum(term.value for term in found.terms) == pytest.approx(found.change)
    within(found["outcome"], 0.0)
    assert 0 not in found["features"].interval
    root = tuple(Parts(numerator=p.numerator, denominator=p.denominator, shape="root") for p in parts)
    with pytest.raises(Unanswerable, match="ratio of means"):
        split(before, after, loss=root)


def test_a_loss_that_no_polynomial_tells_is_told_by_trees():
    rng = np.random.default_rng(2)

    def made(shift, rows=4000):
        x = rng.normal(shift, 1, rows)
        return pd.DataFrame({"w": x, "z": rng.normal(size=rows), "loss": np.sign(np.sin(4 * x))})

    found = split(made(0.0), made(0.4))
    within(found["outcome"], 0.0)
    assert found["outcome"].error < 0.04


def test_few_rows_cannot_be_split():
    reference, current = pair(rows=100)
    with pytest.raises(Unanswerable, match="39 rows"):
        split(reference, current.head(39))


ODD = {
    "all missing": np.full(200, np.nan),
    "constant": np.ones(200),
    "infinite": np.where(np.arange(200) % 3, np.inf, 1.0),
    "enormous": np.where(np.arange(200) % 2, 1e308, -1e308),
    "a value a row": [f"u{i}" for i in range(200)],
    "mixed": pd.Series([1, "a", None, True, 2.5] * 40, dtype=object),
    "boolean": pd.Series([True, False, None, True] * 50, dtype="boolean"),
    "time": pd.Series(pd.date_range("2024-01-01", periods=200, tz="UTC")),
}


@pytest.mark.parametrize("before", ODD)
@pytest.mark.parametrize("after", ["constant", "mixed", "enormous"])
def test_any_sort_of_column_is_answered_without_a_warning(before, after):
    reference, current = pair(rows=200)
    found = split(reference.assign(w=ODD[before]), current.assign(w=ODD[after]))
    assert all(np.isfinite(term.value) for term in found.terms)


def test_it_says_itself_and_comes_back_from_json():
    found = split(*pair())
    assert Decomposition.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert str(found).startswith("a change of ")
    assert found.findings()[0].id == "decomposition.features"
