"""How much of the change each thing did: sums, signs, units, and the right kind of cause for each planted one."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.harm.harm import Harm, attribute_harm
from rca.analysis.harm.repair_and_rescore import SEATS
from rca.analysis.harm.rivals.rival import RANK
from rca.analysis.inputs.windows import Windows
from rca.errors import Unanswerable
from rca.practice.simulate import score_of, tabular
from rca.record.case import Roles
from rca.record.model.model import Model
from rca.record.schema.incident import Metric

SIX = tuple(f"x{i}" for i in range(6))
FEATURES = SIX[:4]
"""Of which each is judged by all others, so that more of them take longer by their square."""

METRICS = ("error_rate", "log_loss", "brier", "false_positive_rate", "false_negative_rate", "mae", "rmse")


def held(features=FEATURES):
    """The model of `tabular`, as a case would hold it."""
    return Model(
        format="lightgbm",
        features=features,
        place="incident.yaml, model.path",
        answer=lambda rows: score_of(rows[list(features)]),
    )


def roles(**options):
    return Roles(**({"label": "label", "score": "score", "prediction": "prediction", "features": FEATURES} | options))


def divided(
    reference, current, name="error_rate", *, model=True, seed=0, parents=None, role=None, metric=None, **options
):
    known = roles(**(role or {}))
    windows = Windows(
        reference=reference, current=current, roles=known, metric=Metric(name=name, **(metric or {})),
        model=held(known.features) if model else None, model_name="scorer", parents=parents or {}, **options,
    )  # fmt: skip
    moved = univariate_drift(reference, current, features=known.features, categorical=known.categorical)
    broken = diagnose(reference, current, moved, categorical=known.categorical)
    return attribute_harm(windows, moved, broken, rng=np.random.default_rng(seed))


def planted(fault, seed=0, rows=1000, features=4):
    return tabular(np.random.default_rng(seed), rows=rows, fault=fault, features=features)


def broken(fault, name="brier", *, rows=1000, model=True):
    """What a column that broke did: of many tests one answer."""
    return _broken(fault, name, rows, model)


@cache
def _broken(fault, name, rows, model):
    return divided(*planted(fault, rows=rows), name, model=model)


def adds_up(found):
    whole = sum(part.value for part in found.contributions) + found.unexplained
    assert whole == pytest.approx(found.measured.worse)
    order = [(RANK[part.strength], -part.value) for part in found.contributions]
    assert order == sorted(order)
    for part in found.contributions:
        assert part.value in part.interval


@pytest.mark.parametrize(
    ("name", "fault", "model"), [*((name, "frozen", True) for name in METRICS), ("brier", "concept", False)]
)
def test_contributions_and_what_is_unexplained_add_up_to_the_harm(name, fault, model):
    adds_up(broken(fault, name, rows=300, model=model))


@pytest.mark.parametrize("name", METRICS)
def test_identical_windows_have_nothing_to_divide(name):
    reference, _ = planted("none", rows=300)
    found = divided(reference, reference, name)
    assert found.contributions == ()
    assert found.unexplained == found.measured.change == 0


@pytest.mark.parametrize(
    ("fault", "name", "rows"),
    [
        *((fault, "brier", 1000) for fault in ("frozen", "default_value", "scaled", "shifted", "missing")),
        ("scaled", "mae", 1500),
    ],
)
def test_a_column_that_broke_did_the_harm(fault, name, rows):
    found = broken(fault, name, rows=rows)
    first = found.contributions[0]
    assert (first.kind, first.name, first.fault, first.method) == ("feature", "x0", fault, "mended")
    assert first.value == pytest.approx(found.measured.worse, rel=0.3)
    assert first.strength == "shown"


@pytest.mark.parametrize("fault", ["frozen", "missing"])
def test_what_donors_do_not_know_is_not_laid_on_the_world(fault):
    found = broken(fault)
    world = sum(part.value for part in found.contributions if part.kind == "concept")
    assert abs(world) < 0.15 * found.measured.worse


@pytest.mark.parametrize("model", [True, False])
def test_a_world_that_turned_round_is_a_concept(model):
    first = divided(*planted("concept"), model=model).contributions[0]
    assert (first.kind, first.name) == ("concept", "label")
    assert first.value > 0


def test_answers_that_the_model_on_file_would_not_give_are_the_models_doing():
    reference, current = planted("none")
    other = 1 - score_of(current[list(FEATURES)])
    current = current.assign(score=other, prediction=(other >= 0.5).astype("int8"))
    found = divided(reference, current)
    first = found.contributions[0]
    assert (first.kind, first.name, first.method) == ("model", "scorer", "asked again")
    assert first.value == pytest.approx(found.measured.worse, rel=0.15)
    assert found.model_agrees[0] == 1
    assert found.model_agrees[1] < 0.1


def test_a_model_that_does_not_repeat_its_own_reference_is_not_believed():
    reference, current = planted("frozen")
    noise = np.random.default_rng(1).random(len(reference))
    found = divided(reference.assign(score=noise), current, "error_rate")
    assert found.model_agrees[0] < 0.5
    assert all(part.method not in ("mended", "asked again") for part in found.contributions)


def test_a_loud_column_that_the_model_does_not_weigh_did_nothing():
    reference, current = planted("frozen", features=6)
    current = current.assign(x5=current["x5"] + 30)
    found = divided(reference, current, role={"features": SIX})
    assert found.contributions[0].name == "x0"
    assert "x5" not in {part.name for part in found.contributions}
    (put_back,) = [one for one in found.rivals if one.name == "x5" and one.part.method == "mended"]
    assert put_back.rejected
    assert "no better on the same rows" in put_back.against
    assert put_back.part.value == pytest.approx(0, abs=1e-9)


def test_two_broken_columns_share_the_harm():
    reference, current = planted("frozen", rows=800)
    current = current.assign(x1=999.0).pipe(lambda f: f.assign(score=score_of(f[list(FEATURES)])))
    current = current.assign(prediction=(current["score"] >= 0.5).astype("int8"))
    found = divided(reference, current, "brier")
    assert {part.name for part in found.contributions if part.value > 0.1 * found.measured.worse} >= {"x1"}
    adds_up(found)


def test_more_columns_than_seats_are_divided_too():
    names = tuple(f"x{i}" for i in range(SEATS + 2))
    reference, current = planted("scaled", seed=3, rows=200, features=len(names))
    current = current.assign(**{name: current[name] + 4 for name in names[1:]})
    current = current.assign(score=score_of(current[list(names)]))
    current = current.assign(prediction=(current["score"] >= 0.5).astype("int8"))
    adds_up(divided(reference, current, "brier", role={"features": names}))


def test_the_order_of_the_columns_does_not_change_who_did_it():
    one = broken("shifted")
    other = divided(*(rows[rows.columns[::-1]] for rows in planted("shifted")), "brier")
    assert (one.contributions[0].name, one.contributions[0].fault) == (
        other.contributions[0].name,
        other.contributions[0].fault,
    )
    assert one.contributions[0].value == pytest.approx(other.contributions[0].value, rel=1e-6)


def test_a_fault_that_does_good_has_a_negative_part():
    found = divided(*planted("frozen"), "rate", metric={"column": "prediction", "harm": "lower"})
    assert found.measured.worse < 0
    assert found.contributions == ()


def test_where_lower_is_worse_a_part_that_lowers_is_positive():
    reference, current = planted("frozen")
    current = current.assign(x0=-current["x0"])
    current = current.assign(score=score_of(current[list(FEATURES)]))
    current = current.assign(prediction=(current["score"] >= 0.5).astype("int8"))
    found = divided(reference, current, "rate", metric={"column": "prediction", "harm": "lower"})
    assert found.measured.worse > 0
    assert found.contributions[0].name == "x0"
    assert found.contributions[0].value > 0
    assert "lowered the rate" in found.findings()[0].claim


@cache
def in_a_unit(by):
    """What a frozen column did to the absolute error of a line, where the label is in this unit."""
    said = lambda rows: by * (2 * rows["x0"] + rows["x1"]).fillna(0).to_numpy(float)  # noqa: E731
    model = Model(format="function", features=("x0", "x1"), place="model", answer=said)
    frames = []
    for at in (0, 1):
        x = pd.DataFrame(np.random.default_rng(at).normal(size=(1000, 2)), columns=["x0", "x1"])
        frames.append(x.assign(y=by * (2 * x["x0"] + x["x1"] + np.random.default_rng(at + 9).normal(size=1000))))
    frames[1]["x0"] = 0.7
    reference, current = (frame.assign(said=model.scores(frame)) for frame in frames)
    windows = Windows(
        reference=reference, current=current, roles=Roles(label="y", prediction="said", features=("x0", "x1")),
        metric=Metric(name="mae"), model=model, parents={},
    )  # fmt: skip
    moved = univariate_drift(reference, current, features=("x0", "x1"))
    return attribute_harm(windows, moved, diagnose(reference, current, moved), rng=np.random.default_rng(0))


@pytest.mark.parametrize("factor", [0.001, 1000.0])
def test_a_unit_of_the_label_scales_every_part_of_an_absolute_error(factor):
    plain, scaled = in_a_unit(1.0), in_a_unit(factor)
    assert plain.contributions[0].name == scaled.contributions[0].name == "x0"
    assert_allclose([p.value for p in scaled.contributions], [factor * p.value for p in plain.contributions], rtol=1e-6)
    assert_allclose(scaled.measured.change, factor * plain.measured.change)


def gap(rows):
    wrong = (rows["label"] != rows["prediction"]).groupby(rows["g"]).mean()
    return wrong.max() - wrong.min()


def test_a_gap_between_groups_is_divided_like_any_metric():
    rng = np.random.default_rng(6)
    reference, current = planted("none", rows=3000, features=6)
    reference, whole = (frame.assign(g=rng.choice(["a", "b"], len(frame))) for frame in (reference, current))
    current = whole.assign(x0=whole["x0"].where(whole["g"] == "a"))
    current = current.assign(score=score_of(current[list(SIX)]))
    current = current.assign(prediction=(current["score"] >= 0.5).astype("int8"))
    asked = {"features": SIX, "groups": ("g",)}
    found = divided(reference, current, "group_gap", role=asked, metric={"of": "error_rate"})
    first = found.contributions[0]
    assert (first.name, first.fault) == ("x0", "missing")
    assert gap(current) - gap(whole) in first.interval
    adds_up(found)


def test_a_graph_names_the_mechanism_that_changed():
    rng = np.random.default_rng(7)

    def made(b, rows=4000):
        a = rng.integers(0, 3, rows)
        middle = np.where(rng.random(rows) < b, a, rng.integers(0, 3, rows))
        return pd.DataFrame({"a": a, "m": middle, "y": 2.0 * (middle != a) + rng.integers(0, 2, rows)})

    found = divided(
        made(0.9), made(0.4), "mean", model=False, parents={"a": (), "m": ("a",), "y": ("a", "m")},
        role={"label": None, "score": None, "prediction": None, "features": ("a", "m")}, metric={"column": "y"},
    )  # fmt: skip
    assert (found.contributions[0].kind, found.contributions[0].name) == ("mechanism", "m")
    assert found.contributions[0].value == pytest.approx(found.measured.worse, rel=0.2)
    adds_up(found)


REPLIES = {"label": None, "score": None, "prediction": None, "features": ("topic",)}


def replies(rng, worse=0.0, *, told=True):
    """Replies of which some topics always had more bad ones, unless nothing is told by them."""
    topic = rng.choice(list("abc"), 2000)
    usual = pd.Series(topic).map({"a": 0.02, "b": 0.1, "c": 0.3}) if told else 0.1
    return pd.DataFrame({"topic": topic, "bad": rng.random(2000) < usual + worse})


@pytest.mark.parametrize(("produces", "accused"), [(True, ("model", "scorer")), (False, ("concept", "bad"))])
def test_replies_that_a_model_produced_otherwise_are_the_models_doing(produces, accused):
    rng = np.random.default_rng(8)
    windows = replies(rng), replies(rng, 0.15)
    found = divided(*windows, "rate", model=False, role=REPLIES, metric={"column": "bad"}, produces=produces)
    assert [(part.kind, part.name) for part in found.contributions] == [accused]
    assert found.contributions[0].value == pytest.approx(found.measured.worse, rel=0.2)


@pytest.mark.parametrize("produces", [True, False])
def test_where_the_inputs_never_told_of_the_outcome_nobody_is_accused(produces):
    rng = np.random.default_rng(8)
    windows = replies(rng, told=False), replies(rng, 0.15, told=False)
    found = divided(*windows, "rate", model=False, role=REPLIES, metric={"column": "bad"}, produces=produces)
    assert found.measured.material
    assert (found.contributions, found.unexplained) == ((), pytest.approx(found.measured.worse))
    assert ["never told" in one.against for one in found.rivals if one.kind in ("model", "concept")] == [True]


@pytest.mark.parametrize("fault", ["missing", "scaled"])
def test_a_model_is_not_accused_where_a_column_broke_and_its_file_is_lost(fault):
    found = divided(*planted(fault, rows=800), "brier", model=False)
    guilty = [part.kind for part in found.contributions if part.value > 0 and part.strength == "shown"]
    assert "model" not in guilty


def test_a_window_where_nothing_counts_cannot_say():
    reference, current = planted("none", rows=50)
    with pytest.raises(Unanswerable):
        divided(reference, current.assign(label=np.nan))


ODD = {
    "all missing": np.full(300, np.nan),
    "constant": np.ones(300),
    "infinite": np.where(np.arange(300) % 3 == 0, np.inf, 1.0),
    "enormous": np.where(np.arange(300) % 2 == 0, 1e308, -1e308),
    "a value a row": [f"u{i}" for i in range(300)],
    "mixed types": pd.Series([1, "a", None, True, 2.5] * 60, dtype=object),
    "boolean with missing": pd.Series([True, False, None] * 100, dtype="boolean"),
    "category": pd.Series(["a", "b", None] * 100, dtype="category"),
    "integer with missing": pd.Series([1, 2, None] * 100, dtype="Int64"),
    "time": pd.Series(pd.date_range("2024-01-01", periods=300, tz="UTC")),
    "duration": pd.Series(pd.to_timedelta(np.arange(300), unit="s")),
}


@pytest.mark.parametrize("model", [True, False])
def test_any_sort_of_column_beside_the_others_is_divided_without_a_warning(model):
    odd = {f"z{at}": (sort, "mixed types" if model else sort) for at, sort in enumerate(ODD)}
    reference, current = (
        frame.assign(**{name: pd.Series(ODD[sorts[at]]) for name, sorts in odd.items()})
        for at, frame in enumerate(planted("concept", rows=300))
    )
    names = (*odd, *FEATURES)
    windows = Windows(
        reference=reference, current=current, roles=roles(features=names), metric=Metric(name="brier"),
        model=held(names) if model else None, parents={},
    )  # fmt: skip
    moved = univariate_drift(reference, current, features=names)
    found = diagnose(reference, current, moved)
    adds_up(attribute_harm(windows, moved, found, rng=np.random.default_rng(0)))


@pytest.mark.parametrize("rows", [10, 12, 31])
def test_few_rows_are_divided_without_a_warning(rows):
    adds_up(divided(*planted("frozen", rows=rows)))


def test_a_division_comes_back_from_its_dictionary_and_is_a_table():
    found = broken("frozen")
    assert Harm.from_dict(found.to_dict()) == found
    assert list(found.to_frame()["cause"])[-1] == "unexplained"
    assert "the first part: column x0 (frozen)" in str(found)
    assert {finding.id for finding in found.findings()} >= {"harm.feature.x0"}


def test_the_same_seed_divides_the_same():
    assert divided(*planted("frozen", rows=300), seed=0) == broken("frozen", "error_rate", rows=300)


def test_another_threshold_is_the_models_doing_though_no_model_is_on_file():
    reference, current = planted("none")
    current = current.assign(prediction=(current["score"] > 0.2).astype("int8"))
    found = divided(reference, current, "false_positive_rate", model=False)
    first = found.contributions[0]
    assert (first.kind, first.method, first.strength) == ("model", "asked again", "shown")
    assert first.value == pytest.approx(found.measured.worse, rel=0.2)


def test_scores_that_changed_under_the_same_threshold_are_not_laid_on_it():
    reference, current = planted("none")
    turned = 1 - current["score"]
    current = current.assign(score=turned, prediction=(turned > 0.5).astype("int8"))
    found = divided(reference, current, model=False)
    assert all(part.method != "asked again" for part in found.contributions)


def test_where_all_that_matters_is_like_nothing_before_nobody_is_named():
    reference, current = planted("none")
    moved = {name: current[name] * 1.7 + 2 * (reference[name].max() - reference[name].min()) for name in FEATURES}
    current = current.assign(**moved, score=1 - current["score"], prediction=1 - current["prediction"])
    found = divided(reference, current, model=False)
    assert found.measured.material
    assert not [part for part in found.contributions if part.identifiable]


def test_a_column_that_broke_in_every_row_did_all_the_harm_though_no_model_is_on_file():
    reference, current = planted("none")
    off = current["x0"] * 0 + 9 * reference["x0"].abs().max()
    answered = score_of(current[list(FEATURES)].assign(x0=off))
    current = current.assign(x0=off, score=answered, prediction=(answered > 0.5).astype("int8"))
    found = divided(reference, current, "brier", model=False)
    first = found.contributions[0]
    assert (first.kind, first.name, first.fault) == ("feature", "x0", "default_value")
    assert first.value == pytest.approx(found.measured.worse, rel=0.3)
