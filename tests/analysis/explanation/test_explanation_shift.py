"""How the model's reasons changed, from any model, from tables, and from SHAP values that are there already."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

import rca
from rca.analysis.explanation.loss_attribution import divide_loss
from rca.analysis.explanation.results import ExplanationShift
from rca.analysis.explanation.shap_adapter import explainer_of, to_shap
from rca.analysis.explanation.shap_values import Explained, among, given
from rca.errors import InvalidCase, Unanswerable
from rca.record.model.model import Model
from rca.record.model.model_file import model_in_memory, read_model
from tests.record.model.test_model_file import onnx


def rows(n=400, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    return frame.assign(a=frame["a"] + shift, city=rng.choice(["x", "y", "zé"], n))


def truth(frame, seed=1):
    z = 2 * frame["a"] + frame["b"] * (frame["city"] == "x")
    return (np.random.default_rng(seed).random(len(frame)) < 1 / (1 + np.exp(-z.to_numpy()))).astype(int)


@pytest.fixture(scope="module")
def booster():
    import lightgbm

    frame = rows(3000).astype({"city": "category"})
    settings = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1}
    return lightgbm.train(settings, lightgbm.Dataset(frame, truth(rows(3000))), 20)


def function(answer, features=("a", "b", "c")):
    return Model(format="function", features=features, place="model", answer=answer)


# --- any model --------------------------------------------------------------------------------------------------------


def test_a_boosters_categories_are_read_from_the_table_as_text(booster):
    found, _ = explainer_of(model_in_memory(booster), rows())(rows())
    margin = booster.predict(rows().astype({"city": pd.CategoricalDtype(["x", "y", "zé"])}), raw_score=True)
    np.testing.assert_allclose(found.margin[:, 0], margin, atol=1e-6)
    assert found.method == "exactly, from its trees"
    assert found.scale == "log-odds"


@pytest.mark.parametrize("positive", [1, 0])
def test_a_line_is_explained_in_closed_form_as_shap_does(positive, shap):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = rows()[["a", "b", "c"]]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, truth(rows()))
    found, _ = explainer_of(model_in_memory(model, positive=positive), frame, positive=positive)(frame)
    scaled = model[0].transform(frame)
    theirs = shap.LinearExplainer(model[1], shap.maskers.Independent(scaled, max_samples=len(scaled)))(scaled)
    sign = 1 if positive == 1 else -1
    np.testing.assert_allclose(found.values[:, :, 0], sign * theirs.values, atol=1e-9)
    np.testing.assert_allclose(found.margin[:, 0], sign * model.decision_function(frame), atol=1e-9)


def test_a_regression_of_a_line_is_read_by_its_name_for_features():
    from sklearn.linear_model import Ridge

    frame = rows()[["a", "b"]]
    found, _ = explainer_of(model_in_memory(Ridge().fit(frame, frame @ [1.0, 3.0])), frame)(frame)
    assert found.features == ("a", "b")
    assert found.scale == "prediction"
    assert found.sizes.mean(axis=0)[1] > 2 * found.sizes.mean(axis=0)[0]


def test_what_can_only_be_asked_is_explained_by_sampling_and_says_how_sure(booster):
    exact, _ = explainer_of(model_in_memory(booster), rows())(rows())
    asked = function(lambda frame: 1 / (1 + np.exp(-(2 * frame["a"] + (frame["city"] == "x")))), ("a", "b", "city"))
    found, chosen = explainer_of(asked, rows())(rows())
    assert found.method == "by asking"
    assert len(found) == len(chosen) <= 300
    np.testing.assert_allclose(found.margin[:, 0], (2 * rows()["a"] + (rows()["city"] == "x"))[chosen], atol=1e-6)
    assert found.sizes.mean(axis=0)[1] < 1e-9 < found.error + 1
    assert exact.error == 0


def test_sampling_leaves_numpys_global_state_as_it_was():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - that is what is looked at
    explainer_of(function(lambda frame: frame["a"] ** 2), rows())(rows(60))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_forest_in_a_pipeline_that_mixes_columns_is_only_asked():
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    mixed = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    model = make_pipeline(mixed, RandomForestClassifier(n_estimators=5, random_state=0)).fit(rows(), truth(rows()))
    found, _ = explainer_of(model_in_memory(model), rows())(rows(60))
    assert found.method == "by asking"
    assert found.features == ("a", "b", "c", "city")


def test_of_a_very_wide_forest_only_what_it_reads_is_explained():
    import lightgbm

    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(300, 2000)), columns=[f"x{i}" for i in range(2000)])
    settings = {"verbosity": -1, "num_leaves": 4, "num_threads": 1}
    model = lightgbm.train(settings, lightgbm.Dataset(wide, wide["x7"]), 3)
    found = rca.explain(wide, wide, model=model)
    assert len(found.reasons) < 20
    assert "x7" in {one.column for one in found.reasons}


def test_a_model_that_can_only_be_asked_about_many_features_is_not_sampled_for_hours():
    wide = pd.DataFrame(np.zeros((100, 80)), columns=[f"x{i}" for i in range(80)])
    with pytest.raises(Unanswerable, match="reads 80 features"):
        rca.explain(wide, wide, model=lambda frame: frame["x0"])


# --- what is refused --------------------------------------------------------------------------------------------------


def test_a_model_whose_features_are_not_the_tables_is_refused_with_a_hint(booster):
    with pytest.raises(InvalidCase, match=r"reads 'city'.*did you mean 'citi'\?"):
        rca.explain(rows().rename(columns={"city": "citi"}), rows(), model=booster)


def test_what_is_no_model_is_refused():
    with pytest.raises(InvalidCase, match="str is no model"):
        rca.explain(rows(), rows(), model="model.pkl")


def test_without_a_model_or_its_scores_it_cannot_be_told():
    with pytest.raises(Unanswerable, match="no model on file, and no column of its scores"):
        rca.explain(rows(), rows())


def test_scores_that_follow_no_feature_are_stood_in_for_by_nothing():
    noise = [rows(n, n).assign(score=np.random.default_rng(n).random(n)) for n in (500, 600)]
    with pytest.raises(Unanswerable, match=r"a stand-in repeats -?[0-9]+% of them only"):
        rca.explain(*noise, score="score")


def test_a_window_of_few_rows_cannot_be_explained(booster):
    with pytest.raises(Unanswerable, match="49 rows that can be explained, and 50 are needed"):
        rca.explain(rows(49), rows(), model=booster)


def test_columns_that_share_a_name_are_refused():
    table = pd.concat([rows(), rows()[["a"]]], axis=1)
    with pytest.raises(InvalidCase, match="reference: there are 2 columns 'a'"):
        rca.explain(table, table, model=lambda frame: frame["b"])


def test_an_answer_that_is_no_number_is_refused():
    from sklearn.linear_model import RidgeClassifier

    model = RidgeClassifier().fit(rows()[["a", "b"]], np.where(truth(rows()), "yes", "no"))
    with pytest.raises(InvalidCase, match=r"model: the model answers with what is no number.*Hint: give a function"):
        rca.explain(rows(), rows(), model=model)


def test_a_model_that_is_not_fitted_is_refused():
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(InvalidCase, match="model: LogisticRegression is not fitted"):
        rca.explain(rows(), rows(), model=LogisticRegression())


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_pair_of_models_is_two(count):
    with pytest.raises(InvalidCase, match=f"{count} models, where a pair answers"):
        rca.explain(rows(), rows(), model=(lambda frame: frame["a"],) * count)


def test_rows_that_an_estimator_refuses_are_said_in_its_words():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    model = make_pipeline(PolynomialFeatures(), LogisticRegression()).fit(rows()[["a", "b"]], truth(rows()))
    with pytest.raises(InvalidCase, match=r"model: the model refuses the rows: Input .* contains NaN"):
        rca.explain(rows().assign(a=np.nan), rows(), model=model)


def test_rows_without_a_value_that_a_line_reads_are_left_out():
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(rows()[["a", "b"]], truth(rows()))
    holed = rows().assign(a=rows()["a"].where(rows()["b"] > 0, np.inf), y=truth(rows()))
    found = rca.explain(holed, rows().assign(y=truth(rows())), model=model, label="y", features=["a", "b"])
    assert found.n_reference == (rows()["b"] > 0).sum()
    assert np.isfinite(found.loss.value)


def test_models_on_different_scales_are_not_compared():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    frame = rows()[["a", "b"]]
    forest = RandomForestClassifier(3, max_depth=2, random_state=0)
    both = forest.fit(frame, truth(rows())), LogisticRegression().fit(frame, truth(rows()))
    with pytest.raises(Unanswerable, match="log-odds of 1 and probability of 1"):
        rca.explain(frame, frame, model=both)


# --- the class that is asked for, and what a margin is ----------------------------------------------------------------


def boosters():
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

    return [
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
        LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1),
    ]


@pytest.mark.parametrize("model", boosters(), ids=lambda one: type(one).__name__)
def test_asked_for_the_other_class_reasons_are_the_opposite_and_the_loss_is_the_same(model):
    frame, later = rows()[["a", "b"]], rows(300, 4, shift=0.5)
    words = [table[["a", "b"]].assign(y=np.where(truth(table), "yes", "no")) for table in (rows(), later)]
    model.fit(frame, words[0]["y"])
    yes, no = (rca.explain(*words, model=model, label="y", positive=one) for one in ("yes", "no"))
    assert yes.loss.value == pytest.approx(no.loss.value)
    assert yes["a"].direction.value == pytest.approx(-no["a"].direction.value)
    assert model_in_memory(model, positive="no").scores(frame) == pytest.approx(
        1 - model_in_memory(model, positive="yes").scores(frame)
    )


@pytest.mark.parametrize("loss", ["hinge", "exponential"])
def test_a_margin_that_is_no_log_odds_has_no_log_loss(loss):
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import SGDClassifier

    of = SGDClassifier if loss == "hinge" else GradientBoostingClassifier
    model = of(loss=loss, random_state=0).fit(rows()[["a", "b"]], truth(rows()))
    both = [table[["a", "b"]].assign(y=truth(table)) for table in (rows(), rows(300, 4))]
    found = rca.explain(*both, model=model, label="y")
    assert (found.scale, found.loss) == ("score", None)


def test_a_step_that_mixes_columns_is_no_closed_form():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    frame = rows()[["a", "b"]]
    model = make_pipeline(Normalizer(), LogisticRegression()).fit(frame, truth(rows()))
    assert explainer_of(model_in_memory(model), frame)(frame[:60])[0].method == "by asking"


# --- what is asked, and how often -------------------------------------------------------------------------------------


def test_a_function_is_given_values_of_the_types_that_the_tables_have():
    frame = rows(60).assign(day=pd.Timestamp("2026-01-01"), n=np.arange(60), gone=None).astype({"b": "Float64"})
    seen = []

    def answer(asked):
        seen.append(asked)
        return asked["day"].dt.day + asked["n"] + (asked["city"] == "x")

    rca.explain(frame, frame.assign(city="new"), model=answer)
    assert all((asked.dtypes == frame.dtypes).all() for asked in seen)
    assert any((asked["city"] == "new").any() for asked in seen)


def test_beside_a_model_that_can_only_be_asked_the_other_is_asked_of_no_more_rows():
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression().fit(rows(800)[["a", "b"]], truth(rows(800)))
    asked = function(lambda frame: 1 / (1 + np.exp(-frame["a"])), ("a", "b"))
    found = rca.explain(rows(800), rows(700, 2), model=(asked, line))
    assert (found.n_reference, found.n_current) == (300, 300)


def test_a_forest_of_very_many_leaves_is_only_asked(monkeypatch):
    from sklearn.ensemble import RandomForestClassifier

    frame = rows()[["a", "b"]]
    model = model_in_memory(RandomForestClassifier(3, random_state=0).fit(frame, truth(rows())))
    monkeypatch.setattr("rca.analysis.explanation.exact_shap.MOST_LEAVES", 10)
    assert explainer_of(model, frame)(frame[:50])[0].method == "by asking"


def test_without_room_for_tables_the_values_are_the_same(booster, monkeypatch):
    model = model_in_memory(booster)
    roomy, _ = explainer_of(model, rows())(rows())
    monkeypatch.setattr("rca.analysis.explanation.tree_shap.MAX_BYTES", 0)
    tight, _ = explainer_of(model, rows())(rows())
    np.testing.assert_allclose(tight.values, roomy.values, atol=1e-12)


# --- the shift --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shifted(booster):
    both = [table.assign(y=truth(table)) for table in (rows(1500, 3), rows(1500, 4, shift=1.0))]
    return rca.explain(*both, model=booster, label="y", groups=["city"], features=["a", "b", "c", "city"])


def test_what_a_feature_adds_to_the_loss_adds_up_to_the_losss_change(shifted):
    parts = shifted.loss_start + sum(one.loss.value for one in shifted.reasons)
    assert parts == pytest.approx(shifted.loss.value, abs=1e-9)


def test_the_feature_that_moved_is_named_first_with_its_ranks(shifted):
    assert shifted.reasons[0].column == "a"
    assert shifted.moved()[0].rank_current == 1
    assert shifted["a"].rank_interval.low == 1
    assert shifted["a"].update is shifted["a"].curve is None
    with pytest.raises(KeyError):
        shifted["nobody"]


def test_every_group_in_which_reasons_moved_is_listed(shifted):
    assert {one.cohort for one in shifted.cohorts} == {"city=x", "city=y", "city=zé"}
    assert all(one.column == "a" and one.q_value <= 0.05 for one in shifted.cohorts)


def test_an_exemplar_adds_up_to_its_rows_margin(shifted):
    assert shifted.exemplars
    for one in shifted.exemplars:
        assert one.base + one.rest + sum(value for _, _, value, _ in one.told) == pytest.approx(one.margin)


def test_a_shift_comes_back_from_json(shifted):
    import json

    assert ExplanationShift.from_dict(json.loads(json.dumps(shifted.to_dict()))) == shifted
    assert list(shifted.to_frame()["feature"]) == [one.column for one in shifted.reasons]


def test_findings_are_shown_only_if_each_half_of_the_rows_shows_them(shifted):
    for finding in shifted.findings():
        assert (finding.strength == "shown") == bool(finding.refuters)
        assert finding.cause is None or shifted[finding.cause.name].turned


def test_identical_windows_moved_nothing(booster):
    table = rows().assign(y=truth(rows()))
    found = rca.explain(table, table, model=booster, label="y", features=["a", "b", "c", "city"])
    assert not found.moved()
    assert not found.joint.moved
    assert all(one.size.value == one.direction.value == one.loss.value == 0 for one in found.reasons)


def test_neither_the_order_of_columns_nor_that_of_rows_changes_a_reason(booster):
    first = rca.explain(rows(), rows(500, 1, shift=0.5), model=booster)
    mixed = rows(500, 1, shift=0.5).sample(frac=1, random_state=0)[["city", "c", "b", "a"]]
    again = rca.explain(rows(), mixed, model=booster)
    for one in first.reasons:
        assert again[one.column].size.value == pytest.approx(one.size.value, abs=1e-12)


def test_an_update_is_told_from_the_data_on_the_same_rows():
    then, now = function(lambda f: f["a"] + 0.1 * f["b"]), function(lambda f: f["a"] + 2 * f["b"])
    found = rca.explain(rows(), rows(400, 5), model=(then, now), features=["a", "b", "c"])
    assert found.models == 2
    assert found["b"].update.value == pytest.approx(found["b"].size.value, rel=0.2)
    assert abs(found["a"].update.value) < 1e-6
    assert found["b"].curve.value > 1


def test_scores_on_record_stand_for_a_model_that_is_not_there(booster):
    model = model_in_memory(booster)
    both = [table.assign(score=model.scores(table)) for table in (rows(1200, 3), rows(1200, 4, shift=1.0))]
    found = rca.explain(*both, score="score")
    assert found.models == 1
    assert found.moved()[0].column == "a"
    assert "stand-ins" in found.assumptions[0]


def test_a_window_of_one_class_is_answered_for(booster):
    both = rows().assign(y=0), rows(400, 7).assign(y=0)
    found = rca.explain(*both, model=booster, label="y", features=["a", "b", "c", "city"])
    assert np.isfinite(found.loss.value)


# --- SHAP values that are there already -------------------------------------------------------------------------------


def test_shaps_own_explanations_go_in_and_come_out(booster, shap):
    model = model_in_memory(booster)
    worked = [to_shap(explainer_of(model, rows())(table)[0], table) for table in (rows(), rows(400, 8, shift=1.0))]
    assert all(isinstance(one, shap.Explanation) for one in worked)
    found = rca.explain(*worked)
    assert found.moved()[0].column == "a"
    assert found.method == "as given"
    np.testing.assert_array_equal(given(worked[0]).values[:, :, 0], worked[0].values)


def test_columns_of_shap_values_are_taken_as_they_are():
    tables = [rows(), rows(400, 9)]
    both = [t.assign(shap_a=weight * t["a"], shap_b=t["b"]) for t, weight in zip(tables, (1, 2), strict=True)]
    found = rca.explain(*both, features=["a", "b"])
    assert [one.column for one in found.moved()] == ["a"]
    assert found["a"].curve.q_value < 0.01 < found["b"].curve.q_value
    assert among(rows(), ["a", "b"]) is None


def test_a_model_in_hand_goes_before_columns_that_are_called_like_shap_values():
    both = [table.assign(shap_a=table["b"]) for table in (rows(), rows(400, 9))]
    found = rca.explain(*both, model=function(lambda frame: frame["shap_a"], ("a", "shap_a")), features=["a"])
    assert found.reasons[0].column == "shap_a"
    assert found.method == "by asking"


def test_values_that_one_window_alone_brings_along_are_not_compared():
    both = rows().assign(shap_a=0.0, shap_b=1.0), rows(400, 9).assign(shap_b=1.0)
    with pytest.raises(Unanswerable, match="one window alone brings SHAP values of 'a'"):
        rca.explain(*both, features=["a", "b"])


@pytest.mark.parametrize("more", [{"label": "y"}, {"model": len}])
def test_shap_values_by_themselves_are_asked_of_no_label_or_model(more, shap):
    one = shap.Explanation(rows()[["a", "b"]].to_numpy(), feature_names=["a", "b"])
    with pytest.raises(InvalidCase, match=f"SHAP values alone have no {min(more)}"):
        rca.explain(one, one, **more)


def test_scores_that_changed_their_unit_are_stood_in_for_by_two(booster):
    model = model_in_memory(booster)
    tables = (rows(1200, 3), 1), (rows(1200, 4), 100)
    both = [table.assign(score=unit * model.scores(table)) for table, unit in tables]
    assert rca.explain(*both, score="score").models == 2


def test_scores_that_are_missing_from_a_window_cannot_be_stood_in_for(booster):
    scored = rows(600, 3).assign(score=model_in_memory(booster).scores(rows(600, 3)))
    with pytest.raises(Unanswerable, match="too few recorded scores"):
        rca.explain(scored, scored.assign(score=np.nan), score="score")


def test_values_that_do_not_fit_the_rows_are_refused(shap):
    with pytest.raises(InvalidCase, match="2 features have a name"):
        given(shap.Explanation(np.zeros((3, 3)), feature_names=["a", "b"]))
    with pytest.raises(InvalidCase, match="3, for 2 rows"):
        given(pd.DataFrame({"a": [0.0] * 3}), pd.DataFrame({"a": [1, 2]}))
    with pytest.raises(InvalidCase, match="no column 'a'"):
        given(pd.DataFrame({"a": [0.0]}), pd.DataFrame({"b": [1]}))
    with pytest.raises(InvalidCase, match="two features are called 'a'"):
        given(shap.Explanation(np.zeros((3, 2)), feature_names=["a", "a"]))
    with pytest.raises(InvalidCase, match="base_values have 3 outputs, and the values 1"):
        given(shap.Explanation(np.zeros((3, 2)), base_values=np.zeros((3, 3)), feature_names=["a", "b"]))
    with pytest.raises(InvalidCase, match="they are no numbers"):
        given(pd.DataFrame({"a": ["much"]}))
    loose = shap.Explanation(np.zeros((60, 2)), data=np.zeros((60, 1)), feature_names=["a", "b"])
    with pytest.raises(InvalidCase, match=r"data have the shape \(60, 1\)"):
        rca.explain(loose, loose)


# --- losses -----------------------------------------------------------------------------------------------------------

SCALES = [("log-odds", 1), ("log-odds", 3), ("probability", 1), ("probability", 3), ("prediction", 1)]


@pytest.mark.parametrize(("scale", "outputs"), SCALES)
@drawn(seed=st.integers(0, 10**6), size=st.floats(1e-9, 30))
@settings(max_examples=25, deadline=None)
def test_parts_of_a_loss_add_up_to_it_and_who_says_nothing_gets_nothing(scale, outputs, seed, size):
    rng = np.random.default_rng(seed)
    values = size * rng.normal(size=(20, 4, outputs))
    values[:, 2] = 0.0
    one = Explained(
        features=tuple("abcd"), values=values, base=rng.normal(size=outputs), scale=scale, method="as given"
    )
    lost = divide_loss(one, rng.integers(0, max(outputs, 2), 20).astype(float))
    np.testing.assert_allclose(lost.start + lost.parts.sum(axis=1), lost.total, rtol=1e-9, atol=1e-9)
    assert not lost.parts[:, 2].any()


def test_the_parts_of_a_log_loss_rank_features_as_shaps_own_mode_does(shap):
    import lightgbm

    frame, y = rows(2000)[["a", "b", "c"]], truth(rows(2000))
    settings = {"objective": "binary", "num_leaves": 5, "verbosity": -1, "num_threads": 1}
    model = lightgbm.train(settings, lightgbm.Dataset(frame, y), 15)
    wrong = 1 - y
    theirs = shap.TreeExplainer(
        model, frame[:100], feature_perturbation="interventional", model_output="log_loss"
    ).shap_values(frame[:300], wrong[:300])
    one, _ = explainer_of(model_in_memory(model), frame)(frame[:300])
    ours = divide_loss(one, wrong[:300].astype(float)).parts
    assert np.argmax(ours.mean(axis=0)) == np.argmax(theirs.mean(axis=0)) == 0
    assert np.corrcoef(ours[:, 0], theirs[:, 0])[0, 1] > 0.9


@pytest.mark.parametrize("names", [["hi", "lo", "mid"], [0, 1, 2], ["a", "b", "unlike the model's"]])
def test_of_several_classes_the_loss_is_divided_where_it_is_known_which_is_which(names):
    import lightgbm

    before, after = rows(1500, 3)[["a", "b"]], rows(1500, 4)[["a", "b"]].assign(a=0.0)
    classes = pd.qcut(before["a"], 3, labels=False)
    settings = {"objective": "multiclass", "num_class": 3, "num_leaves": 5, "verbosity": -1, "num_threads": 1}
    model = lightgbm.train(settings, lightgbm.Dataset(before, classes), 10)
    order = classes if names[0] != "a" else 2 - classes
    both = [table.assign(y=order.map(dict(enumerate(names)))) for table in (before, after)]
    found = rca.explain(*both, model=model, label="y", features=["a", "b"])
    if names[0] == "a":
        assert found.loss is None
    else:
        assert found.turned()[0].column == "a"
        assert found.loss_start + sum(one.loss.value for one in found.reasons) == pytest.approx(found.loss.value)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seed": -1}, "seed must be a whole number from 0 on, got -1"),
        ({"alpha": 5}, "alpha"),
        ({"model": (None, len)}, "1 models, where a pair answers"),
        ({"model": [len]}, "1 models, where a pair answers"),
    ],
    ids=["seed", "alpha", "half a pair", "a pair of one"],
)
def test_an_argument_that_cannot_be_meant_is_refused(booster, asked, said):
    with pytest.raises(InvalidCase, match=said):
        rca.explain(rows(), rows(), **({"model": booster} | asked))


# --- models as files --------------------------------------------------------------------------------------------------


def test_a_skops_file_is_explained_exactly(tmp_path):
    from sklearn.linear_model import LogisticRegression

    skops = pytest.importorskip("skops.io")
    frame = rows()[["a", "b", "c"]]
    skops.dump(LogisticRegression().fit(frame, truth(rows())), tmp_path / "model.skops")
    found = rca.explain(
        frame, frame.assign(a=frame["a"] + 1), model=read_model(tmp_path / "model.skops", "skops", place="m")
    )
    assert found.method == "in closed form"
    assert found.moved()[0].column == "a"


def test_an_onnx_file_can_only_be_asked_and_is_explained_by_sampling(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(onnx([2.0, -1.0], names=["a", "b"]))
    frame = rows()[["a", "b"]]
    found = rca.explain(
        frame, frame.assign(a=frame["a"] + 1), model=read_model(tmp_path / "model.onnx", "onnx", place="m")
    )
    assert found.method == "by asking"
    assert found["a"].direction.value == pytest.approx(2.0, abs=0.3)
    assert [one.column for one in found.moved()] == ["a"]
