"""Views of why-trees: five-whys paths, fishbone by category, and minimal cut sets of factors."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from rca.errors import Unanswerable
from rca.record.schema.corrective_action import CorrectiveAction, named
from rca.record.schema.why_tree import CATEGORIES, Factor, Why

MOST_SETS = 500
"""Sets of factors beyond which nobody reads them."""

UNSORTED = "not sorted"
"""The bone of factors without a category."""

Sets = tuple[frozenset[str], ...]


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One edge of a tree: a why, the why above it, and how deep it lies."""

    why: Why
    place: str
    depth: int
    above: tuple[Why, ...] = ()


def steps(trees: Iterable[Why], place: str = "whys") -> Iterator[Edge]:
    """Every why of some trees with its place in the record, each before those under it."""
    for index, tree in enumerate(trees):
        yield from _below(tree, f"{place}[{index}]", ())


def _below(tree: Why, place: str, above: tuple[Why, ...]) -> Iterator[Edge]:
    yield Edge(why=tree, place=place, depth=len(above), above=above)
    for index, one in enumerate(tree.whys):
        yield from _below(one, f"{place}.whys[{index}]", (*above, tree))


def paths(trees: Iterable[Why]) -> tuple[tuple[Why, ...], ...]:
    """Every path from a root down to a leaf: "5 Whys" is one of them, and whatever its length it is not the only one.

    >>> leaf = Why(question="Why b?")
    >>> [len(path) for path in paths([Why(question="Why a?", whys=(leaf, leaf)), leaf])]
    [2, 2, 1]
    """
    return tuple(path for tree in trees for path in _paths(tree))


def _paths(tree: Why) -> Iterator[tuple[Why, ...]]:
    if not tree.whys:
        yield (tree,)
    for below in tree.whys:
        yield from ((tree, *path) for path in _paths(below))


def longest_path(trees: Iterable[Why]) -> tuple[Why, ...]:
    """The deepest path of whys; of several, the first. This is what "5 Whys" shows."""
    return max(paths(trees), key=len, default=())


@dataclass(frozen=True, kw_only=True)
class Fishbone:
    """Factors by where in the system they lie.

    Attributes
    ----------
    effect : str
        What it all led to.
    bones : dict of str to tuple of Factor
        By category, those without any factor left out.
    empty : tuple of str
        Categories without a factor: was nothing there, or did nobody look?
    """

    effect: str
    bones: Mapping[str, tuple[Factor, ...]]
    empty: tuple[str, ...]


def fishbone(trees: Iterable[Why], effect: str = "") -> Fishbone:
    """Sort the factors of some trees by category, each once.

    >>> fish = fishbone([Why(question="Why?", answer=Factor(statement="s", category="data"))])
    >>> list(fish.bones), len(fish.empty)
    (['data'], 6)
    """
    found = distinct(trees)
    bones = {
        name: tuple(one for one in found if (one.category or UNSORTED) == name) for name in (*CATEGORIES, UNSORTED)
    }
    empty = tuple(name for name in CATEGORIES if not bones[name])
    return Fishbone(effect=effect, bones={name: held for name, held in bones.items() if held}, empty=empty)


def distinct(trees: Iterable[Why]) -> tuple[Factor, ...]:
    """The factors of some trees, each once."""
    found: dict[str, Factor] = {}
    for tree in trees:
        for one in tree.factors():
            found.setdefault(named(one.id or one.statement), one)
    return tuple(found.values())


# --- which factors together were enough ------------------------------------------------------------------------------


def cut_sets(trees: Iterable[Why]) -> Sets:
    """Minimal cut sets: the smallest sets of leaf factors that together were enough for what the trees ask about.

    Whys joined by `and` were needed together, by `or` each was enough; several trees are needed together. Top-down
    expansion with absorption (Vesely et al., *Fault Tree Handbook*, NUREG-0492, 1981, VII.4).

    Returns
    -------
    tuple of frozenset of str
        Of names of factors, the smallest first; no set holds another. An open question stands for its answer.

    Raises
    ------
    Unanswerable
        If there are more than `MOST_SETS`.

    Examples
    --------
    >>> a, b, c = (Why(question=f"Why {name}?", answer=Factor(statement=name)) for name in "abc")
    >>> either = Why(question="Why?", answer=Factor(statement="x"), whys=(a, b), join="or")
    >>> [sorted(one) for one in cut_sets([either, c])]
    [['a', 'c'], ['b', 'c']]
    """
    return _joined((_enough(tree) for tree in trees), join="and")


def guard_sets(trees: Iterable[Why]) -> Sets:
    """Minimal path sets: the smallest sets of leaf factors without which it would not have happened.

    The dual of `cut_sets`: `and` and `or` change places. A set of one is a single point at which to prevent it.

    Raises
    ------
    Unanswerable
        If there are more than `MOST_SETS`.
    """
    return _joined((_enough(tree, dual=True) for tree in trees), join="or")


def _enough(tree: Why, *, dual: bool = False) -> Sets:
    if not tree.whys:
        return (frozenset((_called(tree),)),)
    join = {"and": "or", "or": "and"}[tree.join] if dual else tree.join
    return _joined((_enough(below, dual=dual) for below in tree.whys), join=join)


def _called(tree: Why) -> str:
    return (tree.answer.id or tree.answer.statement) if tree.answer else tree.question


def _joined(parts: Iterable[Sets], *, join: str) -> Sets:
    held: list[Sets] = list(parts)
    if not held:
        return ()
    if join == "or":
        return _minimal(one for part in held for one in part)
    whole = held[0]
    for part in held[1:]:
        if len(whole) * len(part) > 20 * MOST_SETS:
            raise _too_many()
        whole = _minimal(first | second for first, second in product(whole, part))
    return whole


def _minimal(found: Iterable[frozenset[str]]) -> Sets:
    """The sets that hold no other, the smallest first."""
    kept: list[frozenset[str]] = []
    for one in sorted(set(found), key=lambda each: (len(each), sorted(each))):
        if not any(smaller <= one for smaller in kept):
            kept.append(one)
        if len(kept) > MOST_SETS:
            raise _too_many()
    return tuple(kept)


def _too_many() -> Unanswerable:
    return Unanswerable("which factors together were enough", f"there are more than {MOST_SETS} such sets")


# --- factors and actions ---------------------------------------------------------------------------------------------


def to_address(trees: Iterable[Why]) -> tuple[Factor, ...]:
    """The factors that something has to be done about, or a reason given: leaves, triggers and latent ones."""
    found: dict[str, Factor] = {}
    for step in steps(tuple(trees)):
        answer = step.why.answer
        if answer is not None and (answer.role != "contributing" or not step.why.whys):
            found.setdefault(named(answer.id or answer.statement), answer)
    return tuple(found.values())


def unaddressed(trees: Iterable[Why], actions: Iterable[CorrectiveAction]) -> tuple[Factor, ...]:
    """The factors that no action addresses, a dropped one aside, and for which no reason says why not."""
    kept = [action for action in actions if action.state != "dropped"]
    return tuple(
        one for one in to_address(trees) if not one.no_action and not any(act.addresses(one.names) for act in kept)
    )
