"""Tree ensembles as plain arrays, read from LightGBM and scikit-learn, for exact tree SHAP."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rca.record.model.tree_inspection import fields_of, trees_in

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

Missing = Literal["as zero", "zero too", "apart"]
"""What a split makes of a missing number: it is zero; it goes the split's own way, and zero too; it alone does."""

Scale = Literal["log-odds", "probability", "prediction", "score"]
"""What the trees add up to; a score is on a scale of its own, a rank or a log of the prediction say."""

_PREDICTING = frozenset({
    "regression", "regression_l2", "regression_l1", "huber", "fair", "quantile", "mape", "custom", "none", "",
})  # fmt: skip
"""LightGBM's objectives whose margin is the prediction itself."""

_MISSING: tuple[Missing, ...] = ("as zero", "zero too", "apart")


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """One tree with one number in each leaf.

    Nodes are counted from 0, splits and leaves alike; node 0 is the root.

    Attributes
    ----------
    output : int
        Which of the model's outputs it adds to.
    feature : ndarray of int, shape (nodes,)
        Feature that a split reads; -1 in a leaf.
    threshold : ndarray of float, shape (nodes,)
        A number goes left if it is at most this.
    left, right : ndarray of int, shape (nodes,)
        Children of a split; -1 in a leaf.
    missing_left : ndarray of bool, shape (nodes,)
        Whether a missing value goes left.
    cover : ndarray of float, shape (nodes,)
        Rows it was trained on that came by.
    value : ndarray of float, shape (nodes,)
        What a leaf adds, in the model's margin; 0 in a split.
    missing : dict of int to str
        What a split makes of missing numbers, where it is not "apart".
    categories : dict of int to frozenset of int
        Codes that go left, where a split is by category; any other code, and a missing one, goes right.
    """

    output: int
    feature: "Whole"
    threshold: "Floats"
    left: "Whole"
    right: "Whole"
    missing_left: "npt.NDArray[np.bool_]"
    cover: "Floats"
    value: "Floats"
    missing: dict[int, Missing] = field(default_factory=dict)
    categories: dict[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Forest:
    """An additive tree ensemble with its constant.

    Attributes
    ----------
    trees : tuple of Tree
    start : ndarray of shape (outputs,)
        Margin before the first tree.
    scale : {'log-odds', 'probability', 'prediction', 'score'}
    single : bool
        Whether numbers are read in single precision.
    """

    trees: tuple[Tree, ...]
    start: "Floats"
    scale: Scale
    single: bool = False

    @property
    def outputs(self) -> int:
        """Number of outputs: one, or one a class."""
        return len(self.start)

    @property
    def leaves(self) -> int:
        """Number of leaves of all trees."""
        return sum(int((tree.feature < 0).sum()) for tree in self.trees)


# --- LightGBM ---------------------------------------------------------------------------------------------------------


def of_lightgbm(text: str) -> Forest | None:
    """Read a LightGBM text file that `inspect_trees` found whole; None where its leaves hold lines, not numbers.

    References
    ----------
    LightGBM's tree.h: bit 0 of a split's type says by category, bit 1 that missing values go left, bits 2 and 3 what
    counts as missing (0 nothing, 1 zero, 2 NaN).
    """
    import numpy as np

    head, blocks = trees_in(text.encode())
    outputs = int(head["num_tree_per_iteration"])
    share = outputs / len(blocks) if re.search(r"^average_output$", text, flags=re.MULTILINE) else 1.0
    found = [fields_of(block) for block in blocks]
    if any(entries.get("is_linear", "0").strip() == "1" for entries in found):
        return None
    trees = tuple(_lightgbm_tree(entries, at % outputs, share) for at, entries in enumerate(found))
    return Forest(trees=trees, start=np.zeros(outputs), scale=_scale(head.get("objective", "")))


def _scale(objective: str) -> Scale:
    """Scale of the margin, by LightGBM's name of the objective."""
    name, *settings = objective.split(" ")
    if name in {"cross_entropy", "multiclass", "softmax"} or (name == "binary" and "sigmoid:1" in settings):
        return "log-odds"
    return "prediction" if name in _PREDICTING else "score"


def _lightgbm_tree(entries: dict[str, str], output: int, share: float) -> Tree:
    """Splits come first and leaves after them; the file counts leaves backwards, from -1."""
    import numpy as np

    def floats(key: str) -> "Floats":
        return np.array(entries.get(key, "").split(), dtype=np.float64)

    def whole(key: str) -> "Whole":
        return np.array(entries.get(key, "").split(), dtype=np.int64)

    leaves = floats("leaf_value")
    n = len(leaves) - 1
    if n == 0:
        return stump(output, share * float(leaves[0]))
    kinds, none = whole("decision_type"), np.full(n + 1, -1)
    children = [np.where(side < 0, n - 1 - side, side) for side in (whole("left_child"), whole("right_child"))]
    by_category = np.flatnonzero(kinds & 1).tolist()
    return Tree(
        output=output,
        feature=np.append(whole("split_feature"), none),
        threshold=np.append(floats("threshold"), np.zeros(n + 1)),
        left=np.append(children[0], none),
        right=np.append(children[1], none),
        missing_left=np.append(kinds & 2 > 0, np.zeros(n + 1, dtype=bool)),
        cover=np.append(floats("internal_count"), floats("leaf_count")),
        value=np.append(np.zeros(n), share * leaves),
        missing={at: _MISSING[kind] for at, kind in enumerate(((kinds >> 2) & 3).tolist()) if kind != 2},
        categories=dict(zip(by_category, _sets(entries, floats("threshold")[by_category]), strict=True)),
    )


def _sets(entries: dict[str, str], which: "Floats") -> Iterator[frozenset[int]]:
    """Sets of categories, kept as bits of 32-bit words."""
    ends = [int(end) for end in entries.get("cat_boundaries", "0").split()]
    words = [int(word) for word in entries.get("cat_threshold", "").split()]
    for one in which.astype(int).tolist():
        held = words[ends[one] : ends[one + 1]]
        yield frozenset(32 * at + bit for at, word in enumerate(held) for bit in range(32) if word >> bit & 1)


def stump(output: int, value: float) -> Tree:
    """A tree of a single leaf."""
    import numpy as np

    return Tree(
        output=output,
        feature=np.array([-1]),
        threshold=np.zeros(1),
        left=np.array([-1]),
        right=np.array([-1]),
        missing_left=np.zeros(1, dtype=bool),
        cover=np.ones(1),
        value=np.array([value]),
    )


# --- scikit-learn -----------------------------------------------------------------------------------------------------


def of_sklearn(estimator: Any, *, positive: object = 1) -> Forest | None:
    """Read a fitted tree, forest or boosted trees of scikit-learn; None for any other estimator.

    Parameters
    ----------
    estimator : a fitted estimator
    positive : object
        The class whose probability an estimator of two classes is asked for.
    """
    name = type(estimator).__name__
    if name.startswith(("RandomForest", "ExtraTrees", "DecisionTree", "ExtraTree")):
        return _averaged(estimator, positive)
    if name.startswith("GradientBoosting"):
        return _boosted(estimator, positive)
    if name.startswith("HistGradientBoosting"):
        return _binned(estimator, positive)
    return None


def _averaged(estimator: Any, positive: object) -> Forest | None:
    """Random forests: trees whose probabilities, or predictions, are averaged."""
    import numpy as np

    members = list(getattr(estimator, "estimators_", [estimator]))
    if getattr(estimator, "n_outputs_", 1) != 1:
        return None
    classes = list(getattr(estimator, "classes_", [None]))
    wanted = list(range(len(classes)))
    if len(classes) == 2:
        wanted = [classes.index(positive) if positive in classes else 1]
    shares = [member.tree_.value[:, 0, :] for member in members]
    if classes != [None]:
        shares = [share / share.sum(axis=1, keepdims=True) for share in shares]
    trees = [
        _sklearn_tree(member.tree_, share[:, of] / len(members), output)
        for member, share in zip(members, shares, strict=True)
        for output, of in enumerate(wanted)
    ]
    scale: Scale = "prediction" if classes == [None] else "probability"
    return Forest(trees=tuple(trees), start=np.zeros(len(wanted)), scale=scale, single=True)


def _boosted(estimator: Any, positive: object) -> Forest | None:
    """Gradient boosting: trees added to a constant; None where they start from a model of their own."""
    import numpy as np

    if not hasattr(estimator.init_, "constant_") and type(estimator.init_).__name__ != "DummyClassifier":
        return None
    origin = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
    start = np.asarray(estimator._raw_predict_init(origin), dtype=float)[0]  # noqa: SLF001 - said nowhere else
    sign = _sign(estimator, positive)
    trees = [
        _sklearn_tree(member.tree_, sign * estimator.learning_rate * member.tree_.value[:, 0, 0], output)
        for stage in estimator.estimators_
        for output, member in enumerate(stage)
    ]
    scale: Scale = "prediction" if not hasattr(estimator, "classes_") else "score"
    scale = "log-odds" if estimator.loss == "log_loss" else scale
    return Forest(trees=tuple(trees), start=sign * start, scale=scale, single=True)


def _sign(estimator: Any, positive: object) -> int:
    """-1 where the margin of a binary classifier is that of the other class."""
    classes = list(getattr(estimator, "classes_", ()))
    return -1 if len(classes) == 2 and classes[0] == positive else 1


def _sklearn_tree(tree: Any, value: "Floats", output: int) -> Tree:
    import numpy as np

    leaf = tree.children_left < 0
    return Tree(
        output=output,
        feature=np.where(leaf, -1, tree.feature).astype(np.int64),
        threshold=np.where(leaf, 0.0, tree.threshold),
        left=tree.children_left.astype(np.int64),
        right=tree.children_right.astype(np.int64),
        missing_left=tree.missing_go_to_left.astype(bool),
        cover=tree.weighted_n_node_samples.astype(np.float64),
        value=np.where(leaf, value, 0.0),
    )


def _binned(estimator: Any, positive: object) -> Forest | None:
    """Histogram-based boosted trees; None where they read categories, whose codes are the estimator's own."""
    import numpy as np

    if getattr(estimator, "is_categorical_", None) is not None:
        return None
    start = np.asarray(estimator._baseline_prediction, dtype=float).ravel()  # noqa: SLF001 - said nowhere else
    sign = _sign(estimator, positive)
    trees = [
        _binned_tree(member.nodes, output, sign)
        for stage in estimator._predictors  # noqa: SLF001 - likewise
        for output, member in enumerate(stage)
    ]
    scale: Scale = "score" if estimator.loss in {"poisson", "gamma"} else "prediction"
    scale = "log-odds" if hasattr(estimator, "classes_") else scale
    return Forest(trees=tuple(trees), start=sign * start, scale=scale)


def _binned_tree(nodes: Any, output: int, sign: int) -> Tree:
    import numpy as np

    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        output=output,
        feature=np.where(leaf, -1, nodes["feature_idx"]).astype(np.int64),
        threshold=np.where(leaf, 0.0, nodes["num_threshold"]),
        left=np.where(leaf, -1, nodes["left"]).astype(np.int64),
        right=np.where(leaf, -1, nodes["right"]).astype(np.int64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        cover=nodes["count"].astype(np.float64),
        value=np.where(leaf, sign * nodes["value"], 0.0),
    )
