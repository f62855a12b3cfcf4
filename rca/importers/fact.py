"""What a person says beside a file, what a file says, and of whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Given:
    """What whoever imports says beside the file, because the file does not.

    Attributes
    ----------
    incident : str or None
        Which of several incidents of a file.
    zone, unit : str or None
        Of times without an offset; of numbers whose unit is undocumented.
    at : str or None
        When, of payloads that carry no time.
    system : str or None
        What a detector watched.
    alias : str or None
        The name of a registry under which a version serves.
    columns : tuple of str
        Names of the columns of a detector that counts them.
    names : mapping of str to str
        A customer's name of a timestamp → the moment that it is.
    """

    incident: str | None = None
    zone: str | None = None
    unit: str | None = None
    at: str | None = None
    system: str | None = None
    alias: str | None = None
    columns: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """What was said, as a record keeps it."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}
        plainly = {"columns": list(self.columns), "names": dict(self.names)}
        return {name: value for name, value in {**held, **plainly}.items() if value}

    @classmethod
    def of(cls, held: Mapping[str, Any]) -> "Given":
        """What a record keeps, read again."""
        return cls(**{**held, "columns": tuple(held.get("columns", ()))})


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A value that a source gives a key of the record, as of a moment.

    `of` is whose it is: the vendor's incident, by its id. `extra` is what else belongs to it.
    """

    key: str
    value: Any
    of: str = ""
    at: datetime | None = None
    place: str = ""
    id: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one file says.

    Attributes
    ----------
    vendor, source : str
        `source` is its path in the case.
    rank : int
        How soon its title, severity and status are believed.
    shapes : tuple of str
    facts : tuple of Fact
    left : tuple of str
        Fields that no map names; they stay in the source.
    asked : tuple of str
        What the file leaves open.
    """

    vendor: str
    source: str
    rank: int
    shapes: tuple[str, ...]
    facts: tuple[Fact, ...]
    left: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
