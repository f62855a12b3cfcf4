"""A column as numbers and as labels: one spelling a value, whatever its type."""

import numpy as np
import pandas as pd
import pytest

from rca.tables.columns import as_labels, as_numbers, kind_of


@pytest.mark.parametrize(
    ("values", "coded", "kind"),
    [
        (pd.Series([1, 2]), False, "numeric"),
        (pd.Series([1, 2]), True, "categorical"),
        (pd.Series([True, False]), False, "categorical"),
        (pd.Series(["a"]), False, "categorical"),
        (pd.Series(pd.date_range("2024", periods=2)), False, "numeric"),
        (pd.Series([1, 2], dtype="Int64"), False, "numeric"),
        (pd.Series([1, 2], dtype="category"), False, "categorical"),
        (pd.Series([1j]), False, "categorical"),
    ],
)
def test_a_column_is_compared_by_order_or_by_category(values, coded, kind):
    assert kind_of(values, coded=coded) == kind


def test_a_label_has_one_spelling_a_value():
    assert list(as_labels(pd.Series([2.0, 3.0]))) == list(as_labels(pd.Series([2, 3]))) == ["2", "3"]
    assert list(as_labels(pd.Series([2.0, 2.5]))) == ["2", "2.5"]
    assert list(as_labels(pd.Series([2.0, np.inf]))) == ["2", "inf"]


def test_a_number_too_large_for_an_integer_keeps_its_label():
    labels = as_labels(pd.Series([1e300, -1e308, 1.0]))
    assert len(set(labels)) == 3
    assert [float(label) for label in labels] == [1e300, -1e308, 1.0]


def test_a_missing_time_is_no_number():
    assert np.isnan(as_numbers(pd.Series([pd.NaT], dtype="datetime64[s, UTC]"))).all()
