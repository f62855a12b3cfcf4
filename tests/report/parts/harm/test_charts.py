"""The waterfall of the harm: it leads from the reference to the current value, whichever way is worse."""

from dataclasses import replace

import pytest

from rca.report.parts.harm.charts import chart, in_short
from rca.report.rendering.chart import MOST_PARTS


def test_the_waterfall_leads_from_the_reference_to_the_current_value(harm):
    bars = chart(harm).data[0]
    ends = [start + step for start, step in zip(bars["base"], bars["x"], strict=True)]
    per_cent = 100 * harm.measured.reference, 100 * harm.measured.current
    assert (ends[0], ends[-1]) == per_cent
    assert ends[-2] == pytest.approx(per_cent[1])
    assert bars["base"][1:-1] == pytest.approx(ends[:-2])


def test_harm_to_a_metric_that_should_be_high_goes_down(harm):
    low = replace(harm.measured, harm="lower", reference=0.9, current=0.7, change=-0.2)
    bars = chart(replace(harm, measured=low)).data[0]
    assert bars["x"][1] == pytest.approx(-18)
    assert bars["base"][-2] + bars["x"][-2] == pytest.approx(70)


def test_many_small_parts_are_drawn_as_one(harm):
    many = tuple(replace(harm.contributions[0], name=f"c{place}", value=0.01) for place in range(20))
    bars = chart(replace(harm, contributions=many, unexplained=0.0)).data[0]
    assert len(bars["x"]) == MOST_PARTS + 4
    assert bars["base"][-2] + bars["x"][-2] == pytest.approx(100 * harm.measured.current)
    assert len(chart(replace(harm, contributions=many)).rows) == 23


def test_an_axis_names_what_is_no_column_in_words(harm):
    part = harm.contributions[0]
    named = [in_short(replace(part, kind=kind, name="x")) for kind in ("feature", "concept", "rows")]
    assert named == ["x", "label given features", "rows written twice"]
