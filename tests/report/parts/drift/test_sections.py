"""The table of columns that broke: what says so, in which rows, and the harm where that was divided."""

from dataclasses import replace

from rca.analysis.faults.column_fault import ColumnFault
from rca.report.parts.drift.sections import faults

BROKE = ColumnFault(column="income", fault="default_value", share=0.5, evidence="999 in 50% of the rows", value="999")


def test_a_column_that_broke_stands_with_its_harm_and_one_that_was_not_divided_with_none(harm):
    told = faults([BROKE, replace(BROKE, column="height")], harm)
    assert "harm (percentage points)" in told
    income, height = told.split("<tr>")[-2:]
    assert "default value" in income
    assert "50%" in income
    assert "+18" in income
    assert "(17.0 to 19.0)" in income
    assert "–</td></tr>" in height


def test_where_no_harm_was_divided_no_column_tells_of_any():
    assert "harm" not in faults([BROKE])


def test_what_a_column_is_called_and_what_says_so_arrive_as_text(harm, hostile):
    told = faults([replace(BROKE, column=hostile, evidence=hostile)], harm)
    assert not [bad for bad in ("<script", "<img", "\x1b", "\u202e", "ann@example") if bad in told]
