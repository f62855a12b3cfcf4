"""What moved: laws of every test, effect and interval, for every sort of column."""

import datetime as dt
import decimal
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.analysis.drift.univariate import MATERIAL, Drift, univariate_drift
from rca.errors import InvalidCase, Unanswerable
from rca.methods.two_sample_tests import kolmogorov_smirnov
from rca.record.case import Roles
from rca.tables.columns import as_numbers

N = 300
NORMAL = np.random.default_rng(0).normal(size=N)
EVEN = np.arange(N) % 2 == 0
COLUMNS = {
    "normal": NORMAL,
    "single precision": NORMAL.astype("float32"),
    "constant": np.ones(N),
    "all missing": np.full(N, np.nan),
    "some infinite": np.where(np.arange(N) % 10 == 0, np.inf, NORMAL),
    "all infinite": np.where(EVEN, np.inf, -np.inf),
    "enormous": np.where(EVEN, 1e308, -1e308),
    "enormous and whole": np.where(EVEN, 1e300, 1.0),
    "tiny": np.full(N, 5e-324),
    "heavy tailed": np.exp(50 * NORMAL),
    "unsigned at its end": np.full(N, 2**64 - 1, dtype="uint64"),
    "a value a row": [f"u{i}" for i in range(N)],
    "mixed types": pd.Series([1, "a", None, 2.5, True] * (N // 5), dtype=object),
    "boolean": EVEN,
    "boolean with missing": pd.Series([True, False, None] * (N // 3), dtype="boolean"),
    "boolean among objects": pd.Series([True, False, None] * (N // 3), dtype=object),
    "integer with missing": pd.Series([1, 2, None] * (N // 3), dtype="Int64"),
    "category": pd.Series(["a", "b", None] * (N // 3), dtype="category"),
    "category of numbers": pd.Series([1, 2, 3] * (N // 3), dtype="category"),
    "time": pd.date_range("2024-01-01", periods=N, tz="UTC"),
    "time without a zone": pd.date_range("2024-01-01", periods=N),
    "no time": pd.Series([pd.NaT] * N, dtype="datetime64[us, UTC]"),
    "duration": pd.to_timedelta(np.arange(N), unit="s"),
    "text": pd.Series(["x", "y", None] * (N // 3), dtype="string"),
    "no text": pd.Series([None] * N, dtype=object),
    "empty text": pd.Series([""] * N),
    "a null byte": pd.Series(["é\x00"] * N),
    "decimal": pd.Series([decimal.Decimal("1.5")] * N),
    "lists": pd.Series([[1, 2]] * N),
    "dates": pd.Series([dt.date(2024, 1, 1)] * N),
    "complex": NORMAL + 1j,
}


def one(reference, current, **options):
    return univariate_drift(pd.DataFrame({"c": reference}), pd.DataFrame({"c": current}), **options)


def sound(found: Drift):
    """What every row of a drift has to be."""
    for row in found.columns:
        numbers = (row.statistic, row.p_value, row.q_value, row.effect, row.interval.low, row.interval.high)
        assert all(map(math.isfinite, numbers)), row
        assert 0 <= row.interval.low <= row.effect <= row.interval.high <= 1, row
        assert 0 <= row.p_value <= row.q_value <= 1, row
        assert len(row.profile.labels) == len(row.profile.reference) == len(row.profile.current)
        assert sum(row.profile.reference) == pytest.approx(1)
        assert sum(row.profile.current) == pytest.approx(1)


@pytest.mark.parametrize("sort", COLUMNS)
def test_identical_windows_have_not_moved(sort):
    found = one(COLUMNS[sort], COLUMNS[sort], material=0.0)
    sound(found)
    assert found.moved() == ()
    assert all(row.effect == 0 for row in found.columns)


@pytest.mark.parametrize("sort", COLUMNS)
def test_any_sort_of_column_turning_into_any_other_gets_an_answer(sort):
    for other in COLUMNS.values():
        sound(one(COLUMNS[sort], other))


@pytest.mark.parametrize("sort", COLUMNS)
def test_one_row_is_an_answer_of_no_certainty(sort):
    first, second = (pd.DataFrame({"c": COLUMNS[sort]}).iloc[[at]] for at in (0, 1))
    found = univariate_drift(first, second)
    sound(found)
    assert found.moved() == ()


def test_a_column_that_vanished_altogether_has_moved_in_its_missingness():
    found = one(NORMAL, np.full(N, np.nan))
    assert [(row.aspect, row.moved, row.effect) for row in found.columns] == [("missing", True, 1.0)]


def test_missingness_is_compared_apart_from_the_values():
    holed = np.where(EVEN, NORMAL, np.nan)
    found = one(NORMAL, holed)
    rows = {row.aspect: row for row in found.columns}
    assert rows["missing"].moved
    assert rows["missing"].effect == pytest.approx(0.5)
    assert not rows["values"].moved
    assert rows["values"].effect == pytest.approx(kolmogorov_smirnov(NORMAL, NORMAL[EVEN])[0])


FRAMES = st.lists(
    st.tuples(st.floats(-5, 5, allow_subnormal=False), st.sampled_from("abc"), st.booleans()), min_size=12, max_size=60
).map(lambda rows: pd.DataFrame(rows, columns=["x", "word", "flag"]))


@given(FRAMES, FRAMES, st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_neither_the_order_of_rows_nor_of_columns_matters(reference, current, seed):
    plain = univariate_drift(reference, current)
    shuffled = univariate_drift(
        reference.sample(frac=1, random_state=seed)[["flag", "x", "word"]],
        current.sample(frac=1, random_state=seed + 1)[["word", "flag", "x"]],
    )
    assert {row.column: row for row in plain.columns} == {row.column: row for row in shuffled.columns}
    assert [row.name for row in plain.columns] == [row.name for row in shuffled.columns]


def test_there_is_one_zero():
    signed, plain = pd.DataFrame({"x": [-0.0] + [0.0] * 11}), pd.DataFrame({"x": [0.0] * 12})
    assert univariate_drift(signed, plain)["x"].profile == univariate_drift(plain, signed)["x"].profile


@given(FRAMES, FRAMES)
@settings(max_examples=30, deadline=None)
def test_which_window_comes_first_does_not_change_an_effect(reference, current):
    there, back = univariate_drift(reference, current), univariate_drift(current, reference)
    for row in there.columns:
        assert back[row.column].effect == pytest.approx(row.effect)
        assert back[row.column].p_value == pytest.approx(row.p_value)


@given(FRAMES, FRAMES, st.sampled_from([0.5, 2.0, -4.0]))
@settings(max_examples=30, deadline=None)
def test_a_unit_does_not_change_what_moved(reference, current, factor):
    plain = univariate_drift(reference, current)["x"]
    scaled = univariate_drift(*(frame.assign(x=frame["x"] * factor) for frame in (reference, current)))["x"]
    assert scaled.effect == pytest.approx(plain.effect)
    assert scaled.p_value == pytest.approx(plain.p_value)
    assert scaled.wasserstein == pytest.approx(abs(factor) * plain.wasserstein)


@given(FRAMES, FRAMES)
@settings(max_examples=30, deadline=None)
def test_the_names_of_categories_do_not_change_what_moved(reference, current):
    names = {"a": "zebra", "b": "äpfel", "c": "=1+1"}
    plain = univariate_drift(reference, current)["word"]
    renamed = univariate_drift(*(frame.assign(word=frame["word"].map(names)) for frame in (reference, current)))["word"]
    assert renamed.effect == pytest.approx(plain.effect)
    assert renamed.p_value == pytest.approx(plain.p_value)


def test_the_input_is_left_as_it_was():
    reference, current = (pd.DataFrame({"a": [1.0, None, 2.0] * 20, "b": ["x", "y", None] * 20}) for _ in "ab")
    univariate_drift(reference, current)
    pd.testing.assert_frame_equal(reference, pd.DataFrame({"a": [1.0, None, 2.0] * 20, "b": ["x", "y", None] * 20}))


def test_the_largest_effect_comes_first():
    before = pd.DataFrame({"a": NORMAL, "b": NORMAL, "c": NORMAL})
    after = pd.DataFrame({"a": NORMAL + 0.5, "b": NORMAL + 5, "c": NORMAL})
    found = univariate_drift(before, after)
    assert [row.column for row in found.columns] == ["b", "a", "c"]
    assert found.moved() == ("b", "a")
    assert str(found) == "2 of 3 columns moved: b, a"


def test_a_sure_but_tiny_change_is_not_called_a_move():
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=100_000), rng.normal(0.08, 1, 100_000)
    found = one(before, after)["c"]
    assert found.q_value < 1e-6
    assert found.effect < MATERIAL
    assert not found.moved
    assert "did not move materially" in str(found)


def test_what_counts_as_material_can_be_said():
    before = pd.Series(["a"] * 970 + ["b"] * 30)
    after = pd.Series(["a"] * 930 + ["b"] * 70)
    assert one(before, after).moved() == ()
    assert one(before, after, material=0.03).moved() == ("c",)


def test_numbers_that_are_codes_are_compared_as_categories():
    before, after = np.repeat([1, 2, 3], 100), np.repeat([3, 2, 1], 100)
    after = np.where(after == 2, 7, after)
    plain, coded = one(before, after)["c"], one(before, after, categorical=["c"])["c"]
    assert (plain.kind, coded.kind) == ("numeric", "categorical")
    assert coded.effect == pytest.approx(1 / 3)


def test_the_same_code_is_the_same_category_as_integer_and_as_double():
    whole, doubles = pd.Series([1, 2, 3] * 50), pd.Series([1.0, 2.0, 3.0] * 50)
    found = one(whole, doubles, categorical=["c"])["c"]
    assert found.effect == 0
    assert not found.moved


def test_a_code_is_the_same_category_whatever_else_is_in_its_window():
    before = pd.Series([1.0, 2.0] * 100)
    after = pd.Series([1.0, 2.0] * 95 + [2.5] * 10)
    assert one(before, after, categorical=["c"])["c"].effect == pytest.approx(10 / 200)


def test_a_boolean_is_the_same_category_whatever_its_type():
    found = one(pd.Series([True, False] * 60), pd.Series([True, False] * 60, dtype="boolean"))["c"]
    assert found.effect == 0


def test_the_resolution_of_a_time_does_not_matter():
    times = pd.Series(pd.date_range("2024-01-01", periods=N, freq="h", tz="UTC"))
    found = one(times.astype("datetime64[ns, UTC]"), times.astype("datetime64[s, UTC]"))["c"]
    assert found.effect == 0
    assert as_numbers(times.astype("datetime64[ms, UTC]"))[0] == pd.Timestamp("2024-01-01", tz="UTC").timestamp()


def test_only_the_features_asked_for_are_tested():
    frame = pd.DataFrame({"a": NORMAL, "b": NORMAL})
    assert [row.column for row in univariate_drift(frame, frame, features=["b"]).columns] == ["b"]


def test_nothing_to_test_is_nothing_moved():
    found = univariate_drift(pd.DataFrame({"a": NORMAL}), pd.DataFrame({"a": NORMAL}), features=[])
    assert found.columns == ()
    assert str(found) == "0 of 0 columns moved"


@pytest.mark.parametrize(("window", "at"), [("reference", 0), ("current", 1)])
def test_a_column_that_is_not_there_is_refused_with_a_hint(window, at):
    frames = [pd.DataFrame({"income": NORMAL}), pd.DataFrame({"income": NORMAL})]
    frames[1 - at] = frames[1 - at].assign(incom=NORMAL)
    with pytest.raises(InvalidCase, match=f"{window}: no column 'incom'. Hint: did you mean 'income'"):
        univariate_drift(*frames, features=["incom"])


@pytest.mark.parametrize("empty", [0, 1])
def test_a_window_without_rows_cannot_say(empty):
    frames = [pd.DataFrame({"a": NORMAL}), pd.DataFrame({"a": NORMAL})]
    frames[empty] = frames[empty].iloc[:0]
    with pytest.raises(Unanswerable, match="a window has no rows"):
        univariate_drift(*frames)


def test_asking_for_a_column_that_was_not_tested_is_an_error():
    with pytest.raises(KeyError):
        one(NORMAL, NORMAL)["d"]


def test_only_what_moved_is_a_finding():
    before = pd.DataFrame({"a": NORMAL, "b": NORMAL})
    after = pd.DataFrame({"a": NORMAL + 3, "b": np.where(np.arange(N) < 60, np.nan, NORMAL)})
    findings = univariate_drift(before, after).findings()
    assert {finding.id for finding in findings} == {"drift.a", "drift.missing:b"}
    assert all(finding.unit == "share of rows" and finding.strength == "suggested" for finding in findings)
    assert {finding.cause.name for finding in findings} == {"a", "b"}


def test_a_drift_comes_back_from_its_dictionary():
    found = one(COLUMNS["normal"], COLUMNS["some infinite"])
    assert Drift.from_dict(found.to_dict()) == found


def test_a_drift_is_a_table_with_a_row_an_aspect():
    found = one(NORMAL, np.where(EVEN, NORMAL, np.nan))
    assert list(found.to_frame()["column"]) == [row.name for row in found.columns] == ["missing:c", "c"]
    assert "<caption>1 of 1 columns moved: c</caption>" in found._repr_html_()


# -- sorts of columns --------------------------------------------------------------------------------------------------


def test_an_identifier_is_named_as_such_and_is_no_test():
    before, after = (pd.DataFrame({"id": [f"u{i}" for i in range(a, a + N)], "x": NORMAL}) for a in (0, 9000))
    found = univariate_drift(before, after)["id"]
    assert (found.kind, found.tested, found.moved, found.effect) == ("identifier", False, False, 0.0)
    assert "not compared" in str(found)
    shifted = after.assign(x=NORMAL + 0.2)
    alone, beside = univariate_drift(before[["x"]], shifted[["x"]])["x"], univariate_drift(before, shifted)["x"]
    assert beside.q_value == alone.q_value == alone.p_value


def test_a_counter_is_an_identifier_and_a_counter_in_other_steps_is_a_number():
    before, after = pd.Series(np.arange(N)), pd.Series(np.arange(5000, 5000 + N))
    assert not one(before, after)["c"].tested
    assert one(before, after * 100)["c"].moved


TIMES = pd.date_range("2024-01-01", periods=N, freq="h", tz="UTC")


def test_a_time_that_only_moves_on_with_the_calendar_is_no_move():
    found = one(TIMES, TIMES + pd.Timedelta(hours=N))["c"]
    assert (found.moved, found.tested, found.note) == (False, False, "a time that moves on with the calendar")


@pytest.mark.parametrize(
    "after", [[TIMES[-1]] * N, [pd.Timestamp("2199-01-01", tz="UTC")] * N, TIMES - pd.Timedelta(days=400)]
)
def test_a_time_that_stands_still_or_jumps_has_moved(after):
    assert one(TIMES, pd.Series(after))["c"].moved


def test_beside_the_time_of_its_row_a_time_is_as_old_as_it_is():
    rng = np.random.default_rng(0)
    born = pd.to_timedelta(rng.integers(1, 10_000, N), unit="D")
    before = pd.DataFrame({"at": TIMES, "opened": TIMES - born, "updated": TIMES - pd.Timedelta(minutes=5)})
    later = before + pd.Timedelta(days=500)
    roles = Roles(time="at", features=("opened", "updated"))
    assert univariate_drift(before, later, roles=roles).moved() == ()
    stuck = later.assign(updated=later["updated"].iloc[0])
    found = univariate_drift(before, stuck, roles=roles)
    assert found.moved() == ("updated",)
    assert found["updated"].note == "as seconds before the row's own moment"


def test_a_text_is_compared_by_its_length_and_by_the_words_that_are_new():
    before = [f"where is my order {i}" for i in range(N)]
    after = [f"where is my refund {i} please help me out" for i in range(N)]
    found = one(before, after)["c"]
    assert (found.kind, found.moved) == ("text", True)
    assert found.wasserstein == pytest.approx(20.0)
    assert found.unseen == pytest.approx(5 / 9)


def test_values_that_the_reference_does_not_have_are_a_share_of_the_rows():
    found = one(["a", "b"] * 50, ["a", "c", "a", "a"] * 25)["c"]
    assert found.unseen == 0.25


def test_the_same_numbers_as_text_have_not_moved_and_the_row_says_so():
    found = one(np.arange(N) % 7, [str(i % 7) for i in range(N)])["c"]
    assert (found.effect, found.moved) == (0.0, False)
    assert "numbers in the reference, text in the current window" in str(found)


def test_answers_are_apart_from_features_and_no_finding_accuses_them():
    rng = np.random.default_rng(0)
    before, after = (
        pd.DataFrame({"x": rng.normal(size=N), "y": rng.integers(0, 2, N), "s": rng.normal(shift, 1, N)})
        for shift in (0, 3)
    )
    after["y"] = 1
    found = univariate_drift(before, after, roles=Roles(label="y", score="s", prediction="gone", features=("x",)))
    assert [row.column for row in found.columns] == ["x"]
    assert {row.column: row.role for row in found.answers} == {"y": "label", "s": "score"}
    assert all(row.moved for row in found.answers)
    assert found.moved() == ()
    assert str(found) == "0 of 1 columns moved"
    assert [finding.cause for finding in found.findings()] == [None, None]
    assert found["y"].kind == "categorical"
    assert Drift.from_dict(found.to_dict()) == found


@pytest.mark.parametrize("at", [0, 1])
def test_a_name_of_two_columns_is_refused(at):
    frames = [pd.DataFrame({"a": NORMAL, "b": NORMAL}), pd.DataFrame({"a": NORMAL, "b": NORMAL})]
    frames[at].columns = ["a", "a"]
    with pytest.raises(InvalidCase, match=r"more than one column 'a'|no column 'b'"):
        univariate_drift(*frames)


def test_an_index_of_its_own_does_not_matter():
    frame = pd.DataFrame({"x": NORMAL, "w": ["a", "b", None] * 100})
    odd = frame.set_axis([7] * N)
    assert univariate_drift(frame, odd) == univariate_drift(frame, frame)


# -- what the interval of an effect promises ---------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m"), [(50, 50), (1000, 1000), (10_000, 100)])
def test_more_rows_narrow_the_interval(n, m):
    rng = np.random.default_rng(3)
    found = one(rng.normal(size=n), rng.normal(0.5, 1, m))["c"]
    width = found.interval.high - found.interval.low
    assert width <= 2 * 1.3581 * math.sqrt(1 / n + 1 / m) + 1e-9


def test_an_interval_of_missingness_holds_zero_where_the_rates_are_the_same():
    holed = np.where(np.arange(N) % 5 == 0, np.nan, NORMAL)
    found = {row.aspect: row for row in one(holed, holed).columns}["missing"]
    assert 0 in found.interval
    assert found.effect == 0


@given(st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_an_interval_of_missingness_holds_its_estimate(first, second):
    frames = [np.where(np.arange(40) < count, np.nan, 1.0) for count in (first, second)]
    for row in one(*frames).columns:
        assert row.interval.low - 1e-12 <= row.effect <= row.interval.high + 1e-12


def test_every_pair_of_rows_of_two_drifts_is_sorted_by_effect():
    rng = np.random.default_rng(5)
    before = pd.DataFrame(rng.normal(size=(200, 8)))
    found = univariate_drift(before, before + rng.normal(size=8))
    assert all(a.effect >= b.effect for a, b in itertools.pairwise(found.columns))
