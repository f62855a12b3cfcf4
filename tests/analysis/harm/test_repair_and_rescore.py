"""Mend it and see: donors cost the same in both windows, innocents get nothing, and the guilty get what they did."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import inflict, mend
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.harm.repair_and_rescore import MAX_ROWS, SEATS, mended_harm
from rca.analysis.harm.rescoring import Scorer
from rca.analysis.inputs.metric_reader import MetricReader
from rca.practice.simulate import score_of, tabular
from rca.record.case import Roles
from rca.record.schema.incident import Metric

FEATURES = tuple(f"x{i}" for i in range(6))
ROLES = Roles(label="label", score="score", prediction="prediction", features=FEATURES)


def asker():
    return Scorer(
        score=lambda rows: score_of(rows[list(FEATURES)]),
        roles=ROLES,
        decides=lambda scores: (scores >= 0.5).astype("int8"),
        features=FEATURES,
    )


def mended(reference, current, suspects=None, name="brier", seed=0):
    moved = univariate_drift(reference, current, features=FEATURES)
    found = diagnose(reference, current, moved).columns if suspects is None else suspects
    return mended_harm(
        reference,
        current,
        found,
        meter=MetricReader(metric=Metric(name=name), roles=ROLES),
        ask=asker(),
        features=FEATURES,
        rng=np.random.default_rng(seed),
    )


def suspect(column, fault="distribution"):
    return ColumnFault(column=column, fault=fault, share=1.0, evidence="planted")


def planted(fault, seed=0, rows=2000):
    return tabular(np.random.default_rng(seed), rows=rows, fault=fault)


@pytest.mark.parametrize("fault", ["frozen", "scaled", "missing", "distribution"])
@pytest.mark.parametrize("name", ["brier", "error_rate", "false_positive_rate"])
def test_contributions_are_what_mending_everything_takes_away(fault, name):
    done = mended(*planted(fault, rows=500), name=name)
    assert done.contributions.sum() == pytest.approx(done.before - done.after)
    assert_allclose(done.halves.shape, (2, len(done.columns)))
    assert (done.errors > 0).all()


@pytest.mark.parametrize("fault", ["frozen", "default_value", "missing"])
def test_a_column_whose_values_are_lost_did_the_whole_harm(fault):
    done = mended(*planted(fault, rows=4000))
    at = done.columns.index("x0")
    assert done.contributions[at] == pytest.approx(done.before, abs=4 * done.errors[at])


@pytest.mark.parametrize("fault", ["scaled", "shifted"])
def test_a_column_that_can_be_undone_did_the_whole_harm(fault):
    done = mended(*planted(fault, rows=4000))
    at = done.columns.index("x0")
    assert done.contributions[at] == pytest.approx(done.before, abs=4 * done.errors[at])


def test_an_innocent_under_suspicion_gets_nothing_within_its_error():
    reference, current = planted("none", rows=4000)
    for column in ("x0", "x3", "x5"):
        done = mended(reference, current, [suspect(column)])
        assert abs(done.contributions[0]) <= 4 * done.errors[0] + 1e-9


def test_donors_know_no_more_of_reference_rows_than_of_fresh_ones():
    # Rows of the same law in both windows: an honest donor costs the same in each, and leaves nothing for the column.
    away = [
        mended(*tabular(np.random.default_rng(seed), rows=1500), [suspect("x0")]).contributions[0] for seed in range(5)
    ]
    spread = np.std(away, ddof=1) / np.sqrt(len(away))
    assert abs(np.mean(away)) <= 4 * spread


def test_a_column_that_the_model_does_not_weigh_gets_nothing_at_all():
    reference, current = planted("none")
    assert mended(reference, current.assign(x5=9.0)).contributions[0] == pytest.approx(0, abs=1e-12)


def test_which_suspect_is_seated_first_does_not_matter():
    reference, current = planted("scaled", rows=800)
    current = current.assign(x1=current["x1"] * 100)
    current = current.assign(score=score_of(current[list(FEATURES)]))
    found = diagnose(reference, current, univariate_drift(reference, current, features=FEATURES)).columns
    one, other = mended(reference, current, found), mended(reference, current, found[::-1])
    assert dict(zip(one.columns, one.contributions.round(9), strict=True)) == pytest.approx(
        dict(zip(other.columns, other.contributions.round(9), strict=True)), abs=1e-6
    )


def test_no_more_than_the_seats_are_mended():
    reference, current = planted("none", rows=120)
    done = mended(reference, current, [suspect(name) for name in FEATURES] + [suspect("x0")])
    assert len(done.columns) == SEATS


def test_large_windows_are_sampled():
    reference, current = planted("shifted", rows=MAX_ROWS + 500)
    assert mended(reference, current).rows == (MAX_ROWS, MAX_ROWS)


def test_a_fault_partway_is_mended_from_its_first_row_in_a_sample_too():
    reference, current = planted("none", rows=MAX_ROWS + 2000)
    late = np.arange(len(current)) >= 3000
    current = current.assign(x0=current["x0"].where(~late, current["x0"] * 100))
    current = current.assign(score=score_of(current[list(FEATURES)]))
    fault = ColumnFault(column="x0", fault="scaled", share=0.5, evidence="planted", factor=100.0, since=3000)
    done = mended(reference, current, [fault])
    assert done.after == pytest.approx(0, abs=0.03)
    assert done.before > 0.03


def test_the_same_seed_mends_the_same():
    reference, current = planted("frozen", rows=400)
    assert_allclose(mended(reference, current, seed=5).contributions, mended(reference, current, seed=5).contributions)


def test_the_input_is_left_as_it_was():
    reference, current = planted("frozen", rows=200)
    kept = reference.copy(), current.copy()
    mended(reference, current)
    pd.testing.assert_frame_equal(reference, kept[0])
    pd.testing.assert_frame_equal(current, kept[1])


ODD = {
    "all missing": np.full(300, np.nan),
    "constant": np.ones(300),
    "infinite": np.where(np.arange(300) % 3 == 0, np.inf, 1.0),
    "enormous": np.where(np.arange(300) % 2 == 0, 1e308, -1e308),
    "words": ["a", "b", "c"] * 100,
    "category": pd.Series(["a", "b", None] * 100, dtype="category"),
    "integer with missing": pd.Series([1, 2, None] * 100, dtype="Int64"),
    "boolean": [True, False, True] * 100,
    "boolean with missing": pd.Series([True, False, None] * 100, dtype="boolean"),
    "mixed types": pd.Series([1, "a", None] * 100, dtype=object),
    "time": pd.Series(pd.date_range("2024-01-01", periods=300, tz="UTC")),
}


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("sort", ODD)
def test_any_sort_of_column_can_be_mended_or_matched_on(sort, beside):
    reference, current = (frame.assign(z=pd.Series(ODD[sort])) for frame in planted("scaled", rows=300))
    suspects = [suspect("x0")] if beside else [suspect("z", "new_values"), suspect("x1")]
    done = mended_harm(
        reference, current, suspects, meter=MetricReader(metric=Metric(name="brier"), roles=ROLES), ask=asker(),
        features=(*FEATURES, "z"), rng=np.random.default_rng(0),
    )  # fmt: skip
    assert np.isfinite(done.contributions).all()


def test_a_mended_column_keeps_its_type_for_the_model():
    reference, current = planted("none", rows=200)
    reference, current = (
        frame.assign(word=pd.Series(list("abcd") * 50, dtype="category")) for frame in (reference, current)
    )
    seen = set()

    def score(rows):
        seen.add(str(rows["word"].dtype))
        return score_of(rows[list(FEATURES)])

    mended_harm(
        reference, current.assign(word=current["word"].where(current.index < 100)), [suspect("word", "missing")],
        meter=MetricReader(metric=Metric(name="brier"), roles=ROLES),
        ask=Scorer(score=score, roles=ROLES, decides=lambda scores: (scores >= 0.5).astype("int8"), features=FEATURES),
        features=("word", *FEATURES), rng=np.random.default_rng(0),
    )  # fmt: skip
    assert seen == {"category"}


def together(seed, rows=4000):
    """x2 goes with x0, and the label with both."""
    reference, current = planted("none", seed=seed, rows=rows)
    rng = np.random.default_rng(100 + seed)
    frames = []
    for drawn in (reference, current):
        frame = drawn.assign(x2=0.8 * drawn["x0"] + 0.6 * drawn["x2"])
        chance = score_of(frame[list(FEATURES)])
        frames.append(frame.assign(label=(rng.random(len(frame)) < chance).astype(int), score=chance))
    return frames


def spoilt(frame, **columns):
    frame = frame.assign(**columns)
    return frame.assign(score=score_of(frame[list(FEATURES)]))


@pytest.mark.parametrize("seed", range(3))
def test_an_innocent_that_goes_with_a_scaled_column_gets_nothing(seed):
    reference, current = together(seed)
    fault = ColumnFault(column="x0", fault="scaled", share=1.0, evidence="planted", factor=100.0)
    done = mended(reference, spoilt(current, x0=current["x0"] * 100), [fault, suspect("x2")])
    assert done.contributions[0] == pytest.approx(done.before, abs=4 * done.errors[0])
    assert abs(done.contributions[1]) <= 4 * done.errors[1]
    assert abs(done.contributions[1]) <= 0.05 * done.before


def test_an_innocent_that_goes_with_a_lost_column_gets_nothing():
    reference, current = together(0)
    fault = ColumnFault(column="x0", fault="default_value", share=1.0, evidence="planted", value="999")
    done = mended(reference, spoilt(current, x0=999.0), [fault, suspect("x2")])
    assert abs(done.contributions[1]) <= max(4 * done.errors[1], 0.1 * done.before)


@pytest.mark.parametrize("lag", [1, 30])
def test_a_stale_column_is_mended_by_the_values_that_arrived_later(lag):
    reference, current = planted("none", rows=3000)
    fault = ColumnFault(column="x0", fault="stale", share=1.0, evidence="planted", lag=lag)
    done = mended(reference, spoilt(current, x0=current["x0"].shift(lag, fill_value=0.0)), [fault])
    assert done.before > 0.03
    assert done.contributions[0] == pytest.approx(done.before, abs=4 * done.errors[0])


def test_a_recoded_column_is_mended_by_its_map():
    reference, current = planted("none", rows=3000)
    reference, current = (spoilt(frame, x0=(frame["x0"] > 0).astype(int)) for frame in (reference, current))
    rng = np.random.default_rng(0)
    reference, current = (
        frame.assign(label=(rng.random(len(frame)) < frame["score"]).astype(int)) for frame in (reference, current)
    )
    fault = ColumnFault(column="x0", fault="recoded", share=1.0, evidence="planted", recoding=(("0", "1"), ("1", "0")))
    done = mended(reference, spoilt(current, x0=1 - current["x0"]), [fault])
    assert done.before > 0.03
    assert done.after == pytest.approx(0, abs=4 * done.errors[0] + 0.02)


INFLICTED = {
    "scaled": {"factor": 10.0},
    "shifted": {"offset": 3.0},
    "missing": {},
    "frozen": {"value": "1.5"},
    "swapped": {"partner": "x1"},
}


@pytest.mark.parametrize("fault", INFLICTED)
def test_a_fault_that_is_done_strikes_the_rows_it_is_told_to(fault):
    rows = planted("none", rows=200)[0]
    struck = np.arange(200) % 3 == 0
    ill = inflict(ColumnFault(column="x0", fault=fault, share=0.3, evidence="", **INFLICTED[fault]), rows, struck)
    assert_allclose(ill[~struck].astype(float), rows["x0"][~struck])
    assert not np.isclose(ill[struck].astype(float), rows["x0"][struck]).any()


def test_what_is_done_is_undone_by_mending():
    rows = planted("none", rows=200)[0].assign(x0=lambda frame: (frame["x0"] > 0).astype(int))
    for fault in (
        ColumnFault(column="x1", fault="scaled", share=1.0, evidence="", factor=10.0),
        ColumnFault(column="x1", fault="shifted", share=1.0, evidence="", offset=-2.0),
        ColumnFault(column="x0", fault="recoded", share=1.0, evidence="", recoding=(("0", "1"), ("1", "0"))),
    ):
        ill = rows.assign(**{fault.column: inflict(fault, rows, np.ones(200, dtype=bool))})
        assert not (ill[fault.column] == rows[fault.column]).any()
        assert_allclose(mend(fault, ill).astype(float), rows[fault.column])
