"""One question at a time, of a case or of plain tables of any engine."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rca
from rca.practice.simulate import score_of, tabular
from tests.conftest import INCIDENTS

SHIPPED = INCIDENTS
ROLES = {"metric": "error_rate", "label": "label", "score": "score", "prediction": "prediction"}
FEATURES = [f"x{i}" for i in range(6)]


@pytest.fixture(scope="module")
def windows():
    return tabular(np.random.default_rng(0), rows=700, fault="scaled")


QUESTIONS = {
    "drift": lambda *tables: rca.drift(*tables, features=FEATURES),
    "faults": lambda *tables: rca.faults(*tables, label="label", score="score", prediction="prediction"),
    "harm": lambda *tables: rca.harm(*tables, model=score_of, **ROLES),
    "slices": lambda *tables: rca.slices(*tables, **ROLES),
    "joint": lambda *tables: rca.joint(*tables, features=FEATURES),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("engine", [pl.from_pandas, pa.Table.from_pandas], ids=["polars", "arrow"])
def test_a_question_has_one_answer_whatever_holds_the_tables(windows, question, engine):
    ask = QUESTIONS[question]
    assert ask(*map(engine, windows)) == ask(*windows)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_a_sentence_a_frame_and_json_that_comes_back(windows, question):
    told = QUESTIONS[question](*windows)
    assert str(told)
    assert len(told.to_frame()) == len(told.rows())
    assert type(told).from_dict(told.to_dict()) == told


def test_tables_that_are_read_when_asked_for_are_compared_by_sketches(windows):
    reference, current = (pl.from_pandas(rows).lazy() for rows in windows)
    found, exact = rca.drift(reference, current, features=FEATURES), QUESTIONS["drift"](*windows)
    assert found.moved() == exact.moved() == ("x0",)
    assert found["x0"].effect == pytest.approx(exact["x0"].effect, abs=0.01)


def test_windows_are_sums_of_sketches(windows):
    reference, current = (rows[FEATURES] for rows in windows)
    grid = rca.sketch(reference)
    whole = rca.drift(grid, rca.sketch(current, grid))
    parts = rca.sketch(current.iloc[:100], grid) + rca.sketch(current.iloc[100:], grid)
    assert rca.drift(grid, parts).moved() == whole.moved()


@pytest.mark.parametrize("question", ["drift", "faults", "harm", "slices", "gaps", "onset"])
def test_a_case_is_asked_by_itself(question):
    case = rca.load(SHIPPED / "hiring-bias")
    assert str(getattr(rca, question)(case))


def test_what_is_no_case_needs_a_second_table(windows):
    with pytest.raises(rca.InvalidCase, match="a reference and a current table"):
        rca.drift(windows[0])


def test_a_case_names_its_own_roles():
    with pytest.raises(rca.InvalidCase, match="names its own metric"):
        rca.harm(rca.load(SHIPPED / "hiring-bias"), metric="error_rate")


# -- what always holds -------------------------------------------------------------------------------------------------


def drawn(seed, rows=300):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"n": rng.normal(size=rows), "k": rng.choice(list("abc"), rows), "z": np.where(rng.random(rows) < 0.3, 0, 1.5)}
    )
    return frame.assign(label=(rng.random(rows) < 0.3).astype(int), prediction=(rng.random(rows) < 0.3).astype(int))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_identical_windows_differ_by_nothing(seed):
    rows = drawn(seed)
    found = rca.drift(rows, rows.copy())
    assert found.moved() == ()
    assert {column.effect for column in found.columns} == {0.0}
    done = rca.harm(rows, rows.copy(), metric="error_rate", label="label", prediction="prediction")
    assert (done.measured.change, done.contributions, done.unexplained) == (0.0, (), 0.0)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neither_the_order_of_rows_nor_that_of_columns_matters_to_what_moved(seed):
    before, after = drawn(seed), drawn(seed + 1).assign(n=lambda rows: rows["n"] + 1)
    shuffled = after.sample(frac=1, random_state=seed)[list(after.columns[::-1])].reset_index(drop=True)
    told, again = rca.drift(before, after), rca.drift(before[list(before.columns[::-1])], shuffled)
    assert {one.name: (one.effect, one.p_value) for one in told.columns} == {
        one.name: (one.effect, one.p_value) for one in again.columns
    }


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.25, 8.0, 1024.0]))
def test_another_unit_of_both_windows_scales_distances_and_leaves_effects(seed, factor):
    before, after = drawn(seed), drawn(seed + 1).assign(n=lambda rows: rows["n"] + 1)
    told = rca.drift(before, after)["n"]
    again = rca.drift(before.assign(n=factor * before["n"]), after.assign(n=factor * after["n"]))["n"]
    assert again.effect == told.effect
    assert again.wasserstein == pytest.approx(factor * told.wasserstein)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), fault=st.sampled_from(["frozen", "scaled", "concept", "distribution"]))
def test_contributions_and_what_is_unexplained_add_up_to_the_change(seed, fault):
    done = rca.harm(*tabular(np.random.default_rng(seed), rows=400, fault=fault), model=score_of, **ROLES)
    total = sum(part.value for part in done.contributions) + done.unexplained
    assert total == pytest.approx(done.measured.worse)


AWKWARD = {
    "constant": 1.0,
    "missing": np.nan,
    "infinite": np.inf,
    "unlike each other": [f"id-{i}" for i in range(300)],
    "mixed": [1, "one", None] * 100,
    "lists": [[at] for at in range(300)],
    "decimals beyond doubles": [10**30] * 300,
    "large": 1.7e308 * np.linspace(-1, 1, 300),
    "lone surrogates": pd.Series(["\ud800", "a", "b"] * 100, dtype=object),
    "wide floats": np.linspace(0, 1, 300).astype("longdouble"),
    "decimals of Arrow": pd.array([Decimal("1.5"), None] * 150, dtype=pd.ArrowDtype(pa.decimal128(10, 2))),
    "dates of Arrow": pd.array([date(1600, 1, 1), None] * 150, dtype=pd.ArrowDtype(pa.date32())),
    "lists of Arrow": pd.array([[1], None] * 150, dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    "words of Arrow": pd.array(["a", "b"] * 150, dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
}


@pytest.mark.parametrize("sort", AWKWARD)
def test_an_awkward_column_is_answered_for(sort):
    before, after = drawn(0).assign(odd=AWKWARD[sort]), drawn(1).assign(odd=AWKWARD[sort])
    assert "odd" not in rca.drift(before, after).moved()
    assert rca.harm(before, after, metric="error_rate", label="label", prediction="prediction").measured
    assert rca.faults(before, after, label="label", prediction="prediction").get("odd") is None
    assert "odd" not in rca.drift(rca.sketch(before), after).moved()


def test_one_row_is_no_window_to_measure():
    with pytest.raises(rca.Unanswerable, match="rows of the current window"):
        rca.harm(drawn(0), drawn(1).head(1), metric="error_rate", label="label", prediction="prediction")


@pytest.mark.parametrize("name", [0, ("a", "b"), None, pd.Timestamp("2026-01-01"), "\x1b[31m<b>", "", "missing:n"])
def test_a_column_has_one_name_whatever_it_was_named_by(name):
    before, after = (drawn(seed).rename(columns={"n": name}) for seed in (0, 1))
    asked = {"metric": "error_rate", "label": "label", "prediction": "prediction"}
    for told in (rca.drift(before, after), rca.drift(rca.sketch(before), after), rca.joint(before, after)):
        assert type(told).from_dict(told.to_dict()) == told
    assert rca.harm(before, after, **asked).measured == rca.harm(drawn(0), drawn(1), **asked).measured
    assert rca.slices(before, after, **asked).to_dict()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_name_that_two_columns_have_is_refused(windows, question):
    reference, current = windows
    twice = pd.concat([current, current[["x0"]]], axis=1)
    with pytest.raises(rca.InvalidCase, match=r"current: there are 2 columns 'x0'. Hint: give each"):
        QUESTIONS[question](reference, twice)


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_a_loss_that_no_double_holds_cannot_be_told(metric):
    before, after = drawn(0).assign(label=1.7e308), drawn(1).assign(label=-1.7e308, prediction=1.7e308)
    for ask in (rca.harm, rca.slices):
        with pytest.raises(rca.Unanswerable, match=f"how did {metric} change: .*cannot be added up"):
            ask(before, after, metric=metric, label="label", prediction="prediction")


@pytest.mark.parametrize("weight", [1e308, 1e31, 1e-31, 5e-324])
def test_a_weight_that_cannot_be_added_up_cannot_be_told(weight):
    before, after = (drawn(seed).assign(w=weight) for seed in (0, 1))
    asked = {"metric": "error_rate", "label": "label", "prediction": "prediction", "weight": "w"}
    for ask in (rca.harm, rca.slices):
        with pytest.raises(rca.Unanswerable, match=r"weights beyond .* cannot be added up"):
            ask(before, after, **asked)


# -- time --------------------------------------------------------------------------------------------------------------


def harmed(kind=lambda times: times):
    """Two windows, of which the second is wrong more often from a day on."""
    windows = []
    for month, wrong in (("2026-01-01", 0.05), ("2026-02-01", 0.6)):
        times = pd.Series(pd.date_range(month, periods=300, freq="h", tz="UTC"))
        flip = np.random.default_rng(1).random(300) < np.where(np.arange(300) < 100, 0.05, wrong)
        rows = drawn(2).assign(at=kind(times))
        windows.append(rows.assign(prediction=np.where(flip, 1 - rows["label"], rows["label"])))
    return windows


def dated(windows):
    return rca.onset(*windows, metric="error_rate", label="label", prediction="prediction", time="at")


TIMES = {
    "text": lambda times: times.astype(str),
    "without a zone": lambda times: times.dt.tz_localize(None),
    "of another zone": lambda times: times.dt.tz_convert("Asia/Kolkata"),
    "in seconds": lambda times: times.dt.as_unit("s"),
    "objects": lambda times: pd.Series(times.dt.to_pydatetime(), dtype=object),
    "categories": lambda times: times.astype("category"),
    "text of categories": lambda times: times.astype(str).astype("category"),
    "of Arrow": lambda times: times.astype(pd.ArrowDtype(pa.timestamp("us", "UTC"))),
}


@pytest.mark.parametrize("sort", TIMES)
def test_a_moment_is_the_same_however_it_is_written(sort):
    found = dated(harmed())
    assert found.earliest <= pd.Timestamp("2026-02-05 04:00", tz="UTC") <= found.latest
    assert dated(harmed(TIMES[sort])) == found


@pytest.mark.parametrize("year", [2, 1600, 9997])
def test_harm_of_any_year_is_dated(year):
    found = dated(harmed(lambda times: times.dt.as_unit("us").map(lambda at: at.replace(year=year))))
    assert (found.at.year, found.at.month, found.at.day) == (year, 2, 5)


@pytest.mark.parametrize("times", [range(300), ["soon"] * 300, [1, "one", None] * 100])
def test_what_is_no_time_is_refused(times):
    with pytest.raises(rca.InvalidCase, match=r"(?s)time: column 'at' holds .*no times.*Hint: give times"):
        dated(harmed(lambda _: times))


def test_times_of_both_windows_are_compared_in_utc_whatever_their_zones_and_units():
    at = pd.Series(pd.date_range("2026-01-01", periods=300, freq="h"))
    other = at.dt.tz_localize("UTC").dt.tz_convert("America/Lima").dt.as_unit("ns")
    for times in (other, at.dt.as_unit("s"), other.astype(str), other.astype(pd.ArrowDtype(pa.timestamp("ns", "UTC")))):
        told = rca.drift(pd.DataFrame({"at": at}), pd.DataFrame({"at": times}))["at"]
        assert (told.kind, told.effect) == ("datetime", 0.0)


def test_columns_may_be_named_by_numbers():
    before, after = (drawn(seed).rename(columns={"n": 0}) for seed in (0, 1))
    told = rca.harm(before, after, metric="error_rate", label="label", prediction="prediction")
    assert told.measured.n_current == 300
