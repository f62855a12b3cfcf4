"""The figure of an event study: the series, what would have been, the event, and a claim that fits what was found."""

from dataclasses import replace

import rca
from rca.finding import Interval
from rca.report.parts.event_study.charts import chart, claim
from rca.report.rendering.chart import CALM, HARM, HELP


def test_a_hostile_name_is_escaped_where_it_is_drawn_and_shown(effect, hostile):
    drawn = replace(effect, event=hostile)
    assert "<script>" not in rca.plot(drawn).to_json()
    assert "<script>" not in drawn._repr_html_()


def test_the_figure_holds_the_series_the_counterfactual_and_the_event(effect):
    drawn = chart(effect)
    assert len(drawn.rows) == len(effect.periods)
    assert len(drawn.data[-2]["y"]) == len(effect.periods)
    assert drawn.layout["shapes"][0]["x0"] == "2026-03-01 00:00:00"
    assert rca.plot(effect).layout.meta["alt"]
    counted = replace(effect, is_share=False)
    assert "points" not in chart(counted).title


def test_the_claim_names_the_size_with_its_interval_or_that_nothing_was_found(effect):
    assert claim(effect) == "Deploy loader 2 changed the rate of wrong by +15 points (+10.0 to +20.0)"
    sized = replace(effect.effect, interval=Interval(low=-0.1, high=0.4))
    unsure = replace(effect, estimate=replace(effect.estimate, effect=sized))
    assert claim(unsure) == chart(unsure).title == "No effect of deploy loader 2 on the rate of wrong was found"


def test_what_came_after_the_event_is_coloured_by_whether_it_did_harm(effect):
    def colours(result):
        return chart(result).data[-1]["marker"]["color"]

    assert colours(effect) == [CALM] * 2 + [HARM] * 3
    assert colours(replace(effect, harm="lower")) == [CALM] * 2 + [HELP] * 3
