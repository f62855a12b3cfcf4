"""One value gained: frozen on a usual one, filled with a default, or missing; and which rows hold it."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import hit, mend
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.names.renaming import by_stem
from rca.analysis.faults.rules.single_value import FILLERS
from rca.tables.column_pair import ColumnPair
from tests.analysis.faults.broken_columns import NEXT, SKEWED, USUAL, WORDS, name


def test_a_code_filled_with_one_of_its_values_is_frozen_and_not_scaled():
    codes = pd.Series(np.random.default_rng(1).choice([10, 20, 30], 1200))
    assert name(codes, codes * 0 + 20, coded=True).fault == "frozen"


def test_a_filler_that_is_a_usual_value_is_frozen():
    counts = pd.Series(np.random.default_rng(1).poisson(0.7, 1200))
    assert name(counts, counts * 0).fault == "frozen"


@pytest.mark.parametrize("filler", sorted(FILLERS))
def test_what_pipelines_write_is_a_default_though_the_reference_has_it_now_and_then(filler):
    now_and_then = WORDS.index % 300 == 0
    assert name(WORDS.mask(now_and_then, filler), WORDS.where(WORDS.isna(), filler)).fault == "default_value"
    assert name(WORDS.mask(now_and_then, "tent"), WORDS.where(WORDS.isna(), "tent")).fault == "frozen"


def test_an_integer_column_with_holes_is_frozen_on_the_value_it_was_known_by():
    before = pd.Series(np.random.default_rng(1).integers(1, 9, 1200)).astype(float).mask(SKEWED > 12)
    found = name(before, pd.Series(np.full(1200, 4)))
    assert (found.fault, found.value) == ("frozen", "4")


def test_a_value_that_is_common_now_is_no_default_where_all_others_moved_too():
    rng = np.random.default_rng(0)
    before, after = (
        pd.DataFrame({"paid": np.where(rng.random(3000) < 0.1, 0.0, rng.exponential(100, 3000))}) for _ in range(2)
    )
    after = 1.7 * after + before.max()
    assert diagnose(before, after, univariate_drift(before, after)).get("paid").fault != "default_value"


def test_rows_that_a_frozen_column_hit_hold_its_value():
    after = NEXT.mask(NEXT.index % 50 != 0, USUAL)
    found = name(SKEWED, after)
    assert (hit(found, pd.DataFrame({"c": after})) == (after == USUAL)).all()


def test_rows_that_a_missing_column_hit_are_the_missing_ones():
    after = NEXT.mask(NEXT.index % 3 == 0)
    assert (hit(name(SKEWED, after), pd.DataFrame({"c": after})) == after.isna()).all()


def test_a_frozen_value_is_found_again_whatever_the_type_of_the_column():
    found = name(SKEWED.round(), (NEXT * 0 + 7).astype(int))
    assert found.fault == "frozen"
    for kind in ("int64", "float64", "Int64", "float32"):
        assert hit(found, pd.DataFrame({"c": pd.Series([7, 8, 7]).astype(kind)})).tolist() == [True, False, True]


def test_a_frozen_value_is_found_again_beside_values_that_are_not_whole():
    found = name(SKEWED.round(), NEXT * 0 + 7)
    assert hit(found, pd.DataFrame({"c": [7.0, 7.5, np.nan]})).tolist() == [True, False, False]


@pytest.mark.parametrize("filler", ["unknown", "99999"])
def test_one_filler_among_thousands_of_names_is_a_default_and_no_new_names(filler):
    rng = np.random.default_rng(5)
    codes = np.array([f"{at:05d}" for at in range(3000)])
    law = rng.dirichlet(np.full(3000, 0.5))
    before, after = (pd.Series(rng.choice(codes, 5000, p=law)) for _ in range(2))
    found = name(before, after.mask(after.index < 2000, filler))
    assert (found.fault, found.value) == ("default_value", filler)
    assert found.share == pytest.approx(0.4, abs=0.01)
    assert name(before, after) is None


# --- names with a mark ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["{}_v2", "{}-new", "{}.2", "v2:{}", "{} (old)"])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_known_name_with_a_mark_is_put_back_by_its_stem(mark, share):
    rng = np.random.default_rng(0)
    before, true = (pd.DataFrame({"shop": rng.choice(["North", "New York", "Rome"], 900)}) for _ in range(2))
    struck = (rng.random(900) < share) & (true["shop"] != "Rome")
    after = true.assign(shop=true["shop"].mask(struck, true["shop"].map(mark.format)))
    found = diagnose(before, after, univariate_drift(before, after)).get("shop")
    assert found.fault in ("new_values", "recoded")
    assert mend(found, after).tolist() == true["shop"].tolist()


def test_names_that_only_begin_alike_or_take_no_rows_away_stand_for_none():
    rng = np.random.default_rng(1)
    before, after = (pd.Series(rng.choice(["car", "boat"], 600)) for _ in range(2))
    assert by_stem(ColumnPair(reference=before, current=after.replace("car", "carpet"))) == ()
    both = pd.concat([after, pd.Series(["car"] * 400), pd.Series(["car park"] * 100)])
    assert by_stem(ColumnPair(reference=before, current=both)) == ()


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (SKEWED, NEXT.mask(NEXT.index % 40 == 0, 9999.0), "default_value"),
        (SKEWED, NEXT.mask(NEXT.index % 40 == 0), "missing"),
        (WORDS, WORDS.mask(WORDS.index % 40 == 0, "unknown"), "default_value"),
    ],
)
def test_a_value_that_is_none_in_few_rows_is_a_fault_though_the_column_has_not_moved(before, after, fault):
    windows = (pd.DataFrame({"c": values}) for values in (before, after))
    found = name(before, after)
    assert not univariate_drift(*windows).moved() or fault == "missing"
    assert (found.fault, found.share) == (fault, pytest.approx(1 / 40, abs=0.01))


def test_the_ends_of_a_column_that_is_sound_are_no_fillers():
    rng = np.random.default_rng(3)
    for _ in range(40):
        before, after = (pd.DataFrame({"c": np.round(rng.standard_t(2, 600) * 3)}) for _ in range(2))
        assert not diagnose(before, after, univariate_drift(before, after)).broken
