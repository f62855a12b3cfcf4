"""Numbers that became text: read again whatever their decimal sign and unit, and told from words."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import hit, mend, mendable
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.rules.retyped_values import numbers_in

WRITINGS = {
    "decimal comma": lambda value: f"{value:.3f}".replace(".", ","),
    "thousands and comma": lambda value: f"{value:,.2f}".translate(str.maketrans(",.", ".,")),
    "thousands": lambda value: f"{value:,.2f}",
    "currency": lambda value: f"€{value:.2f}",
    "unit": lambda value: f"{value:.2f} kg",
    "apostrophe": lambda value: f"{value:,.2f}".replace(",", "'"),
    "plain": lambda value: f"{value:.2f}",
}


def diagnosed(before, after):
    frames = pd.DataFrame({"c": before}), pd.DataFrame({"c": after})
    return diagnose(*frames, univariate_drift(*frames), ordered=True).get("c"), frames[1]


@pytest.mark.parametrize("writing", WRITINGS)
def test_numbers_in_another_writing_are_read_again(writing):
    rng = np.random.default_rng(0)
    before, truth = rng.lognormal(5, 1.5, (2, 900))
    found, current = diagnosed(before, [WRITINGS[writing](value) for value in truth])
    assert found.fault == "retyped"
    plain = pd.to_numeric(current["c"], errors="coerce").notna().mean()
    assert found.share == pytest.approx(1.0 if plain == 1 else 1 - plain)
    assert_allclose(mend(found, current), truth, atol=0.006)


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 2)), min_size=5, max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_number_with_a_decimal_comma_comes_back(values):
    said = numbers_in([f"{value:.2f}".replace(".", ",") for value in values])
    assert_allclose(said, values)


def test_text_in_a_part_of_the_rows_marks_these():
    rng = np.random.default_rng(1)
    before, truth = rng.normal(40, 9, (2, 1200))
    late = np.arange(1200) >= 700
    cells = [
        f"{value:.4f}".replace(".", ",") if one else f"{value:.4f}" for value, one in zip(truth, late, strict=True)
    ]
    found, current = diagnosed(before, cells)
    assert found.fault == "retyped"
    assert abs(found.since - 700) <= 3
    assert (hit(found, current) == late).all()
    assert_allclose(mend(found, current), truth, atol=1e-4)


def test_cells_without_a_number_are_named_and_stay_lost():
    rng = np.random.default_rng(2)
    before, truth = rng.normal(40, 9, (2, 1000))
    cells = ["-" if row % 40 == 0 else f"{value:.4f}" for row, value in enumerate(truth)]
    found, current = diagnosed(before, cells)
    assert found.fault == "retyped"
    assert found.share == pytest.approx(0.025, abs=0.002)
    assert "such as -" in found.evidence
    assert not mendable(found, current).any()


def test_numbers_that_stay_numbers_and_words_that_stay_words_are_not_retyped():
    rng = np.random.default_rng(3)
    before, after = rng.normal(40, 9, (2, 500))
    assert diagnosed(before, after * 3)[0].fault != "retyped"
    assert diagnosed(rng.choice(["a", "b"], 500), rng.choice(["x", "y"], 500))[0].fault != "retyped"


@pytest.mark.parametrize("text", ["", " ", "n/a", "-", "1.2.3.4", "12-13", "x" * 10_000, "--1", "1,2,3,4"])
def test_what_is_no_number_is_none(text):
    said = numbers_in([text, "2,5"])
    assert np.isnan(said[0])
    assert said[1] == 2.5
