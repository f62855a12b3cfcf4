"""Validation of the arguments of public functions: coerced to what is meant, or refused with a hint."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict, TypeVar, get_args

import numpy as np
import pandas as pd

from rca.arrays import Floats
from rca.errors import InvalidCase, did_you_mean
from rca.record.case import Roles
from rca.record.model.model import Model
from rca.record.model.model_file import model_in_memory
from rca.record.schema.incident import Metric, MetricName
from rca.tables.columns import column_name

SEVERAL = frozenset({"groups", "text", "ignore", "categorical", "features"})
"""Roles that many columns may have."""

DEFAULTS = {"positive": 1, "refute": True, "level": 0.95}
"""What a keyword is where it is left out, and not None."""

BY_NAME = frozenset({"score", "blocks"})
"""Roles that may be given as a mapping: a column for each class, columns for each block."""

Answers = Callable[[pd.DataFrame], Any]

Names = str | Sequence[str] | None
"""Of one column, or of several."""

Function = TypeVar("Function", bound=Callable[..., Any])


class TableRoles(TypedDict, total=False):
    """Columns of plain tables by role, as `Roles` explains them; a case names its own."""

    label: str | None
    prediction: str | None
    score: str | Mapping[str, str] | None
    features: Names
    categorical: Names
    groups: Names
    time: str | None
    id: str | None
    entity: str | None
    weight: str | None
    text: Names
    ignore: Names
    blocks: Mapping[str, Sequence[str]] | None
    positive: str | float | bool


class Modelled(TableRoles, total=False):
    """What else is said of plain tables: what went wrong, and what answers their rows."""

    metric: Metric | str | Mapping[str, Any] | None
    model: Any


class Comparison(Modelled, total=False):
    """And what causes what."""

    graph: Any


def spelled_out(keywords: type) -> Callable[[Function], Function]:
    """Show the keywords of a `TypedDict` in a function's signature, for completion and help, in place of `**`.

    >>> @spelled_out(Comparison)
    ... def asked(case, **given): ...
    >>> str(inspect.signature(asked))[:50]
    '(case, *, label=None, prediction=None, score=None,'
    """

    def spell(function: Function) -> Function:
        signature = inspect.signature(function)
        known = {name: one for name, one in signature.parameters.items() if one.kind is not one.VAR_KEYWORD}
        told = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=DEFAULTS.get(name))
            for name in keywords.__annotations__
        ]
        every = [*known.values(), *(one for one in told if one.name not in known)]
        function.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
        return function

    return spell


def names_of(given: Any, *, place: str) -> tuple[str, ...]:
    """Coerce a column name, or several, to a tuple of names.

    Raises
    ------
    InvalidCase
        If it is neither a name nor names.

    Examples
    --------
    >>> names_of("age", place="groups"), names_of((name for name in ("age", 7)), place="groups")
    (('age',), ('age', '7'))
    """
    if isinstance(given, str):
        return (column_name(given),)
    if not isinstance(given, Iterable):
        what, hint = f"{place} must be a column's name or a list of names", "give a name, or a list of them"
        raise InvalidCase.because(f"{what}, got {type(given).__name__}", place=place, hint=hint)
    return tuple(map(column_name, given))


def roles_of(given: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """Validate columns by role, as `Roles` takes them.

    Parameters
    ----------
    given : mapping of str to object
        As given by the caller.
    columns : iterable of str
        Those that both windows have.

    Raises
    ------
    InvalidCase
        If a role is not known, or a column that is named is not there.

    Examples
    --------
    >>> roles_of({"label": "paid", "groups": "sex"}, ["paid", "sex"])
    {'label': 'paid', 'groups': ('sex',)}
    """
    known = set(columns)
    return {role: _role(role, named, known) for role, named in given.items() if named is not None or role == "positive"}


def _role(role: str, named: Any, known: set[str]) -> Any:
    if role not in Roles.__dataclass_fields__:
        hint = did_you_mean(role, Roles.__dataclass_fields__)
        raise InvalidCase.because(f"no role {role!r}", place="keyword arguments", hint=hint)
    if role == "positive":
        return _positive(named)
    if role in BY_NAME and isinstance(named, Mapping):
        return {str(one): _role("features" if role == "blocks" else "label", of, known) for one, of in named.items()}
    names = names_of(named, place=role) if role in SEVERAL else (column_name(named),)
    for name in names:
        require_column(name, known, place=role)
    return names if role in SEVERAL else names[0]


def require_column(name: str, known: Iterable[str], *, place: str) -> None:
    """Refuse a column that is missing from one of the windows.

    Raises
    ------
    InvalidCase
    """
    if name not in known:
        raise InvalidCase.because(f"no column {name!r} in both windows", place=place, hint=did_you_mean(name, known))


def _positive(given: Any) -> str | float | bool:
    if not isinstance(given, str | float | int | np.number | np.bool_):
        what, hint = "positive must be the value of the label that means yes", "give a text, a number, or True"
        raise InvalidCase.because(f"{what}, got {type(given).__name__}", place="positive", hint=hint)
    return given if isinstance(given, str | float | int) else given.item()


def metric_of(given: Any) -> Metric:
    """Validate a metric, given by name or as a mapping with the keys of `metric` in a record.

    Raises
    ------
    InvalidCase
        If there is no such metric, or it lacks what it needs.

    Examples
    --------
    >>> metric_of("error_rate").name
    'error_rate'
    >>> metric_of("eror_rate")
    Traceback (most recent call last):
    rca.errors.InvalidCase: metric: no such metric: 'eror_rate'. Hint: did you mean 'error_rate'?
    """
    from pydantic import ValidationError

    if isinstance(given, Metric):
        return given
    plain = dict(given) if isinstance(given, Mapping) else {"name": given}
    if plain.get("name") not in get_args(MetricName):
        name, hint = plain.get("name"), did_you_mean(str(plain.get("name")), get_args(MetricName))
        raise InvalidCase.because(f"no such metric: {name!r}", place="metric", hint=hint)
    try:
        return Metric.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(("metric", *map(str, first["loc"])))
        hint = "give a mapping with the keys of `metric` in a record: name, column, of, harm, threshold"
        raise InvalidCase.because(first["msg"].removeprefix("Value error, "), place=place, hint=hint) from error


def model_of(given: Any, features: tuple[str, ...], *, positive: object = 1) -> Model | None:
    """Wrap a model in memory, or a function of the features, as `Model`; None without one.

    Raises
    ------
    InvalidCase
        If it is neither.
    """
    if given is None:
        return None
    known = model_in_memory(given, features=features, positive=positive)
    asked = known.format == "function" and not isinstance(given, Model)
    return replace(known, answer=partial(_answered, given)) if asked else known


def _answered(function: Answers, rows: pd.DataFrame) -> Floats:
    try:
        return np.asarray(function(rows), dtype=np.float64)
    except Exception as error:  # a function of somebody else's may fail in any way
        few = ", ".join(map(str, rows.columns[:8])) + (", …" if rows.shape[1] > 8 else "")
        what = f"it failed with {type(error).__name__}: {error}"
        hint = f"it is given a frame of the features, here {few}, and has to give one number for each row"
        raise InvalidCase.because(what, place="model", hint=hint) from error


def edges_of(given: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    """Validate the edges of a causal graph, as (cause, effect).

    Raises
    ------
    InvalidCase
        If an edge is no pair of names.

    Examples
    --------
    >>> edges_of([("age", "income")])
    (('age', 'income'),)
    """
    edges = []
    for at, edge in enumerate(given):
        if isinstance(edge, str) or not isinstance(edge, Iterable) or len(ends := tuple(edge)) != 2:
            hint = "give pairs of columns, such as [('age', 'income')]"
            what = f"an edge must be a pair of columns, cause and effect, got {edge!r}"
            raise InvalidCase.because(what, place=f"graph[{at}]", hint=hint)
        edges.append((column_name(ends[0]), column_name(ends[1])))
    return tuple(edges)


def seeded(seed: Any) -> np.random.Generator:
    """Seeded random generator (`numpy.random.default_rng`).

    Raises
    ------
    InvalidCase
        If it is no whole number from 0 on.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        what = f"seed must be a whole number from 0 on, got {seed!r}"
        raise InvalidCase.because(what, place="seed", hint="give one such as 0")
    return np.random.default_rng(seed)


def margin_of(given: Any) -> float:
    """Validate an equivalence margin, the largest difference that counts as none.

    Raises
    ------
    InvalidCase
        If it is no number above 0.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not 0 < given < np.inf:
        hint = "give the largest difference that counts as none, in the metric's unit"
        raise InvalidCase.because(f"margin must be a number above 0, got {given!r}", place="margin", hint=hint)
    return float(given)


def share_of(given: Any, *, place: str, inside: bool = False) -> float:
    """Validate a share from 0 to 1, such as a false discovery rate; `inside` excludes both ends, as for a level.

    Raises
    ------
    InvalidCase
        If it is none.

    Examples
    --------
    >>> share_of(1.5, place="alpha")
    Traceback (most recent call last):
    rca.errors.InvalidCase: alpha: alpha must lie from 0 to 1, got 1.5. Hint: give a number such as 0.05
    """
    if not isinstance(given, int | float | np.number) or not 0 <= given <= 1:
        what = f"{place} must lie from 0 to 1, got {given!r}"
        raise InvalidCase.because(what, place=place, hint="give a number such as 0.05")
    if inside and not 0 < given < 1:
        what = f"{place} must lie between 0 and 1, got {given!r}"
        raise InvalidCase.because(what, place=place, hint="give the level of an interval, such as 0.95")
    return float(given)
