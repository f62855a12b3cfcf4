"""Benchmark on cases with a known cause: was it named, at which rank, and how do simple baselines compare."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from rca.analysis.conclusion.verdict import Status
from rca.errors import InvalidCase, RcaError
from rca.practice.baselines import (
    Baseline,
    BaselineCount,
    chance,
    count_baselines,
    largest_latency_ratio,
    table_baselines,
)
from rca.record.files.case_folder import path_of
from rca.result import Result, Row

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.record.case import Case

LENGTHS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
"""How lengths of time are written in an answer: `90min`, `1d`."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One case, analysed and compared with its known answer.

    Attributes
    ----------
    case, answer, verdict : str
        Its id, the known status (`unreadable` where there is none), and the status found (`failed` where the analysis
        did not come to one).
    named : str or None
        The first cause named.
    rank : int or None
        Of the first right cause; None where none is named, or the answer is not `explained`.
    right : bool
        A right cause first, or the known status said; where that is not `explained`, either will do.
    decoy : bool or None
        Whether a decoy was named first; None where the case has none.
    fault, onset : bool or None
        Whether they are right, a missed cause's fault being wrong; None where the answer knows none, or none is dated.
    seconds : float
        Processor time of the analysis.
    error : str or None
        Why there is no verdict.
    known : tuple of str
        Names of the right causes.
    systems : int
        Candidate systems; 0 where the case has no signals.
    n_sigma, ratio : bool or None
        Whether a plain n-sigma over all signals names a right cause, and the largest ratio of latency after to before;
        None where the case has no signals, or no latency.
    grounded : bool or None
        Whether a supported path leads from the first to the alarm; None where none can be known.
    baselines : tuple of Baseline
        What simple methods name; empty where the case has no tables.
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
    known: tuple[str, ...] = ()
    systems: int = 0
    n_sigma: bool | None = None
    ratio: bool | None = None
    grounded: bool | None = None
    baselines: tuple[Baseline, ...] = ()


FIRST = (1, 2, 3, 4, 5)
"""How many causes are looked at; Avg@5 is the mean over them."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Cases of one kind, named alike but for a number: `shop-01`, `shop-02`.

    Attributes
    ----------
    name : str
    cases : int
        Those whose cause is known.
    found : tuple of int
        In how many a right cause is among the first 1, 2, 3, 4 and 5 that are named.
    named, named_right : int
        In how many the verdict is "explained", and in how many of those its first is right.
    abstained, abstained_right : int
        In how many the verdict is "cannot tell", and in how many of those the first candidate is right.
    quiet : int
        In how many it is "no incident".
    grounded, ungrounded : int
        Right ones with a supported path from the first to the alarm, and without.
    chance : tuple of float
        What a random order of the systems finds on average, at 1 to 5; zeros where the cases have no signals.
    constant : int
        In how many the answer is right that is right most often.
    n_sigma : int
        In how many a plain n-sigma names a right system.
    missed : (int, int)
        Right of the cases that n-sigma misses, and how many those are.
    ratio : (int, int)
        In how many the largest ratio of latency after to before is a right system's, and in how many there is one.
    """

    name: str
    cases: int
    found: tuple[int, ...]
    named: int
    named_right: int
    abstained: int
    abstained_right: int
    quiet: int
    grounded: int
    ungrounded: int
    chance: tuple[float, ...]
    constant: int
    n_sigma: int
    missed: tuple[int, int] = (0, 0)
    ratio: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, name: str, rows: Sequence[Scored]) -> "Family":
        """Count the cases of a family."""
        silent, named = ([row for row in rows if row.verdict == one] for one in ("cannot_tell", "explained"))
        said = Counter(name for row in rows for name in set(row.known))
        return cls(
            name=name,
            cases=len(rows),
            found=tuple(sum(row.rank is not None and row.rank <= first for row in rows) for first in FIRST),
            named=len(named),
            named_right=sum(row.rank == 1 for row in named),
            abstained=len(silent),
            abstained_right=sum(row.rank == 1 for row in silent),
            quiet=sum(row.verdict == "no_incident" for row in rows),
            grounded=sum(row.rank == 1 and row.grounded is True for row in rows),
            ungrounded=sum(row.rank == 1 and row.grounded is False for row in rows),
            chance=tuple(sum(chance(len(set(row.known)), row.systems, first) for row in rows) for first in FIRST),
            constant=max(said.values(), default=0),
            n_sigma=sum(bool(row.n_sigma) for row in rows),
            missed=_count((row for row in rows if row.n_sigma is False), lambda row: row.rank == 1),
            ratio=_count((row for row in rows if row.ratio is not None), lambda row: bool(row.ratio)),
        )

    def row(self) -> Row:
        """The counts as shares, as the literature has them."""
        share, signals = [found / self.cases for found in self.found], any(self.chance)
        return {
            "family": self.name,
            "cases": self.cases,
            "AC@1": f"{share[0]:.2f}",
            "AC@3": f"{share[2]:.2f}",
            "Avg@5": f"{sum(share) / len(share):.2f}",
            "named": self.named,
            "and right": self.named_right,
            "abstained": self.abstained,
            "right at 1": self.abstained_right,
            "quiet": self.quiet,
            "grounded": self.grounded if signals else "–",
            "ungrounded": self.ungrounded if signals else "–",
            "chance @1": f"{self.chance[0] / self.cases:.2f}",
            "chance Avg@5": f"{sum(self.chance) / len(FIRST) / self.cases:.2f}",
            "constant @1": f"{self.constant / self.cases:.2f}",
            "n-sigma @1": f"{self.n_sigma / self.cases:.2f}" if signals else "–",
            "where it misses": "{} of {}".format(*self.missed) if signals else "–",
            "ratio @1": f"{self.ratio[0] / self.ratio[1]:.2f}" if self.ratio[1] else "–",
        }


@dataclass(frozen=True, kw_only=True)
class Score(Result):
    """Scores of a library: a row a case, and the totals."""

    cases: tuple[Scored, ...]

    @property
    def failed(self) -> tuple[Scored, ...]:
        """Cases whose analysis came to no verdict."""
        return tuple(row for row in self.cases if row.error is not None)

    @property
    def families(self) -> tuple[Family, ...]:
        """Families of more than one case, by name; totals pooled over them would hide what fails in one."""
        groups: dict[str, list[Scored]] = {}
        for row in self.cases:
            name, _, number = row.case.rpartition("-")
            if row.answer == "explained" and number.isdigit() and name:
                groups.setdefault(name, []).append(row)
        return tuple(Family.of(name, rows) for name, rows in sorted(groups.items()) if len(rows) > 1)

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

    @property
    def baselines(self) -> tuple[BaselineCount, ...]:
        """Counts of each baseline for tables, over the cases whose cause is known."""
        return count_baselines((row.baselines, row.rank == 1) for row in self.cases if row.answer == "explained")

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
        families = [family.row() for family in self.families]
        lines = [*_lines(self.rows()), *(["", *_lines(families)] if families else [])]
        lines += ["", *(f"{name}: {n} of {of}" for name, (n, of) in self.totals.items()), *map(str, self.baselines)]
        lines += [f"{row.case} failed: {row.error}" for row in self.failed]
        return "\n".join([*lines, f"CPU seconds: {sum(row.seconds for row in self.cases):.1f}"])

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {
            "totals": {name: list(pair) for name, pair in self.totals.items()},
            "families": [asdict(family) for family in self.families],
            "baselines": [asdict(count) for count in self.baselines],
        }


def _lines(rows: Sequence[Row]) -> list[str]:
    """Rows as lines of a table with a head."""
    table = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in table]


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

    answers = sorted(path_of(library, place="library").glob("*/answer.yaml"))
    if not answers:
        raise InvalidCase.because(
            "no case with an answer.yaml", place=str(library), hint="a scored library is a folder of case folders"
        )
    bar = tqdm(answers, disable=not progress, unit="case", desc="scoring")
    return Score(cases=tuple(_scored(path, seed) for path in bar))


def _scored(path: Path, seed: int) -> Scored:
    from rca.analysis.conclusion.analyse import analyse
    from rca.record.case import Case
    from rca.record.files.yaml_document import read_yaml

    case, status, started = path.parent.name, "unreadable", time.process_time()
    try:
        answer = _sound(read_yaml(path, name=f"{case}/answer.yaml").value, place=f"{case}/answer.yaml")
        status = answer["status"]
        given = Case.load(path.parent)
        found = analyse(given, seed=seed)
        row = _beside(compare(case, answer, found.results()["verdict"]), answer, found=found, case=given)
    except RcaError as error:
        row = Scored(case=case, answer=status, verdict="failed", error=str(error))
    return replace(row, seconds=time.process_time() - started)


def _beside(row: Scored, answer: dict[str, Any], *, found: "Analysis", case: "Case") -> Scored:
    """A scored case with the results of simple baselines."""
    causes, spread = answer.get("causes") or [], found.cascade

    def right(column: str) -> bool:
        return any(same(one, {"kind": "feature", "name": column}) for one in causes)

    known = tuple(sorted(str(one["name"]) for one in causes))
    row = replace(row, known=known, baselines=table_baselines(found, case.model, right=right))
    if spread is None or case.signals is None or case.incident.signals is None:
        return row
    slowest = largest_latency_ratio(case.signals, case.incident.signals)
    return replace(
        row,
        systems=len(spread.suspects),
        n_sigma=spread.n_sigma in known,
        ratio=slowest in known if slowest is not None else None,
        grounded=spread.grounded,
    )


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
        The content of `answer.yaml`: a status, the `causes`, and where it is `explained` decoys (`not`), the `fault`,
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
        right = verdict["status"] == answer["status"] or hits[:1] == [0]
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
        fault=bool(hits) and named[hits[0]].get("fault") == answer["fault"] if answer.get("fault") else None,
        onset=_onset_right(answer, verdict["onset"]),
    )


def same(known: dict[str, Any], named: dict[str, Any]) -> bool:
    """Whether a verdict's cause is the answer's; `concept` and `labels` are, whatever they are called.

    A case has one label, so that its name tells nothing apart; all other causes are compared by kind and name.
    """
    if known["kind"] != named["kind"]:
        return False
    return known["kind"] in ("concept", "labels") or normal_name(known["name"]) == normal_name(named["name"])


def normal_name(name: object) -> str:
    """A cause's name in a normal form.

    >>> normal_name("MIL=2.0 & text~Queer"), normal_name("text~queer & MIL=2")
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
