"""Drafts of reports, in the order of the form: filled from the record, each value with its key; never sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase, did_you_mean
from rca.record.obligations.answers import one_line, shown
from rca.record.obligations.known import report_names
from rca.record.obligations.rules import read_data
from rca.record.schema.incident import Incident, Record
from rca.result import Result

NAMED = {
    "limb": ("death", "serious_harm", "critical_infrastructure_disruption", "widespread_infringement"),
    "19": ("critical_infrastructure_disruption", "critical_infrastructure_operator"),
    "event_type": ("death", "hospitalization", "amputation", "eye_loss"),
    "why_it_qualifies": ("critical_safety_incident", "imminent_risk"),
}
"""Field → facts that fill it, where they hold."""


class Field(Record):
    """A field of a form."""

    id: str
    label: str
    at: str = ""
    must: bool | None = None
    keys: tuple[str, ...] = ()
    note: str = ""


class Form(Record):
    """A form, its fields in order; without fields where they were not read."""

    id: str
    title: str
    report: str
    status: str
    unseen: str = ""
    confidence: str
    source: str
    fields_: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A field as far as the record fills it.

    Attributes
    ----------
    field, at, label : str
    must : bool or None
        None where the texts read do not say.
    values : dict of str to str
        Key of the record → what it says; empty where the field is missing.
    note : str
    """

    field: str
    at: str
    label: str
    must: bool | None
    values: dict[str, str]
    note: str


@dataclass(frozen=True, kw_only=True)
class Draft(Result):
    """A report in draft; a person completes it, decides and sends it.

    Attributes
    ----------
    form, title, status, unseen, confidence, source : str
        Of the form.
    entries : tuple of Entry
        In the form's order.
    beside : dict of str to str
        Moments and decisions on record that are printed beside every draft.
    """

    form: str
    title: str
    status: str
    unseen: str
    confidence: str
    source: str
    entries: tuple[Entry, ...]
    beside: dict[str, str]

    @property
    def missing(self) -> tuple[Entry, ...]:
        """Fields that the record does not fill."""
        return tuple(one for one in self.entries if not one.values)

    def changed(self, earlier: "Draft") -> tuple[str, ...]:
        """Fields that say something else than in an earlier draft of the same form."""
        before = {one.field: one.values for one in earlier.entries}
        return tuple(one.field for one in self.entries if one.values != before.get(one.field))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"DRAFT, not sent: {self.title} ({self.status}; {self.confidence}; {self.source})"
        if self.unseen:
            yield f"not seen: {self.unseen}{'' if self.entries else '; order not known'}"
        for one in self.entries:
            told = "; ".join(f"{value} [{key}]" for key, value in one.values.items()) or "MISSING"
            must = " (mandatory)" if one.must else ""
            yield f"{one.at or one.field}  {one.label}{must}: {told}{f'  ({one.note})' if one.note else ''}"
        yield f"{len(self.missing)} of {len(self.entries)} fields are missing"
        yield from (f"beside  {key}: {value}" for key, value in self.beside.items())

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"field": one.field, "at": one.at, "label": one.label, "mandatory": one.must,
             "value": "; ".join(one.values.values()), "from": ", ".join(one.values), "note": one.note}
            for one in self.entries
        ]  # fmt: skip


@cache
def forms() -> dict[str, Form]:
    """The forms that are known, by id.

    >>> {name: len(form.fields_) for name, form in forms().items()}["oecd_29"]
    29
    """
    data = read_data("forms.yaml")
    found = (Form.model_validate({**_without(one, "fields"), "fields_": one["fields"]}) for one in data["groups"])
    return {form.id: form for form in found}


def read_results(path: Path) -> Mapping[str, Any]:
    """What a run concluded.

    Raises
    ------
    InvalidCase
        If it is no `results.json`.
    """
    try:
        found = json.loads(path.read_bytes())
        verdict = found["verdict"]
        if isinstance(verdict, dict) and isinstance(verdict.get("onset") or {}, dict):
            return {"verdict": verdict}
    except (ValueError, KeyError, TypeError):
        pass
    raise InvalidCase.because("is no results.json of a run", place=path.name, hint="it has a key `verdict`")


def _without(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != key}


def draft(incident: Incident, form: str, *, results: Mapping[str, Any] | None = None) -> Draft:
    """A report in draft; what the record does not say is marked as missing.

    Parameters
    ----------
    incident : Incident
    form : str
        Id of a form.
    results : mapping, optional
        What a run concluded: the content of `results.json`.

    Raises
    ------
    InvalidCase
        If there is no such form.
    """
    if form not in forms():
        raise InvalidCase.because(f"there is no form {form!r}", place="--form", hint=did_you_mean(form, forms()))
    known = forms()[form]
    plain = _told(incident, known.report, results)
    entries = tuple(_entry(field, plain) for field in known.fields_)
    beside = {key: _said(plain, key.split(".")) or "not on record" for key in read_data("forms.yaml")["beside"]}
    told = {name: getattr(known, name) for name in ("title", "status", "unseen", "confidence", "source")}
    return Draft(form=form, entries=entries, beside=beside, **told)


def _told(incident: Incident, report: str, results: Mapping[str, Any] | None) -> dict[str, Any]:
    """Everything that can fill a field, by key."""
    notices = [one for one in incident.notifications if report in report_names(one)]
    factors = [factor.statement for tree in incident.whys for factor in tree.factors() if factor.strength != "assumed"]
    verdict = (results or {}).get("verdict") or {}
    onset = verdict.get("onset") or {}
    spread = f"{onset.get('earliest')} to {onset.get('latest')}" if onset.get("earliest") else onset.get("at")
    return {
        **incident.model_dump(by_alias=True),
        "notice": notices[-1].model_dump() if notices else {},
        "causes": factors,
        "results": {"summary": verdict.get("summary"), "onset": spread},
    }


def _entry(field: Field, plain: Mapping[str, Any]) -> Entry:
    values = {key: said for key in field.keys if (said := _value(field, key, plain))}
    return Entry(field=field.id, at=field.at, label=field.label, must=field.must, values=values, note=field.note)


def _value(field: Field, key: str, plain: Mapping[str, Any]) -> str:
    if key == "obligations.facts":
        facts = plain["obligations"]["facts"]
        return ", ".join(name for name in NAMED[field.id] if facts.get(name) is True)
    return _said(plain, key.split("."))


def _said(value: Any, path: list[str]) -> str:
    """What a key says, as text; empty where it says nothing.

    >>> _said({"systems": ({"name": "a"}, {"name": "b"})}, ["systems[]", "name"]), _said({"n": 0}, ["n"])
    ('a; b', '0')
    """
    for at, name in enumerate(path):
        value = (value or {}).get(name.removesuffix("[]"))
        if name.endswith("[]"):
            return "; ".join(filter(None, (_said(one, path[at + 1 :]) for one in value or ())))
    if isinstance(value, datetime):
        return shown(value)
    if isinstance(value, list | tuple):
        return "; ".join(one_line(str(one)) for one in value)
    return "" if value is None else one_line(str(value))
