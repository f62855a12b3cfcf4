"""Reading of payloads by a map: what each says of the incident, with its place; every problem at once."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rca.errors import InvalidCase
from rca.importers.fact import Fact, Given, Reading
from rca.importers.paths import MISSING, Scope, each, find
from rca.importers.values import LONGEST, Values
from rca.importers.vendor_map import (
    ActionMap,
    DetectionMap,
    Happening,
    Said,
    Serving,
    Shape,
    SystemMap,
    Time,
    VendorMap,
    vendor,
    vendors,
)  # fmt: skip
from rca.record.files.yaml_document import plain, show
from rca.record.log import field_of
from rca.record.schema.incident import MOMENTS

SUMMARY = 4_000
"""Letters of a summary that go into a record; the source keeps all of it."""

ATTACH = "--attach keeps the file in sources/ and reads nothing from it"


def recognised(found: list[Any], *, own: Sequence[VendorMap] = ()) -> VendorMap:
    """The vendor whose form the documents have; maps of one's own are tried first.

    Raises
    ------
    InvalidCase
        If it is none's, or several'.
    """
    fits = [one for one in own if found and all(_shape(one, document) for document in found)]
    known = fits or [
        one for one in map(vendor, vendors()) if found and all(_shape(one, document) for document in found)
    ]
    if len(known) == 1:
        return known[0]
    which = f"could be {' or '.join(one.vendor for one in known)}" if known else "is of no form that is known"
    raise InvalidCase.because(which, place="the file", hint=f"say which tool it is from; known are {_names()}")


def _names() -> str:
    return ", ".join(vendors())


def read(found: list[Any], by: VendorMap, *, source: str, file: str, given: Given) -> Reading:
    """What documents say, by the map of their vendor.

    Raises
    ------
    InvalidCase
        With every problem: a form that is unknown or holds no incident, a time that is none, several incidents.
    """
    reader = _Reader(by, file, given)
    items = [item for at, document in enumerate(found) for item in reader.items(document, at, len(found))]
    if reader.problems:
        raise InvalidCase(reader.problems)
    facts = _first_and_last([fact for item in reader.chosen(items) for fact in reader.facts(item)])
    if not facts and not reader.problems:
        reader.refuse("holds nothing that a record has a place for", file, ATTACH)
    if reader.problems:
        raise InvalidCase(dict.fromkeys(reader.problems))
    return Reading(
        vendor=by.vendor,
        source=source,
        rank=by.rank,
        shapes=tuple(sorted({item.shape.name for item in items})),
        facts=tuple(facts),
        left=tuple(reader.left(found)),
        asked=tuple(dict.fromkeys(reader.asked)),
    )


@dataclass(frozen=True, kw_only=True)
class _Item:
    """One item of a document, the form it has, and whose it is."""

    scope: Scope
    shape: Shape
    of: str


def _shape(by: VendorMap, document: Any) -> Shape | None:
    scope = Scope(value=document)
    return next((shape for shape in by.shapes if any(_holds(scope, form) for form in shape.when)), None)


def _melted(scope: Scope, pattern: str) -> Iterator[Scope]:
    """A wide row as items: of every key that matches, what its groups name, and under `what` its value."""
    items: dict[tuple[str, ...], dict[str, Any]] = {}
    for key, value in scope.value.items():
        if match := re.fullmatch(pattern, str(key)):
            groups = match.groupdict()
            what = groups.pop("what")
            items.setdefault(tuple(groups.values()), dict(groups))[what] = value
    for number, item in enumerate(items.values()):
        yield Scope(value=item, place=(*scope.place, number), above=scope)


def _holds(scope: Scope, wanted: Mapping[str, Any]) -> bool:
    """Whether every path holds what is wanted of it: anything, one value, or one of several."""
    for path, value in wanted.items():
        found = find(scope, path).value
        if found is MISSING or found is None:
            return False
        if value is not None and found not in (value if isinstance(value, list) else [value]):
            return False
    return True


class _Reader(Values):
    """Reads the documents of one file by the map of its vendor."""

    def __init__(self, by: VendorMap, file: str, given: Given) -> None:
        super().__init__(file, given)
        self.by = by

    # --- which items, and whose --------------------------------------------------------------------------------------

    def items(self, document: Any, at: int, of: int) -> list[_Item]:
        """The items of a document; none, and a problem, where its form is unknown or holds no incident."""
        scope = Scope(value=document, place=(at,) if of > 1 else ())
        shape = _shape(self.by, document)
        if shape is None:
            keys = ", ".join(plain(str(key), longest=40) for key in list(document)[:6])
            known = "; ".join(one.name for one in self.by.shapes)
            what = f"is no form of {self.by.called} that is known; it has {keys or 'nothing'}"
            self.refuse(what, scope.said(self.file), f"known are {known}; {ATTACH}")
        elif shape.none:
            self.refuse(f"{self.by.called}, {shape.name}: {shape.none}", scope.said(self.file), ATTACH)
        else:
            try:
                return [_Item(scope=one, shape=shape, of=self._of(one, shape)) for one in self._each(scope, shape)]
            except InvalidCase as error:
                self.problems += error.problems
        return []

    def _each(self, scope: Scope, shape: Shape) -> Iterator[Scope]:
        if shape.melt:
            yield from _melted(scope, shape.melt)
            return
        if not shape.zip:
            yield from each(scope, shape.each, file=self.file) if shape.each else [scope]
            return
        lists = {key: find(scope, path) for key, path in shape.zip.items()}
        length = max((len(one.value) for one in lists.values() if isinstance(one.value, list)), default=1)
        for name, one in lists.items():
            self._touch(one)
            if isinstance(one.value, list) and len(one.value) != length:
                what = f"`{name}` has {len(one.value)} values, and another list has {length}"
                raise InvalidCase.because(what, place=one.said(self.file))
        for at in range(length):
            row = {key: one.value[at] if isinstance(one.value, list) else one.value for key, one in lists.items()}
            kept = {key: value for key, value in row.items() if value is not MISSING}
            yield Scope(value={**kept, "#": at, "of": length}, place=(*scope.place, at), above=scope)

    def _of(self, scope: Scope, shape: Shape) -> str:
        if not shape.incident:
            return ""
        told = self.text(scope, shape.incident)
        if told is None and not shape.incident.endswith("?"):
            self.refuse(f"does not say whose it is: there is no `{shape.incident}`", scope.said(self.file))
        return told or ""

    def chosen(self, items: list[_Item]) -> list[_Item]:
        """The items of one incident: of the only one there is, or of the one that was asked for."""
        ids = sorted({item.of for item in items if item.of})
        if self.given.incident is not None and ids:
            if self.given.incident not in ids:
                few = ", ".join(plain(one, longest=40) for one in ids[:8])
                self.refuse(f"has no incident {show(self.given.incident)}", self.file, f"it has {few}")
            return [item for item in items if item.of in ("", self.given.incident)]
        if len(ids) > 1:
            few = ", ".join(plain(one, longest=40) for one in ids[:8]) + (", …" if len(ids) > 8 else "")
            self.refuse(f"holds {len(ids)} incidents: {few}", self.file, "say which one is meant: --incident ID")
        return items

    # --- what they say -----------------------------------------------------------------------------------------------

    def facts(self, item: _Item) -> list[Fact]:
        """Everything that an item says."""
        shape = item.shape
        self.zone = (self.text(item.scope, shape.zone) if shape.zone else None) or self.given.zone
        found: list[Fact] = []
        parts: tuple[tuple[Any, tuple[Any, ...]], ...] = (
            (self._whole, (shape,)),
            (self._events, shape.events),
            (self._systems, shape.systems),
            (self._served, shape.serving),
            (self._actions, shape.actions),
            (self._detections, shape.detections),
        )
        for ask, maps in parts:
            for one in maps:
                try:
                    found += ask(item, one)
                except InvalidCase as error:
                    self.problems += error.problems
        return found

    def _whole(self, item: _Item, shape: Shape) -> Iterator[Fact]:
        facts, scope = shape.facts, item.scope
        at = self.time(scope, facts.as_of) if facts.as_of else None
        for key in ("title", "summary"):
            longest = SUMMARY if key == "summary" else LONGEST
            if (path := getattr(facts, key)) and (told := self.said(scope, path, longest)):
                yield Fact(key=key, value=told, of=item.of, at=at, place=self.place(scope))
        for key, words in (("severity", facts.severities), ("status", facts.statuses)):
            path = getattr(facts, key)
            told = self.text(scope, path) if path else None
            value = (words.get(told) or (_severity(told) if key == "severity" else None)) if told else None
            if value:
                yield Fact(key=key, value=value, of=item.of, at=at, place=self.place(scope))
            elif told:
                self.asked.append(f"{key}: {self.by.called} says {show(told)}, which is not one of the record's words")

    def _events(self, item: _Item, rule: Happening) -> list[Fact]:
        found: list[Fact] = []
        for scope in each(item.scope, rule.each, file=self.file) if rule.each else [item.scope]:
            if not _holds(scope, rule.if_):
                continue
            for path in rule.if_:
                self._touch(find(scope, path))
            if (at := self.time(scope, rule.at)) and (said := self._word(scope, rule)):
                found += self._happened(at, said, item=item, scope=scope, rule=rule)
        return found

    def _word(self, scope: Scope, rule: Happening) -> Said | None:
        word = (self.text(scope, rule.word) if rule.word else None) or ""
        begins = (said for key, said in rule.words.items() if key.endswith("*") and word.startswith(key[:-1]))
        return rule.words.get(word) or next(begins, rule.says)

    def _happened(self, at: datetime, said: Said, *, item: _Item, scope: Scope, rule: Happening) -> Iterator[Fact]:
        what = self.filled(scope, said.what) or rule.word or rule.at.path
        own = self.said(scope, rule.id) if rule.id else None
        hashed = hashlib.sha256(f"{item.of}|{what}|{at.isoformat()}".encode()).hexdigest()[:12]
        system = (self.said(scope, rule.system) if rule.system else None) or None
        name, place = f"{self.by.vendor}:{own or hashed}", self.place(scope)
        how = {"shape": item.shape.name, "many": rule.first_and_last}
        extra = {"kind": self.filled(scope, said.kind) or "other", "system": system, **how}
        yield Fact(key="event", value=what, of=item.of, at=at, place=place, id=name, extra=extra)
        for moment in (*said.moment, *self._named(scope, rule)):
            yield Fact(key="moment", value=moment, of=item.of, at=at, place=place, id=name)
        if said.reopens:
            yield Fact(key="reopened", value=None, of=item.of, at=at, place=place)

    def _named(self, scope: Scope, rule: Happening) -> Iterator[str]:
        """The moment that a customer's own name of a timestamp means."""
        name = self.text(scope, rule.named) if rule.named else None
        if name is None:
            return
        known = field_of(name)
        moment = self.given.names.get(name) or (known[0] if known else None)
        if moment in MOMENTS:
            yield moment
        else:
            self.asked.append(
                f"{show(name)} is a timestamp of your own: which moment is it? --moment '{plain(name)}=…'"
            )

    def _systems(self, item: _Item, rule: SystemMap) -> Iterator[Fact]:
        for scope in each(item.scope, rule.each, file=self.file) if rule.each else [item.scope]:
            name = self.said(scope, rule.name)
            if not name:
                continue
            keys = ("version", "owner", "run_id", "last_good")
            told = {key: self.said(scope, path) for key in keys if (path := getattr(rule, key))}
            extra = {
                "kind": self.filled(scope, rule.kind) or "system",
                **{key: value for key, value in told.items() if value},
            }
            yield Fact(key="system", value=name, of=item.of, place=self.place(scope), extra=extra)

    def _served(self, item: _Item, rule: Serving) -> Iterator[Fact]:
        for scope in each(item.scope, rule.each, file=self.file) if rule.each else [item.scope]:
            name, alias = self.text(scope, rule.name), self.text(scope, rule.alias)
            if name is None or alias is None or not _holds(scope, rule.if_):
                continue
            at = self.time(scope, rule.at) if rule.at else None
            version = self.text(scope, rule.version) if rule.version else None
            run = self.text(scope, rule.run_id) if rule.run_id else None
            extra = {"alias": alias, "version": version, "run_id": run}
            yield Fact(key="served", value=name, at=at, place=self.place(scope), extra=extra)

    def _actions(self, item: _Item, rule: ActionMap) -> Iterator[Fact]:
        for scope in each(item.scope, rule.each, file=self.file) if rule.each else [item.scope]:
            name, what = self.text(scope, rule.id), self.said(scope, rule.what)
            if not name or not what:
                self.refuse("an action has no id or says nothing", self.place(scope))
                continue
            told = {key: self.said(scope, getattr(rule, key)) for key in ("owner", "due", "ticket", "priority")
                    if getattr(rule, key)}  # fmt: skip
            state = rule.states.get(self.text(scope, rule.state) or "") if rule.state else None
            extra = {key: value for key, value in {**told, "state": state}.items() if value}
            yield Fact(key="action", value=what, of=item.of, id=f"{self.by.vendor}:{name}", extra=extra)

    def _detections(self, item: _Item, rule: DetectionMap) -> Iterator[Fact]:
        for scope in each(item.scope, rule.each, file=self.file) if rule.each else [item.scope]:
            if not _holds(scope, rule.if_):
                continue
            drift = find(scope, rule.drift)
            self._touch(drift)
            at = (self.time(scope, rule.at) if rule.at else None) or self.time(scope, Time(path="@given"))
            if drift.value not in (True, False, "True", "False", "true", "false"):  # 0 and 1 are among them
                shown = "nothing" if drift.value is MISSING else show(drift.value)
                self.refuse(f"says {shown} of drift, and true or false was expected", drift.said(self.file))
            elif at is not None:
                numbers = {key: self.number(scope, getattr(rule, key)) for key in ("statistic", "p_value", "threshold")}
                names = {"system": self._watched(scope, rule), "column": self._column(scope, rule)}
                extra = {"drift": drift.value in (True, "True", "true"), **names, **numbers}
                yield Fact(key="detection", value=self.said(scope, rule.detector) or "drift", at=at, extra=extra)

    def _watched(self, scope: Scope, rule: DetectionMap) -> str | None:
        told = (self.said(scope, rule.system) if rule.system else None) or self.given.system
        if told is None:
            self.asked.append("which system did the detector watch? --system NAME")
        return told

    def _column(self, scope: Scope, rule: DetectionMap) -> str | None:
        """The column's name; where the detector counts columns, by the names that were given."""
        number, of = find(scope, "#").value, find(scope, "of").value
        if rule.column or number is MISSING or of == 1:
            return self.said(scope, rule.column) if rule.column else None
        if self.given.columns and len(self.given.columns) != of:
            what = f"has {of} columns, and {len(self.given.columns)} names were given"
            raise InvalidCase.because(what, place=self.file, hint="--columns in the detector's order")
        if self.given.columns:
            return str(self.given.columns[number])
        self.asked.append("how are the detector's columns called? --columns a,b,c, in its order")
        return f"column {number + 1} of {of}"


def _severity(told: str) -> str | None:
    """A vendor's priority as a severity, where it is a number from 1 (worst) to 5; a word is not translated.

    >>> _severity("P2"), _severity("SEV-1"), _severity("3 - Moderate"), _severity("critical")
    ('sev2', 'sev1', 'sev3', None)
    """
    match = re.fullmatch(r"(?:p|prio|priority|sev|severity)?[ -]?([1-5])(?: - .*)?", told.strip().lower())
    return f"sev{match[1]}" if match else None


def _first_and_last(found: list[Fact]) -> list[Fact]:
    """Of many events of one text and system, where a map says so, the first and the last, with their number."""
    groups: dict[tuple[Any, Any], list[Fact]] = {}
    for one in found:
        if one.extra.get("many"):
            groups.setdefault((one.value, one.extra["system"]), []).append(one)
    told = [one for one in found if not one.extra.get("many")]
    for several in groups.values():
        several.sort(key=lambda one: (str(one.at), one.id))
        ends = [(several[0], "first"), (several[-1], "last")] if len(several) > 1 else []
        told += [replace(one, value=f"{one.value} ({which} of {len(several)})") for one, which in ends] or several
    return told
