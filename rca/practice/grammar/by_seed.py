"""Score what is drawn from many seeds: a JSON line each, written at once; a run goes on where it stopped."""

import json
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

LIMIT = 1200
"""Seconds after which one is given up."""

Line = dict[str, Any]
"""One seed: what is right of it and what was said."""


def run(seeds: Sequence[int], line: Callable[[int], Line], out: Path, *, jobs: int = 1) -> None:
    """Score every seed that the file lacks, and append its line as soon as it is there."""
    from tqdm import tqdm

    have = {line["seed"] for line in read(out)} if out.exists() else set()
    left = [seed for seed in seeds if seed not in have]
    with out.open("a", encoding="utf-8") as file:
        for found in tqdm(_lines(left, line, jobs), total=len(left), unit="seed", file=sys.stderr):
            file.write(json.dumps(found, default=plain) + "\n")
            file.flush()


def _lines(seeds: Sequence[int], line: Callable[[int], Line], jobs: int) -> Iterator[Line]:
    if jobs <= 1:
        yield from (limited(seed, line) for seed in seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting: list[Future[Line]] = [pool.submit(limited, seed, line) for seed in seeds]
        yield from (done.result() for done in as_completed(waiting))


def limited(seed: int, line: Callable[[int], Line]) -> Line:
    """A line within `LIMIT` seconds.

    Raises
    ------
    TimeoutError
        If it takes longer.
    """
    from rca.methods.boosted_trees import on_one_thread

    def give_up(_signal: int, _frame: "FrameType | None") -> None:
        raise TimeoutError(f"no answer within {LIMIT} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT)
    try:
        return on_one_thread(line)(seed)
    finally:
        signal.alarm(0)


def plain(value: Any) -> Any:
    """A value that JSON has no word for."""
    return value.item() if hasattr(value, "item") else str(value)


def read(path: Path) -> list[Line]:
    """The lines of a file; one that was cut off is left out."""
    found = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found
