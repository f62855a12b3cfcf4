"""Masking of a case: personal data and offensive words replaced before any notebook runs, by pseudonyms under a key.

What a case declares to be of a person (`data.id`, `data.entity`, `data.personal`, `postmortem.people`), and what is
detected, is replaced alike in everything that is written: one person has one pseudonym everywhere in a report.
"""

import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.record.files.whole_file import write_whole
from rca.tables.personal_data import replaced

if TYPE_CHECKING:
    from rca.record.case import Case

MASK = "▮▮▮"
"""What stands where personal data stood, where no report is made that would need to tell them apart."""

WHERE = "RCA_MASKING"
"""The variable of the environment that names the file of a run's masking to its kernels."""

LETTERS = "bcdfghjklmnpqrstvwxz"
"""Letters of a pseudonym: without vowels they spell no word, and without digits nothing takes it for a number."""

LENGTH = 8
"""Letters of a pseudonym: of a hundred thousand people two share one in one report of five."""

_BARE = re.compile(r"[a-z_]*")

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def spelled(text: str) -> str:
    """A text as `Masking.known` has it: its words, whatever stands between them.

    >>> spelled("O'Neil,  Jo_Ann")
    "o'neil jo ann"
    """
    return " ".join(word[0].casefold() for word in _WORD.finditer(text))


def key_of(case: "Case") -> bytes:
    """The key of a case's pseudonyms, from every byte of its inputs.

    Whoever has all inputs can make it again, as `rca verify --rerun` has to, and needs no pseudonym undone; whoever
    lacks one would have to guess that file to the byte. It is no function of the digests that a report publishes.
    """
    made = hashlib.blake2b(person=b"rca-pseudonyms")
    for name in case.inputs():
        content = (case.folder / name).read_bytes()
        made.update(f"{len(content)} {name}\n".encode())
        made.update(content)
    return made.digest()


@dataclass(frozen=True, kw_only=True)
class Masking:
    """What is replaced in every text of a report.

    Attributes
    ----------
    key : bytes
        Of the pseudonyms; empty where none are wanted, and all are masked alike.
    known : mapping of str to str
        Words of what is declared to be of a person, case-folded and joined by blanks → what stands for it.
    """

    key: bytes = b""
    known: Mapping[str, str] = field(default_factory=dict)

    def pseudonym(self, kind: str, text: str) -> str:
        """A name for a text of some kind: the same for the same, however it is written.

        >>> Masking(key=b"k").pseudonym("person", "Jo  Doe") == Masking(key=b"k").pseudonym("person", "jo doe")
        True
        """
        if not self.key:
            return MASK
        same = re.sub(r"[\W_]+", "", text).casefold()
        number = int.from_bytes(hmac.digest(self.key, f"{kind} {same}".encode(), "sha256"))
        letters = (LETTERS[number // len(LETTERS) ** place % len(LETTERS)] for place in range(LENGTH))
        return f"{kind}-{''.join(letters)}"

    def text(self, text: str) -> str:
        """The text masked; masked again it is the same.

        >>> Masking(known={"jo doe": "the on-call engineer"}).text("Jo Doe paged 192.0.2.7 on 2 May")
        'the on-call engineer paged ▮▮▮ on 2 May'
        """
        if text.isdigit() and text in self.known:  # the number of a household, say, where a label is nothing else
            return self.known[text]
        return replaced(self.without_known(text), self.pseudonym)

    def without_known(self, text: str) -> str:
        """The text without what is declared; what has the form of personal data stays."""
        if not self.known:
            return text
        words = list(_WORD.finditer(text))
        said = [word[0].casefold() for word in words]
        kept, at, place = [], 0, 0
        while place < len(words):
            spans = range(min(self._longest, len(words) - place), 0, -1)
            length = next((one for one in spans if self._has(" ".join(said[place : place + one]))), 0)
            if length:
                told = self.known[" ".join(said[place : place + length])]
                kept += [text[at : words[place].start()], told]
                at = words[place + length - 1].end()
            place += length or 1
        return "".join([*kept, text[at:]])

    def _has(self, words: str) -> bool:
        return words in self.known and not words.isdigit()

    @cached_property
    def _longest(self) -> int:
        return max(name.count(" ") + 1 for name in self.known)

    def over(self, value: Any) -> Any:
        """Plain values with every text in them masked, keys too, but for a word such as names a field or a kind."""
        if isinstance(value, str):
            return value if _BARE.fullmatch(value) else self.text(value)
        if isinstance(value, Mapping):
            return {self.over(str(key)): self.over(one) for key, one in value.items()}
        return [self.over(one) for one in value] if isinstance(value, list | tuple) else value

    def markup(self, text: str) -> str:
        """Markup with its text masked; what stands in a tag was masked when it was escaped."""
        return "".join(part if part.startswith("<") else self.text(part) for part in re.split("(<[^>]*>)", text))

    def outputs(self, notebook: Mapping[str, Any]) -> dict[str, Any]:
        """An executed notebook with its outputs masked."""
        cells = [
            {**cell, "outputs": [self._output(one) for one in cell["outputs"]]} if "outputs" in cell else cell
            for cell in notebook["cells"]
        ]
        return {**notebook, "cells": cells}

    def _output(self, output: Mapping[str, Any]) -> dict[str, Any]:
        data = {kind: self._shown(kind, said) for kind, said in output.get("data", {}).items()}
        rest: dict[str, Any] = self.over({key: said for key, said in output.items() if key != "data"})
        return {**rest, **({"data": data} if data else {})}

    def _shown(self, kind: str, said: Any) -> Any:
        return self.markup("".join(said)) if kind == "text/html" else self.over(said)

    @contextmanager
    def kept(self, file: Path) -> Iterator[None]:
        """Hold for whatever is rendered here, and in kernels that find the file by `WHERE`."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # which the file that replaces it keeps
        write_whole(file, json.dumps({"key": self.key.hex(), "known": dict(self.known)}).encode())
        held = _HELD.set(self)
        try:
            yield
        finally:
            _HELD.reset(held)
            file.unlink(missing_ok=True)


_HELD: ContextVar[Masking | None] = ContextVar("masking", default=None)


def masking() -> Masking:
    """The masking of the run that is under way, in its own process and in its kernels; else one without pseudonyms."""
    return _HELD.get() or _written(os.environ.get(WHERE, ""))


@lru_cache(maxsize=1)
def _written(file: str) -> Masking:
    if not file or not Path(file).is_file():
        return Masking()
    said = json.loads(Path(file).read_bytes())
    return Masking(key=bytes.fromhex(said["key"]), known=said["known"])
