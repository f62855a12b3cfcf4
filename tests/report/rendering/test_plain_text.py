"""Texts fit to print: personal data masked, numbers and times left, on one line."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.finding import Interval
from rca.report.rendering.plain_text import alike, change_in_words, clean, mask


@pytest.mark.parametrize(
    "text",
    [
        "ann.lee+x@mail.example.org",
        "+49 30 1234567",
        "(030) 1234 567",
        "212-555-0100",
        "4111 1111 1111 1111",
        "123456789",
    ],
)
def test_personal_data_are_masked(text):
    assert mask(f"write {text}, please") == "write ▮▮▮, please"


@pytest.mark.parametrize(
    "text", ["2026-05-02 09:10", "18,234", "0.123456789", "v3.4.1", "+0.134 (0.121 to 0.148)", "a@b"]
)
def test_numbers_times_and_versions_are_not_masked(text):
    assert mask(text) == text


@given(st.text())
def test_cleaned_text_is_one_line_without_control_characters(text):
    cleaned = clean(text)
    assert (
        cleaned.isprintable()
        or not cleaned.replace(" ", "").strip()
        or all(c.isprintable() or c == " " for c in cleaned)
    )
    assert clean(cleaned) == cleaned


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4))
def test_numbers_side_by_side_can_all_be_written(values):
    assert len(alike(*values)) == len(values)


def test_a_change_within_chance_is_called_neither_a_rise_nor_a_fall(measured):
    assert change_in_words(measured) == "Error rate rose: 10.0 % before, 30.0 % during the failure"
    assert " fell: " in change_in_words(replace(measured, change=-0.2, interval=Interval(low=-0.3, high=-0.1)))
    unsure = replace(measured, interval=Interval(low=-0.1, high=0.3))
    assert " did not change beyond chance: " in change_in_words(unsure)
