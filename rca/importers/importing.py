"""Import of vendors' files into a case: sources byte for byte, and a record that is a function of all of them.

What a person wrote stands: a value is replaced only where it is what the sources imported before say, or nothing.
"""

import hashlib
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase, Problem
from rca.importers.fact import Given, Reading
from rca.importers.merging import APART, SEEN, in_order, merged, written
from rca.importers.payload import MAX_BYTES, documents
from rca.importers.reading import read, recognised
from rca.importers.times import BadTime, read_time, zone_of
from rca.importers.vendor_map import VendorMap, parsed, vendor
from rca.record.case import scaffold
from rca.record.files.case_folder import RECORD, inside, names_of, opened
from rca.record.files.validation import take_in
from rca.record.files.whole_file import write_whole
from rca.record.files.yaml_document import MAX_BYTES as LARGEST_RECORD
from rca.record.files.yaml_document import Document, document, near, plain, read_yaml, show
from rca.record.schema.imported import Source
from rca.record.schema.incident import MOMENTS, Incident
from rca.record.why_tree.write_back import with_values

AUTO = "auto"
"""Instead of a vendor: whoever's form the file has."""

REQUIRED = {"title": "What went wrong, in one line", "severity": "sev3", "category": "other", "status": "open"}
"""Required keys of a record, and what a new one has in them, which nobody said."""

ENDINGS = (".json", ".jsonl", ".ndjson", ".csv")

MAP_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    case : Path
    changed : bool
        Whether the record is another one now.
    files : mapping of str to str
        Each file as it was named → its path in the case.
    moments : mapping of str to str
        Moments that the record has from its sources.
    events : int
        Events that it has from them.
    contradictions, asked, unsaid, left : tuple
        What sources contradict, what they leave open, required keys that nobody said anything of, and fields that no
        map names.
    """

    case: Path
    changed: bool
    files: Mapping[str, str]
    moments: Mapping[str, str] = field(default_factory=dict)
    events: int = 0
    contradictions: tuple[Mapping[str, str], ...] = ()
    asked: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain values."""
        told = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return {**told, "case": str(self.case)}

    def __str__(self) -> str:
        files = [f"{plain(name)} → {path}" for name, path in self.files.items()]
        dated = [f"{name:<13} {at}" for name, at in self.moments.items()]
        events = f"{self.events} event{'' if self.events == 1 else 's'} from sources"
        clash = [
            f"contradiction: {one['of']} is {one['taken']} by {one['source']}, {one['against']} by {one['said_by']}"
            for one in self.contradictions
        ]
        more = f", such as {', '.join(self.left[:3])}" if self.left else ""
        left = [f"fields that stay in the source alone: {len(self.left)}{more}"] if self.left else []
        open_ = [f"nobody has said: {', '.join(self.unsaid)}"] if self.unsaid else []
        lines = [*files, *dated, events, *clash, *(f"asked: {one}" for one in self.asked), *open_, *left]
        return "\n".join(plain(line, longest=1_000) for line in lines)  # names from outside start no line of their own


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file about to be imported: its bytes, its entry in the record, and what it says, unless it is only attached."""

    raw: bytes
    entry: Source
    reading: Reading | None
    map: bytes | None = None


def import_files(
    case: "str | PathLike[str]",
    files: Iterable["str | PathLike[str]"],
    *,
    by: "str | PathLike[str]" = AUTO,
    given: Given | None = None,
    attach: bool = False,
) -> Imported:
    """Import files of one vendor into a case; all of them or none.

    Parameters
    ----------
    case : path
        Folder of a case.
    files : iterable of path
        Payloads; a map of your own (`.yaml`) among them is read as one, and is tried before those that ship.
    by : str or path
        A vendor that ships, `auto`, or a map of your own.
    given : Given, optional
        What the files do not say.
    attach : bool
        Keep the files in `sources/` and read nothing from them.

    Raises
    ------
    InvalidCase
        With every problem of the files; the case is then as it was.
    """
    folder, record = opened(case)
    incident, problems = take_in(record, names=names_of(folder))
    if problems or incident is None:
        raise InvalidCase(problems)
    given = _sound(given or Given())
    paths = {str(name): Path(name) for name in files}
    own = [_own(path) for path in [*paths.values(), Path(by)] if path.suffix in MAP_ENDINGS]
    how = _How(by=by, own=own, given=given, attach=attach)
    fresh = _files({name: path for name, path in paths.items() if attach or path.suffix not in MAP_ENDINGS}, how)
    entries = {one.path: one for one in incident.imports.sources}
    old = [found for one in entries.values() if (found := _again(folder, one))]
    entries |= {one.entry.path: one.entry for one in fresh.values()}
    renewed = {one.entry.path for one in fresh.values()}
    kept = [one for one in old if one.source not in renewed]
    new = [*kept, *(one.reading for one in fresh.values() if one.reading)]
    plan = _Plan(record, incident, base=old, now=new, entries=list(entries.values()))
    text = plan.text((folder / RECORD).read_bytes().decode("utf-8"))
    _write(folder, text, list(fresh.values()))
    return Imported(
        case=folder,
        changed=plan.changed,
        files={name: one.entry.path for name, one in fresh.items()},
        moments={name: written(at) for name, (at, _) in plan.taken.items()},
        events=len(plan.new.events),
        contradictions=tuple(plan.contradictions),
        asked=tuple(dict.fromkeys((*_unread(fresh), *(q for one in new for q in one.asked), *plan.new.asked))),
        unsaid=plan.unsaid,
        left=tuple(dict.fromkeys(name for one in fresh.values() if one.reading for name in one.reading.left)),
    )


def new_from(
    folder: "str | PathLike[str]",
    name: str,
    files: Sequence["str | PathLike[str]"],
    *,
    by: "str | PathLike[str]" = AUTO,
    given: Given | None = None,
) -> Imported:
    """Start a case from vendors' files: `folder/name`, there whole or not at all.

    Raises
    ------
    InvalidCase
        If the name cannot be a case's or is taken, or with every problem of the files.
    """
    target = Path(folder) / name
    if target.exists() or target.is_symlink():
        raise InvalidCase.because("is there already; nothing was written", place=str(target), hint="choose another id")
    draft = Path(folder) / f".new.{secrets.token_hex(4)}"
    try:
        done = import_files(scaffold(draft, name), files, by=by, given=given)
        (draft / name).rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Imported(**{**vars(done), "case": target})


# --- files -----------------------------------------------------------------------------------------------------------


def _sound(given: Given) -> Given:
    """What was said, refused here where it cannot be meant, so that no file is blamed for it."""
    for option, value, ask in (("--zone", given.zone, zone_of), ("--at", given.at, read_time)):
        try:
            if value is not None:
                ask(value)
        except BadTime as error:
            raise InvalidCase.because(error.what, place=option, hint=error.hint) from error
    if wrong := next((name for name in given.names.values() if name not in MOMENTS), None):
        raise InvalidCase.because(f"{show(wrong)} is no moment", place="--moment", hint=near(wrong, MOMENTS))
    return given


@dataclass(frozen=True, kw_only=True)
class _How:
    """How files are to be read: by which maps, and with what is said beside them."""

    by: "str | PathLike[str]"
    own: Sequence[tuple[VendorMap, bytes]]
    given: Given
    attach: bool

    def map_of(self, found: list[Any], name: str) -> VendorMap | None:
        """The map of documents; None where they are attached and nobody said whose they are."""
        if Path(self.by).suffix in MAP_ENDINGS:
            return self.own[-1][0]
        if self.by != AUTO:
            return vendor(str(self.by))
        return None if self.attach else _recognised(found, name, [one for one, _ in self.own])


def _own(path: Path) -> tuple[VendorMap, bytes]:
    raw = _bytes(path)
    return parsed(read_yaml(path, name=plain(path.name))), raw


def _files(paths: Mapping[str, Path], how: _How) -> dict[str, _File]:
    """Every file, read; or every problem of all of them."""
    fresh: dict[str, _File] = {}
    problems: list[Problem] = []
    for name, path in paths.items():
        try:
            fresh[name] = _file(path, how)
        except InvalidCase as error:
            problems += error.problems
    if problems or not fresh:
        raise InvalidCase(problems or [Problem(what="there is no file to import", place="FILE")])
    return fresh


def _file(path: Path, how: _How) -> _File:
    raw, name = _bytes(path), plain(path.name)
    sha256 = hashlib.sha256(raw).hexdigest()
    found = [] if how.attach else documents(raw, name=name)
    known = how.map_of(found, name)
    called = known.vendor if known else "attached"
    ending = path.suffix.lower() if path.suffix.lower() in ENDINGS else ".json"
    entry = Source(path=f"sources/{called}-{sha256[:12]}{ending}", sha256=sha256, vendor=called)
    if how.attach or known is None:
        return _File(raw=raw, entry=entry, reading=None)
    reading = read(found, known, source=entry.path, file=name, given=how.given)
    kept = next((raw for one, raw in how.own if one is known), None)
    told = {
        "shapes": reading.shapes,
        "trust": _trust(known, reading),
        "map": f"sources/map-{hashlib.sha256(kept).hexdigest()[:12]}.yaml" if kept else None,
        "given": how.given.to_dict(),
    }
    return _File(raw=raw, entry=entry.model_copy(update=told), reading=reading, map=kept)


def _recognised(found: list[Any], name: str, own: Sequence[VendorMap]) -> VendorMap:
    try:
        return recognised(found, own=own)
    except InvalidCase as error:
        raise InvalidCase.because(error.problems[0].what, place=name, hint=error.problems[0].hint) from error


def _trust(by: VendorMap, reading: Reading) -> Any:
    """How far the least known of the forms that were found is known."""
    held = [shape.trust or by.trust for shape in by.shapes if shape.name in reading.shapes]
    return next((one for one in ("unread", "documented", "real") if one in held), by.trust)


def _bytes(path: Path) -> bytes:
    place = plain(path.name) or "."
    if not path.is_file():  # a pipe or a device could keep a reader waiting
        raise InvalidCase.because("there is no such file", place=place)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidCase.because(f"cannot be read: {error.strerror}", place=place) from error
    if len(raw) > MAX_BYTES:
        raise InvalidCase.because(f"is larger than {MAX_BYTES:,} bytes", place=place)
    return raw


def _again(folder: Path, entry: Source) -> Reading | None:
    """What a file that was imported before says, read anew from its bytes in the case."""
    if not entry.shapes:
        return None
    raw = _bytes(inside(folder, entry.path, place=RECORD))
    if hashlib.sha256(raw).hexdigest() != entry.sha256:
        hint = "put the file back as it was received"
        raise InvalidCase.because("is not what was imported; its SHA-256 is another", place=entry.path, hint=hint)
    own = inside(folder, entry.map, place=RECORD) if entry.map else None
    by = parsed(read_yaml(own, name=plain(str(entry.map)))) if own else vendor(entry.vendor)
    found = documents(raw, name=entry.path)
    return read(found, by, source=entry.path, file=entry.path, given=Given.of(entry.given))


def _unread(fresh: Mapping[str, _File]) -> list[str]:
    return [
        f"nobody has read a payload of {one.entry.vendor} yet: compare the record with {one.entry.path}"
        for one in fresh.values()
        if one.entry.trust == "unread" and one.reading
    ]


def _write(folder: Path, text: str, files: Iterable[_File]) -> None:
    """Sources first, which harm nobody alone, then the record; after a failure what was added is taken out again."""
    added: list[Path] = []
    try:
        (folder / "sources").mkdir(exist_ok=True)
        inside(folder, "sources", place=folder.name)  # a link may not lead out of the case
        for one in files:
            for name, raw in ((one.entry.path, one.raw), (one.entry.map, one.map)):
                target = folder / name if name and raw is not None else None
                if target is not None and raw is not None and not target.exists():
                    added.append(target)
                    target.write_bytes(raw)
        path = folder / RECORD
        if path.read_bytes() != text.encode():
            write_whole(path, text.encode())
    except OSError as error:
        for target in added:
            target.unlink(missing_ok=True)
        raise InvalidCase.because(f"cannot be written: {error.strerror}", place=folder.name) from error


# --- the record ------------------------------------------------------------------------------------------------------


class _Plan:
    """The record as it was, as its sources had it, and as they have it now."""

    def __init__(
        self, record: Document, incident: Incident, *, base: list[Reading], now: list[Reading], entries: list[Source]
    ) -> None:
        self.record, self.incident = record, incident
        self.entries = sorted(entries, key=lambda one: one.path)
        self.paths = {one.path for one in incident.imports.sources}
        self.timeline: dict[str, Any] = record.value.get("timeline") or {}
        self.sources: dict[str, str] = self.timeline.get("sources") or {}
        alias = next((one.given["alias"] for one in self.entries if "alias" in one.given), None)
        self.base = merged(base, alias=alias)
        held = dict(incident.timeline.moments())
        self.own = {name: at for name, at in held.items() if not self._imported(name, at)}
        until = self.own.get("detected")
        self.base = merged(base, alias=alias, until=until) if until else self.base
        self.new = merged(now, alias=alias, until=until)
        dated = {name: at for name, (at, _) in self.new.moments.items()} | self.own
        stands = in_order(dated, self.own)
        self.taken = {name: one for name, one in self.new.moments.items() if name in stands and name not in self.own}
        self.contradictions = [*self.new.contradictions, *self._against_own(stands)]
        self.unsaid: tuple[str, ...] = ()
        self.changed = False

    def _imported(self, name: str, at: datetime) -> bool:
        """Whether a moment on record is what the sources said before."""
        return self.sources.get(name) in self.paths and name in self.base.moments and self.base.moments[name][0] == at

    def _against_own(self, stands: set[str]) -> list[dict[str, str]]:
        found = []
        for name, (at, source) in self.new.moments.items():
            own = self.own.get(name)
            if own is not None and (own - at if name in SEEN else abs(own - at)) > APART:
                found.append(
                    {"of": name, "taken": written(own), "source": RECORD, "against": written(at), "said_by": source}
                )
            elif own is None and name not in stands:
                what = "nothing, as it would stand out of order"
                found.append({"of": name, "taken": what, "source": RECORD, "against": written(at), "said_by": source})
        return found

    def text(self, before: str) -> str:
        """The text of the record with what the sources say, every other byte as it was before.

        Raises
        ------
        InvalidCase
            If it would be no sound record, or too large a one.
        """
        held = self.record.value
        values: dict[str, Any] = {**self._said(), "timeline": self._timeline()}
        for key, name in (("systems", "name"), ("actions", "id")):
            values[key] = _by_key(held.get(key) or [], getattr(self.base, key), getattr(self.new, key), name=name)
        mine = [one for one in held.get("detections") or [] if one not in self.base.detections]
        values["detections"] = [*mine, *self.new.detections]
        values["imports"] = self._imports()
        values = {key: value for key, value in values.items() if value != held.get(key) and (value or key in held)}
        self.changed = bool(values)
        return self._checked(with_values(before, values)) if values else before

    def _checked(self, text: str) -> str:
        if len(text.encode()) > LARGEST_RECORD:
            what = f"the record would be larger than {LARGEST_RECORD:,} bytes, with {len(self.new.events)} events"
            raise InvalidCase.because(what, place=RECORD, hint="import the incident alone, or --attach the file")
        _, problems = take_in(document(text, name=RECORD), names=(self.incident.id,))
        if problems:
            raise InvalidCase(problems)
        return text

    def _said(self) -> dict[str, Any]:
        """Title, summary, severity and status: of the sources where nobody else has said them."""
        held, said = self.record.value, self.new.said
        fresh = held.get("title") == REQUIRED["title"]
        before = tuple(REQUIRED) if fresh else self.incident.imports.unsaid
        unsaid = [key for key in before if held.get(key) == REQUIRED.get(key)]
        told: dict[str, Any] = {}
        for key, (value, source) in said.items():
            earlier = self.base.said.get(key, ("", ""))[0]
            if key in unsaid or not held.get(key) or held.get(key) == earlier:
                told[key] = value
            elif key == "severity" and value != held.get(key):
                clash = {"of": key, "taken": str(held.get(key)), "source": RECORD, "against": value, "said_by": source}
                self.contradictions.append(clash)
        self.unsaid = tuple(key for key in unsaid if key not in told)
        return told

    def _timeline(self) -> dict[str, Any]:
        told = dict(self.timeline)
        for name in MOMENTS:
            if name in self.taken:
                at, _ = self.taken[name]
                same = name in self.timeline and getattr(self.incident.timeline, name) == at
                told[name] = self.timeline[name] if same else written(at)
            elif name in told and name not in self.own:
                told[name] = None
        others = {
            name: said for name, said in self.sources.items() if name not in self.taken and said not in self.paths
        }
        sources = {**others, **{name: source for name, (_, source) in self.taken.items()}}
        told["sources"] = {name: sources[name] for name in MOMENTS if name in sources}
        told["events"] = self._events()
        return {key: value for key, value in told.items() if value or key in self.timeline}

    def _events(self) -> list[Any]:
        held = self.timeline.get("events") or []
        if not self.new.events and not self.base.events:
            return list(held)
        told = _by_key(held, self.base.events, self.new.events, name="id")
        return sorted(told, key=lambda one: (datetime.fromisoformat(one["at"].upper()), one.get("id") or ""))

    def _imports(self) -> dict[str, Any]:
        sources = [one.model_dump(mode="json", exclude_defaults=True) for one in self.entries]
        apart = sorted(self.contradictions, key=lambda one: tuple(one.values()))
        told = {"sources": sources, "contradictions": apart, "unsaid": list(self.unsaid)}
        return {key: value for key, value in told.items() if value}


def _by_key(held: Sequence[Any], base: Sequence[Any], new: Sequence[Any], *, name: str) -> list[Any]:
    """Items known by a key: as the sources have them now, but for what a person wrote, changed or took out.

    Those of people come first, in their order, so that the rest is in one order whatever was imported first.
    """
    was = {one[name]: one for one in base}
    now = {one[name]: one for one in new}
    there = {one.get(name) for one in held}
    joined = [_joined(one, was.get(one.get(name)), now.get(one.get(name))) for one in held]
    mine: list[Any] = [one for one in joined if one is not None and one != now.get(one.get(name))]
    kept = {one.get(name) for one in mine}
    return mine + [said for key, said in now.items() if key not in kept and (key in there or key not in was)]


def _joined(one: dict[str, Any], was: dict[str, Any] | None, now: dict[str, Any] | None) -> dict[str, Any] | None:
    """An item of the record with what the sources say now; None where they alone said it, and say it no more."""
    if now is None:
        return None if one == was else one
    if was is None:
        return {**{what: value for what, value in now.items() if one.get(what) is None}, **one}
    return {**now, **{what: value for what, value in one.items() if value != was.get(what)}}
