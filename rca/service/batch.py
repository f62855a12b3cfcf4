"""Many cases side by side: each run in a process of its own, with limits; what is up to date is not run again."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase
from rca.record.files.case_folder import RECORD
from rca.service.work.process import run_job


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What became of a case: `done`, `kept` where its report was up to date, or `failed`, with the reason."""

    case: str
    became: str
    status: str = ""
    says: str = ""
    cpu: float = 0.0

    def __str__(self) -> str:
        return f"{self.became:<6}  {self.case:<32}  {self.status.replace('_', ' '):<12}  {self.says}"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What became of many cases, in their order."""

    ran: tuple[Ran, ...]

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(one.became == "failed" for one in self.ran)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain values."""
        counts = Counter(one.became for one in self.ran)
        return {"counts": dict(sorted(counts.items())), "cases": [asdict(one) for one in self.ran]}

    def __str__(self) -> str:
        counts = Counter(one.became for one in self.ran)
        head = ", ".join(f"{count} {became}" for became, count in sorted(counts.items()))
        status = Counter(one.status.replace("_", " ") for one in self.ran if one.status)
        told = ", ".join(f"{count} {name}" for name, count in status.most_common())
        lines = [f"{len(self.ran)} cases: {head}", *([told] if told else [])]
        return "\n".join([*lines, *(str(one) for one in self.ran if one.became == "failed")])


def folders(given: Iterable[Path]) -> list[Path]:
    """Folders of cases: those that are given, and those in folders that are none themselves.

    Raises
    ------
    InvalidCase
        If there is none, or two have one name.
    """
    found = [case for place in given for case in _within(place)]
    named = Counter(case.name for case in found)
    if not found:
        raise InvalidCase.because(
            "there are no cases here", place="CASES", hint="name case folders, or folders of them"
        )
    if twice := next((name for name, count in named.items() if count > 1), None):
        hint = "each has a report of its own name; run them apart"
        raise InvalidCase.because(f"two cases are called {twice}", place="CASES", hint=hint)
    return found


def _within(place: Path) -> Iterator[Path]:
    if (place / RECORD).is_file():
        yield place
    else:
        yield from (record.parent for record in sorted(place.glob(f"*/{RECORD}")))


def run_batch(
    cases: Sequence[Path],
    *,
    out: Path,
    workers: int,
    job: Mapping[str, Any],
    seconds: float,
    again: bool = False,
    tell: Callable[[Ran, int], None] = lambda _ran, _left: None,
) -> Batch:
    """Run many cases.

    Parameters
    ----------
    cases : sequence of Path
    out : Path
        Where reports go.
    workers : int
        How many at a time.
    job : mapping
        `only`, `settings`, `seed`, `memory` of each run.
    seconds : float
        That one may take.
    again : bool
        Run also what is up to date.
    tell : callable
        Told of each case that is through, and how many are left.
    """
    left, lock = len(cases), threading.Lock()
    out.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()

    def one(case: Path) -> Ran:
        nonlocal left
        ran = (None if again else _kept(case, out, job)) or _ran(case, out, job, seconds, stop)
        with lock:
            left -= 1
            tell(ran, left)
        return ran

    with ThreadPoolExecutor(workers) as pool:
        try:
            return Batch(ran=tuple(pool.map(one, cases)))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _ran(case: Path, out: Path, job: Mapping[str, Any], seconds: float, stop: threading.Event) -> Ran:  # noqa: PLR0917
    wanted = {**job, "case": str(case.absolute()), "out": str(out.absolute())}
    found = run_job(wanted, {}, seconds=seconds, go_on=lambda: not stop.is_set())
    if why := found.get("failed"):
        return Ran(case=case.name, became="failed", says=why)
    verdict = found["verdict"]
    return Ran(case=case.name, became="done", status=verdict["status"], says=verdict["summary"], cpu=found["cpu"])


def _kept(case: Path, out: Path, job: Mapping[str, Any]) -> Ran | None:
    """A report that is whole, and was made of these inputs, with these settings, by this code."""
    from rca.report.manifest.integrity import MANIFEST, damage
    from rca.report.manifest.provenance import code, inputs

    report = out / case.name
    try:
        made = json.loads((report / MANIFEST).read_bytes())
        verdict = json.loads((report / "results.json").read_bytes())["verdict"]
        asked = made["parameters"] == {"seed": job["seed"], **job["settings"]} and made["only"] == _list(job["only"])
        same = asked and made["inputs"] == inputs(case) and made["code"]["sha256"] == code()
        if not same or damage(report.resolve()):
            return None
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Ran(case=case.name, became="kept", status=verdict["status"], says=verdict["summary"])


def _list(names: Any) -> list[str] | None:
    return list(names) if names else None
