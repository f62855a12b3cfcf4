"""Gain of each feature, as the libraries themselves count it."""

from types import SimpleNamespace

import lightgbm
import pytest

from rca.record.model.gain import gains
from rca.record.model.model import Inside, Model
from rca.record.model.model_file import read_model
from tests.conftest import INCIDENTS


def test_gains_are_those_of_lightgbm():
    path = INCIDENTS / "credit-drift" / "model.txt"
    booster = lightgbm.Booster(model_file=str(path))
    known = dict(zip(booster.feature_name(), booster.feature_importance("gain"), strict=True))
    read = gains(read_model(path, "lightgbm", place="model"))
    assert read == pytest.approx({name: gain for name, gain in known.items() if gain > 0}, rel=1e-5)


def held(booster):
    inside = Inside(held=booster, encode=lambda frame: frame)
    return Model(format="xgboost", features=("a b", "c"), place="model", answer=len, inside=inside)


def test_gains_of_xgboost_are_totals_by_the_names_of_the_tables():
    asked = []
    booster = SimpleNamespace(
        feature_names=["a_b", "c"], get_score=lambda importance_type: asked.append(importance_type) or {"a_b": 3}
    )
    assert (gains(held(booster)), asked) == ({"a b": 3.0}, ["total_gain"])


def test_a_booster_of_lines_has_no_gains():
    def refuse(importance_type):
        raise ValueError(importance_type)

    assert gains(held(SimpleNamespace(feature_names=["a_b", "c"], get_score=refuse))) == {}


def test_a_model_of_another_format_has_no_gains():
    assert gains(Model(format="onnx", features=("a",), place="model", answer=len)) == {}
