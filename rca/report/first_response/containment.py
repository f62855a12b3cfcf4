"""Playbooks of containment: by kind of incident, what can be done before the cause is known, at what cost.

Those that ship are in `playbooks.yaml`; a team's own file has the same keys and need hold only what differs.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from rca.errors import InvalidCase, Problem
from rca.record.files.case_folder import inside
from rca.record.files.yaml_document import Document, document, kind, near, read_yaml, show
from rca.record.schema.incident import Category, Incident
from rca.report.first_response.audiences import audiences

FILE = "playbooks.yaml"

ANY = "system"
"""The kind of a system whose kind nobody has said."""

MEASURE = {"called": str, "costs": str, "leaves": str, "kinds": list}

PLAYBOOK = {"measures": list, "investigate": list, "notify": list}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Something that contains: what it costs, what it leaves running, and the kinds of systems that it is for."""

    called: str
    costs: str
    leaves: str
    kinds: tuple[str, ...] = ()

    def on(self, incident: Incident) -> tuple[str, ...]:
        """The systems on record that it is for: the model where it is for models, else all that fit."""
        fits = [one.name for one in incident.systems if not self.kinds or one.kind.casefold() in (*self.kinds, ANY)]
        return (incident.model_name,) if incident.model_name in fits else tuple(fits)


@dataclass(frozen=True, kw_only=True)
class Playbook:
    """What to do about a kind of incident: measures and steps of investigation, the first ones first; whom to tell."""

    measures: tuple[Measure, ...]
    investigate: tuple[str, ...]
    notify: tuple[str, ...]

    def fitting(self, incident: Incident) -> list[Measure]:
        """The measures that are for a system on record; all of them where none is."""
        return [one for one in self.measures if not incident.systems or one.on(incident)]


def playbook(category: str, folder: Path, file: Path | None = None) -> Playbook:
    """The playbook of a category: of a team's file, else of the case's or the one beside it, else the one that ships.

    Parameters
    ----------
    category : str
    folder : Path
        Of the case.
    file : Path, optional

    Raises
    ------
    InvalidCase
        With every problem of the team's file.
    """
    held = document(files(__package__).joinpath(FILE).read_text(encoding="utf-8"), name=FILE).value
    own = _own(folder, file)
    if own is not None:
        problems = [*_problems(own, held["measures"])]
        if problems:
            raise InvalidCase(problems)
        held = {part: _merged(held[part], own.value.get(part) or {}) for part in held}
    told = held["playbooks"][category]
    made = tuple(Measure(**{**one, "kinds": tuple(one.get("kinds", ()))}) for one in _named(told, held["measures"]))
    return Playbook(measures=made, investigate=tuple(told["investigate"]), notify=tuple(told["notify"]))


def _own(folder: Path, file: Path | None) -> Document | None:
    if file is not None:
        return read_yaml(file, name=file.name)
    if (folder / FILE).exists():
        return read_yaml(inside(folder, FILE, place=FILE), name=FILE)
    beside = folder.absolute().parent / FILE
    return read_yaml(beside, name=f"../{FILE}") if beside.is_file() else None


def _merged(held: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {**held.get(name, {}), **own.get(name, {})} for name in {**held, **own}}


def _named(told: Mapping[str, Any], measures: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [measures[name] for name in told["measures"]]


def _problems(own: Document, shipped: Iterable[str]) -> Iterator[Problem]:
    """What is wrong with a team's file, its forms first: names are looked up where the forms are right."""
    problems = [*own.problems, *_unknown(own, (), own.value, known=("measures", "playbooks"))]
    for part, form in (("measures", MEASURE), ("playbooks", PLAYBOOK)):
        problems += _forms(own, part, form)
    yield from problems or _names(own, {*shipped})


def _forms(own: Document, part: str, form: Mapping[str, type]) -> Iterator[Problem]:
    entries = {} if own.value.get(part) is None else own.value[part]
    if not isinstance(entries, dict):
        yield Problem(what=f"holds {kind(entries)}; a mapping was expected", place=own.place(part))
        return
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            yield Problem(what=f"is {kind(entry)}; a mapping was expected", place=own.place(part, name))
            continue
        yield from _unknown(own, (part, name), entry, known=form)
        for key, value in entry.items():
            sort = form.get(key, type(value))
            texts = value if isinstance(value, list) else [value]
            if not isinstance(value, sort) or not texts or not all(isinstance(one, str) and one for one in texts):
                what = "a list of texts was expected" if sort is list else "a text was expected"
                yield Problem(what=what, place=own.place(part, name, key))


def _names(own: Document, shipped: set[str]) -> Iterator[Problem]:
    measures, playbooks = own.value.get("measures") or {}, own.value.get("playbooks") or {}
    for name in measures.keys() - shipped:
        lacking = [key for key in ("called", "costs", "leaves") if key not in measures[name]]
        if lacking:
            yield Problem(what=f"lacks {', '.join(lacking)}", place=own.place("measures", name))
    yield from _unknown(own, ("playbooks",), playbooks, known=get_args(Category))
    for name, told in playbooks.items():
        for key, allowed in (("measures", shipped | measures.keys()), ("notify", audiences())):
            yield from _unknown(own, ("playbooks", name, key), told.get(key, ()), known=allowed)


def _unknown(own: Document, at: tuple[str, ...], names: Iterable[str], *, known: Collection[str]) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield Problem(what=f"{show(name)} is not known here", place=own.place(*at), hint=near(name, known))
