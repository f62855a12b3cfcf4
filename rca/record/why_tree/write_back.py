"""Write why-trees and actions back into `incident.yaml` with minimal edits: every other byte and comment is kept."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, TypeAdapter

from rca.errors import InvalidCase
from rca.record.files.case_folder import Foldered, path_of
from rca.record.files.whole_file import write_whole
from rca.record.files.yaml_document import LOADER, document, scalar
from rca.record.schema.corrective_action import CorrectiveAction
from rca.record.schema.why_tree import Question, Why
from rca.record.why_tree.lint import several, trees_of

if TYPE_CHECKING:
    from os import PathLike

KEPT: dict[str, TypeAdapter[Any]] = {
    "whys": TypeAdapter(tuple[Why, ...]),
    "actions": TypeAdapter(tuple[CorrectiveAction, ...]),
}
"""The keys that are written, and what they hold."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A stretch of a text, and what stands there instead."""

    start: int
    end: int
    text: str


def save_whys(
    record: "Foldered | str | PathLike[str]",
    *,
    whys: Iterable[Why | Question] | None = None,
    actions: Iterable[CorrectiveAction] | None = None,
) -> bool:
    """Write why-trees and actions into a record on disk, whole or not at all.

    Parameters
    ----------
    record : Case or path
        A case, its folder, or its `incident.yaml`.
    whys, actions : iterable, optional
        What is left out stays as it is. A question without an answer is written as one that is open.

    Returns
    -------
    bool
        Whether the file changed; what says the same already is left as it is written.

    Raises
    ------
    InvalidCase
        If it is no record, or what is given are no whys or actions.
    """
    path = path_of(record, place="record")
    path = path / "incident.yaml" if path.is_dir() else path
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        hint = "give the folder of a case, or its incident.yaml"
        raise InvalidCase.because(f"cannot be read: {error}", place=str(path), hint=hint) from error
    fresh = edited(text, whys=whys, actions=actions).encode()
    if fresh == raw:
        return False
    write_whole(path, fresh)
    return True


def with_values(text: str, values: Mapping[str, Any]) -> str:
    r"""The text of a record with these plain values under its top-level keys, all other bytes unchanged.

    >>> print(with_values("id: a  # mine\nseverity: sev3  # of five\n", {"severity": "sev1", "title": "t"}))
    id: a  # mine
    severity: sev1  # of five
    title: t
    <BLANKLINE>
    """
    body = text.removeprefix("\ufeff")
    start = text[: len(text) - len(body)]
    for key, plain in values.items():
        fresh = _replaced(body, key, plain)
        try:
            same = document(fresh, name="incident.yaml").value.get(key) == plain
        except InvalidCase:
            same = False
        body = fresh if same else _replaced(body, key, plain, whole=True)
    return start + body


def edited(
    text: str, *, whys: Iterable[Why | Question] | None = None, actions: Iterable[CorrectiveAction] | None = None
) -> str:
    r"""The text of a record with these why-trees and actions, all other bytes unchanged.

    >>> print(edited("id: a  # mine\nactions:\n- what: watch  # the feed\n  owner: x\n",
    ...              actions=[CorrectiveAction(what="watch", owner="y")]))
    id: a  # mine
    actions:
    - what: watch  # the feed
      owner: "y"
    <BLANKLINE>
    """
    if whys is not None:
        text = _with(text, "whys", trees_of(whys))
    if actions is not None:
        text = _with(text, "actions", several(actions, CorrectiveAction, place="actions"))
    return text


def _with(text: str, key: str, wanted: Sequence[BaseModel]) -> str:
    body = text.removeprefix("\ufeff")
    held = document(body, name="incident.yaml").value
    typed = KEPT[key].validate_python(_filled(held.get(key) or []))
    if typed == wanted and (wanted or key in held):
        return text
    plain = _as_written(tuple(wanted), typed, held.get(key))
    fresh = _replaced(body, key, plain)
    if not _says(fresh, key, wanted):
        fresh = _replaced(body, key, plain, whole=True)
    return text[: len(text) - len(body)] + fresh


def _says(text: str, key: str, wanted: Sequence[BaseModel]) -> bool:
    """Whether a text can be read, and holds what is wanted."""
    try:
        value = document(text, name="incident.yaml").value
        return bool(KEPT[key].validate_python(_filled(value.get(key) or [])) == wanted)
    except (InvalidCase, ValueError):
        return False


def _filled(value: Any) -> Any:
    """The values that are there: a key with nothing behind it counts as left out, as in the reading of a case."""
    if isinstance(value, dict):
        return {key: _filled(one) for key, one in value.items() if one is not None}
    return [_filled(one) for one in value] if isinstance(value, list) else value


# --- what to write, as near as possible to what is written -----------------------------------------------------------


def _as_written(wanted: Any, held: Any, plain: Any) -> Any:
    """A value as plain YAML: in the words that are there where they mean the same, else in its own."""
    if plain is not None and held == wanted and type(held) is type(wanted):
        return plain
    if isinstance(wanted, BaseModel):
        return _of_model(wanted, held if type(held) is type(wanted) else None, plain if isinstance(plain, dict) else {})
    if isinstance(wanted, tuple):
        return _of_list(wanted, held if isinstance(held, tuple) else (), plain if isinstance(plain, list) else [])
    return TypeAdapter(Any).dump_python(wanted, mode="json")


def _of_model(wanted: BaseModel, held: BaseModel | None, plain: dict[str, Any]) -> dict[str, Any]:
    told = {}
    for name, field in type(wanted).model_fields.items():
        value, before = getattr(wanted, name), getattr(held, name, None)
        stated = name in plain and before == value
        if stated or value != field.get_default(call_default_factory=True):
            told[name] = _as_written(value, before, plain.get(name))
    order = [*(key for key in plain if key in told), *(key for key in told if key not in plain)]
    return {key: told[key] for key in order}


def _of_list(wanted: tuple[Any, ...], held: tuple[Any, ...], plain: list[Any]) -> list[Any]:
    told: list[Any] = []
    for kind, first, last, start, end in _aligned([_same(one) for one in held], [_same(one) for one in wanted]):
        pairs = list(zip(held[first:last], plain[first:last], strict=False))
        pairs += [(None, None)] * (end - start - len(pairs))
        if kind == "equal":
            told += plain[first:last]
        else:
            told += [_as_written(one, *pair) for one, pair in zip(wanted[start:end], pairs, strict=False)]
    return told


def _same(value: Any) -> str:
    """Canonical JSON of a value, to compare by."""
    return json.dumps(TypeAdapter(Any).dump_python(value, mode="json"), sort_keys=True)


def _aligned(old: list[str], new: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Opcodes of a diff of two lists: what is equal, replaced, deleted and inserted."""
    yield from SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


# --- where to write it -----------------------------------------------------------------------------------------------


def _replaced(text: str, key: str, plain: Any, *, whole: bool = False) -> str:
    """The text with another value of a top-level key."""
    newline = "\r\n" if "\r\n" in text else "\n"
    root: Any = yaml.compose(text, Loader=LOADER)
    node = {name.value: value for name, value in root.value}.get(key)
    if node is None:
        ended = text if text.endswith("\n") else text + newline
        return ended + _lines({key: plain}, 0, newline)
    page = _Page(text=text, newline=newline)
    edits = [page.over(node, plain, indent=2)] if whole else list(page.edits(node, plain, indent=2))
    told, reached = [], 0
    for edit in sorted(edits, key=lambda one: one.start):  # of those at one place, in the order in which they came
        told += [text[reached : edit.start], edit.text]
        reached = max(reached, edit.end)
    return "".join(told) + text[reached:]


@dataclass(frozen=True, kw_only=True)
class _Page:
    """A text of YAML, and the fewest stretches of it to replace, so that its nodes say what is wanted."""

    text: str
    newline: str

    def edits(self, node: Any, wanted: Any, *, indent: int) -> Iterator[Edit]:
        """What to replace within a node."""
        if _plain(node) == wanted:
            return
        block = not getattr(node, "flow_style", True) and bool(node.value)
        if block and isinstance(node, yaml.MappingNode) and isinstance(wanted, dict):
            yield from self._of_keys(node, wanted)
        elif block and isinstance(node, yaml.SequenceNode) and isinstance(wanted, list) and wanted:
            yield from self._of_items(node, wanted)
        else:
            yield self.over(node, wanted, indent=indent)

    def _of_keys(self, node: Any, wanted: dict[str, Any]) -> Iterator[Edit]:
        column = node.start_mark.column
        for name, value in node.value:
            if name.value in wanted:
                yield from self.edits(value, wanted[name.value], indent=column + 2)
            else:
                yield self._without(name.start_mark.index, self._end(value))
        held = {name.value for name, _ in node.value}
        if fresh := {key: value for key, value in wanted.items() if key not in held}:
            yield self._after(node, _lines(fresh, column, self.newline))

    def _of_items(self, node: Any, wanted: list[Any]) -> Iterator[Edit]:
        old, new = ([json.dumps(one) for one in several] for several in (map(_plain, node.value), wanted))
        for kind, first, last, start, end in _aligned(old, new):
            if kind == "equal":
                continue
            both = min(last - first, end - start)
            for item, one in zip(node.value[first : first + both], wanted[start : start + both], strict=True):
                yield from self.edits(item, one, indent=item.start_mark.column)
            for item in node.value[first + both : last]:
                yield self._without(self._dash(item), self._end(item))
            if fresh := wanted[start + both : end]:
                yield self._inserted(node, first + both, _lines(fresh, node.start_mark.column, self.newline))

    def over(self, node: Any, wanted: Any, *, indent: int) -> Edit:
        """A node replaced as a whole: on its line where it stood on one, or there is little to say; else on lines."""
        start, end = node.start_mark.index, self._end(node)
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        if not isinstance(wanted, dict | list) or not wanted or self._in_brackets(node):
            gap = " " if before.endswith(":") else ""
            return Edit(start=start, end=end, text=gap + _inline(wanted))
        if set(before.split()) <= {"-"}:
            lines = _lines(wanted, node.start_mark.column, self.newline)
            return Edit(start=start, end=end, text=lines.strip(" \r\n"))
        start -= len(before) - len(before.rstrip(" "))
        rest = self.text[end : self._line_end(end)].rstrip("\r\n")
        comment = rest if rest.lstrip().startswith("#") else ""  # stays on the key's line
        lines = _lines(wanted, indent, self.newline).rstrip("\r\n")
        return Edit(start=start, end=end + len(comment), text=comment + self.newline + lines)

    def _in_brackets(self, node: Any) -> bool:
        """Whether a node in brackets holds something, so that it is written in brackets again."""
        return bool(node.value) and self.text[node.start_mark.index] in "[{"

    def _inserted(self, node: Any, place: int, lines: str) -> Edit:
        if place >= len(node.value):
            return self._after(node, lines)
        at = self.text.rfind("\n", 0, self._dash(node.value[place])) + 1
        return Edit(start=at, end=at, text=lines)

    def _after(self, node: Any, lines: str) -> Edit:
        """Lines after the last line of a node."""
        at = self._line_end(self._end(node))
        broken = self.text[:at].endswith("\n")
        return Edit(start=at, end=at, text=lines if broken else self.newline + lines.rstrip("\r\n"))

    def _without(self, start: int, end: int) -> Edit:
        """The lines from one place to another taken out; the first key beside its dash lets the next one move up."""
        line = self.text.rfind("\n", 0, start) + 1
        last = self._line_end(end)
        if not self.text[line:start].strip():
            return Edit(start=line, end=last, text="")
        rest = self.text[last:]
        return Edit(start=start, end=last + len(rest) - len(rest.lstrip(" ")), text="")

    def _dash(self, item: Any) -> int:
        """Where the dash before an item stands."""
        return self.text.rfind("-", 0, item.start_mark.index)

    def _line_end(self, at: int) -> int:
        """Behind the line break that follows."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def _end(self, node: Any) -> int:
        """Where a node ends: of a block, where the last thing in it does; blank lines and comments behind it stay."""
        if isinstance(node, yaml.ScalarNode):
            start, end = node.start_mark.index, node.end_mark.index
            return start + len(self.text[start:end].rstrip("\r\n ")) if node.style in ("|", ">") else end
        if node.flow_style or not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        return self._end(last[1] if isinstance(last, tuple) else last)


def _plain(node: Any) -> Any:
    """What a node says, as a case is read."""
    if isinstance(node, yaml.MappingNode):
        return {name.value: _plain(value) for name, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    return scalar(node.value) if node.style in (None, "") else node.value


# --- how it is written -----------------------------------------------------------------------------------------------


AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that some readers of YAML take for truths."""


class _Words(yaml.SafeDumper):
    """Writes what the reading of a case reads back, without aliases."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def _text(dumper: Any, value: str) -> Any:
    """A text, in quotes wherever a reader of YAML could take it for something else."""
    bare = value[:1].isalpha() and value.isprintable() and all(sign not in value for sign in (": ", " #", "\n"))
    plain = bare and not value.endswith((":", " ")) and value.lower() not in AMBIGUOUS
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Words.add_representer(str, _text)


def _lines(value: Any, indent: int, newline: str) -> str:
    """A list or mapping in block style, every line indented."""
    told = yaml.dump(value, Dumper=_Words, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False)
    return "".join(f"{' ' * indent}{line}{newline}" if line else newline for line in told.splitlines())


def _inline(value: Any) -> str:
    """A value on the line it stands on."""
    told = yaml.dump(value, Dumper=_Words, sort_keys=False, allow_unicode=True, width=10**9, default_flow_style=True)
    return told.removesuffix("\n").removesuffix("\n...").strip()
