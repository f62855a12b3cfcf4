"""Gain importance: what the splits of a boosted model on each feature took off its loss."""

from typing import TYPE_CHECKING, Any

from rca.record.model.tree_inspection import fields_of, trees_in

if TYPE_CHECKING:
    from rca.record.model.model import Model


def gains(model: "Model") -> dict[str, float]:
    """Gain importance of the features that a LightGBM or XGBoost model splits on: total loss reduction of their splits.

    XGBoost's `gain` is a mean over splits; its `total_gain` is what LightGBM calls gain, and is taken.

    Returns
    -------
    dict of str to float
        Feature → gain, above 0; empty for a model of another format, or without such splits.
    """
    if model.inside is None or model.format not in ("lightgbm", "xgboost"):
        return {}
    held, names = model.inside.held, model.features
    found = _of_text(held, names) if model.format == "lightgbm" else _of_booster(held, names)
    return {name: gain for name, gain in found.items() if gain > 0}


def _of_text(text: str, names: tuple[str, ...]) -> dict[str, float]:
    """Gains of a LightGBM file; a split that gained nothing does not count, as in LightGBM itself."""
    found = dict.fromkeys(names, 0.0)
    for tree in map(fields_of, trees_in(text.encode())[1]):
        splits = zip(tree.get("split_feature", "").split(), tree.get("split_gain", "").split(), strict=True)
        for at, gain in splits:
            found[names[int(at)]] += max(float(gain), 0.0)
    return found


def _of_booster(held: Any, names: tuple[str, ...]) -> dict[str, float]:
    """Gains of an XGBoost booster of trees; one of lines has none."""
    try:
        told = held.get_score(importance_type="total_gain")
    except ValueError:
        return {}
    return {name: float(told.get(own, 0.0)) for own, name in zip(held.feature_names, names, strict=True)}
