"""Figures of many incidents: every part can be drawn, says its claim, and hides no bound that there is none."""

import json

import pandas as pd
import pytest

from rca import portfolio
from rca.report.parts.portfolio.charts import MOST_CURVES, curves
from rca.report.plot import plot
from rca.report.rendering.chart import chart
from tests.analysis.portfolio.test_portfolio import log
from tests.conftest import HOSTILE


@pytest.fixture(scope="module")
def found():
    return portfolio(log(), split="2025-01-01T00:00Z")


def parts(found):
    return (found, *found.summaries, *found.grouped, *found.trends, *found.comparisons)


def test_every_part_has_a_figure_with_a_claim_an_alternative_and_numbers(found):
    for part in parts(found):
        figure = plot(part)
        meta = figure.layout.meta
        assert meta["title"]
        assert meta["alt"]
        assert meta["rows"]
        assert figure.layout.xaxis.title.text
        json.dumps(chart(part).to_dict(), allow_nan=False)


def test_a_curve_is_a_staircase_in_its_band(found):
    data = chart(found["time_to_recover"]).data
    assert [trace["line"]["shape"] for trace in data] == ["hv"] * 3
    high, low, share = (trace["y"] for trace in data)
    assert all(a >= b >= c for a, b, c in zip(high, share, low, strict=True))


def test_curves_of_groups_have_no_band_and_differ_by_more_than_colour(found):
    by_severity = next(one for one in found.grouped if one.grouping == "severity")
    drawn = curves(by_severity).data
    assert [trace["name"] for trace in drawn] == ["sev1", "sev2", "sev3"]
    assert len({trace["line"]["dash"] for trace in drawn}) == 3


def test_of_many_groups_the_largest_are_drawn_and_all_are_in_the_table():
    table = log(200, system=[f"s{at % 9}" if at < 90 else "s0" for at in range(200)])
    one = next(one for one in portfolio(table).grouped if one.grouping == "system")
    drawn = curves(one)
    assert (len(drawn.data), len(drawn.rows)) == (MOST_CURVES, 9)
    assert "s0" in {trace["name"] for trace in drawn.data}


def test_a_bound_that_there_is_none_is_not_drawn():
    told = portfolio(log(4))
    bars = chart(told).data[0]["error_x"]
    assert bars["array"][0] == 0.0
    assert bars["arrayminus"][0] == 0.0


def test_an_empty_log_is_drawn_as_one():
    drawn = chart(portfolio(log(0)))
    assert drawn.title == "No measure has its moments on record"
    assert "No measure" in drawn.alt


def test_a_log_of_open_incidents_is_drawn():
    told = portfolio(log(20).assign(recovered=pd.NaT), as_of="2026-06-01T00:00Z", split="2025-01-01T00:00Z")
    for part in parts(told):
        json.dumps(chart(part).to_dict(), allow_nan=False)


def test_a_claim_says_no_more_than_was_shown(found):
    assert {chart(one).title.partition(": ")[2] for one in found.trends} >= {"no trend can be shown"}
    assert any("no difference can be shown" in chart(one).title for one in found.comparisons)


def test_a_trend_and_a_change_that_were_shown_are_said_with_their_size():
    table = log(400)
    years = (table.onset - table.onset.min()).dt.total_seconds() / (365.25 * 86400)
    table["recovered"] = table.onset + (table.recovered - table.onset) * 4**years
    told = portfolio(table, split="2025-01-01T00:00Z")
    trends = {one.measure: chart(one).title for one in told.trends}
    assert trends["time_to_recover"].startswith("Time to recover: ×3.52 (")
    changed = {one.measure: chart(one).title for one in told.comparisons}
    assert changed["time_to_recover"].startswith("Time to recover: the median changed ×")


def test_a_trend_within_a_month_has_no_size():
    table = log(300)
    shrunk = (table.onset - table.onset.min()) * 0.97
    share = (table.onset - table.onset.min()) / (table.onset.max() - table.onset.min())
    table["recovered"] = table.onset + (table.recovered - table.onset) * 50**share
    table = table.assign(**{name: table[name] - shrunk for name in ("onset", "detected", "recovered")})
    titles = {one.measure: chart(one).title for one in portfolio(table).trends}
    assert titles["time_to_recover"].startswith("Time to recover: there is a trend (p = ")


def test_hostile_names_cannot_be_read_as_tags():
    table = log(60, category=[HOSTILE, "b"] * 30).assign(id=[f"{HOSTILE}{at}" for at in range(60)])
    for part in portfolio(table).grouped:
        for drawn in (chart(part), curves(part)):
            written = json.dumps(drawn.to_dict()["data"]) + json.dumps(drawn.to_dict()["layout"]["yaxis"])
            assert "<script" not in written
            assert "<img" not in written
