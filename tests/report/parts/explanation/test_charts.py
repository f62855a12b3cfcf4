"""Figures of how the model's reasons changed."""

import json
from dataclasses import replace

import pytest

from rca.analysis.explanation.dependence_curves import DependenceCurve
from rca.analysis.explanation.results import ExplanationShift
from rca.report.parts.explanation import charts as explanation_charts
from rca.report.parts.explanation import row_charts
from rca.report.parts.explanation import sections as explanation_sections
from rca.report.parts.explanation.dependence_charts import dependence, drawable
from rca.report.plot import plot
from rca.report.rendering.chart import chart
from tests.report.reasons import change, points, reason, updated


@pytest.fixture
def many(shift, curve):
    """A model of 40 features."""
    parts = tuple(reason(f"feature {at:02}", 1.0, 1.5 - at / 100, loss=change(0.01)) for at in range(40))
    swarm = tuple((one.column, points(160), points(160)) for one in parts)
    return replace(shift, reasons=parts, swarm=swarm, loss=change(0.405))


DRAWINGS = {
    "reasons": chart,
    "swarm": row_charts.swarm,
    "together": lambda shift: explanation_charts.together(shift.joint),
    "turned": explanation_charts.turned,
    "updated": lambda shift: explanation_charts.updated(updated(shift)),
    "curve": lambda shift: dependence(shift.curves[0], shift.reasons[0], scale=shift.scale),
    "categories": lambda shift: dependence(replace(shift.curves[0], numeric=False), scale=shift.scale),
    "example": lambda shift: row_charts.example(shift.exemplars[0], scale=shift.scale),
}


@pytest.fixture(params=DRAWINGS)
def drawn(request, shift):
    return DRAWINGS[request.param](shift)


def texts(value):
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


# --- every figure ----------------------------------------------------------------------------------------------------


def test_every_figure_is_one_that_plotly_accepts(drawn):
    import plotly.graph_objects as go

    assert go.Figure(drawn.to_dict()).data


def test_every_figure_says_its_claim_its_alternative_and_its_numbers(drawn):
    meta = drawn.to_dict()["layout"]["meta"]
    assert meta["title"]
    assert len(meta["alt"]) > 20
    assert meta["rows"]


def test_every_figure_says_what_its_axis_measures_and_in_what(drawn):
    axes = drawn.to_dict()["layout"]
    titles = [axes[axis]["title"]["text"] for axis in ("xaxis", "yaxis") if "title" in axes[axis]]
    assert any("log-odds" in title or "nats" in title or "AUC" in title for title in titles)


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_reasons_give_the_same_bytes(shift, name):
    again = ExplanationShift.from_dict(json.loads(json.dumps(shift.to_dict())))
    first, second = (json.dumps(DRAWINGS[name](one).to_dict(), allow_nan=False) for one in (shift, again))
    assert first == second


def test_one_verb_draws_the_shift_a_curve_and_an_example(shift):
    assert all(plot(one).data for one in (shift, shift.curves[0], shift.exemplars[0]))


@pytest.mark.parametrize("name", DRAWINGS)
def test_hostile_names_and_values_arrive_as_text_and_masked(shift, hostile, name):
    parts = tuple(replace(one, column=hostile) for one in shift.reasons)
    labels = (hostile,) * len(shift.curves[0].labels)
    told = tuple((hostile, hostile, *numbers) for _, _, *numbers in shift.exemplars[0].told)
    evil = replace(
        shift,
        reasons=parts,
        joint=replace(shift.joint, carriers=(replace(shift.joint.carriers[0], column=hostile),)),
        curves=(replace(shift.curves[0], column=hostile, labels=labels),),
        exemplars=(replace(shift.exemplars[0], told=told),),
        swarm=tuple((hostile, *sides) for _, *sides in shift.swarm),
        loss_unit=hostile,
    )
    spec = DRAWINGS[name](evil).to_dict()
    meta = spec["layout"].pop("meta")
    assert "&lt;script" in json.dumps(spec)
    assert not [text for text in texts(spec) if "<script" in text or "<img" in text]
    assert not [text for text in texts([spec, meta]) if "\x1b" in text or "\u202e" in text or "@example" in text]


def test_personal_data_in_values_of_an_example_are_masked(exemplar):
    told = (("contact", "ann@example.org, +44 20 7946 0958", 1.0, 0.0),)
    assert "▮▮▮" in (
        written := json.dumps(row_charts.example(replace(exemplar, told=told)).to_dict(), ensure_ascii=False)
    )
    assert "ann@" not in written
    assert "7946" not in written


# --- before and during -----------------------------------------------------------------------------------------------


def test_the_claim_names_what_moved_farthest(shift):
    assert chart(shift).title == (
        "The reasons of 1 of 3 features moved; income the farthest: mean |SHAP| 0.400 → 0.900"
    )


def test_a_turn_of_direction_and_of_the_curve_is_said_where_it_is_the_farthest(shift):
    def title(**more):
        return chart(replace(shift, reasons=(reason("income", 0.4, 0.5, moved=True, **more),))).title

    assert title(direction=change(-0.7)).endswith("0.400 → 0.500, mean SHAP −0.7")
    assert title(curve=change(0.6)).endswith("0.400 → 0.500, and the same explained otherwise by 0.6")


def test_reasons_that_did_not_move_are_a_claim_too(shift):
    still = tuple(replace(one, moved=False) for one in shift.reasons)
    drawn = chart(replace(shift, reasons=still))
    assert drawn.title == "The reasons of none of 3 features moved beyond chance and materially"
    assert "Moved: none." in drawn.alt


def test_an_interval_of_a_change_is_laid_around_what_it_came_to(shift):
    during = chart(shift).data[2]
    assert during["x"][0] + during["error_x"]["array"][0] == pytest.approx(0.91)
    assert during["x"][0] - during["error_x"]["arrayminus"][0] == pytest.approx(0.89)


def test_what_moved_is_told_apart_by_its_shape_too(shift):
    assert chart(shift).data[2]["marker"]["symbol"] == ["circle", "diamond", "diamond"]


def test_a_change_of_rank_stands_beside_the_name(shift):
    names = chart(shift).layout["yaxis"]["ticktext"]
    assert names[:2] == ["income<br>rank 2 → 1", "region<br>rank 1"]


def test_forty_features_stay_readable_and_none_is_lost(many):
    drawn = chart(many)
    assert len(drawn.layout["yaxis"]["ticktext"]) == explanation_charts.MOST_REASONS
    assert drawn.layout["height"] < 800
    assert len(drawn.rows) == 40
    assert "The 15 that changed most of 40 are drawn." in drawn.alt


@pytest.mark.parametrize("name", ["reasons", "swarm", "turned", "updated"])
def test_long_names_that_begin_alike_stay_apart(many, name):
    parts = tuple(replace(one, column=f"a feature with a name that begins alike {one.column}") for one in many.reasons)
    swarm = tuple((one.column, *sides) for one, (_, *sides) in zip(parts, many.swarm, strict=True))
    ticks = DRAWINGS[name](replace(many, reasons=parts, swarm=swarm)).layout["yaxis"]["ticktext"]
    named = [tick.partition("<br>")[0] for tick in ticks if tick != "during"]
    assert len(set(named)) == len(named)
    assert max(len(text) for text in named) <= len(", before") + 22


def test_thousands_of_features_leave_the_tables_short(shift):
    parts = tuple(reason(f"f{at}", 1.0, 1.0) for at in range(5000))
    assert len(chart(replace(shift, reasons=parts)).rows) == explanation_charts.MOST_NUMBERS
    told = explanation_sections.reasons(replace(shift, reasons=parts))
    assert told.count("<tr>") == explanation_charts.MOST_NUMBERS + 1
    assert "Left out, as they changed less: 4,800 features." in told


def test_what_the_new_model_did_and_what_the_rows_did_add_up_to_the_change(shift):
    by_model, by_rows = explanation_charts.updated(updated(shift)).data
    total = [first + second for first, second in zip(by_model["x"], by_rows["x"], strict=True)]
    assert total == pytest.approx([one.size.value for one in shift.reasons])


def test_the_claim_of_an_update_says_who_changed_more(shift):
    def title(share):
        parts = tuple(replace(one, update=change(share * one.size.value)) for one in shift.reasons)
        return explanation_charts.updated(replace(shift, reasons=parts)).title

    assert title(0.9).startswith("The new model changed the reasons more than the new rows did: 0.504 against 0.056")
    assert title(0.1).startswith("The new rows changed the reasons more than the new model did: 0.504 against 0.056")


# --- single rows -----------------------------------------------------------------------------------------------------


def test_no_swarm_has_more_points_than_a_page_can_carry(many):
    crowd = tuple((name, points(3000), points(3000)) for name, *_ in many.swarm)
    for one in (many, replace(many, swarm=crowd)):
        drawn = row_charts.swarm(one)
        assert 4000 < sum(len(trace["x"]) for trace in drawn.data) <= 5000
        assert len(drawn.layout["yaxis"]["ticktext"]) == 2 * row_charts.MOST_SWARMS


def test_the_reference_lies_above_and_the_current_window_below_each_line(shift):
    before, during, *_ = row_charts.swarm(shift).data
    for at in range(3):
        mine = slice(160 * at, 160 * (at + 1))
        assert at - 0.5 < min(before["y"][mine]) <= max(before["y"][mine]) < at
        assert at < min(during["y"][mine]) <= max(during["y"][mine]) < at + 0.5


def test_no_two_points_of_one_value_lie_on_each_other(shift):
    same = (("income", ((0.3, 0.5),) * 9, ((0.3, 0.5),) * 4),)
    before, during, *_ = row_charts.swarm(replace(shift, swarm=same)).data
    assert (len(set(before["y"])), len(set(during["y"]))) == (9, 4)


def test_a_swarm_thins_by_value_and_keeps_the_smallest(shift):
    crowd = tuple((at / 9000, 0.5) for at in range(9000))
    before, *_ = row_charts.swarm(replace(shift, swarm=(("income", crowd, crowd),))).data
    assert len(before["x"]) == row_charts.MOST_POINTS // 2
    assert before["x"][0] == 0.0
    assert sum(before["x"]) / len(before["x"]) == pytest.approx(0.5, abs=0.01)


def test_windows_without_rows_or_with_one_are_drawn(shift):
    for few in ((), ((0.2, 0.5),)):
        assert row_charts.swarm(replace(shift, swarm=(("income", few, few),))).rows


# --- what a value is worth -------------------------------------------------------------------------------------------


def test_a_band_is_drawn_only_where_its_error_is_known(curve):
    band = dependence(curve).data[0]
    assert [at for at in band["x"] if at is not None] == [0, 1, 1, 0, 3, 3]
    assert band["y"][0] - 0.1 == pytest.approx(1.96 * 0.01, rel=1e-3)


def test_missing_values_stand_apart_from_the_curve(curve):
    line = dependence(curve).data[3]
    assert line["x"] == [0, 1, 2, 3, None, 4]
    assert line["y"][-1] == -1.0


def test_dots_are_the_larger_the_more_rows_they_hold(curve):
    size = dependence(curve).data[3]["marker"]["size"]
    assert size[1] == max(size)
    assert size[0] == min(size[at] for at in (0, 1, 2, 3))


def test_rows_of_a_value_are_told_at_the_pointer(curve):
    assert dependence(curve).data[3]["text"][1] == "2, current: 0.5, 90 rows"


def test_categories_are_bars_with_their_intervals(curve):
    before, during = dependence(replace(curve, numeric=False)).data
    assert (before["type"], during["x"]) == ("bar", [0.1, 0.5, 0.6, 0.7, -1.0])
    assert during["error_x"]["array"][0] == pytest.approx(1.96 * 0.02, rel=1e-3)


def test_the_claim_of_a_curve_says_whether_the_same_is_explained_otherwise(curve, shift):
    def title(value, update=None):
        return dependence(curve, replace(shift.reasons[0], curve=value, update=update)).title

    assert title(None) == "income: worth −1.00 where missing, +0.70 at 4 during the failure"
    assert title(change(0.005)) == "income: the same value is explained as before"
    otherwise = "income: the same is explained otherwise, by 0.3 (0.29 to 0.31) on average"
    assert title(change(0.3), update=change(0.1)) == otherwise
    assert title(change(0.3)) == f"{otherwise}: by a changed model, or by drift of what it works together with"


def test_empty_curves_are_not_drawn():
    empty = DependenceCurve(column="income", labels=(), numeric=False, reference=(), current=(), errors=(), rows=())
    assert not drawable(empty)


# --- against the label -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["shift", "many"])
def test_what_features_added_leads_from_no_change_to_the_change_of_the_loss(request, case):
    found = request.getfixturevalue(case)
    bars = explanation_charts.turned(found).data[0]
    ends = [start + by for start, by in zip(bars["base"], bars["x"], strict=True)]
    assert bars["base"][0] == 0
    assert bars["base"][1:-1] == pytest.approx(ends[:-2])
    assert ends[-2] == pytest.approx(ends[-1]) == pytest.approx(found.loss.value)


def test_the_small_parts_of_the_loss_are_one_bar(many):
    drawn = explanation_charts.turned(many)
    assert len(drawn.data[0]["x"]) == explanation_charts.MOST_PARTS + 3
    assert drawn.layout["yaxis"]["ticktext"][-2].startswith("30 smaller")
    assert len(drawn.rows) == 42


def test_the_claim_names_who_turned_against_the_label_or_nobody(shift):
    first = "income turned against the label: +0.120 nats of loss by it alone, +0.100 in all"
    assert explanation_charts.turned(shift).title == first
    calm = tuple(replace(one, loss=change(0.001), turned=False) for one in shift.reasons)
    nobody = explanation_charts.turned(replace(shift, reasons=calm)).title
    assert nobody == "No feature's reasons turned against the label beyond chance; the mean loss changed by +0.1 nats"


def test_without_labels_no_loss_is_divided(shift):
    blind = replace(shift, loss=None)
    with pytest.raises(ValueError, match="without labels"):
        explanation_charts.turned(blind)


# --- examples --------------------------------------------------------------------------------------------------------


def test_an_example_leads_from_the_usual_answer_to_its_own(exemplar):
    bars = row_charts.example(exemplar).data[0]
    ends = [start + by for start, by in zip(bars["base"], bars["x"], strict=True)]
    assert (ends[0], ends[-1]) == (-0.5, 0.7)
    assert bars["base"][1:-1] == pytest.approx(ends[:-2])
    assert ends[-2] == pytest.approx(ends[-1])


def test_beside_each_step_stands_where_it_usually_ends(exemplar):
    marks = row_charts.example(exemplar).data[1]
    assert marks["y"] == [1, 2]
    assert marks["x"] == pytest.approx([-0.5 + 0.1, 1.0 + 0.0])


def test_where_nothing_is_left_no_bar_says_so(exemplar):
    whole = replace(exemplar, rest=-2e-16, margin=0.6)
    drawn = row_charts.example(whole)
    assert len(drawn.data[0]["x"]) == len(row_charts.example(exemplar).data[0]["x"]) - 1
    assert "all others" not in {row["part"] for row in drawn.rows}


def test_a_row_that_nothing_speaks_for_has_a_claim(exemplar):
    bare = replace(exemplar, told=(), rest=0.0, margin=-0.5)
    assert row_charts.example(bare).title == "Current row 7: nothing speaks for or against it"


def test_values_with_an_exponent_are_written_out(exemplar):
    assert "income = 120,000 is worth +1.50" in row_charts.example(exemplar).title
