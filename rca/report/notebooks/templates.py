"""Notebook templates, their parameters, and validation of a run's settings against them."""

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca import shipped
from rca.errors import InvalidCase, Problem, did_you_mean
from rca.report.rendering.plain_text import plain

if TYPE_CHECKING:
    from rca.record.schema.incident import Incident

GIVEN = ("case", "seed")
"""Parameters that a run fills in itself."""

SECRET = re.compile(r"passw(or)?d|passwd|secret|token|api_?key|credential|private_?key|auth", re.IGNORECASE)
"""Names that may hold a secret: parameters are written into the report in clear."""

TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "None": (type(None),),
}

ELSEWHERE = "elsewhere"
"""Tag of a cell whose content the page has in its brief, or leaves to the notebook."""

Notebook = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a template: a typed assignment with a help comment.

    Attributes
    ----------
    name, type, help : str
        `type` is as written: `float`, `str | None`.
    default : str, int, float, bool or None
    """

    name: str
    type: str
    default: Any
    help: str

    def takes(self, value: object) -> bool:
        """Whether the value is of the parameter's type; a bool is no number."""
        kinds = tuple(kind for name in self.type.split("|") for kind in TYPES[name.strip()])
        return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A notebook that a run executes."""

    path: Path
    notebook: Notebook
    parameters: tuple[Parameter, ...]

    @property
    def name(self) -> str:
        """The file's name without its ending, such as `2_drift`."""
        return self.path.stem

    @property
    def needs(self) -> tuple[tuple[str, ...], ...]:
        """What a record has to say for the notebook to run unasked, by its metadata: all of these, each one of some.

        `signals`, `obligations.facts`, or a list such as `["data", "graph|model"]`.
        """
        needs = self.notebook.get("metadata", {}).get("rca", {}).get("needs") or []
        asked = [needs] if isinstance(needs, str) else needs
        return tuple(tuple(one.split("|")) for one in asked)

    @property
    def topic(self) -> str:
        """The name without its number, such as `drift`."""
        return self.name.partition("_")[2] or self.name


def source(cell: Mapping[str, Any]) -> str:
    """A cell's source as one text."""
    return "".join(cell["source"])


def tags(cell: Mapping[str, Any]) -> list[str]:
    """A cell's tags."""
    return list(cell.get("metadata", {}).get("tags", []))


def on_the_page(notebook: Mapping[str, Any]) -> Notebook:
    """A notebook without the cells that the page leaves out."""
    return {**notebook, "cells": [cell for cell in notebook["cells"] if ELSEWHERE not in tags(cell)]}


def choose(only: Sequence[str] | None = None, folder: Path | None = None) -> list[Template]:
    """The templates of a run, in the order of their numbers.

    Parameters
    ----------
    only : sequence of str, optional
        Topics (`drift`) or names (`2_drift`); all where absent.
    folder : Path, optional
        Where the notebooks are; the shipped ones where absent.

    Raises
    ------
    InvalidCase
        For a name that no notebook has, and for a notebook without sound parameters.
    """
    found = sorted((folder or shipped.templates()).glob("[0-9]_*.ipynb"), key=_order)
    names = {name for path in found for name in (path.stem, path.stem.partition("_")[2])}
    unknown = [name for name in only or () if name not in names]
    if unknown or not found or only == []:
        topics = [path.stem.partition("_")[2] for path in found]
        raise InvalidCase(
            Problem(what=f"no notebook is called {plain(name, 60)!r}", place="only", hint=did_you_mean(name, topics))
            for name in unknown or [""]
        )
    wanted = [path for path in found if not only or path.stem in only or path.stem.partition("_")[2] in only]
    return [load(path) for path in wanted]


def for_case(templates: Iterable[Template], incident: "Incident", *, asked: bool) -> tuple[Template, ...]:
    """Templates that apply to a case; all of them where they were asked for by name."""
    return tuple(one for one in templates if asked or all(_has(incident, some) for some in one.needs))


def _has(incident: "Incident", some: Iterable[str]) -> bool:
    return any(reduce(getattr, one.split("."), incident) for one in some)


def _order(path: Path) -> tuple[int, str]:
    return int(path.stem.partition("_")[0]), path.stem


def load(path: Path) -> Template:
    """Read a template and its parameters.

    Raises
    ------
    InvalidCase
        If it is no notebook, or has no cell tagged `parameters`, or a line of it is not `name: type = value`.
    """
    try:
        notebook = json.loads(path.read_bytes())
        cells = [cell for cell in notebook["cells"] if "parameters" in tags(cell)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidCase.because(f"this is no notebook: {plain(error, 120)}", place=path.name) from error
    if len(cells) != 1:
        raise InvalidCase.because(
            f"{len(cells)} cells are tagged 'parameters'; a template has exactly one",
            place=path.name,
            hint="tag the cell in JupyterLab",
        )
    return Template(path=path, notebook=notebook, parameters=tuple(_parameters(source(cells[0]), path.name)))


def _parameters(text: str, place: str) -> Iterable[Parameter]:
    comments = _comments(text)
    for line in _parse(text, place):
        if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None):
            raise _unsound(f"line {line.lineno} is not `name: type = value`", place)
        kind = ast.unparse(line.annotation)
        if any(name.strip() not in TYPES for name in kind.split("|")):
            raise _unsound(f"line {line.lineno} has the type {kind!r}", place)
        parameter = Parameter(
            name=line.target.id, type=kind, default=_literal(line.value, place), help=comments.get(line.lineno, "")
        )
        if not parameter.takes(parameter.default):
            raise _unsound(f"the default of {parameter.name!r} is no {kind}", place)
        yield parameter


def _parse(text: str, place: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except SyntaxError as error:
        raise _unsound(f"line {error.lineno} is not Python", place) from error


def _literal(value: ast.expr, place: str) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError as error:
        raise _unsound(f"line {value.lineno} computes its default", place) from error


def _unsound(what: str, place: str) -> InvalidCase:
    return InvalidCase.because(
        f"the parameters cell is unsound: {what}", place=place, hint="write `alpha: float = 0.05  # what it is`"
    )


def _comments(text: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


BETWEEN = {"alpha": (0.0, 1.0)}
"""Parameters that have to lie between two numbers; the others only have to be finite."""


def fit(settings: Mapping[str, Any], templates: Sequence[Template]) -> list[Problem]:
    r"""Everything wrong with a run's settings, before any kernel starts.

    Examples
    --------
    >>> alpha = Parameter(name="alpha", type="float", default=0.05, help="")
    >>> template = Template(path=Path("2_drift.ipynb"), notebook={}, parameters=(alpha,))
    >>> print(*fit({"alhpa": 0.01, "alpha": "much"}, [template]), sep="\n")
    alhpa: no notebook has this parameter. Hint: did you mean 'alpha'?
    alpha: 'much' is no float (2_drift, alpha). Hint: the default is 0.05
    """
    known: dict[str, list[tuple[Template, Parameter]]] = {}
    for template in templates:
        for parameter in template.parameters:
            known.setdefault(parameter.name, []).append((template, parameter))
    return [problem for name, value in settings.items() for problem in _problems(name, value, known)]


def _problems(name: str, value: object, known: Mapping[str, list[tuple[Template, Parameter]]]) -> Iterable[Problem]:
    place = plain(name, 60)
    if SECRET.search(name):
        hint = "parameters are written into the report in clear; keep secrets out of them"
        yield Problem(what="this may be a secret", place=place, hint=hint)
    elif name in GIVEN:
        yield Problem(what="a run fills this in itself", place=place, hint=f"pass it as `{name}`, not as a setting")
    elif name not in known:
        settable = [other for other in known if other not in GIVEN]
        yield Problem(what="no notebook has this parameter", place=place, hint=did_you_mean(name, settable))
    for template, parameter in known.get(name, []):
        if name not in GIVEN and not parameter.takes(value):
            what = f"{plain(repr(value), 60)} is no {parameter.type} ({template.name}, {name})"
            yield Problem(what=what, place=place, hint=f"the default is {parameter.default!r}")
            break
    else:
        low, high = BETWEEN.get(name, (-math.inf, math.inf))
        if isinstance(value, int | float) and not low < value < high:
            yield Problem(what=f"{value!r} does not lie between {low:g} and {high:g}", place=place)
