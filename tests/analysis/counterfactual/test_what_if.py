"""What would have happened: exact where a fault can be undone, an honest interval where it cannot, never a guess."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import rca
from rca.analysis.counterfactual import counterfactual_rows
from rca.analysis.counterfactual.change_counts import beyond
from rca.analysis.counterfactual.decision import reader_of
from rca.analysis.counterfactual.scenarios import whole
from rca.analysis.counterfactual.what_if import HIDDEN, WhatIf, _likeliest, predict_what_if
from rca.analysis.drift.question import drift_of
from rca.analysis.faults.question import faults_of
from rca.analysis.inputs.windows import windows_from
from rca.errors import InvalidCase, Unanswerable
from tests.conftest import INCIDENTS

FEATURES = ["a", "b", "x"]
ROLES = {
    "metric": "false_positive_rate",
    "label": "label",
    "prediction": "said",
    "score": "score",
    "features": FEATURES,
}


def logit(rows):
    return 0.3 + 0.8 * rows["a"] - 0.5 * rows["b"] + 1.2 * rows["x"].fillna(0)


def model(rows):
    return expit(logit(rows))


def drawn(rng, rows=1500):
    a, b = rng.normal(size=(2, rows))
    frame = pd.DataFrame({"a": a, "b": b, "x": 0.8 * a + 0.6 * rng.normal(size=rows)})
    return frame.assign(label=(rng.random(rows) < model(frame)).astype(int))


def answered(rows, by=model):
    scores = by(rows)
    return rows.assign(score=scores, said=(scores > 0.5).astype(int))


@pytest.fixture(scope="module")
def sound():
    rng = np.random.default_rng(1)
    return answered(drawn(rng)), answered(drawn(rng))


def frozen(rows, at=1.5):
    return answered(rows.assign(x=at))


def asked(reference, current, **more):
    return rca.what_if(reference, current, **{"mend": "x", "model": model, **ROLES, **more})


def test_where_a_fault_can_be_undone_what_would_have_been_is_known_to_the_row(sound):
    reference, true = sound
    found = asked(reference, answered(true.assign(x=true["x"] * 100)))
    recorded = answered(true.assign(x=true["x"] * 100))["said"]
    other = (recorded != true["said"]).to_numpy()
    assert found.changed.value == other.sum()
    assert found.changed.interval.low == found.changed.interval.high
    assert found.frame()["changed"].tolist() == other.tolist()
    right = (true["said"] == true["label"]) & other
    assert found.righted.value == right.sum()
    assert found.wronged.value == (other & ~right).sum()
    fpr = true.loc[true["label"] == 0, "said"].mean()
    assert found.would_be.value == pytest.approx(fpr)
    assert found.spared.value == pytest.approx(found.recorded - fpr)
    assert fpr in found.would_be.interval  # which holds the sampling of rows
    assert found.would_be.interval.low < fpr


def test_where_values_are_lost_the_truth_lies_in_the_intervals(sound):
    reference, true = sound
    found = asked(reference, frozen(true))
    other = frozen(true)["said"] != true["said"]
    assert other.sum() in found.changed.interval
    assert 0 < found.changed.interval.high - found.changed.interval.low < 100
    assert true.loc[true["label"] == 0, "said"].mean() in found.would_be.interval
    told = found.frame()
    assert len(told) == len(true) == found.touched
    assert np.corrcoef(told["chance"], other)[0, 1] > 0.5


def test_turns_add_up_and_only_rows_that_were_hit_are_touched(sound):
    reference, true = sound
    half = true.assign(x=np.where(true["b"] > 0, np.nan, true["x"]))
    found = asked(reference, answered(half))
    assert found.touched == len(found.decided) == pytest.approx((true["b"] > 0).sum(), rel=0.03)
    assert sum(turn.rows.value for turn in found.turns) == pytest.approx(found.changed.value)
    assert found.people == found.changed


def test_people_are_counted_once(sound):
    reference, true = sound
    twice = [rows.assign(who=np.arange(len(rows)) // 2) for rows in (reference, frozen(true))]
    found = asked(*twice, id="who")
    assert found.changed.value / 2 < found.people.value < found.changed.value
    assert found.people.interval.low < found.people.value < found.people.interval.high


def test_ids_are_masked_unless_they_are_asked_for(sound):
    reference, true = sound
    named = [rows.assign(who=[f"ann{i}@example.org" for i in range(len(rows))]) for rows in (reference, frozen(true))]
    found = asked(*named, id="who")
    shown = f"{found!r}{found}{found._repr_html_()}{found.frame()}{found.to_frame()}"
    assert "example.org" not in shown
    assert found.frame()["id"].eq(HIDDEN).all()
    assert found.frame(ids=True)["id"].iloc[0] == "ann0@example.org"


def test_it_says_itself_and_comes_back_from_json(sound):
    reference, true = sound
    found = asked(reference, frozen(true))
    assert WhatIf.from_dict(found.to_dict()) == found
    assert str(found).startswith("had x been whole, ")
    assert "of 1,500 decisions would have been otherwise" in str(found)
    assert ") instead of 96.7 %" in str(found)
    (claim,) = found.findings()
    assert claim.strength == "suggested"
    assert claim.interval == found.changed.interval
    assert set(found.to_frame()["the interval covers"]) == {found.counts_cover, found.metric_covers, ""}


def test_without_a_label_decisions_are_told_and_the_metric_is_not(sound):
    reference, true = sound
    bare = [rows.assign(label=np.nan) for rows in (reference, frozen(true))]
    found = asked(*bare, metric={"name": "rate", "column": "said"})
    assert found.righted is None
    assert found.would_be.value < found.recorded
    none = asked(*bare)
    assert none.would_be is None
    assert none.changed == found.changed
    assert "would have been otherwise (said: " in str(none)
    assert "false positive rate" not in str(none)


def test_a_score_and_a_threshold_are_decisions_too(sound):
    reference, true = sound
    rows = [one.drop(columns="said") for one in (reference, answered(true.assign(x=true["x"] * 100)))]
    found = asked(*rows, prediction=None)
    assert {turn.was for turn in found.turns} <= {"yes", "no"}
    assert found.changed.value == (answered(true.assign(x=true["x"] * 100))["said"] != true["said"]).sum()
    assert found.righted is not None


def test_of_numbers_an_answer_is_another_from_a_material_difference_on(sound):
    reference, true = (rows.drop(columns="said").assign(label=rows["score"]) for rows in sound)
    broken = true.assign(x=true["x"] * 100)
    found = asked(reference, broken.assign(score=model(broken)), metric="mae", prediction=None)
    away = np.abs(model(broken) - model(true))
    assert found.changed.value == (away > 0.05 * reference["score"].std(ddof=0)).sum()
    assert found.turns == ()
    assert found.righted is None
    assert found.would_be.value == pytest.approx(0.0, abs=1e-12)
    assert found.frame()["would have been"].to_numpy() == pytest.approx(model(true).to_numpy())


def test_a_stand_in_is_asked_where_no_model_is_and_errs_as_far_as_it_does(sound):
    reference, true = sound
    broken = answered(true.assign(x=np.where(true["b"] > 0, np.nan, true["x"])))
    found = asked(reference, broken, model=None)
    whole = asked(reference, broken)
    assert found.by == "a stand-in for the model"
    assert any("a stand-in answers as the model does" in one for one in found.assumptions)
    assert (broken["said"] != true["said"]).sum() in found.changed.interval
    assert found.changed.interval.high - found.changed.interval.low > 0.8 * (
        whole.changed.interval.high - whole.changed.interval.low
    )
    exact = asked(reference, answered(true.assign(x=true["x"] * 100)), model=None)
    assert exact.changed.interval.low < exact.changed.interval.high  # the stand-in errs, though the fault is undone


def test_a_gap_between_groups_would_have_been_another(sound):
    reference, true = (rows.assign(group=np.where(rows["b"] > 0, "u", "v")) for rows in sound)
    found = asked(reference, frozen(true), metric={"name": "group_gap", "of": "error_rate"}, groups=["group"])
    assert found.would_be is not None
    lone = asked(
        reference.assign(group="u"),
        frozen(true).assign(group="u"),
        metric={"name": "group_gap", "of": "error_rate"},
        groups=["group"],
    )
    assert lone.would_be is None


def test_several_columns_are_mended_at_once(sound):
    reference, true = sound
    both = answered(true.assign(x=1.5, a=true["a"] * 60))
    found = asked(reference, both, mend=["x", "a"])
    assert (both["said"] != true["said"]).sum() == pytest.approx(found.changed.value, abs=60)
    assert found.said == "x and a been whole"


def test_the_same_seed_gives_the_same_answer(sound):
    reference, true = sound
    assert asked(reference, frozen(true)) == asked(reference, frozen(true))


def test_of_a_case_columns_and_model_are_its_own():
    found = rca.what_if(rca.load(INCIDENTS / "credit-drift"), mend="regional_unemployment")
    assert found.would_be.interval.high < 0.08
    assert found.recorded > 0.19
    assert 850 < found.changed.value < 1000


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"mend": "nope"}, "no column 'nope'"),
        ({"mend": "label"}, "must name a feature, got 'label'"),
        ({"mend": []}, "must name at least one column"),
        ({"mend": None}, "nothing is asked"),
        ({"earlier": "7 days"}, "mend and earlier are asked at once"),
    ],
    ids=str,
)
def test_bad_questions_are_refused_with_a_hint(sound, more, says):
    with pytest.raises(InvalidCase, match=says) as refused:
        asked(sound[0], frozen(sound[1]), **more)
    assert refused.value.problems[0].hint


def test_what_nothing_says_is_not_guessed(sound):
    reference, true = sound
    with pytest.raises(Unanswerable, match=r"b did not break.*what broke: x"):
        asked(reference, frozen(true), mend="b")
    with pytest.raises(Unanswerable, match="no column did"):
        asked(reference, true, mend="b")
    with pytest.raises(Unanswerable, match="another model gave them"):
        asked(reference, frozen(true), model=lambda rows: 1 - model(rows))
    words = [
        rows.assign(said=np.where(rows["said"] == 1, "p", np.where(rows["a"] > 0, "q", "r")))
        for rows in (reference, frozen(true))
    ]
    with pytest.raises(Unanswerable, match="no model that could be asked"):
        asked(*(rows.drop(columns="score") for rows in words), model=None, score=None, metric="error_rate")
    with pytest.raises(Unanswerable, match="no column holds what was decided"):
        asked(reference, frozen(true), score=None, prediction=None, metric="mae")
    with pytest.raises(Unanswerable, match="has only 30 rows"):
        asked(reference.head(30), frozen(true))


def test_texts_alone_have_no_answer():
    case = rca.load(INCIDENTS / "chatbot-update")
    with pytest.raises(Unanswerable):
        rca.what_if(case, mend="reply_seconds")
    with pytest.raises(InvalidCase, match="mend must name a feature, got 'text'"):
        rca.what_if(case, mend="text")


# --- what the parts do where there is little to go by ----------------------------------------------------------------


def read(reference, current, **more):
    return windows_from(reference, current, model=model, **{**ROLES, **more})


def test_a_scenario_that_no_row_meets_changes_nothing(sound):
    windows = read(sound[0], frozen(sound[1]))
    broke = faults_of(windows, drift_of(windows))
    met = whole(windows, broke, ["x"], rng=np.random.default_rng(0))
    nobody = replace(met, rows=np.zeros(len(sound[1]), dtype=bool))
    found = predict_what_if(windows, nobody, reader_of(windows, question="?"), rng=np.random.default_rng(0))
    assert (found.touched, found.changed.value, found.decided) == (0, 0.0, ())
    assert found.would_be.value == pytest.approx(found.recorded)
    assert len(found.frame()) == 0


def test_where_the_fault_can_be_done_to_too_few_rows_neighbours_are_believed(sound, monkeypatch):
    monkeypatch.setattr(counterfactual_rows, "MIN_ROWS", 10**6)
    found = asked(sound[0], frozen(sound[1]))
    assert (frozen(sound[1])["said"] != sound[1]["said"]).sum() == pytest.approx(found.changed.value, rel=0.1)


def test_of_many_classes_the_right_one_is_the_label(sound):
    rows = sound[0].assign(said=np.resize(["p", "q", "r"], 1500), label=np.resize(["p", "q", "p"], 1500))
    reader = reader_of(read(rows, rows, metric="error_rate"), question="?")
    assert reader.yes is None
    assert reader.right(reader.of(rows), rows).mean() == pytest.approx(2 / 3)
    assert not reader.labelled(rows.drop(columns="label")).any()
    assert reader.parts(rows.drop(columns="label")) is None


def test_what_was_never_decided_is_not_told_as_a_decision(sound):
    reader = reader_of(read(*sound), question="?")
    nothing = np.full((3, 2), np.nan, dtype=object)
    assert _likeliest(nothing, reader).tolist() == [None, None]
    half = np.array([["1", np.nan], ["1", np.nan], ["0", np.nan]], dtype=object)
    assert _likeliest(half, reader).tolist() == ["1", None]
    assert not reader.differ(half[0], half[1])[1]


def test_what_all_rows_of_a_draw_have_in_common_is_told_from_what_they_have_not():
    rng = np.random.default_rng(0)
    apart = rng.normal(size=(400, 200))
    assert beyond(apart, 0.95) < 0.3 * 200
    common = apart + rng.normal(size=(400, 1))
    assert beyond(common, 0.95) == pytest.approx(200.0**2, rel=0.2)
    assert beyond(apart[:1], 0.95) == beyond(apart, 1.0) == 0.0


@pytest.mark.parametrize("as_model", [True, False], ids=["a model", "a stand-in"])
def test_decisions_that_are_true_and_false_are_those_of_ones_and_zeros(as_model):
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"age": rng.normal(40, 10, 500)}) for _ in range(2))
    before, after = (rows.assign(said=rows["age"] > 50) for rows in (before, after.assign(age=after["age"] * 12)))
    given = {"model": lambda rows: (rows["age"] > 50).astype(float)} if as_model else {}
    found = rca.what_if(before, after, mend="age", prediction="said", positive=True, metric="error_rate", **given)
    assert found.changed.value == 436
    assert "instead of True" in str(found)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_an_interval_has_a_level_between_none_and_all(level):
    rows = pd.DataFrame({"age": [1.0, 2.0]})
    with pytest.raises(InvalidCase, match="level: "):
        rca.what_if(rows, rows, mend="age", level=level, metric={"name": "mean", "column": "age"})
