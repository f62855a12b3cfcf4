"""What a delivery says of an incident: whose it is, in which state, and as of when. Nothing in it is fetched."""

import codecs
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from rca.errors import InvalidCase
from rca.importers.fact import Given, Reading
from rca.importers.payload import documents
from rca.importers.reading import read
from rca.importers.vendor_map import VendorMap, parsed, vendor
from rca.record.files.yaml_document import plain, read_yaml
from rca.service.configuration import Hook

LONGEST = 500
"""Letters of a vendor's id of an incident."""


class Unreadable(Exception):
    """A body that is no document at all."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a delivery says.

    Attributes
    ----------
    incident : str
        The vendor's id of the incident; empty where it tells of none, as a registry does.
    state : str
        `open`, `contained`, `recovered` or `closed`; empty where it says none.
    at : str
        As of when, in ISO 8601 and UTC; empty where it does not say.
    ignored : str
        Why nothing can be made of it; empty where something can.
    """

    incident: str = ""
    state: str = ""
    at: str = ""
    ignored: str = ""


def said(hook: Hook, body: bytes) -> Said:
    """What a delivery says, by the map of its vendor.

    Raises
    ------
    Unreadable
        If it is no JSON.
    """
    if body.removeprefix(codecs.BOM_UTF8).lstrip()[:1] not in (b"{", b"["):
        raise Unreadable("no JSON")  # a table is for `rca import`: one of megabytes takes long to read
    try:
        found = documents(body, name="the delivery")
    except InvalidCase as error:
        raise Unreadable(str(error)) from error
    try:
        reading = read(found, map_of(hook), source="", file="the delivery", given=Given())
    except InvalidCase as error:
        return Said(ignored=str(error.problems[0].what))
    return _summed(reading)


def map_of(hook: Hook) -> VendorMap:
    """The map by which the deliveries of a hook are read."""
    return _own(hook.map) if hook.map else vendor(hook.by)


@cache
def _own(path: Path) -> VendorMap:
    return parsed(read_yaml(path, name=plain(path.name)))


def _summed(reading: Reading) -> Said:
    whose = next((fact.of for fact in reading.facts if fact.of), "")
    if len(whose) > LONGEST:
        return Said(ignored=f"the incident's id has more than {LONGEST} letters")
    states = sorted((_when(fact.at), str(fact.value)) for fact in reading.facts if fact.key == "status")
    dated = [_when(fact.at) for fact in reading.facts if fact.at]
    contained = [_when(one.at) for one in reading.facts if one.key == "moment" and one.value == "contained"]
    if contained and (not states or states[-1][1] == "open"):
        states.append((max(contained), "contained"))
    at = states[-1][0] if states and states[-1][0] else max(dated, default="")
    whose = whose.encode("utf-8", "replace").decode()  # halves of letters
    return Said(incident=whose, state=states[-1][1] if states else "", at=at)


def _when(at: datetime | None) -> str:
    return at.isoformat(timespec="microseconds") if at else ""
