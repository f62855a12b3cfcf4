"""A record for a public collection: its fields in order; what is missing is listed, and never filled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rca.errors import InvalidCase, did_you_mean
from rca.record.obligations.drafts import Entry, confidential, draft
from rca.record.schema.incident import Incident
from rca.record.why_tree.blameless import nameless, without_people
from rca.report.rendering.plain_text import count, legible, mask
from rca.result import Result

SCHEMAS = {"oecd": "oecd_29", "aiid": "aiid"}
"""Name of a collection → its form."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A field of a public record.

    Attributes
    ----------
    id, at, label, note : str
    mandatory : bool or None
        None where the texts read do not say.
    value : str or None
        Without names of people and what identifies them; None where the record does not fill it.
    keys, withheld : tuple of str
        Keys of the record that it is from, and those that fill it and are left out.
    """

    id: str
    at: str
    label: str
    note: str
    mandatory: bool | None
    value: str | None
    keys: tuple[str, ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Export(Result):
    """A record for a public collection; a person reads it before it goes anywhere.

    Attributes
    ----------
    schema, title, unseen, confidence, source : str
        Of the collection.
    incident : str
    fields : tuple of Exported
        In the collection's order.
    """

    schema: str
    title: str
    unseen: str
    confidence: str
    source: str
    incident: str
    fields: tuple[Exported, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields that the record does not fill."""
        return tuple(one.id for one in self.fields if one.value is None and not one.withheld)

    @property
    def missing_mandatory(self) -> tuple[str, ...]:
        """Fields that are mandatory and have no value, missing or left out."""
        return tuple(one.id for one in self.fields if one.mandatory and one.value is None)

    @property
    def withheld(self) -> tuple[str, ...]:
        """Keys that are left out as confidential."""
        return tuple(dict.fromkeys(key for one in self.fields for key in one.withheld))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        filled = sum(one.value is not None for one in self.fields)
        yield f"{self.title}: {filled} of {count(len(self.fields), 'field')} filled; {self.confidence}; {self.source}"
        if self.unseen:
            yield f"not seen: {self.unseen}"
        for one in self.fields:
            if one.id in self.missing:
                what = one.id if one.id.casefold() == one.label.casefold() else f"{one.id}: {one.label}"
                yield f"missing{' (mandatory)' if one.mandatory else ''}  {what}"
        for one in self.fields:
            if one.withheld:
                must = " (mandatory)" if one.mandatory and one.value is None else ""
                yield f"left out{must}  {one.id}: {', '.join(one.withheld)}"
        yield "nothing is sent from here: a person reads it first"

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"field": one.id, "label": one.label, "mandatory": one.mandatory, "value": one.value,
             "from": ", ".join(one.keys), "left out": ", ".join(one.withheld), "note": one.note}
            for one in self.fields
        ]  # fmt: skip


def export(
    incident: Incident, schema: str, *, results: Mapping[str, Any] | None = None, confidential: bool = False
) -> Export:
    """Write an incident in the fields of a public collection.

    Parameters
    ----------
    incident : Incident
    schema : str
        `oecd` or `aiid`.
    results : mapping, optional
        What a run concluded: the content of `results.json`.
    confidential : bool
        Whether with what is left out of a public record; names of people are left out all the same.

    Raises
    ------
    InvalidCase
        If there is no such collection.
    """
    if schema not in SCHEMAS:
        hint = did_you_mean(schema, SCHEMAS)
        raise InvalidCase.because(f"there is no collection {schema!r}", place="--schema", hint=hint)
    told = without_people(dict(results), incident) if results is not None else None
    found = draft(nameless(incident), SCHEMAS[schema], results=told)
    return Export(
        schema=schema,
        title=found.title,
        unseen=found.unseen,
        confidence=found.confidence,
        source=found.source,
        incident=incident.id,
        fields=tuple(_exported(one, whole=confidential) for one in found.entries),
    )


def _exported(one: Entry, *, whole: bool) -> Exported:
    held = () if whole else tuple(key for key in one.values if key in confidential())
    told = {key: mask(legible(value)) for key, value in one.values.items() if key not in held}
    return Exported(
        id=one.field,
        at=one.at,
        label=one.label,
        note=one.note,
        mandatory=one.must,
        value="; ".join(told.values()) or None,
        keys=tuple(told),
        withheld=held,
    )
