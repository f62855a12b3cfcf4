"""Validation of a record: from a YAML document to an `Incident`, with every problem in plain sentences."""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rca.errors import Problem
from rca.record.files.case_folder import wrong_path
from rca.record.files.yaml_document import Document, Location, kind, near, show
from rca.record.schema.incident import SEQUENCE, Data, Incident, Metric, Window

WINDOWS = ("reference", "current", "recovered")

NAMING = "letters, digits, `.`, `_` and `-`, at most 64, the first a letter or a digit"
"""What the name of a case may consist of."""

_STANDINS = {"schema": 1, "id": "unknown", "title": "-", "severity": "sev3", "category": "other", "status": "open"}
"""What stands for a required key that is missing or wrong while the rest of the record is checked."""

_BY_PART = ("timeline", "data")
"""Sections whose keys are checked on when one of them is wrong; of any other, the whole is set aside."""


def take_in(document: Document, *, names: Iterable[str]) -> tuple[Incident | None, list[Problem]]:
    """Validate a document: the incident that it records, and every problem of the record.

    Parameters
    ----------
    document : Document
    names : iterable of str
        What the case folder is called; the incident's id has to be one of them.

    Returns
    -------
    tuple
        With problems, the incident holds what of the record is sound, for further checks only; None if nothing could
        be made of it.
    """
    value = _filled(document.value)
    incident, errors = _validated(value)
    problems = [*document.problems, *_worded(errors, value, document)]
    wrong = {str(error["loc"][0]) for error in errors if error["loc"]}
    for _ in range(4):
        if incident is not None:
            return incident, [*problems, *_across(incident, document, names=tuple(names), wrong=wrong)]
        value = _without(value, errors)
        incident, errors = _validated(value)
    return incident, problems


def _validated(value: dict[str, Any]) -> tuple[Incident | None, list[Any]]:
    try:
        return Incident.model_validate(value), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _filled(value: Any, at: Location = ()) -> Any:
    """Values without empty keys (`events:`), which count as left out, except for free facts."""
    if isinstance(value, dict) and at[:2] != ("obligations", "facts"):
        return {key: _filled(one, (*at, key)) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_filled(one, (*at, index)) for index, one in enumerate(value)]
    return value


def _without(value: dict[str, Any], errors: list[Any]) -> dict[str, Any]:
    """The record without its wrong parts."""
    kept = deepcopy(value)
    for error in errors:
        section, *rest = error["loc"] or ("",)
        if section in _BY_PART and rest and isinstance(kept.get(section), dict):
            part = kept[section].get(rest[0])
            if rest[0] == "events" and len(rest) > 1 and isinstance(part, list):
                part[rest[1]] = None
            else:
                kept[section].pop(rest[0], None)
        elif section in _STANDINS:
            kept[section] = _STANDINS[section]
        else:
            kept.pop(section, None)
    if isinstance(kept.get("timeline"), dict) and isinstance(events := kept["timeline"].get("events"), list):
        kept["timeline"]["events"] = [event for event in events if event is not None]
    return kept


# --- pydantic's errors in plain words ---------------------------------------------------------------------------------


def _worded(errors: list[Any], value: Any, document: Document) -> list[Problem]:
    """One problem a place, in the order of the file's keys."""
    found: dict[Location, Problem] = {}
    for error in errors:
        at, whole = _reached(error["loc"], value, missing=error["type"] == "missing")
        what, hint = _sentence(error) if whole else _unexpected(error["input"])
        found.setdefault(at, Problem(what=what, place=document.place(*at), hint=hint))
    return list(found.values())


def _reached(location: Location, value: Any, *, missing: bool) -> tuple[Location, bool]:
    """How far a location leads into the record: pydantic adds type names where several are allowed."""
    for depth, part in enumerate(location):
        inner = isinstance(value, dict) and part in value
        if not inner and not (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            last = missing and depth == len(location) - 1
            return (location, True) if last else (location[:depth], False)
        value = value[part]
    return location, True


def _unexpected(value: Any) -> tuple[str, str]:
    return f"there is {kind(value)}, which was not expected", "a text or a number belongs here"


def _sentence(error: Any) -> tuple[str, str]:
    """What is wrong, and a hint."""
    key = str(error["loc"][-1]) if error["loc"] else ""
    if error["type"] == "missing":
        return f"`{key}` is missing", ""
    if error["type"] == "extra_forbidden":
        return f"unknown key {show(key)}", near(key, _known_keys(error["loc"][:-1]))
    return _wrong_value(error["type"], error["input"], error.get("ctx", {}))


def _wrong_value(sort: str, value: Any, context: dict[str, Any]) -> tuple[str, str]:
    if sort == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]]
        return f"{show(value)} is not one of {', '.join(known)}", near(str(value), known) if len(known) > 1 else ""
    if sort == "value_error":
        return f"{show(value)}: {context['error']}" if isinstance(value, str | int) else str(context["error"]), ""
    if sort == "timezone_aware":
        return f"{show(value)} has no offset", f"if it is in UTC, write {show(str(value) + 'Z')}"
    return _wrong_sort(sort, value, context)


def _wrong_sort(sort: str, value: Any, context: dict[str, Any]) -> tuple[str, str]:
    if sort == "string_pattern_mismatch":
        return f"{show(value)} is no name for a case", NAMING
    if sort in ("too_short", "string_too_short"):
        return "must not be empty", ""
    if sort == "greater_than_equal":
        return f"{show(value)} is less than {context['ge']}", ""
    if sort == "greater_than":
        return f"{show(value)} is not more than {context['gt']}", ""
    quotes = isinstance(value, bool | int | float) and sort.startswith("string")
    expected = next((words for start, words in _EXPECTED if sort.startswith(start)), "something else")
    shown = f"{show(value)} is {kind(value)}" if isinstance(value, str | int | float) else f"there is {kind(value)}"
    return f"{shown}, and {expected} was expected", "put it in quotes" if quotes else ""


_EXPECTED = (
    ("string", "a text"),
    ("int", "a whole number"),
    ("float", "a number"),
    ("finite", "a finite number"),
    ("bool", "true or false"),
    ("datetime", "a time in ISO 8601, such as 2026-05-02T09:10:00Z,"),
    ("tuple", "a list"),
    ("dict", "a mapping"),
    ("model", "a mapping"),
)
"""Beginning of pydantic's error type → what belongs there."""


def _known_keys(location: Location) -> list[str]:
    """The keys that the record may have at a location."""
    found: type[BaseModel] | None = Incident
    for part in location:
        if isinstance(part, str) and found is not None:
            fields = {field.alias or name: field for name, field in found.model_fields.items()}
            found = _model_in(fields[part].annotation) if part in fields else None
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


# --- checks across keys -----------------------------------------------------------------------------------------------


def _across(incident: Incident, document: Document, *, names: tuple[str, ...], wrong: set[str]) -> Iterator[Problem]:
    if "id" not in wrong and incident.id not in names:
        what = f"{show(incident.id)} is not the name of the folder, {show(names[0])}"
        yield Problem(what=what, place=document.place("id"), hint="rename one of them")
    yield from _order(incident, document)
    yield from _paths(incident, document)
    if incident.data:
        yield from _windows(incident.data, document)
        yield from _shared_roles(incident.data, document)
    if incident.metric and "data" not in wrong:
        yield from _needs(incident.metric, incident.data, document)


def _order(incident: Incident, document: Document) -> Iterator[Problem]:
    moments = [(name, at) for name in SEQUENCE if (at := getattr(incident.timeline, name))]
    for (before, first), (after, second) in pairwise(moments):
        if second < first:
            what = f"{after} ({second.isoformat()}) comes before {before} ({first.isoformat()})"
            hint = f"the order is {', '.join(SEQUENCE)}"
            yield Problem(what=what, place=document.place("timeline", after), hint=hint)


def _paths(incident: Incident, document: Document) -> Iterator[Problem]:
    for at, path in paths(incident):
        if wrong := wrong_path(path):
            yield Problem(what=wrong[0], place=document.place(*at), hint=wrong[1])


def paths(incident: Incident) -> Iterator[tuple[Location, str]]:
    """Where the record names a file of the case, and its path."""
    windows = {name: getattr(incident.data, name) for name in (*WINDOWS, "training")} if incident.data else {}
    for name, window in windows.items():
        if window:
            yield ("data", name, "path"), window.path
    if incident.model:
        yield ("model", "path"), incident.model.path
    if incident.graph:
        yield ("graph",), incident.graph
    if incident.signals:
        yield ("signals", "path"), incident.signals.path


def _windows(data: Data, document: Document) -> Iterator[Problem]:
    windows = {name: window for name in WINDOWS if (window := getattr(data, name))}
    for name, window in windows.items():
        if (window.from_ or window.to) and not data.time:
            what = "the window has times, and `data.time` does not say which column they are in"
            yield Problem(what=what, place=document.place("data", name))
        if window.from_ and window.to and window.to <= window.from_:
            yield Problem(what="`to` is not after `from`", place=document.place("data", name, "to"))
    first = windows.get("reference")
    for name in ("current", "recovered"):
        if first and name in windows and _overlap(first, windows[name]):
            what = "shares rows with the reference window"
            yield Problem(what=what, place=document.place("data", name), hint="give each window its own times or file")


def _overlap(first: Window, second: Window) -> bool:
    """Whether two windows of the same file have a moment in common."""
    apart = (first.to and second.from_ and first.to <= second.from_) or (
        second.to and first.from_ and second.to <= first.from_
    )
    return first.path == second.path and not apart


def _shared_roles(data: Data, document: Document) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for role, column in _columns(data):
        other = taken.setdefault(column, role)
        if other != role and (other, role) not in (("prediction", "score"), ("id", "entity")):
            yield Problem(what=f"{show(column)} is already the column of `{other}`", place=document.place("data", role))


def _columns(data: Data) -> Iterator[tuple[str, str]]:
    """The columns of roles that no other role can have."""
    for role in ("time", "label", "prediction", "score", "weight", "id", "entity"):
        named = getattr(data, role)
        for column in named.values() if isinstance(named, dict) else filter(None, (named,)):
            yield role, column


def _needs(metric: Metric, data: Data | None, document: Document) -> Iterator[Problem]:
    if data is None:
        yield Problem(what="a metric needs rows, and the case has no `data`", place=document.place("metric"))
        return
    name = metric.of if metric.name == "group_gap" else metric.name
    if metric.name == "group_gap" and not data.groups:
        yield Problem(what="a group_gap needs `data.groups`", place=document.place("metric"))
    for choices in _NEEDS.get(str(name), ()):
        if not any(getattr(data, role) for role in choices):
            wanted = " or ".join(f"`data.{role}`" for role in choices)
            yield Problem(what=f"{name} needs {wanted}", place=document.place("metric"), hint="name the column")


_NEEDS = {
    "error_rate": (("label",), ("prediction", "score")),
    "false_positive_rate": (("label",), ("prediction", "score")),
    "false_negative_rate": (("label",), ("prediction", "score")),
    "log_loss": (("label",), ("score",)),
    "brier": (("label",), ("score",)),
    "mae": (("label",), ("prediction", "score")),
    "rmse": (("label",), ("prediction", "score")),
}
"""Metric → the roles it needs; of each group, one."""
