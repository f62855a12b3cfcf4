"""A document as plain blocks: texts from outside stand in it as they are, and each format makes them safe."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading; `level` counts from 1, the document's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, kw_only=True)
class Line:
    """An item of a list: a label, a text, and the keys of the record that it is from."""

    text: str
    label: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Note:
    """A paragraph."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Verbatim:
    """A text shown letter by letter, its lines kept."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of texts."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Line | Note | Verbatim | Grid


@dataclass(frozen=True, kw_only=True)
class Document:
    """A title and blocks."""

    title: str
    blocks: tuple[Block, ...]
