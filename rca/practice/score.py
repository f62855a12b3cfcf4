"""Was the cause named? Every case of a library whose answer is known, through the one engine."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from rca.analysis.result import Result, Row
from rca.analysis.verdict import Status
from rca.errors import InvalidCase, RcaError

LENGTHS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
"""How lengths of time are written in an answer: `90min`, `1d`."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One case, answered and compared.

    Attributes
    ----------
    case, answer, verdict : str
        Its id, the known status (`unreadable` where there is none), and the status found (`failed` where the analysis
        did not come to one).
    named : str or None
        The first cause named.
    rank : int or None
        Of the first right cause; None where none is named.
    right : bool
        A right cause first, or the known status said.
    decoy : bool or None
        Whether a decoy was named first; None where the case has none.
    fault, onset : bool or None
        Whether they are right; None where the answer knows none or the cause was missed.
    seconds : float
        Processor time of the analysis.
    error : str or None
        Why there is no verdict.
    """

    case: str
    answer: str
    verdict: str
    named: str | None = None
    rank: int | None = None
    right: bool = False
    decoy: bool | None = None
    fault: bool | None = None
    onset: bool | None = None
    seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Score(Result):
    """A library scored: a row a case, and the totals."""

    cases: tuple[Scored, ...]

    @property
    def failed(self) -> tuple[Scored, ...]:
        """Cases whose analysis came to no verdict."""
        return tuple(row for row in self.cases if row.error is not None)

    @property
    def totals(self) -> dict[str, tuple[int, int]]:
        """Counts, each as (how many, out of how many)."""
        known = [row for row in self.cases if row.answer == "explained"]
        calm = [row for row in self.cases if row.answer == "no_incident"]
        return {
            "found@1": _count(known, lambda row: row.rank == 1),
            "found@3": _count(known, lambda row: row.rank is not None and row.rank <= 3),
            "no incident, said so": _count(calm, lambda row: row.right),
            "cannot tell, said so": _count((r for r in self.cases if r.answer == "cannot_tell"), lambda row: row.right),
            "false alarms": _count(calm, lambda row: row.verdict in ("explained", "cannot_tell")),
            "decoys named first": _count((r for r in known if r.decoy is not None), lambda row: bool(row.decoy)),
            "abstentions": _count(known, lambda row: row.verdict == "cannot_tell"),
            "faults right": _count((r for r in known if r.fault is not None), lambda row: bool(row.fault)),
            "onsets right": _count((r for r in known if r.onset is not None), lambda row: bool(row.onset)),
            "failed": _count(self.cases, lambda row: row.error is not None),
        }

    def rows(self) -> list[Row]:
        words = {None: "–", True: "yes", False: "no"}
        return [
            {
                "case": row.case,
                "answer": row.answer,
                "verdict": row.verdict,
                "named first": row.named or "–",
                "rank": row.rank or "–",
                "right": words[row.right],
                "decoy": words[row.decoy],
                "fault": words[row.fault],
                "onset": words[row.onset],
                "CPU s": f"{row.seconds:.1f}",
            }
            for row in self.cases
        ]

    def __str__(self) -> str:
        rows = self.rows()
        table = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in table]
        lines += ["", *(f"{name}: {n} of {of}" for name, (n, of) in self.totals.items())]
        lines += [f"{row.case} failed: {row.error}" for row in self.failed]
        return "\n".join([*lines, f"CPU seconds: {sum(row.seconds for row in self.cases):.1f}"])

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {"totals": {name: list(pair) for name, pair in self.totals.items()}}


def _count(rows: Iterable[Scored], test: Callable[[Scored], bool]) -> tuple[int, int]:
    tested = [test(row) for row in rows]
    return sum(tested), len(tested)


def score(library: str | Path, *, progress: bool = True, seed: int = 0) -> Score:
    """Analyse every case of a library that has an `answer.yaml`, and compare.

    Parameters
    ----------
    library : path-like
        A folder of case folders.
    progress : bool
        Whether to show a bar on standard error.
    seed : int
        Of every random draw in every case.

    Returns
    -------
    Score
        One row a case, in the order of their names; a case whose analysis fails has its error in its row.

    Raises
    ------
    InvalidCase
        If the folder holds no case with an answer.
    """
    from tqdm import tqdm

    answers = sorted(Path(library).glob("*/answer.yaml"))
    if not answers:
        raise InvalidCase.because(
            "no case with an answer.yaml", place=str(library), hint="a scored library is a folder of case folders"
        )
    bar = tqdm(answers, disable=not progress, unit="case", desc="scoring")
    return Score(cases=tuple(_scored(path, seed) for path in bar))


def _scored(path: Path, seed: int) -> Scored:
    from rca.analysis.engine import analyse
    from rca.record.case import Case
    from rca.record.reading import read_yaml

    case, status, started = path.parent.name, "unreadable", time.process_time()
    try:
        answer = _sound(read_yaml(path, name=f"{case}/answer.yaml").value, place=f"{case}/answer.yaml")
        status = answer["status"]
        row = compare(case, answer, analyse(Case.load(path.parent), seed=seed).results()["verdict"])
    except RcaError as error:
        row = Scored(case=case, answer=status, verdict="failed", error=str(error))
    return replace(row, seconds=time.process_time() - started)


def _sound(answer: Any, *, place: str) -> dict[str, Any]:
    """An answer that can be compared with."""
    known = isinstance(answer, dict) and answer.get("status") in get_args(Status)
    if not known:
        raise InvalidCase.because("no answer", place=place, hint=f"its status is one of {', '.join(get_args(Status))}")
    for key in ("causes", "not"):
        listed = answer.get(key) or []
        named = isinstance(listed, list) and all(
            isinstance(one, dict) and {"kind", "name"} <= set(one) for one in listed
        )
        if not named:
            raise InvalidCase.because(f"{key!r} is no list of causes", place=place, hint="each has a kind and a name")
    found: dict[str, Any] = answer
    return found


def compare(case: str, answer: dict[str, Any], verdict: dict[str, Any]) -> Scored:
    """Compare a verdict, as `results.json` has it, with the known answer.

    Parameters
    ----------
    case : str
        Its id.
    answer : dict
        The content of `answer.yaml`: a status, and where it is `explained` the `causes`, decoys (`not`), the `fault`,
        and the `onset`, right `within` a length of time.
    verdict : dict
        With a status, causes and an onset.

    Examples
    --------
    >>> found = {"status": "explained", "causes": [{"kind": "feature", "name": "age"}], "onset": None}
    >>> compare("a", {"status": "explained", "causes": [{"kind": "feature", "name": "age"}]}, found).rank
    1
    """
    named, known = verdict["causes"], answer.get("causes") or []
    hits = [i for i, cause in enumerate(named) if any(same(right, cause) for right in known)]
    first = f"{named[0]['kind']} {named[0]['name']}" if named else None
    if answer["status"] != "explained":
        right = verdict["status"] == answer["status"]
        return Scored(case=case, answer=answer["status"], verdict=verdict["status"], named=first, right=right)
    decoys = answer.get("not")
    return Scored(
        case=case,
        answer="explained",
        verdict=verdict["status"],
        named=first,
        rank=hits[0] + 1 if hits else None,
        right=hits[:1] == [0],
        decoy=bool(named) and any(same(one, named[0]) for one in decoys) if decoys else None,
        fault=named[hits[0]].get("fault") == answer["fault"] if hits and answer.get("fault") else None,
        onset=_onset_right(answer, verdict["onset"]),
    )


def same(known: dict[str, Any], named: dict[str, Any]) -> bool:
    """Whether a verdict's cause is the answer's; a concept is, whatever it is called, since a case has one label."""
    if known["kind"] != named["kind"]:
        return False
    return known["kind"] == "concept" or spelled(known["name"]) == spelled(named["name"])


def spelled(name: object) -> str:
    """A cause's name in one spelling.

    >>> spelled("MIL=2.0 & text~Queer"), spelled("text~queer & MIL=2")
    ('MIL=2 & text~queer', 'MIL=2 & text~queer')
    """
    return " & ".join(sorted(_condition(part) for part in str(name).split(" & ")))


def _condition(text: str) -> str:
    for sign in (">=", "<=", "<", ">", "=", "~"):
        column, found, value = text.partition(sign)
        if found:
            return f"{column.strip()}{sign}{_plain_value(value, sign)}"
    return text.strip()


def _plain_value(value: str, sign: str) -> str:
    plain = {"true": "1", "false": "0"}.get(value.strip().casefold(), value.strip())
    if sign == "~":
        return plain.casefold()
    try:
        return f"{float(plain):g}"
    except ValueError:
        return plain


def _onset_right(answer: dict[str, Any], found: dict[str, Any] | None) -> bool | None:
    if not answer.get("onset") or found is None:
        return None
    apart = _moment(found["at"]) - _moment(answer["onset"])
    return abs(apart) <= _length(str(answer.get("within", "1d")))


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _length(text: str) -> timedelta:
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    return timedelta(**{LENGTHS[text[len(number) :].strip()]: float(number)})
