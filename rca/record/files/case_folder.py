"""The folder of a case: its record, and the paths in it; none leads out, by words or by a link."""

import os
from collections.abc import Iterator
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Protocol

from rca.errors import InvalidCase
from rca.record.files.yaml_document import Document, near, read_yaml, show

RECORD = "incident.yaml"

ANSWER = "answer.yaml"
"""The known cause of a scored case; no analysis may read it, so it is no input."""

ACTIVE = frozenset((".pkl", ".pickle", ".p", ".joblib", ".cloudpickle", ".cpkl", ".dill", ".pt", ".pth", ".sav"))
"""Endings of formats that run code when they are read."""

REFUSED = "is in a format that can run code when it is read (pickle, joblib, cloudpickle); it is not opened"

LONGEST = 250
"""Bytes that a path may have; longer ones are no names, and file systems stop at 255 a part."""


class Foldered(Protocol):
    """A case, or whatever else has a folder."""

    @property
    def folder(self) -> Path:
        """Where it lies."""


def path_of(given: object, *, place: str) -> Path:
    """The path that was given, or the folder of the case or the run that was.

    >>> path_of("data/incidents", place="library").name
    'incidents'

    Raises
    ------
    InvalidCase
        If it is no path.
    """
    path = getattr(given, "folder", given)
    told = os.fspath(path) if isinstance(path, str | PathLike) else None
    if not isinstance(told, str) or "\0" in told:
        got = show(told) if isinstance(told, str) else type(given).__name__
        hint = "give a folder or a file as text, or as pathlib.Path"
        raise InvalidCase.because(f"must be a path, got {got}", place=place, hint=hint)
    return Path(told)


def opened(path: "str | PathLike[str]") -> tuple[Path, Document]:
    """The folder of a case and its record; the record's own path will do as well."""
    given = path_of(path, place="case")
    folder = given.parent if given.name == RECORD and not given.is_dir() else given
    if not folder.is_dir():
        beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
        hint = near(folder.name, (entry.name for entry in beside if (entry / RECORD).is_file()))
        hint = hint or "a case is a folder with an incident.yaml; rca new begins one"
        raise InvalidCase.because("there is no such folder", place=show(str(given), longest=200)[1:-1], hint=hint)
    inside(folder, RECORD, place=folder.name or RECORD)
    return folder, read_yaml(folder / RECORD, name=RECORD)


def names_of(folder: Path) -> tuple[str, ...]:
    """What a folder is called: by where a link leads, and by the path given."""
    return tuple(dict.fromkeys((folder.resolve().name, folder.absolute().name)))


def wrong_path(path: str) -> tuple[str, str] | None:
    """What is wrong with a relative path, and a hint; None if its text stays in the folder.

    >>> wrong_path("data/reference.parquet")
    >>> wrong_path("../other/current.parquet")
    ("'../other/current.parquet' leaves the case folder", 'copy the file into the folder')
    """
    parts = PurePosixPath(path).parts
    if not parts or not path.isprintable() or "\\" in path or len(path.encode()) > LONGEST:
        return f"{show(path)} is no path", "write it relative to the case folder, with `/`"
    if path.startswith("/") or ".." in parts or ":" in parts[0]:
        return f"{show(path)} leaves the case folder", "copy the file into the folder"
    if any(part.startswith(".") for part in parts):
        return f"{show(path)} is hidden", "a name that begins with a dot is no part of a case"
    if parts[-1].lower() == ANSWER:
        return f"{show(path)} is the known answer, which no analysis may read", ""
    if PurePosixPath(path.lower()).suffix in ACTIVE:
        return f"{show(path)} {REFUSED}", "export the table to Parquet, the model to its library's own format"
    return None


def inside(folder: Path, path: str, *, place: str) -> Path:
    """The file or folder at `path` of a case folder.

    Raises
    ------
    InvalidCase
        If it is not there, or leaves the folder in words or through a link.
    """
    if wrong := wrong_path(path):
        raise InvalidCase.because(wrong[0], place=place, hint=wrong[1])
    home = folder.resolve()
    found = home / path
    if not found.exists():
        known = (entry.relative_to(home).as_posix() for entry in _visible(found.parent))
        hint = near(path, (name for name in known if not wrong_path(name)))
        raise InvalidCase.because(f"there is no file {show(path)} in the case folder", place=place, hint=hint)
    hold_inside(home, found, path=path, place=place)
    return found


def hold_inside(home: Path, found: Path, *, path: str, place: str) -> None:
    """Refuse a file that lies outside the folder, where a link leads to it.

    Raises
    ------
    InvalidCase
        If it does, or the link leads nowhere.
    """
    try:
        stays = found.resolve(strict=True).is_relative_to(home)
    except (OSError, RuntimeError):  # a loop of links, or one that leads nowhere
        stays = False
    if not stays:
        raise InvalidCase.because(
            f"{show(path)} leaves the case folder through a link", place=place, hint="copy the file into the folder"
        )


def _visible(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def walk(folder: Path) -> Iterator[Path]:
    """Every visible file under a folder, in order of name; links to folders are not followed.

    A case is its visible files; `.ipynb_checkpoints` or `.DS_Store`, which tools leave behind, are no part of it.
    """
    for entry in _visible(folder):
        if entry.is_dir() and not entry.is_symlink():
            yield from walk(entry)
        else:
            yield entry
