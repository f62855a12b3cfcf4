"""Figures and words of how the model's reasons changed."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from rca.analysis.drift.classifier_two_sample import Carrier, Joint
from rca.analysis.explanation.cohorts import CohortShift, Exemplar
from rca.analysis.explanation.dependence_curves import DependenceCurve
from rca.analysis.explanation.results import ExplanationShift, Reason, ShapChange
from rca.finding import Finding, Interval, Unanswered
from rca.report import show
from rca.report.cells import output
from rca.report.cells.explanation import MOST_EXAMPLES
from rca.report.parts.explanation import charts as explanation_charts
from rca.report.parts.explanation import row_charts
from rca.report.parts.explanation import sections as explanation_sections
from rca.report.parts.explanation.dependence_charts import dependence, drawable
from rca.report.plot import plot
from rca.report.rendering.chart import chart

WHY = "there is no model on file, and no column of its scores that a stand-in could be fitted to"
VERBS = ("method", "explanation", "swarm", "together", "reasons", "turned", "curves", "cohorts", "exemplars")


def change(value, half=0.01, q=0.0):
    return ShapChange(value=value, interval=Interval(low=value - half, high=value + half), p_value=q, q_value=q)


def reason(name, before, during, **more):
    return Reason(
        column=name,
        reference=before,
        current=during,
        rank_reference=more.pop("rank", 1),
        rank_current=1,
        rank_interval=Interval(low=1, high=2),
        size=change(during - before),
        direction=more.pop("direction", change(0.0)),
        turned="loss" in more and more["loss"].interval.low > 0,
        **more,
    )


def points(n, at=0.0):
    return tuple((at + (place % 7) / 7, (place % 11) / 11) for place in range(n))


@pytest.fixture
def exemplar():
    told = (("income", "1.2e+05", 1.5, 0.1), ("region", "north", -0.4, 0.0))
    return Exemplar(row=7, margin=0.7, base=-0.5, told=told, rest=0.1)


@pytest.fixture
def curve():
    return DependenceCurve(
        column="income",
        labels=("1", "2", "3", "4", "missing"),
        numeric=True,
        reference=(0.1, 0.2, None, 0.4, None),
        current=(0.1, 0.5, 0.6, 0.7, -1.0),
        errors=((0.01, 0.02), (0.01, 0.02), None, (0.01, 0.01), None),
        rows=((100, 10), (100, 90), (0, 20), (50, 50), (0, 30)),
    )


@pytest.fixture
def together():
    carriers = (Carrier(column="income", drop=0.2, interval=Interval(low=0.1, high=0.3)),)
    sure = Interval(low=0.78, high=0.82)
    return Joint(auc=0.8, interval=sure, p_value=0.0, moved=True, carriers=carriers, n_reference=900, n_current=800)


@pytest.fixture
def cohort():
    return CohortShift(
        cohort="region=north",
        column="income",
        reference=0.4,
        current=0.9,
        change=0.5,
        interval=Interval(low=0.45, high=0.55),
        q_value=0.0,
        apart=0.3,
        apart_interval=Interval(low=0.2, high=0.4),
        n_reference=300,
        n_current=200,
    )


@pytest.fixture
def shift(curve, exemplar, together, cohort):
    parts = (
        reason("income", 0.4, 0.9, rank=2, moved=True, loss=change(0.12), direction=change(0.2)),
        reason("region", 0.5, 0.45, loss=change(-0.03)),
        reason("age", 0.1, 0.11, loss=change(0.005)),
    )
    return ExplanationShift(
        reasons=parts,
        joint=together,
        scale="log-odds",
        method="exactly, from its trees",
        loss=change(0.1),
        loss_start=0.005,
        loss_unit="nats",
        cohorts=(cohort, replace(cohort, cohort="region=south", change=0.001)),
        exemplars=(exemplar,),
        curves=(curve, replace(curve, column="age")),
        swarm=tuple((one.column, points(160), points(160, 0.5)) for one in parts),
        n_reference=900,
        n_current=800,
        alpha=0.05,
        material=0.02,
    )


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


def updated(shift):
    """As if a new model had answered in the current window."""
    parts = tuple(replace(one, update=change(one.size.value / 2), curve=change(0.3)) for one in shift.reasons)
    return replace(shift, reasons=parts, models=2)


@pytest.fixture(params=DRAWINGS)
def drawn(request, shift):
    return DRAWINGS[request.param](shift)


def texts(value):
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def shown(monkeypatch, verb, **analysis):
    """What a verb of `show` displays."""
    seen = []
    monkeypatch.setattr(output, "display", seen.append)
    getattr(show, verb)(SimpleNamespace(**{"explanation": None, "unanswered": (), **analysis}))
    return seen


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


def test_empty_curves_are_not_drawn(shift, monkeypatch):
    empty = DependenceCurve(column="income", labels=(), numeric=False, reference=(), current=(), errors=(), rows=())
    assert not drawable(empty)
    (note,) = shown(monkeypatch, "curves", explanation=replace(shift, curves=(empty,)))
    assert "No value of a feature is in enough rows" in note["text/plain"]


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


def test_without_labels_no_loss_is_divided(shift, monkeypatch):
    blind = replace(shift, loss=None)
    with pytest.raises(ValueError, match="without labels"):
        explanation_charts.turned(blind)
    (note,) = shown(monkeypatch, "turned", explanation=blind)
    assert "The label is not known" in note["text/plain"]


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


# --- in words --------------------------------------------------------------------------------------------------------


def test_the_method_says_scale_error_and_what_one_or_two_models_mean(shift):
    one = explanation_sections.method(shift)
    assert "log-odds" in one
    assert "sampled" not in one
    assert "One model explains both windows" in one
    assert "same rows, two models" in explanation_sections.method(updated(shift))
    assert "may be two" in explanation_sections.method(replace(shift, models=2))
    sampled = explanation_sections.method(
        replace(shift, method="by asking", error=0.012, assumptions=("rows are alike",))
    )
    assert "sampled values are off by 0.012 on average" in sampled
    assert "<li>Rows are alike.</li>" in sampled


def test_the_table_of_reasons_has_no_columns_that_say_nothing(shift):
    bare = explanation_sections.reasons(replace(shift, reasons=tuple(replace(one, loss=None) for one in shift.reasons)))
    assert "loss" not in bare
    assert "by the new model" not in bare
    assert "loss (nats)" in explanation_sections.reasons(shift)
    assert "by the new model" in explanation_sections.reasons(updated(shift))


def test_parts_of_the_rows_that_changed_immaterially_are_counted_and_not_listed(shift):
    told = explanation_sections.cohorts(shift)
    assert "region=north" in told
    assert "region=south" not in told
    assert "Left out, as they changed less: 1 part of the rows." in told


def test_hostile_words_are_escaped_in_every_table(shift, hostile):
    evil = replace(
        shift,
        reasons=tuple(replace(one, column=hostile) for one in shift.reasons),
        cohorts=tuple(replace(one, cohort=hostile, column=hostile, change=0.5) for one in shift.cohorts),
        assumptions=(hostile,),
        loss_unit=hostile,
    )
    for told in (
        explanation_sections.method(evil),
        explanation_sections.reasons(evil),
        explanation_sections.cohorts(evil),
    ):
        assert "alert" in told
        assert not [bad for bad in ("<script", "<img", "\x1b", "\u202e", "ann@example") if bad in told]


# --- what notebooks show ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_something_of_a_shift(shift, monkeypatch, verb):
    assert shown(monkeypatch, verb, explanation=shift)


@pytest.mark.parametrize("verb", ["explanation", "turned", "curves", "cohorts", "exemplars"])
def test_what_is_not_known_is_said_and_once_why(monkeypatch, verb):
    unanswered = (Unanswered(question="how did the model's reasons change", why=WHY),)
    (note,) = shown(monkeypatch, verb, unanswered=unanswered)
    assert (WHY in note["text/plain"]) == (verb == "explanation")
    assert "no reasons could be compared" in note["text/plain"].lower()
    (note,) = shown(monkeypatch, verb, unanswered=(Unanswered(question="what moved", why="there are no tables"),))
    assert ("there are no tables" in note["text/plain"]) == (verb == "explanation")


@pytest.mark.parametrize("verb", ["method", "swarm", "together", "reasons"])
def test_what_goes_along_with_reasons_that_are_not_known_stays_silent(monkeypatch, verb):
    assert shown(monkeypatch, verb) == []


def test_the_figure_of_reasons_carries_its_findings(shift, monkeypatch):
    (figure,) = shown(monkeypatch, "explanation", explanation=shift)
    carried = [Finding(**{**one, "cause": None, "interval": None}).id for one in figure[output.FINDINGS]]
    assert carried == ["explanation.joint", "explanation.income"]


def test_curves_of_what_moved_are_drawn_and_else_of_one(shift, monkeypatch):
    moved = shown(monkeypatch, "curves", explanation=shift)
    assert [bundle["text/plain"].count("SHAP value of income") for bundle in moved] == [1]
    still = replace(shift, reasons=tuple(replace(one, moved=False) for one in shift.reasons))
    figure, note = shown(monkeypatch, "curves", explanation=still)
    assert "Curves" in figure["text/plain"]
    assert "No feature's reasons moved" in note["text/plain"]


def test_an_update_is_drawn_before_the_curves(shift, monkeypatch):
    first, *_ = shown(monkeypatch, "curves", explanation=updated(shift))
    assert first["text/plain"].startswith("Two bars a feature")


def test_few_of_the_examples_are_drawn(shift, exemplar, monkeypatch):
    rows = tuple(replace(exemplar, row=at) for at in range(5))
    assert len(shown(monkeypatch, "exemplars", explanation=replace(shift, exemplars=rows))) == MOST_EXAMPLES


@pytest.mark.parametrize(
    ("verb", "missing", "said"),
    [
        ("cohorts", {"cohorts": ()}, "beyond chance"),
        ("exemplars", {"exemplars": ()}, "No reasons moved"),
        ("together", {"joint": None}, "Too few rows"),
    ],
)
def test_what_a_shift_has_none_of_is_said(shift, monkeypatch, verb, missing, said):
    (note,) = shown(monkeypatch, verb, explanation=replace(shift, **missing))
    assert said in note["text/plain"]
