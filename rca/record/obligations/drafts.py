"""Drafts of reports, in the order of the form: filled from the record, each value with its key; never sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase, did_you_mean
from rca.record.obligations.answers import one_line, shown
from rca.record.obligations.known import report_names
from rca.record.obligations.rules import read_data, rule_table
from rca.record.schema.incident import Incident, Notification, Record
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

    @cached_property
    def reports(self) -> frozenset[str]:
        """Names under which reports on this form go: the first, those that follow it, and the last."""
        return frozenset((self.report, *(rule.report for rule in rule_table().rules if rule.form == self.id)))


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
    was : str or None
        What an earlier draft said, where it said something else.
    """

    field: str
    at: str
    label: str
    must: bool | None
    values: dict[str, str]
    note: str
    was: str | None = None

    @property
    def told(self) -> str:
        """What it says, each part with its key; MISSING where the record does not fill it."""
        return "; ".join(f"{value} [{key}]" for key, value in self.values.items()) or "MISSING"


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
    sent : tuple of str
        Reports on this form that are on record as sent, in order.
    follows : bool
        Whether it was compared with an earlier draft.
    """

    form: str
    title: str
    status: str
    unseen: str
    confidence: str
    source: str
    entries: tuple[Entry, ...]
    beside: dict[str, str]
    sent: tuple[str, ...] = ()
    follows: bool = False

    @property
    def missing(self) -> tuple[Entry, ...]:
        """Fields that the record does not fill."""
        return tuple(one for one in self.entries if not one.values)

    @property
    def changed(self) -> tuple[Entry, ...]:
        """Fields that say something else than in the earlier draft."""
        return tuple(one for one in self.entries if one.was is not None)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"DRAFT, not sent: {self.title} ({self.status}; {self.confidence}; {self.source})"
        yield from self.remarks()
        for one in self.entries:
            must = " (mandatory)" if one.must else ""
            was = f"  (was: {one.was})" if one.was is not None else ""
            note = f"  ({one.note})" if one.note else ""
            yield f"{one.at or one.field}  {one.label}{must}: {one.told}{note}{was}"
        yield f"{len(self.missing)} of {len(self.entries)} fields are missing"
        yield from (f"beside  {key}: {value}" for key, value in self.beside.items())

    def remarks(self) -> Iterator[str]:
        """What of the form is not known, what went before, and how much changed since."""
        if self.unseen:
            yield f"not seen: {self.unseen}{'' if self.entries else '; order not known'}"
        yield from (f"sent before: {one}" for one in self.sent)
        if self.follows:
            yield f"{len(self.changed)} of {len(self.entries)} fields changed since the earlier draft"

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"field": one.field, "at": one.at, "label": one.label, "mandatory": one.must,
             "value": "; ".join(one.values.values()), "from": ", ".join(one.values), "note": one.note, "was": one.was}
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


@cache
def confidential() -> frozenset[str]:
    """Keys that no public record has unless it is asked for."""
    return frozenset(read_data("forms.yaml")["confidential"])


@cache
def _beside() -> tuple[str, ...]:
    """Keys that are printed beside every draft."""
    return tuple(read_data("forms.yaml")["beside"])


def read_results(path: Path, incident: str = "") -> Mapping[str, Any]:
    """What a run concluded.

    Parameters
    ----------
    path : Path
    incident : str, optional
        Whose results they have to be.

    Raises
    ------
    InvalidCase
        If it is no `results.json`, or one of another incident.
    """
    try:
        found = json.loads(path.read_bytes())
        verdict = found["verdict"]
        sound = isinstance(verdict, dict) and isinstance(verdict.get("onset") or {}, dict)
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise InvalidCase.because("is no results.json of a run", place=path.name, hint="it has a key `verdict`")
    if found.get("incident", incident) != incident and incident:
        what = f"is about {one_line(str(found['incident']))!r}, and not about {incident!r}"
        raise InvalidCase.because(what, place=path.name)
    results: Mapping[str, Any] = found
    return results


def read_draft(path: Path) -> Draft:
    """A draft that `rca notify --json` wrote earlier.

    Raises
    ------
    InvalidCase
        If it is none.
    """
    try:
        return Draft.from_dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        hint = "`rca notify --json` writes one"
        raise InvalidCase.because("is no draft of a report", place=path.name, hint=hint) from None


def _without(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != key}


def draft(
    incident: Incident, form: str, *, results: Mapping[str, Any] | None = None, earlier: Draft | None = None
) -> Draft:
    """A report in draft; what the record does not say is marked as missing.

    Parameters
    ----------
    incident : Incident
    form : str
        Id of a form.
    results : mapping, optional
        What a run concluded: the content of `results.json`.
    earlier : Draft, optional
        Of the report that this one follows: what changed since is shown.

    Raises
    ------
    InvalidCase
        If there is no such form, or the earlier draft is on another.
    """
    if form not in forms():
        raise InvalidCase.because(f"there is no form {form!r}", place="--form", hint=did_you_mean(form, forms()))
    if earlier is not None and earlier.form != form:
        what = f"the earlier draft is on the form {earlier.form!r}, and this one on {form!r}"
        raise InvalidCase.because(what, place="--earlier", hint="compare two of one form")
    known = forms()[form]
    notices = [one for one in incident.notifications if known.reports & report_names(one)]
    sent = [one for one in notices if one.submitted_at]
    own = [] if earlier is not None and sent and notices[-1] is sent[-1] else notices[-1:]
    plain = _told(incident, own, results)
    before = {one.field: one.told for one in earlier.entries} if earlier is not None else None
    entries = tuple(_entry(field, plain, before) for field in known.fields_)
    beside = {key: _said(plain, key.split(".")) or "not on record" for key in _beside()}
    told = {name: getattr(known, name) for name in ("title", "status", "unseen", "confidence", "source")}
    listed = tuple(_sent(one) for one in sent if one not in own)
    return Draft(form=form, entries=entries, beside=beside, sent=listed, follows=earlier is not None, **told)


def _sent(notice: Notification) -> str:
    return one_line(f"{notice.regime} {notice.report_type or ''} {shown(notice.submitted_at)}")


def _told(incident: Incident, notice: list[Notification], results: Mapping[str, Any] | None) -> dict[str, Any]:
    """Everything that can fill a field, by key."""
    factors = [factor.statement for tree in incident.whys for factor in tree.factors() if factor.strength != "assumed"]
    verdict = (results or {}).get("verdict") or {}
    onset = verdict.get("onset") or {}
    spread = f"{onset.get('earliest')} to {onset.get('latest')}" if onset.get("earliest") else onset.get("at")
    return {
        **incident.model_dump(by_alias=True),
        "notice": notice[-1].model_dump() if notice else {},
        "causes": factors,
        "results": {"summary": verdict.get("summary"), "onset": spread},
    }


def _entry(field: Field, plain: Mapping[str, Any], before: Mapping[str, str] | None) -> Entry:
    values = {key: said for key in field.keys if (said := _value(field, key, plain))}
    entry = Entry(field=field.id, at=field.at, label=field.label, must=field.must, values=values, note=field.note)
    was = None if before is None else one_line(before.get(field.id, "MISSING"))
    return replace(entry, was=None if was == entry.told else was)


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
