"""What NIST AI RMF and ISO/IEC 42001 ask for that a record is evidence of; MITRE ATLAS where it was an attack."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from rca.errors import did_you_mean
from rca.record.obligations.rules import read_data
from rca.record.schema.incident import Incident, Record
from rca.result import Result

TECHNIQUES = "atlas"
"""Key of `obligations.facts` that lists the techniques of an attack, such as AML.T0020."""


class Item(Record):
    """A subcategory, clause or control, and the parts of a post-mortem that are evidence for it."""

    framework: str
    source: str
    id: str
    title: str
    parts: tuple[str, ...]


class Attack(Record):
    """The techniques of an attack, by id."""

    framework: str
    version: str
    source: str
    techniques: dict[str, str]


class FrameworkTable(Record):
    """All items, and what fills each part of a report."""

    version: date
    parts: dict[str, tuple[str, ...]]
    items: tuple[Item, ...]
    attack: Attack


@cache
def framework_table() -> FrameworkTable:
    """The frameworks that ship.

    >>> len(framework_table().items), sum(bool(item.parts) for item in framework_table().items)
    (160, 62)
    """
    return FrameworkTable.model_validate(read_data("frameworks.yaml", grouped="items"))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a record holds for one item.

    Attributes
    ----------
    framework, id, title : str
    parts : tuple of str
        Sections of the report; empty where no post-mortem is evidence for it.
    held, lacking : tuple of str
        Keys of the record that those sections draw on, filled and not.
    """

    framework: str
    id: str
    title: str
    parts: tuple[str, ...]
    held: tuple[str, ...]
    lacking: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Frameworks(Result):
    """Evidence by item, for an auditor to tick.

    Attributes
    ----------
    version : date
        Of the table.
    evidence : tuple of Evidence
    attack : tuple of str
        Techniques on record, by id and name; they are labels, and nothing here analyses an attack.
    remarks : tuple of str
    """

    version: date
    evidence: tuple[Evidence, ...]
    attack: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for framework in dict.fromkeys(one.framework for one in self.evidence):
            of = [one for one in self.evidence if one.framework == framework]
            asked = [one for one in of if one.parts]
            whole, beside = sum(not one.lacking for one in asked), len(of) - len(asked)
            told = f"{whole} of {len(asked)} items have all their evidence on record"
            yield f"{framework}: {told}; {beside} more no post-mortem shows"
        for one in self.evidence:
            if one.parts:
                lacks = f"; lacks {', '.join(one.lacking)}" if one.lacking else ""
                yield f"[ ] {one.framework} {one.id} {one.title}: {', '.join(one.parts)}{lacks}"
        yield from (f"attack  {one}" for one in self.attack)
        yield from (f"remark  {one}" for one in self.remarks)

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "framework": one.framework,
                "id": one.id,
                "title": one.title,
                "shown in": ", ".join(one.parts),
                "on record": ", ".join(one.held),
                "lacking": ", ".join(one.lacking),
                "ticked by": "",
            }
            for one in self.evidence
        ]


def frameworks(incident: Incident, *, results: bool = False) -> Frameworks:
    """What a record is evidence for.

    Parameters
    ----------
    incident : Incident
    results : bool
        Whether a run has concluded on it.
    """
    table = framework_table()
    plain: dict[str, Any] = {**incident.model_dump(by_alias=True), "results": results}
    filled = {key: _filled(plain, key.split(".")) for keys in table.parts.values() for key in keys}
    attack, remarks = _attack(incident)
    evidence = tuple(_evidence(item, table, filled) for item in table.items)
    return Frameworks(version=table.version, evidence=evidence, attack=attack, remarks=remarks)


def _evidence(item: Item, table: FrameworkTable, filled: dict[str, bool]) -> Evidence:
    keys = dict.fromkeys(key for part in item.parts for key in table.parts[part])
    return Evidence(
        framework=item.framework,
        id=item.id,
        title=item.title,
        parts=item.parts,
        held=tuple(key for key in keys if filled[key]),
        lacking=tuple(key for key in keys if not filled[key]),
    )


def _filled(value: Any, path: list[str]) -> bool:
    """Whether a key is filled; of a list (`systems[].version`) in every entry. Nothing seen before is an answer.

    >>> _filled({"a": [{"b": 1}, {"b": None}]}, ["a[]", "b"]), _filled({"a": {"b": 0}}, ["a", "b"])
    (False, True)
    """
    for at, name in enumerate(path):
        if name.endswith("[]"):
            entries = value.get(name[:-2]) or ()
            return bool(entries) and all(_filled(one, path[at + 1 :]) for one in entries)
        value = (value or {}).get(name)
    return value is not None and value is not False and (path[-1] == "seen_before" or value not in ("", (), [], {}))


def _attack(incident: Incident) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Techniques of an attack by name, and what is to be said of them."""
    named = incident.obligations.facts.get(TECHNIQUES) or ()
    given: Iterable[Any] = (named,) if isinstance(named, str) else named if isinstance(named, list | tuple) else ()
    known = framework_table().attack.techniques
    found = [str(one) for one in given]
    remarks = [f"ATLAS has no technique {one!r}; {did_you_mean(one, known)}" for one in found if one not in known]
    if incident.category == "security" and not found:
        remarks.append(f"if it was an attack, list its techniques in obligations.facts.{TECHNIQUES}: [AML.T0020], say")
    if found or incident.category == "security":
        remarks.append("poisoning and evasion are labelled here, and not analysed")
    return tuple(f"{one} {known[one]}" for one in found if one in known), tuple(remarks)
