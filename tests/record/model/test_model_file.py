"""The model that failed, asked again."""

import json
import struct
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from rca.errors import InvalidCase, Unanswerable
from rca.record.model.model_file import read_model
from rca.record.model.tree_inspection import Damaged, inspect_trees
from tests.conftest import ROOT

PLACE = "incident.yaml, model.path"


def rows(n=400, seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "debt ratio": random.normal(size=n),
            "city": random.choice(["x", "y", "zé"], n),
            "code": random.integers(0, 5, n),
            "tier": random.choice([3, 5, 9], n),
            "new": random.random(n) > 0.5,
        }
    )


def answer(frame):
    return frame["debt ratio"] + 2.0 * (frame["city"] == "x") + (frame["code"] == 3) + 1.5 * (frame["tier"] == 5)


def trained(path, *, labels=None, **settings):
    import lightgbm

    frame = rows().astype({"city": "category", "tier": "category"})
    data = lightgbm.Dataset(frame, answer(rows()) if labels is None else labels)
    booster = lightgbm.train({"verbosity": -1, "num_threads": 2, **settings}, data, 8)
    booster.save_model(path)
    return booster.predict(frame)


@pytest.fixture(scope="module")
def forest(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.txt"
    return path, trained(path)


# --- lightgbm ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"objective": "mae"}, {"linear_tree": True}, {"boosting": "dart"}])
def test_a_forest_answers_as_it_did_where_it_was_trained(tmp_path, settings):
    expected = trained(tmp_path / "model.txt", **settings)
    model = read_model(tmp_path / "model.txt", "lightgbm", place=PLACE, columns=rows().columns)
    np.testing.assert_array_equal(model.scores(rows()), expected)


def test_features_are_spelled_as_the_tables_spell_them(forest):
    assert read_model(forest[0], "lightgbm", place=PLACE).features[0] == "debt_ratio"
    assert read_model(forest[0], "lightgbm", place=PLACE, columns=["debt ratio"]).features[0] == "debt ratio"


def test_a_category_answers_the_same_as_text_as_category_and_as_float(forest):
    model = read_model(forest[0], "lightgbm", place=PLACE, columns=rows().columns)
    typed = rows().astype({"city": "category", "tier": float, "code": "Int8", "new": int})
    np.testing.assert_array_equal(model.scores(typed), forest[1])


def test_a_category_the_model_never_saw_counts_as_missing(forest):
    model = read_model(forest[0], "lightgbm", place=PLACE, columns=rows().columns)
    unseen, missing = rows().assign(city="nowhere"), rows().assign(city=None)
    np.testing.assert_array_equal(model.scores(unseen), model.scores(missing))
    assert not np.array_equal(model.scores(unseen), forest[1])


def test_the_order_of_columns_does_not_matter_and_others_are_not_read(forest):
    model = read_model(forest[0], "lightgbm", place=PLACE, columns=rows().columns)
    shuffled = rows().assign(other="text")[["other", "new", "tier", "code", "city", "debt ratio"]]
    np.testing.assert_array_equal(model.scores(shuffled), forest[1])


def test_no_rows_have_no_scores(forest):
    model = read_model(forest[0], "lightgbm", place=PLACE, columns=rows().columns)
    assert model.scores(rows().iloc[:0]).shape == (0,)


def test_a_table_that_lacks_a_feature_is_refused_with_a_hint(forest):
    model = read_model(forest[0], "lightgbm", place=PLACE, columns=rows().columns)
    with pytest.raises(InvalidCase, match=r"reads 'city'.*no such column.*did you mean 'citi'\?"):
        model.scores(rows().rename(columns={"city": "citi"}))


def test_words_where_the_model_reads_numbers_are_refused(forest):
    model = read_model(forest[0], "lightgbm", place=PLACE, columns=rows().columns)
    with pytest.raises(InvalidCase, match="the model reads numbers in 'code'"):
        model.scores(rows().assign(code="first"))


def test_numbers_that_are_written_as_text_are_read_and_cells_without_one_are_missing(forest):
    model = read_model(forest[0], "lightgbm", place=PLACE, columns=rows().columns)
    np.testing.assert_array_equal(model.scores(rows().astype({"code": str})), model.scores(rows()))
    dashed = rows().astype({"code": object})
    dashed.loc[::50, "code"] = "-"
    missing = rows().astype({"code": float})
    missing.loc[::50, "code"] = np.nan
    np.testing.assert_array_equal(model.scores(dashed), model.scores(missing))


def test_more_than_two_classes_cannot_be_answered(tmp_path):
    trained(tmp_path / "m.txt", labels=pd.qcut(answer(rows()), 3).cat.codes, objective="multiclass", num_class=3)
    model = read_model(tmp_path / "m.txt", "lightgbm", place=PLACE, columns=rows().columns)
    with pytest.raises(Unanswerable, match="more than two classes"):
        model.scores(rows())


DAMAGE = {
    "a child that is its own parent": ("left_child=", "left_child=0 ", 1),
    "a feature that does not exist": ("split_feature=", "split_feature=7", 1),
    "another number of leaves": ("num_leaves=", "num_leaves=9", 1),
    "a leaf that does not exist": ("right_child=", "right_child=-9", 1),
    "no classes": ("num_tree_per_iteration=1", "num_tree_per_iteration=0", 0),
    "too many features": ("max_feature_idx=4", "max_feature_idx=3", 0),
    "a set of categories that does not exist": ("num_cat=", "num_cat=0", 1),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_forest_is_refused_before_the_library_sees_it(forest, damage):
    key, instead, digits = DAMAGE[damage]
    before, _, after = forest[0].read_text().partition(key)
    damaged = before + instead + after[digits * len(instead.removeprefix(key)) :]
    assert len(damaged) == len(forest[0].read_text())
    with pytest.raises(Damaged):
        inspect_trees(damaged.encode())


@pytest.mark.parametrize("length", [5, 300, 2_000, -1_000])
def test_a_forest_cut_short_is_refused_and_ends_no_process(forest, tmp_path, length):
    (tmp_path / "model.txt").write_bytes(forest[0].read_bytes()[:length])
    if length == -1_000:  # the settings at the end are not needed to answer
        (tmp_path / "model.txt").write_bytes(forest[0].read_bytes().partition(b"end of trees")[0])
    with pytest.raises(InvalidCase, match="no lightgbm model"):
        read_model(tmp_path / "model.txt", "lightgbm", place=PLACE)


# --- what is never opened ---------------------------------------------------------------------------------------------


class Bomb:
    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize("form", ["lightgbm", "xgboost", "onnx", "skops"])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_is_refused_whatever_it_is_called(tmp_path, capsys, form, protocol):
    import pickle

    (tmp_path / "model.txt").write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(InvalidCase):
        read_model(tmp_path / "model.txt", form, place=PLACE)
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_files_are_refused_by_name(tmp_path, compress):
    joblib = pytest.importorskip("joblib")
    joblib.dump({"model": [1, 2]}, tmp_path / "model.onnx", compress=compress)
    with pytest.raises(InvalidCase, match="can run code"):
        read_model(tmp_path / "model.onnx", "onnx", place=PLACE)


def test_a_packed_pickle_is_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "model.skops", "w") as packed:
        packed.writestr("archive/data.pkl", b"\x80\x02.")
    with pytest.raises(InvalidCase, match="can run code"):
        read_model(tmp_path / "model.skops", "skops", place=PLACE)


def test_a_model_of_another_format_is_told_from_the_one_named(forest):
    with pytest.raises(InvalidCase, match=r"does not begin as a model of format skops does.*lightgbm"):
        read_model(forest[0], "skops", place=PLACE)


def test_a_library_that_is_not_installed_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(InvalidCase, match=r"xgboost is not installed.*rca-postmortem\[xgboost\]"):
        read_model(tmp_path / "model.json", "xgboost", place=PLACE)


# --- xgboost ----------------------------------------------------------------------------------------------------------


def test_an_xgboost_model_answers_as_it_did_where_it_was_trained(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    frame = rows().drop(columns="city").astype({"new": int})
    data = xgboost.DMatrix(frame, label=answer(rows()) > 1)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 2}, data, 5)
    booster.save_model(tmp_path / "model.json")
    model = read_model(tmp_path / "model.json", "xgboost", place=PLACE)
    np.testing.assert_allclose(model.scores(rows()), booster.predict(data), rtol=1e-6)


def test_an_xgboost_model_of_many_classes_cannot_be_answered(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    frame = rows().drop(columns="city").astype({"new": int})
    data = xgboost.DMatrix(frame, label=frame["tier"].map({3: 0, 5: 1, 9: 2}))
    booster = xgboost.train({"objective": "multi:softmax", "num_class": 3, "nthread": 2}, data, 2)
    booster.save_model(tmp_path / "model.json")
    model = read_model(tmp_path / "model.json", "xgboost", place=PLACE)
    with pytest.raises(Unanswerable):
        model.scores(rows())
    np.testing.assert_array_equal(model.chances(rows()).argmax(axis=1), booster.predict(data))


def test_an_xgboost_model_reads_text_by_the_categories_that_its_file_holds(tmp_path):
    xgboost = pytest.importorskip("xgboost", minversion="3.1")
    text = rows().replace({"city": {"zé": "z e"}})
    typed = text.astype({"city": pd.CategoricalDtype(sorted(set(text["city"]), reverse=True)), "new": int})
    model = xgboost.XGBClassifier(n_estimators=5, enable_categorical=True, n_jobs=1).fit(typed, answer(text) > 1)
    model.save_model(tmp_path / "model.json")
    read = read_model(tmp_path / "model.json", "xgboost", place=PLACE)
    np.testing.assert_allclose(read.scores(text), model.predict_proba(typed)[:, 1], rtol=1e-6)
    unknown = model.predict_proba(typed.assign(city=typed["city"].where(typed["city"] == "nowhere")))[:, 1]
    np.testing.assert_allclose(read.scores(text.assign(city="nowhere")), unknown, rtol=1e-6)


# --- skops ------------------------------------------------------------------------------------------------------------


def fitted(estimator, target):
    frame = rows()[["debt ratio", "code", "tier"]]
    return estimator.fit(frame, target), frame


@pytest.mark.filterwarnings("default")
def test_a_skops_model_gives_the_probability_of_the_positive_class(tmp_path):
    skops = pytest.importorskip("skops.io")

    labels = np.where(answer(rows()) > 1, "bad", "good")
    estimator, frame = fitted(LogisticRegression(), labels)
    skops.dump(estimator, tmp_path / "model.skops")
    for positive, column in (("bad", 0), ("good", 1), (1, 1)):
        model = read_model(tmp_path / "model.skops", "skops", place=PLACE, positive=positive)
        assert model.features == tuple(frame.columns)
        np.testing.assert_array_equal(model.scores(rows()), estimator.predict_proba(frame)[:, column])


@pytest.mark.filterwarnings("default")
def test_a_skops_regression_gives_what_it_predicts(tmp_path):
    skops = pytest.importorskip("skops.io")
    from sklearn.linear_model import LinearRegression

    estimator, frame = fitted(LinearRegression(), answer(rows()))
    skops.dump(estimator, tmp_path / "model.skops")
    model = read_model(tmp_path / "model.skops", "skops", place=PLACE)
    np.testing.assert_array_equal(model.scores(rows()), estimator.predict(frame))


@pytest.mark.filterwarnings("default")
def test_types_that_skops_does_not_trust_are_refused_by_name(tmp_path):
    skops = pytest.importorskip("skops.io")
    from sklearn.preprocessing import FunctionTransformer

    skops.dump(FunctionTransformer(subprocess.check_output), tmp_path / "model.skops")
    with pytest.raises(InvalidCase, match=r"not trusted: .*subprocess.check_output"):
        read_model(tmp_path / "model.skops", "skops", place=PLACE)


@pytest.mark.filterwarnings("default")
def test_a_skops_model_without_column_names_is_refused(tmp_path):
    skops = pytest.importorskip("skops.io")
    from sklearn.linear_model import LinearRegression

    skops.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), tmp_path / "model.skops")
    with pytest.raises(InvalidCase, match="does not name the columns"):
        read_model(tmp_path / "model.skops", "skops", place=PLACE)


# --- onnx: written by hand, field by field, since the package that writes it is large ---------------------------------


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(value):
    small = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(byte | 0x80 for byte in small[:-1]), small[-1]])


def tensor(name, *shape):
    dims = b"".join(field(1, field(1, size) if size else field(2, "n")) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def onnx(weights, *, names=None, inputs=("X",), extra=b""):
    """A linear model: one matrix times weights, or the sum of columns."""
    raw = struct.pack(f"<{len(weights)}f", *weights)
    constant = field(1, len(weights)) + field(1, 1) + field(2, 1) + field(8, "W") + field(9, raw) + extra
    if len(inputs) == 1:
        nodes = field(1, field(1, "X") + field(1, "W") + field(2, "Y") + field(4, "MatMul"))
    else:
        nodes = field(1, b"".join(field(1, name) for name in inputs) + field(2, "Y") + field(4, "Sum"))
    width = len(weights) if len(inputs) == 1 else 1
    ends = b"".join(field(11, tensor(name, 0, width)) for name in inputs) + field(12, tensor("Y", 0, 1))
    graph = nodes + field(2, "g") + (field(5, constant) if len(inputs) == 1 else b"") + ends
    named = field(14, field(1, "feature_names") + field(2, json.dumps(names))) if names else b""
    return field(1, 8) + field(7, graph) + field(8, field(2, 17)) + named


def test_an_onnx_model_reads_the_columns_its_metadata_name(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(onnx([2.0, -1.0], names=["code", "tier"]))
    model = read_model(tmp_path / "model.onnx", "onnx", place=PLACE)
    assert model.features == ("code", "tier")
    np.testing.assert_array_equal(model.scores(rows()), 2.0 * rows()["code"] - rows()["tier"])


def test_an_onnx_model_with_an_input_for_each_column_reads_them_by_name(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(onnx([1.0], inputs=("tier", "code")))
    model = read_model(tmp_path / "model.onnx", "onnx", place=PLACE)
    assert model.features == ("tier", "code")
    np.testing.assert_array_equal(model.scores(rows()), rows()["code"] + rows()["tier"])


def test_an_onnx_model_that_only_counts_its_columns_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(onnx([2.0, -1.0]))
    with pytest.raises(InvalidCase, match=r"does not name the columns.*feature_names"):
        read_model(tmp_path / "model.onnx", "onnx", place=PLACE)


def test_an_onnx_model_that_reads_another_file_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    outside = field(13, field(1, "location") + field(2, "/etc/passwd")) + field(14, 1)
    (tmp_path / "model.onnx").write_bytes(onnx([2.0, -1.0], names=["code", "tier"], extra=outside))
    with pytest.raises(InvalidCase, match="weights in another file"):
        read_model(tmp_path / "model.onnx", "onnx", place=PLACE)


def test_a_broken_onnx_model_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(onnx([2.0, -1.0], names=["code", "tier"])[:40])
    with pytest.raises(InvalidCase, match="no onnx model"):
        read_model(tmp_path / "model.onnx", "onnx", place=PLACE)


# --- the scored library -----------------------------------------------------------------------------------------------

LIBRARY = ROOT.parent / "shared" / "cases" / "library"


@pytest.mark.skipif(not LIBRARY.is_dir(), reason="the scored library is not beside the repository")
@pytest.mark.parametrize("name", ["nsmo-pmms-frozen", "flights-blizzard", "taiwan-ramp"])
def test_a_model_file_repeats_the_recorded_answers_of_the_reference(name):
    from rca.record.case import load

    case = load(LIBRARY / name)
    said = case.reference[case.roles.score or case.roles.prediction]
    np.testing.assert_array_equal(case.model.scores(case.reference), said)
