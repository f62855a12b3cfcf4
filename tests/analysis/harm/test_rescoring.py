"""The model asked again: its answers as they are recorded, whether it is the same one, and who may stand in for it."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.harm.rescoring import Scorer, agreement, answers_in_classes, rule_of, scorer_of
from rca.analysis.harm.surrogate_model import FAITHFUL, SURROGATE_ROWS, fit_surrogate
from rca.analysis.inputs.windows import Windows, windows_from
from rca.practice.simulate import score_of, tabular
from rca.record.case import Roles
from rca.record.model.model import Model
from rca.record.schema.incident import Metric

FEATURES = tuple(f"x{i}" for i in range(6))


def held(features=FEATURES):
    """The model of `tabular`, as a case would hold it."""
    return Model(
        format="lightgbm",
        features=features,
        place="incident.yaml, model.path",
        answer=lambda rows: score_of(rows[list(features)]),
    )


def planted(fault="none", rows=400, seed=0):
    return tabular(np.random.default_rng(seed), rows=rows, fault=fault)


def test_a_rough_stand_in_answers_anew_only_where_a_repair_took_away_what_it_never_saw():
    def score(rows):
        return rows["x"].to_numpy(float)

    known = Roles(score="score", features=("x",))
    rough = Scorer(score=score, roles=known, decides=lambda it: it, features=("x",), fidelity=0.8, rough=True)
    rows = pd.DataFrame({"x": [0.2, 0.2, 0.2], "score": [0.5, 0.5, 0.5]})
    every, healed = np.ones(3, dtype=bool), np.array([True, False, False])
    said = rough.instead(rows, rows.assign(x=0.3), touched=every, broken=~every, healed=healed)
    np.testing.assert_allclose(said["score"], [0.3, 0.5, 0.5])  # clipped to what was ever answered
    said = rough.instead(rows, rows.assign(x=0.1), touched=every, broken=~every, healed=healed)
    np.testing.assert_allclose(said["score"], [0.1, 0.4, 0.4])


def windows_of(reference, current, *, model=None, threshold=0.5, **roles):
    known = {"label": "label", "score": "score", "prediction": "prediction", "features": FEATURES} | roles
    metric = Metric(name="error_rate", threshold=threshold)
    return Windows(reference=reference, current=current, roles=Roles(**known), metric=metric, model=model, parents={})


def decided(rows, threshold):
    return rows.assign(prediction=(rows["score"] > threshold).astype("int8"))


# --- the model on file ------------------------------------------------------------------------------------------------


def test_a_model_repeats_what_it_said():
    reference, current = planted("scaled")
    ask = scorer_of(windows_of(reference, current, model=held()))
    for rows in (reference, current):
        pd.testing.assert_frame_equal(ask(rows), rows, check_dtype=False)
        assert agreement(ask, rows) == 1.0


def test_a_model_asked_about_other_rows_answers_those_and_leaves_the_rest():
    reference, current = planted()
    ask = scorer_of(windows_of(reference, current, model=held()))
    changed = current.assign(x0=-current["x0"])
    again = ask(changed)
    np.testing.assert_array_equal(again["score"], score_of(changed[list(FEATURES)]))
    np.testing.assert_array_equal(again["prediction"], again["score"] > 0.5)
    assert not np.array_equal(again["score"], current["score"])
    pd.testing.assert_frame_equal(again[[*FEATURES, "label"]], changed[[*FEATURES, "label"]])


@pytest.mark.parametrize(("score", "prediction"), [("score", None), (None, "prediction")])
def test_only_answers_that_are_on_record_are_filled_in(score, prediction):
    reference, current = planted()
    kept = [*FEATURES, "label", score or prediction]
    ask = scorer_of(windows_of(reference[kept], current[kept], model=held(), score=score, prediction=prediction))
    assert list(ask(current[kept]).columns) == kept


@pytest.mark.parametrize("missing", ["model", "answers"])
def test_without_a_model_or_its_answers_nobody_is_asked(missing):
    silent = {"score": None, "prediction": None} if missing == "answers" else {}
    model = held() if missing == "answers" else None
    assert scorer_of(windows_of(*planted(), model=model, **silent)) is None


def test_a_model_reads_those_of_its_features_that_the_tables_have():
    ask = scorer_of(windows_of(*planted(), model=held(features=(*FEATURES, "absent"))))
    assert ask.features == FEATURES
    assert ask.fidelity is None


# --- how scores become predictions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept_to", [0.2, 0.35, 0.8])
def test_the_threshold_is_the_one_that_the_references_predictions_keep_to(kept_to):
    reference, current = (decided(rows, kept_to) for rows in planted())
    ask = scorer_of(windows_of(reference, current, model=held(), threshold=0.5))
    assert agreement(ask, reference) == 1.0
    assert agreement(ask, current) > 0.98
    stated = decided(current, 0.5)
    assert (stated["prediction"] != ask(current)["prediction"]).mean() > 0.1


def test_the_stated_threshold_stands_where_the_reference_keeps_to_it():
    # Any threshold in the gap agrees with the reference; rows in the gap tell which one was taken.
    reference, current = (rows.assign(score=np.repeat([0.1, 0.9], 200)) for rows in planted())
    ask = scorer_of(windows_of(decided(reference, 0.3), decided(current, 0.3), model=held(), threshold=0.3))
    assert ask.decides(np.array([0.29, 0.3, 0.31])).tolist() == [0, 0, 1]


def test_the_current_window_has_no_say_in_the_threshold():
    reference, current = planted()
    ask = scorer_of(windows_of(reference, decided(current, 0.9), model=held()))
    assert agreement(ask, reference) == 1.0
    assert agreement(ask, decided(current, 0.9)) < 0.9


def test_predictions_are_spelled_as_they_are_recorded():
    reference, current = (
        rows.assign(prediction=np.where(rows["prediction"] == 1, "decline", "grant")) for rows in planted()
    )
    ask = scorer_of(windows_of(reference, current, model=held(), positive="decline"))
    assert set(ask(current)["prediction"]) == {"decline", "grant"}
    assert agreement(ask, current) == 1.0


@pytest.mark.parametrize("said", [0, 1])
def test_a_reference_that_always_said_the_same_leaves_the_stated_threshold(said):
    reference, current = planted()
    ask = scorer_of(windows_of(reference.assign(prediction=said), current, model=held(), threshold=0.7))
    np.testing.assert_array_equal(ask(current)["prediction"], ask(current)["score"] > 0.7)


def test_predictions_that_are_missing_do_not_move_the_threshold():
    reference, current = (decided(rows, 0.35) for rows in planted())
    holed = reference.assign(prediction=reference["prediction"].where(np.arange(len(reference)) % 3 > 0))
    ask = scorer_of(windows_of(holed, current, model=held()))
    assert agreement(ask, current) > 0.97


def test_a_regressions_predictions_are_its_scores():
    reference, current = (rows.assign(prediction=rows["score"]) for rows in planted())
    ask = scorer_of(windows_of(reference, current, model=held(), score=None))
    np.testing.assert_array_equal(ask(current)["prediction"], current["score"])


# --- whether it is the same model -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("off", "alike"), [(1e-6, True), (1e-2, False)])
def test_scores_agree_to_four_digits(off, alike):
    reference, current = planted()
    ask = scorer_of(windows_of(reference, current, model=held()))
    assert agreement(ask, current.assign(score=current["score"] * (1 + off))) == float(alike)


def test_a_row_agrees_where_score_and_prediction_both_do():
    reference, current = planted()
    ask = scorer_of(windows_of(reference, current, model=held()))
    at = np.arange(len(current))
    wrong = current.assign(
        score=current["score"].where(at >= 100, 2.0), prediction=current["prediction"].where(at < 300, 7)
    )
    assert agreement(ask, wrong) == 0.5


def test_a_model_that_was_exchanged_does_not_agree():
    reference, current = planted()
    ask = scorer_of(windows_of(reference, current, model=held()))
    other = current.assign(score=score_of(current[list(FEATURES)].assign(x1=0.0)))
    assert agreement(ask, reference) == 1.0
    assert agreement(ask, other) < 0.05


# --- who may stand in for it ------------------------------------------------------------------------------------------


def surrogate_scorer(windows):
    """The surrogate, where it can be asked in the model's place."""
    found = fit_surrogate(windows)
    return found.scorer if found is not None and found.faithful else None


@pytest.mark.parametrize("fault", ["none", "frozen", "scaled", "missing", "distribution"])
def test_a_stand_in_repeats_answers_it_has_not_seen_in_both_windows(fault):
    reference, current = planted(fault)
    ask = surrogate_scorer(windows_of(reference, current))
    assert FAITHFUL <= ask.fidelity <= 1
    fresh = planted(fault, seed=1)
    for rows in (reference, current, *fresh):
        left = (rows["score"] - ask(rows)["score"]).var() / rows["score"].var()
        assert left <= 1 - FAITHFUL


def test_a_stand_in_says_how_well_it_repeats_the_window_that_it_repeats_worse():
    reference, current = planted("missing", rows=1000)
    ask = surrogate_scorer(windows_of(reference, current))
    recorded = current["score"]
    repeated = 1 - ((recorded - ask.score(current)) ** 2).mean() / recorded.var(ddof=0)
    assert ask.fidelity == pytest.approx(repeated)
    assert ask.fidelity < surrogate_scorer(windows_of(reference, planted(rows=1000)[1])).fidelity


def steps(rows):
    return rows.assign(score=np.where(rows["x0"] > 0, 0.9, 0.1) + 0.05 * (rows["x1"] > 0))


def test_a_stand_in_may_be_trees_where_a_line_would_not_do():
    reference, current = (steps(rows) for rows in planted(rows=800))
    ask = surrogate_scorer(windows_of(reference, current))
    assert ask.fidelity > 0.99


def test_probabilities_stay_between_0_and_1_however_far_a_column_went():
    reference, current = planted("scaled")
    ask = surrogate_scorer(windows_of(reference, current))
    far = ask(current.assign(x0=1e30))["score"]
    assert far.between(0, 1).all()


CHANGED = {
    "one column the other way round": lambda rows: score_of(rows[list(FEATURES)].assign(x0=-rows["x0"])),
    "one column no longer read": lambda rows: score_of(rows[list(FEATURES)].assign(x0=0.0)),
    "the other class": lambda rows: 1 - rows["score"],
    "half of the score": lambda rows: rows["score"] / 2,
    "noise": lambda rows: np.random.default_rng(3).random(len(rows)),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_changed_model_gets_no_stand_in(change):
    reference, current = planted(rows=800)
    assert surrogate_scorer(windows_of(reference, current)) is not None
    assert surrogate_scorer(windows_of(reference, current.assign(score=CHANGED[change](current)))) is None


def test_a_model_that_was_never_asked_such_rows_gets_no_stand_in():
    # Below 1.5 a step does nothing; beyond, where only the current window is, it does all.
    reference, current = planted(rows=800)
    reference = reference.assign(x0=reference["x0"].clip(upper=1))
    current = current.assign(x0=current["x0"] + 1)
    reference, current = (
        rows.assign(score=steps(rows.assign(x0=rows["x0"] - 1.5))["score"]) for rows in (reference, current)
    )
    assert surrogate_scorer(windows_of(reference, current)) is None


def test_answers_that_no_column_explains_get_no_stand_in():
    rng = np.random.default_rng(0)
    reference, current = (rows.assign(score=rng.random(len(rows))) for rows in planted())
    assert surrogate_scorer(windows_of(reference, current)) is None


def blurred(rows, by=1.0):
    rng = np.random.default_rng(0)
    odds = rows["score"] / (1 - rows["score"]) * np.exp(rng.normal(0, by, len(rows)))
    return rows.assign(score=odds / (1 + odds))


@pytest.mark.parametrize("window", ["reference", "current"])
def test_one_window_that_it_does_not_repeat_is_enough_to_refuse_a_stand_in(window):
    reference, current = planted(rows=800)
    if window == "reference":
        reference = blurred(reference)
    else:
        current = blurred(current)
    assert surrogate_scorer(windows_of(reference, current)) is None


def test_the_better_stand_in_is_the_one_that_repeats_unseen_answers():
    # Trees learn the blur of the rows they see by heart; on rows they have not seen, the line is nearer.
    reference, current = (blurred(rows, by=0.25) for rows in planted(rows=400))
    ask = surrogate_scorer(windows_of(reference, current))
    assert ask.fidelity > 0.97
    smooth = ask(current.assign(x0=1.0, **dict.fromkeys(FEATURES[1:], 0.0)))["score"]
    assert smooth.iloc[0] == pytest.approx(score_of(pd.DataFrame({"x0": [1.0]}))[0], abs=0.02)


def test_a_case_with_its_model_needs_no_stand_in():
    assert surrogate_scorer(windows_of(*planted(), model=held())) is None


@pytest.mark.parametrize("lacking", [{"score": None, "prediction": None}, {"features": ()}])
def test_without_answers_or_columns_there_is_no_stand_in(lacking):
    assert surrogate_scorer(windows_of(*planted(), **lacking)) is None


def test_answers_that_never_vary_get_no_stand_in():
    reference, current = planted()
    assert surrogate_scorer(windows_of(reference.assign(score=0.3), current)) is None


@pytest.mark.parametrize("short", [0, 1])
def test_below_the_fewest_rows_there_is_no_stand_in(short):
    reference, current = planted(rows=SURROGATE_ROWS)
    cut = [reference, current]
    assert surrogate_scorer(windows_of(*cut)) is not None
    cut[short] = cut[short].iloc[1:]
    assert surrogate_scorer(windows_of(*cut)) is None


def test_rows_without_an_answer_are_left_out_and_count_for_none():
    reference, current = planted(rows=SURROGATE_ROWS + 50)
    holed = reference.assign(score=reference["score"].where(np.arange(len(reference)) >= 50))
    assert surrogate_scorer(windows_of(holed, current)) is not None
    assert surrogate_scorer(windows_of(holed.iloc[:-1], current)) is None


def test_a_stand_in_decides_by_the_threshold_of_the_reference():
    reference, current = (decided(rows, 0.35) for rows in planted(rows=1000))
    ask = surrogate_scorer(windows_of(reference, current))
    assert (ask(current)["prediction"] == current["prediction"]).mean() > 0.97


def test_an_asker_is_a_function_of_rows_and_changes_none():
    reference, current = planted()
    before = current.copy()
    ask = Scorer(score=lambda rows: np.zeros(len(rows)), roles=Roles(score="score"), decides=len, features=())
    assert (ask(current)["score"] == 0).all()
    pd.testing.assert_frame_equal(current, before)
    assert len(reference) == len(ask(reference))


# --- the threshold alone ----------------------------------------------------------------------------------------------


def test_a_rule_repeats_what_the_reference_decided_and_misses_what_was_decided_otherwise():
    reference, current = planted()
    ask = rule_of(windows_of(reference, decided(current, 0.3)))
    assert agreement(ask, reference) == 1.0
    assert agreement(ask, decided(current, 0.3)) == pytest.approx(
        1 - current["score"].between(0.3, 0.5).mean(), abs=0.01
    )


@pytest.mark.parametrize("missing", ["score", "prediction"])
def test_without_a_score_or_a_decision_there_is_no_rule(missing):
    assert rule_of(windows_of(*planted(), **{missing: None})) is None


# --- several classes --------------------------------------------------------------------------------------------------


def three(rows, seed):
    """Rows whose class follows two columns, with the answers of `of_three`."""
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["x0", "x1"])
    chances = of_three(made)
    made = made.assign(y=[rng.choice(["ant", "bee", "cat"], p=row) for row in chances])
    return made.assign(said=np.array(["ant", "bee", "cat"])[chances.argmax(axis=1)])


def of_three(rows):
    pull = np.column_stack([2 * rows["x0"], 2 * rows["x1"], np.zeros(len(rows))])
    return np.exp(pull) / np.exp(pull).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("named", [("bee", "ant", "cat"), ()])
def test_classes_are_matched_to_their_names_by_what_was_answered(named):
    reference, current = three(500, 0), three(500, 1)
    turned = [1, 0, 2] if named else [0, 1, 2]
    model = Model(
        format="skops",
        features=("x0", "x1"),
        place="model",
        answer=lambda rows: of_three(rows)[:, turned],
        classes=named,
    )
    windows = windows_from(reference, current, metric="error_rate", label="y", prediction="said", model=model)
    ask = scorer_of(windows)
    assert agreement(ask, reference) == agreement(ask, current) == 1.0
    again = ask(current.assign(x0=0.0))
    assert again["said"].tolist() == three_said(current.assign(x0=0.0))
    scores = {"ant": "p_ant", "bee": "p_bee", "cat": "p_cat"}
    told = [one.assign(**dict(zip(scores.values(), of_three(one).T, strict=True))) for one in (reference, current)]
    for roles in ({"prediction": "said"}, {}):
        known = windows_from(*told, metric="log_loss", label="y", score=scores, model=model, **roles)
        filled = scorer_of(known)(told[1].assign(x0=0.0))
        np.testing.assert_allclose(filled[list(scores.values())], of_three(filled))
        assert agreement(scorer_of(known), told[1]) == 1.0
        assert agreement(scorer_of(known), told[1].assign(p_ant=0.1)) < 0.1


def three_said(rows):
    return np.array(["ant", "bee", "cat"])[of_three(rows).argmax(axis=1)].tolist()


def test_classes_that_match_no_name_are_not_asked():
    reference, current = three(500, 0), three(500, 1)
    silent = Model(
        format="skops", features=("x0", "x1"), place="model", answer=lambda rows: np.full((len(rows), 5), 0.2)
    )
    windows = windows_from(reference, current, metric="error_rate", label="y", prediction="said", model=silent)
    assert not answers_in_classes(windows)
