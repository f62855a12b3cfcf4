"""Joint drift: alike windows cannot be told apart, and what moved together is seen though no column moved alone."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift import classifier_two_sample as joint_module
from rca.analysis.drift.classifier_two_sample import Joint, classifier_two_sample
from rca.analysis.drift.univariate import univariate_drift
from rca.errors import InvalidCase, Unanswerable

N = 600


def window(seed, **columns):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N), "w": rng.choice(list("xyz"), N)})
    return frame.assign(**columns)


def told(reference, current, **options):
    return classifier_two_sample(reference, current, rng=np.random.default_rng(0), **options)


def test_columns_that_moved_together_are_seen_though_none_moved_alone():
    before, after = window(1), window(2)
    after["b"] = np.where(after.index % 4 > 0, after["a"], after["b"])
    assert univariate_drift(before, after).moved() == ()
    found = told(before, after)
    assert found.moved
    assert {carrier.column for carrier in found.carrying()} == {"a", "b"}
    assert found.p_value < 1e-6
    assert "can be told apart" in str(found)
    assert [finding.id for finding in found.findings()] == ["joint.windows"]


def test_alike_windows_are_no_finding():
    found = told(window(1), window(2))
    assert 0.5 in found.interval
    assert not found.moved
    assert found.findings() == ()


def test_the_same_seed_gives_the_same_answer():
    assert told(window(1), window(2)) == told(window(1), window(2))


def test_windows_without_overlap_are_told_apart_surely():
    found = told(window(1), window(2, a=np.arange(N) * 1.5 + 100))
    assert found.auc > 0.999
    assert found.interval.high == 1.0
    assert found.moved
    assert found.carriers[0].column == "a"


def test_what_only_tells_rows_apart_does_not_tell_windows_apart():
    times = pd.date_range("2024", periods=2 * N, freq="h", tz="UTC")
    before = window(1, id=[f"u{i}" for i in range(N)], at=times[:N], row=range(N))
    after = window(2, id=[f"u{i}" for i in range(N, 2 * N)], at=times[N:], row=range(N, 2 * N))
    assert {carrier.column for carrier in told(before, after).carriers} == {"a", "b", "w"}


def test_missing_values_tell_windows_apart():
    before, after = window(1), window(2)
    found = told(before, after.assign(a=after["a"].mask(after.index % 3 == 0)))
    assert found.moved
    assert found.carriers[0].column == "a"


def test_no_more_rows_are_used_than_asked_for():
    found = told(window(1), window(2)[:300], rows=400)
    assert (found.n_reference, found.n_current) == (400, 300)


def test_too_little_cannot_say():
    with pytest.raises(Unanswerable, match="fewer than 40 rows"):
        told(window(1), window(2)[:10])
    with pytest.raises(Unanswerable, match="no column"):
        told(window(1), window(2), features=[])
    with pytest.raises(Unanswerable, match="tell rows apart"):
        told(pd.DataFrame({"row": range(N)}), pd.DataFrame({"row": range(N)}))


def test_a_column_that_is_not_there_is_refused():
    with pytest.raises(InvalidCase, match="no column 'c'"):
        told(window(1), window(2), features=["c"])


@pytest.mark.parametrize(
    "odd",
    [
        np.full(N, np.nan), np.ones(N), [np.inf, -np.inf] * (N // 2), [[1], None] * (N // 2), [1, "a"] * (N // 2),
        pd.Series([True, None] * (N // 2), dtype="boolean"), pd.Series(["a", None] * (N // 2), dtype="category"),
    ],
    ids=["missing", "constant", "infinite", "unhashable", "mixed", "nullable", "category"],
)  # fmt: skip
def test_a_hostile_column_that_is_alike_in_both_windows_carries_nothing(odd):
    found = told(window(1, odd=odd), window(2, odd=odd))
    assert "odd" not in {carrier.column for carrier in found.carrying()}
    assert Joint.from_dict(found.to_dict()) == found


def test_an_auc_and_its_error_are_those_of_every_pair_of_rows():
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 9, 40).astype(float), rng.integers(2, 12, 30).astype(float)
    wins = (after[:, None] > before) + 0.5 * (after[:, None] == before)
    auc, error = joint_module._estimate(joint_module._parts(np.r_[before, after], np.repeat([0, 1], [40, 30])))
    assert auc == pytest.approx(wins.mean())
    assert error == pytest.approx(np.sqrt(wins.mean(0).var(ddof=1) / 40 + wins.mean(1).var(ddof=1) / 30))


def embedded(mean, seed, width=16, rows=500):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"e": list(rng.normal(mean, 1, (rows, width))), "x": rng.normal(size=rows)})


def test_embeddings_that_moved_are_told_apart_as_one_column():
    found = classifier_two_sample(embedded(0, 0), embedded(0.5, 1), rng=np.random.default_rng(0))
    assert found.moved
    assert [carrier.column for carrier in found.carrying()] == ["e"]
    same = classifier_two_sample(embedded(0, 0), embedded(0, 1), rng=np.random.default_rng(0))
    assert not same.moved


def test_lists_of_unlike_lengths_are_refused_and_missing_ones_are_not():
    before, after = embedded(0, 0), embedded(0.5, 1)
    holed = after.assign(e=[None if at % 9 == 0 else cell for at, cell in enumerate(after["e"])])
    assert classifier_two_sample(before, holed, rng=np.random.default_rng(0)).moved
    ragged = after.assign(e=[cell[: 1 + at % 3] for at, cell in enumerate(after["e"])])
    with pytest.raises(InvalidCase, match="no vectors of one length"):
        classifier_two_sample(before, ragged, rng=np.random.default_rng(0))
