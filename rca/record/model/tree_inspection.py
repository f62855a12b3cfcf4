"""Integrity check of a LightGBM text file: the library trusts what it reads, and a damaged file ends the process.

Checked before it is loaded: that the trees lie where the header says, have as many entries as leaves and splits ask
for, read only features that exist, and are trees: every node but the first hangs below exactly one other.
"""

import re
from itertools import accumulate, pairwise
from typing import Any

_FLAT = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
"""What a tree has one of for each split."""

_MOST_CLASSES = 100_000


class Damaged(ValueError):
    """A model file that does not hold together."""


def inspect_trees(raw: bytes) -> None:
    """Check the integrity of a LightGBM text file.

    Raises
    ------
    Damaged
        If it could not be loaded, or scored, without harm.
    """
    head, blocks = trees_in(raw)
    n_features = _number(head, "max_feature_idx") + 1
    if not 1 <= n_features == len(head.get("feature_names", "").split(" ")):
        raise Damaged("the header names another number of features than it counts")
    for key in ("num_class", "num_tree_per_iteration"):
        if not 1 <= _number(head, key) <= _MOST_CLASSES:
            raise Damaged(f"{key} is {head[key][:20]}")
    if len(blocks) % _number(head, "num_tree_per_iteration"):
        raise Damaged("the last iteration lacks trees")
    for at, block in enumerate(blocks):
        try:
            _inspect_tree(fields_of(block), n_features)
        except Damaged as error:
            raise Damaged(f"tree {at}: {error}") from error


def trees_in(raw: bytes) -> tuple[dict[str, str], list[bytes]]:
    """The entries of the header, and the trees as they stand in the file.

    Raises
    ------
    Damaged
        If the trees do not lie where the header says.
    """
    text = raw.decode("utf-8", errors="replace")
    head = _entries(text[: text.find("\nTree=")] if "\nTree=" in text else text)
    return head, _blocks(raw, _whole(head.get("tree_sizes", "")))


def fields_of(tree: bytes) -> dict[str, str]:
    """The entries of one tree."""
    return _entries(tree.decode("utf-8", errors="replace"))


def _blocks(raw: bytes, sizes: list[int]) -> list[bytes]:
    """The trees, cut where the header's sizes say."""
    start = raw.find(b"\nTree=0\n") + 1
    if not sizes or not start or min(sizes) <= 0:
        raise Damaged("there are no trees, or not as many as the header says")
    ends = list(accumulate(sizes, initial=start))
    blocks = [raw[begin:end] for begin, end in pairwise(ends)]
    if not all(block.startswith(b"Tree=%d\n" % at) for at, block in enumerate(blocks)):
        raise Damaged("a tree does not begin where the header says")
    if not raw[ends[-1] :].startswith(b"end of trees"):
        raise Damaged("the trees do not end where the header says; the file was cut short or edited")
    return blocks


def _entries(text: str) -> dict[str, str]:
    pairs = [line.partition("=") for line in text.splitlines() if "=" in line]
    entries = {key: value for key, _, value in pairs}
    if len(entries) < len(pairs):
        raise Damaged("an entry comes twice")
    return entries


def _whole(text: str) -> list[int]:
    """Whole numbers apart by blanks; no longer ones than the library's 32 bits could hold ten times over."""
    if not re.fullmatch(r"(-?[0-9]{1,10})?( -?[0-9]{1,10})*", text):
        raise Damaged(f"whole numbers were expected, and there is {text[:20]!r}")
    return [int(word) for word in text.split()]


def _number(entries: dict[str, str], key: str) -> int:
    numbers = _whole(entries.get(key, ""))
    if len(numbers) != 1:
        raise Damaged(f"{key} is missing")
    return numbers[0]


def _inspect_tree(tree: dict[str, str], n_features: int) -> None:
    n_leaves, n_categorical = _number(tree, "num_leaves"), _number(tree, "num_cat")
    if n_leaves < 1 or len(tree.get("leaf_value", "").split()) != n_leaves:
        raise Damaged("there are not as many values as leaves")
    if n_leaves > 1:
        for key in _FLAT:
            if len(tree.get(key, "").split()) != n_leaves - 1:
                raise Damaged(f"{key} has not one entry for each split")
        if not all(0 <= feature < n_features for feature in _whole(tree["split_feature"])):
            raise Damaged("a split reads a feature that does not exist")
        _inspect_shape(tree, n_leaves)
        _inspect_categories(tree, n_categorical)
    if tree.get("is_linear", "0").strip() != "0":
        _inspect_linear(tree, n_leaves, n_features)


def _inspect_shape(tree: dict[str, str], n_leaves: int) -> None:
    """Every split but the first, and every leaf, hangs below exactly one split that comes before it."""
    children = list(zip(_whole(tree["left_child"]), _whole(tree["right_child"]), strict=True))
    hanging = sorted(child for pair in children for child in pair)
    if hanging != sorted([*range(1, n_leaves - 1), *range(-n_leaves, 0)]):
        raise Damaged("the splits do not form a tree")
    if any(0 <= child <= at for at, pair in enumerate(children) for child in pair):
        raise Damaged("a split hangs below a later one")


def _inspect_categories(tree: dict[str, str], n_categorical: int) -> None:
    """A categorical split's threshold says which set of categories is meant."""
    kinds, thresholds = _whole(tree["decision_type"]), tree["threshold"].split()
    sets = [threshold for threshold, sort in zip(thresholds, kinds, strict=True) if sort & 1]
    if not all(re.fullmatch(r"[0-9]{1,9}", one) and int(one) < n_categorical for one in sets):
        raise Damaged("a split by category reads a set that does not exist")
    if n_categorical:
        ends, words = _whole(tree.get("cat_boundaries", "")), tree.get("cat_threshold", "").split()
        if len(ends) != n_categorical + 1 or ends[0] != 0 or ends != sorted(ends) or ends[-1] != len(words):
            raise Damaged("the sets of categories do not add up")


def _inspect_linear(tree: dict[str, str], n_leaves: int, n_features: int) -> None:
    """A linear leaf reads some features, each with its coefficient."""
    counts, features = _whole(tree.get("num_features", "").strip()), _words(tree, "leaf_features")
    coefficients, constants = _words(tree, "leaf_coeff"), _words(tree, "leaf_const")
    if len(counts) != n_leaves or min(counts) < 0 or len(constants) != n_leaves:
        raise Damaged("the linear leaves do not add up")
    if not sum(counts) == len(features) == len(coefficients):
        raise Damaged("the linear leaves have not as many coefficients as features")
    if not all(0 <= feature < n_features for feature in _whole(" ".join(features))):
        raise Damaged("a leaf reads a feature that does not exist")


def _words(tree: dict[str, Any], key: str) -> list[str]:
    return str(tree.get(key, "")).split()
