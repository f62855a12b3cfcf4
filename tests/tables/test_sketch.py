"""Sketches: what is counted adds up, whatever the column holds."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.errors import InvalidCase, Unanswerable
from rca.tables import bin_counts
from rca.tables.arrow_arrays import Numbers, label_counts, lengths, numbers
from rca.tables.bin_counts import CategoryCount, Moments, NumberCount
from rca.tables.bin_edges import BINS, BinScale, fit_scale
from rca.tables.columns import as_labels, as_numbers
from rca.tables.sketch import Sketch, pack, sketch, sketches, unpack

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)
FINITE = st.floats(-1e6, 1e6)


def table(values, labels):
    size = min(len(values), len(labels))
    return pd.DataFrame({"x": np.array(values[:size], float), "c": pd.Series(labels[:size], dtype="str")})


TABLES = st.builds(
    table,
    st.lists(FLOATS, min_size=30, max_size=30),
    st.lists(st.sampled_from(["a", "b", "c", "", None]), min_size=0, max_size=30),
)


def assert_same(found: Sketch, expected: Sketch):
    assert found.n == expected.n
    for name in expected.grid.columns:
        ours, theirs = found[name].to_dict(), expected[name].to_dict()
        for rounded in {"moments", "tails"} & ours.keys():
            assert ours.pop(rounded) == pytest.approx(theirs.pop(rounded), rel=1e-9, abs=1e-6), name
        assert ours == theirs, name


# --- adding up -------------------------------------------------------------------------------------------------------


@given(TABLES, TABLES)
@settings(max_examples=60, deadline=None)
def test_the_sketch_of_two_tables_is_the_sum_of_theirs(first, second):
    grid = sketch(first).grid
    both = sketch(pd.concat([first, second], ignore_index=True), grid)
    found = sketch(first, grid) + sketch(second, grid)
    for name in grid.columns:
        ours, theirs = found[name].to_dict(), both[name].to_dict()
        ours.pop("moments", 0), theirs.pop("moments", 0), ours.pop("tails", 0), theirs.pop("tails", 0)
        assert ours == theirs


@given(st.lists(FINITE, max_size=40), st.lists(FINITE, max_size=40))
def test_moments_add_up_to_those_of_all_values(first, second):
    found = Moments.of(np.array(first)) + Moments.of(np.array(second))
    values = np.array(first + second)
    assert found.n == len(values)
    if len(values):
        assert found.mean == pytest.approx(values.mean(), rel=1e-9, abs=1e-6)
        assert found.m2 == pytest.approx(values.var() * len(values), rel=1e-7, abs=1e-3)
        assert (found.smallest, found.largest) == (values.min(), values.max())
    if len(values) > 1:
        assert found.sd == pytest.approx(values.std(ddof=1), rel=1e-6, abs=1e-3)


@given(TABLES, st.permutations(range(30)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_and_columns_does_not_matter(rows, order):
    like = sketch(rows)
    mixed = rows.iloc[[i for i in order if i < len(rows)]][["c", "x"]]
    found = sketch(mixed, like)
    assert found["x"].counts.tolist() == like["x"].counts.tolist()
    assert found["c"].to_dict() == like["c"].to_dict()


def test_a_sketch_of_no_rows_changes_nothing():
    rows = table([1.0, 2.0, np.nan], ["a", None, "b"])
    found = sketch(rows)
    assert_same(found + sketch(rows.head(0), found), found)
    assert_same(sum([found, Sketch.empty(found.grid)]), found)


def test_sketches_on_two_grids_do_not_add_up():
    first, second = (sketch(pd.DataFrame({"a": values})) for values in ([1.5, 2.0], [1.5, 9.0]))
    with pytest.raises(InvalidCase, match=r"two grids.*`like` the same reference"):
        first + second


def test_a_sketch_comes_back_from_json_bit_for_bit():
    values = np.append(np.random.default_rng(0).normal(size=500) ** 5, [np.nan, np.inf, 1e300])
    rows = pd.DataFrame({"x": values, "c": [f"v{i % 7}" for i in range(503)], "t": "é" * 3})
    found = sketch(rows, text=["t"])
    for back in (unpack(pack(found)), Sketch.from_dict(json.loads(json.dumps(found.to_dict())))):
        assert back.to_dict() == found.to_dict()
        assert back.grid == found.grid


def test_a_sketch_says_what_it_holds():
    found = sketch(pd.DataFrame({"x": [1.0, 3.0, None], "c": ["a", "b", "b"]}))
    assert str(found) == "sketch of 3 rows, 2 columns"
    assert found.rows() == [
        {"column": "x", "rows": 3, "missing": 1, "mean": 2.0, "sd": math.sqrt(2), "categories": None},
        {"column": "c", "rows": 3, "missing": 0, "mean": None, "sd": None, "categories": 2},
    ]
    assert found.to_frame().shape == (2, 6)
    with pytest.raises(KeyError):
        found["y"]


# --- numbers ---------------------------------------------------------------------------------------------------------


@given(st.lists(FLOATS, min_size=1, max_size=60), st.lists(FLOATS, max_size=60))
def test_bins_keep_the_order_of_values(sampled, values):
    scale = fit_scale(np.array(sampled))
    ordered = np.sort(np.array([value for value in values + sampled if not math.isnan(value)]))
    with np.errstate(over="ignore"):
        codes = scale.codes(ordered)
    assert (np.diff(codes) >= 0).all()
    assert ((codes >= 0) & (codes <= BINS + 1)).all()


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=3000),
        np.random.default_rng(0).normal(size=3000) + 1e9,
        np.exp(6 * np.random.default_rng(0).normal(size=3000)),
        np.random.default_rng(0).standard_cauchy(3000),
        -np.exp(6 * np.random.default_rng(0).normal(size=3000)),
        1e6 + np.random.default_rng(0).standard_cauchy(3000),
        np.append(np.zeros(2900), np.exp(6 * np.random.default_rng(0).normal(size=100))),
        np.arange(3000.0) % 1000,
        1.7e9 + np.arange(3000.0),
        np.append(np.random.default_rng(0).normal(size=3000), 1e12),
    ],
    ids=[
        "normal",
        "far",
        "log-normal",
        "Cauchy",
        "negative",
        "far Cauchy",
        "mostly zero",
        "whole",
        "seconds",
        "outlier",
    ],
)
def test_no_bin_holds_many_unlike_values_whatever_the_tails(values):
    distinct, counts = np.unique(values, return_counts=True)
    codes = fit_scale(values).codes(distinct)
    total = np.bincount(codes, weights=counts)
    most = np.zeros(BINS + 2)
    np.maximum.at(most, codes, counts)
    assert (total - most[: len(total)]).max() / len(values) < 0.02


@pytest.mark.parametrize("values", [[0.1, 0.7, 3.0], [1e-9, 1.0, 1e9, 1e12], [5.0], [-3.0, 4.0]])
def test_every_value_lies_between_the_edges_of_its_bin(values):
    values = np.array(values)
    scale = fit_scale(values)
    edges, codes = scale.edges(), scale.codes(values)
    slack = 1e-9 * np.abs(values)
    assert (edges[codes - 1] <= values + slack).all()
    assert (values <= edges[codes] + slack).all()
    assert ((edges[:-1] <= scale.centres()) & (scale.centres() <= edges[1:])).all()


def test_every_whole_number_of_a_small_range_has_a_bin_of_its_own():
    scale = fit_scale(np.array([3.0, 7.0]))
    assert len(set(scale.codes(np.arange(-1000.0, 1000.0)).tolist())) == 2000


def test_a_constant_that_changes_by_any_factor_is_seen():
    for constant in (1e-9, 1.0, 1e9):
        first = fit_scale(np.full(9, constant + constant / 7))
        assert len(set(first.codes(constant * np.array([1 / 7, 1.0, 8 / 7, 8.0])).tolist())) == 4


def test_missing_is_null_or_nan_and_infinities_are_counted_in_the_tails():
    found = sketch(pa.table({"x": pa.array([1.0, None, float("nan"), float("inf"), -float("inf"), 2.5])}))["x"]
    assert found.missing == 2
    assert found.infinite == (1, 1)
    assert (found.counts[0], found.counts[-1], found.counts.sum()) == (1, 1, 4)
    assert found.moments == Moments(n=2, mean=1.75, m2=1.125, smallest=1.0, largest=2.5)
    assert found.known == 4


def test_a_change_of_unit_scales_moments_and_keeps_counts():
    values = np.random.default_rng(3).normal(5, 2, 4000)
    first, second = (sketch(pd.DataFrame({"x": values * unit}))["x"] for unit in (1.0, 1024.0))
    assert second.counts.tolist() == first.counts.tolist()
    assert second.moments.mean == pytest.approx(1024 * first.moments.mean)
    assert second.moments.sd == pytest.approx(1024 * first.moments.sd)


def test_moments_of_numbers_that_a_double_hardly_holds_are_finite():
    found = sketch(pd.DataFrame({"x": np.where(np.arange(100) % 2 == 0, 1.5e308, -1.5e308)}))["x"].moments
    assert found.mean == 0
    assert found.m2 == np.finfo(float).max
    both = Moments.of(np.array([1.7e308])) + Moments.of(np.array([-1.7e308]))
    assert math.isfinite(both.mean + both.m2 / 2)


def test_tails_remember_their_sums():
    scale = BinScale(low=0.0, density=1.0)
    found = NumberCount.of(scale, Numbers(values=np.array([-10.0, -30.0, 5.0, 9000.0, np.inf]), missing=0))
    assert found.tails == (-40.0, 9000.0)
    assert (found + found).tails == (-80.0, 18000.0)


# --- categories ------------------------------------------------------------------------------------------------------


def test_the_same_categories_are_kept_whoever_counts_first(monkeypatch):
    monkeypatch.setattr(bin_counts, "KEPT", 20)
    labels = [f"u{i}" for i in np.random.default_rng(0).integers(0, 200, 3000)]
    parts = [
        CategoryCount.of(("u7",), pd.Series(part).value_counts().to_dict()) for part in np.split(np.array(labels), 10)
    ]
    forward, backward = sum(parts[1:], start=parts[0]), sum(parts[-2::-1], start=parts[-1])
    exact = pd.Series(labels).value_counts()
    assert forward.to_dict() == backward.to_dict()
    assert len(forward.others) == 20
    assert forward.rest > 0
    assert forward.n == 3000
    assert all(exact[label] == count for label, count in forward.counts().items())
    assert forward.to_dict() == CategoryCount.of(("u7",), exact.to_dict()).to_dict()


def test_a_column_with_more_categories_than_are_kept_says_so(monkeypatch):
    monkeypatch.setattr(bin_counts, "KEPT", 5)
    monkeypatch.setattr("rca.tables.bin_edges.LISTED", 5)
    found = sketch(pd.DataFrame({"id": [f"u{i}" for i in range(100)]}))
    assert str(found).endswith("1 with more categories than are kept apart")
    assert found["id"].n == 100


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 2, None], dtype="Int64"),
        pd.Series([1.0, 2.5, None]),
        pd.Series([True, False, None], dtype="boolean"),
        pd.Series(["a", None, ""], dtype="category"),
        pd.Series([1, 2, 2], dtype="category"),
        pd.Series([1, "a", None, 2.5, True], dtype=object),
        pd.Series([[1], [1], None], dtype=object),
        pd.Series([b"x", None], dtype=object),
        pd.Series(pd.to_datetime(["2024-01-01", None])),
        pd.Series([1j, 2j]),
        pd.Series(pd.period_range("2024-01", periods=3, freq="M")),
        pd.Series(["\ud800", "a\x00"], dtype=object),
    ],
    ids=lambda values: f"{values.dtype}",
)
def test_categories_are_spelled_as_everywhere_else(values):
    found = sketch(pd.DataFrame({"c": values}), categorical=["c"])["c"]
    written = pd.Series(as_labels(values), dtype=object).map(
        lambda label: label.encode("utf-8", "backslashreplace").decode(), na_action="ignore"
    )
    assert found.counts() == written.value_counts().to_dict()
    assert found.missing == written.isna().sum()


def test_arrow_and_pandas_spell_categories_alike():
    nested = pa.array([[1, 2], [1, 2], None])
    assert label_counts(nested) == ({"[1, 2]": 2}, 1)
    assert label_counts(pa.array([b"x", None])) == ({"b'x'": 1}, 1)
    assert label_counts(pa.nulls(3)) == ({}, 3)
    assert label_counts(pa.array(["a", "b"]).view(pa.string()).cast(pa.string_view())) == ({"a": 1, "b": 1}, 0)
    doubled = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 2]), pa.array(["a", "a", None]))
    assert label_counts(doubled) == ({"a": 2}, 2)


# --- readings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None], pa.int8()), [1.0]),
        (pa.array([2**64 - 1], pa.uint64()), [2.0**64]),
        (pa.array([1.5], pa.float16()), [1.5]),
        (pa.array(["1.5"]).cast(pa.decimal128(5, 2)), [1.5]),
        (pa.array([86_400_000_000], pa.timestamp("us", "UTC")), [86400.0]),
        (pa.array([1], pa.date32()), [86400.0]),
        (pa.array([86_400_000], pa.date64()), [86400.0]),
        (pa.array([1500], pa.duration("ms")), [1.5]),
        (pa.array([1500], pa.time32("ms")), [1.5]),
        (pa.array([True, False]), [1.0, 0.0]),
        (pa.array(["1", "1"]).dictionary_encode(), [1.0, 1.0]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_an_array_is_read_as_doubles_and_times_as_seconds(array, expected):
    assert numbers(array).values.tolist() == expected
    assert numbers(array).missing == array.null_count


def test_what_was_a_number_and_is_text_now_is_read_or_counted_as_unread():
    before = sketch(pd.DataFrame({"x": np.arange(10.5)}))
    after = sketch(pd.DataFrame({"x": ["1.5", "n/a", None]}), before)["x"]
    assert (after.moments.mean, after.missing, after.unread) == (1.5, 2, 1)
    nested = sketch(pa.table({"x": pa.array([[1], None])}), before)["x"]
    assert (nested.known, nested.missing, nested.unread) == (0, 2, 1)


def test_lengths_of_texts_are_counted_in_characters():
    for texts in (pa.array(["née", None, ""]), pa.array(["née", None, ""]).dictionary_encode()):
        found = lengths(texts)
        assert (found.values.tolist(), found.missing) == ([3.0, 0.0], 1)
    assert lengths(pa.array(["née"]).cast(pa.string_view())).values.tolist() == [3.0]
    assert (lengths(pa.array([1, None])).missing, lengths(pa.array([1, None])).unread) == (2, 1)


# --- periods ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("every", "freq"), [("hour", "h"), ("day", "D"), ("week", "W-SUN")])
def test_a_window_is_the_sum_of_its_periods(every, freq):
    rng = np.random.default_rng(0)
    at = pd.Series(pd.date_range("1969-12-20", periods=900, freq="37min", tz="UTC")).sample(frac=1, random_state=0)
    rows = pd.DataFrame({"at": at.to_numpy(), "x": rng.normal(size=900), "c": rng.choice(list("ab"), 900)})
    whole = sketch(rows, features=["x", "c"])
    found = sketches(rows, whole, time="at", every=every)
    assert_same(sum(found.values()), whole)
    expected = rows.groupby(rows["at"].dt.tz_localize(None).dt.to_period(freq).dt.start_time.dt.tz_localize("UTC"))
    assert {start: part.n for start, part in found.items()} == expected.size().to_dict()
    assert list(found) == sorted(found)


def test_rows_without_a_time_are_in_no_period():
    rows = pd.DataFrame({"at": pd.to_datetime(["2024-01-01", None, "2024-01-01"], utc=True), "x": [1.0, 2.0, 3.0]})
    found = sketches(rows, time="at")
    assert list(found) == [datetime(2024, 1, 1, tzinfo=UTC)]
    assert found[datetime(2024, 1, 1, tzinfo=UTC)]["x"].moments.mean == 2.0
    assert sketches(rows.iloc[1:2], time="at") == {}
    assert sketches(rows.head(0), sketch(rows), time="at") == {}


def test_the_time_is_counted_if_it_is_asked_for():
    rows = pd.DataFrame({"at": pd.to_datetime(["2024-01-01"], utc=True), "x": [1.0]})
    assert next(iter(sketches(rows, time="at").values())).grid.columns == ("x",)
    assert next(iter(sketches(rows, sketch(rows), time="at").values())).grid.columns == ("x",)
    assert next(iter(sketches(rows, time="at", features=["at"]).values())).grid.columns == ("at",)


def test_a_column_that_holds_no_times_dates_nothing():
    with pytest.raises(InvalidCase, match="column 'x' holds double, no times"):
        sketches(pd.DataFrame({"x": [1.5], "y": [1]}), time="x")


# --- what cannot be --------------------------------------------------------------------------------------------------


def test_a_table_without_columns_cannot_say():
    with pytest.raises(Unanswerable, match="no columns"):
        sketch(pd.DataFrame(index=[1, 2]))


def test_a_grid_has_to_have_the_columns_that_are_asked_for():
    found = sketch(pd.DataFrame({"income": [1.0]}))
    assert sketch(pd.DataFrame({"income": [1.0]}), found, features=["income"]).n == 1
    with pytest.raises(InvalidCase, match=r"no column 'incom'.*did you mean 'income'"):
        sketch(pd.DataFrame({"incom": [1.0]}), found, features=["incom"])
    with pytest.raises(InvalidCase, match="no column 'income'"):
        sketch(pd.DataFrame({"incom": [1.0]}), found)


def test_numbers_are_read_as_everywhere_else():
    times = pd.Series(pd.date_range("2024-01-01", periods=5, freq="1111ms", tz="UTC"))
    for column in (times, pd.Series([1, 2, None], dtype="Int64"), pd.Series([1.5, None])):
        ours = numbers(pa.array(column, from_pandas=True)).values
        theirs = as_numbers(column)
        assert ours.tolist() == theirs[~np.isnan(theirs)].tolist()
