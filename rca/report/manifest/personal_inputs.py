"""What of a case is personal, from its inputs alone: the masking of its report, and the log of what is masked."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rca.errors import Problem
from rca.record.files.case_folder import RECORD
from rca.report.rendering.masking import Masking, key_of, spelled
from rca.report.rendering.plain_text import count
from rca.tables.columns import as_labels
from rca.tables.personal_data import KINDS, found_in

if TYPE_CHECKING:
    import pandas as pd

    from rca.record.case import Case

TABLES = ("reference", "current", "recovered", "training")

SHORTEST, LONGEST = 3, 12
"""Letters that what stands for a person has at least, and words at most: a shorter one is a code of something."""

LONG = 5
"""Digits of a number that is no count: counts of more than three digits are written with commas."""

_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ][^\W\d_]{2,}(?:[ -][A-ZÀ-ÖØ-Þ][^\W\d_]{2,}){1,3}")
"""What looks like the name of a person: two to four words with capitals."""


@dataclass(frozen=True, kw_only=True)
class Masked:
    """One kind of thing that is masked in one place; never what it is.

    Attributes
    ----------
    kind : str
        A kind of `KINDS`, or the key of the record that declares it.
    place : str
        The key of the record, or the table and its column.
    count : int
        How often: distinct values of a column that is declared, else cells or texts that hold some.
    """

    kind: str
    place: str
    count: int

    def __str__(self) -> str:
        noun = KINDS.get(self.kind)
        what = f"declared as `{self.kind}`: {count(self.count, 'value')}" if noun is None else f"{noun}: {self.count:,}"
        return f"{self.place}: {what}"


@dataclass(frozen=True, kw_only=True)
class Personal:
    """What of a case is masked in its report.

    Attributes
    ----------
    masking : Masking
    log : tuple of Masked
    problems : tuple of Problem
        Names of files that hold personal data: a report has to name its inputs.
    """

    masking: Masking
    log: tuple[Masked, ...]
    problems: tuple[Problem, ...]

    def to_list(self) -> list[dict[str, Any]]:
        """The log as plain values, its places masked: a column can be called by an address."""
        return [{**asdict(one), "place": self.masking.text(one.place)} for one in self.log]


def personal(case: "Case") -> Personal:
    """Collect what the record declares to be of a person, and what detectors find, before anything is analysed.

    Parameters
    ----------
    case : Case
        One that `check` calls sound.
    """
    tables = {name: frame for name in TABLES if (frame := getattr(case, name)) is not None}
    plain, taken = Masking(key=key_of(case)), _ordinary(case, tables)
    declared = _declared(case, tables)
    known: dict[str, str] = {}
    for (role, column), values in declared.items():
        if role == "postmortem.people":
            continue
        for value in values:
            known |= _standing_for(value, role, plain, taken=taken)
        if role == "data.personal":
            known |= _numbered(column, values, plain)
    people = {name: told for name, told in known.items() if not told.startswith(("id-", "entity-"))}
    people |= {part: role for name, role in case.incident.postmortem.people.items() for part in _parts(name, taken)}
    log = [Masked(kind=role, place=place, count=len(values)) for (role, place), values in declared.items() if values]
    log += [*_in_record(case), *_in_tables(tables, {column for _, column in declared})]
    named = Masking(key=plain.key, known=people)
    masking = Masking(key=plain.key, known={**known, **people})
    return Personal(masking=masking, log=tuple(log), problems=tuple(_file_names(case, named)))


# --- what is declared -------------------------------------------------------------------------------------------------


def _declared(case: "Case", tables: "Mapping[str, pd.DataFrame]") -> dict[tuple[str, str], set[str]]:
    """Role and column → its distinct values, over all tables; and the people on record."""
    data, found = case.incident.data, {}
    roles = [("data.id", data.id), ("data.entity", data.entity)] if data else []
    roles += [("data.personal", column) for column in data.personal] if data else []
    for role, column in roles:
        held = (frame[column] for frame in tables.values() if column in frame)
        if column:
            found[role, column] = {str(one) for values in held for one in as_labels(values.dropna().drop_duplicates())}
    return {**found, ("postmortem.people", RECORD): set(case.incident.postmortem.people)}


def _standing_for(value: str, role: str, masking: Masking, *, taken: frozenset[str]) -> dict[str, str]:
    """A value of a column with a role, and the words of a name, each with its pseudonym; none for a common word."""
    key = spelled(value)
    if len(key) < SHORTEST or key in taken or key.count(" ") >= LONGEST or key.replace(" ", "").isdigit():
        return {}
    kind = {"data.id": "id", "data.entity": "entity"}.get(role, "person")
    parts = _parts(value, taken) if kind == "person" else ()
    return {**{part: masking.pseudonym("name", part) for part in parts}, key: masking.pseudonym(kind, value)}


def _parts(name: str, taken: frozenset[str]) -> tuple[str, ...]:
    """What looks like the name of a person, and its words that are no other word."""
    words = [one for one in spelled(name).split() if one not in taken] if _NAME.fullmatch(name) else []
    return (*words, spelled(name))


def _numbered(column: str, values: Iterable[str], masking: Masking) -> dict[str, str]:
    """Whole numbers that stand for people, where a report names them: `column=value`, or a long one as a label."""
    numbers = {one: masking.pseudonym("person", one) for one in values if one.isdigit()}
    conditions = {spelled(f"{column} {one}"): f"{column}={told}" for one, told in numbers.items()}
    return conditions | {one: told for one, told in numbers.items() if len(one) >= LONG}


def _ordinary(case: "Case", tables: "Mapping[str, pd.DataFrame]") -> frozenset[str]:
    """Words that are none of a person, though one may be called so: systems, columns, what the record writes small."""
    small = {word for text in _texts(case.record.value) for word in re.findall(r"\b[a-zß-öø-ÿ]+\b", text[1])}
    months = "january february march april may june july august september october november december"
    columns = {str(column) for frame in tables.values() for column in frame}
    systems = {system.name for system in case.incident.systems}
    return frozenset({*small, *months.split(), *(spelled(name) for name in columns | systems)})


# --- what is detected -------------------------------------------------------------------------------------------------


def _texts(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text of plain values with the way to it; a key is a text, too."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield at, str(key)
            yield from _texts(one, (*at, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _texts(one, (*at, place))


def _in_record(case: "Case") -> Iterator[Masked]:
    found = Counter((hit.kind, at) for at, text in _texts(case.record.value) for hit in found_in(text))
    for (kind, at), many in found.items():
        yield Masked(kind=kind, place=case.record.place(*at), count=many)


def _in_tables(tables: "Mapping[str, pd.DataFrame]", declared: set[str]) -> Iterator[Masked]:
    """What is found in columns that nothing is declared of."""
    for name, frame in tables.items():
        for column in frame.columns.difference([*declared], sort=False):
            for kind, many in _cells(frame[column]).items():
                yield Masked(kind=kind, place=f"{name}, {column}", count=many)


def _cells(values: "pd.Series[Any]") -> Counter[str]:
    """How many cells of a column of text hold each kind."""
    found: Counter[str] = Counter()
    if values.dtype.kind in "biufmM":
        return found
    texts = values[[isinstance(value, str) for value in values]].value_counts()
    for text, many in texts.items():
        found.update(dict.fromkeys({hit.kind for hit in found_in(str(text))}, many))
    return found


def _file_names(case: "Case", masking: Masking) -> Iterable[Problem]:
    """Names of files with an address or the name of a person in them; long numbers are times and versions there."""
    for name in case.inputs():
        if any(hit.kind in ("email", "iban") for hit in found_in(name)) or masking.without_known(name) != name:
            what = "the name of a file holds what stands for a person, and a report names the files it is made from"
            yield Problem(what=what, place=masking.text(name), hint="rename the file, and whatever cites it")
