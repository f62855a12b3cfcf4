"""A run in a process of its own: `python -m rca.service.work.job FOLDER`, with what is to be done in FOLDER/job.json.

It takes its limits first, ends when whoever started it does, and writes FOLDER/outcome.json last.
"""

import fcntl
import json
import os
import resource
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase, RcaError
from rca.record.files.whole_file import write_whole

JOB, OUTCOME = "job.json", "outcome.json"

Job = dict[str, Any]
"""What is to be done: `case`, a folder, which is built of `files` if there are any; `out`; how."""


def main(folder: Path) -> int:
    """Do a job and write what came of it."""
    threading.Thread(target=_lifeline, daemon=True).start()
    job: Job = json.loads((folder / JOB).read_bytes())
    resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        outcome = done(job, folder)
    except InvalidCase as error:
        outcome = {"failed": str(error), "final": True}
    except (RcaError, OSError, MemoryError) as error:
        outcome = {"failed": f"{type(error).__name__}: {error}", "final": False}
    write_whole(folder / OUTCOME, json.dumps(outcome).encode())
    return 0


def _lifeline() -> None:
    """End with whoever holds the other end of our standard input, and take the kernels along."""
    while os.read(0, 4096):
        pass
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)


def done(job: Job, folder: Path) -> dict[str, Any]:
    """Build the case where there is something to build it of, run it, and publish.

    Raises
    ------
    InvalidCase
        If the case is not sound, which another try does not change.
    RunFailed
    """
    from rca.report.run.case_run import run

    case = Path(job["case"])
    with _alone(case):
        notes = _built(case, job, folder) if job.get("files") else []
        how = {"only": job.get("only") or None, "settings": job.get("settings") or {}, "seed": job.get("seed", 0)}
        result = run(case, out=job["out"], progress=False, plotly_file=True, **how)
        if job.get("files"):
            from rca.service.store import Store

            Store(Path(job["out"]), url=job.get("url")).put(case.name, told=_searched(case))
    told = {"report": case.name, "digest": result.digest, "run": result.folder.name, "notes": notes}
    usage = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    cost = {"cpu": round(sum(one.ru_utime + one.ru_stime for one in usage), 2), "kib": max(u.ru_maxrss for u in usage)}
    return {**told, **cost, "verdict": result.verdict, "title": _title(case), "brief": _brief(case)}


@contextmanager
def _alone(case: Path) -> Iterator[None]:
    """Nobody else works on the case meanwhile."""
    case.parent.mkdir(parents=True, exist_ok=True)
    held = os.open(case.parent / f".lock-{case.name}", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _built(case: Path, job: Job, folder: Path) -> list[str]:
    """The case of what was delivered, new or brought up to date."""
    from rca.importers.importing import import_files, new_from
    from rca.service.configuration import Source
    from rca.service.work.sources import furnish

    files, by = [folder / name for name in job["files"]], job["by"]
    _cleared(case)
    done = import_files(case, files, by=by) if case.exists() else new_from(case.parent, case.name, files, by=by)
    for one in job.get("context", ()):
        if _concerns(case, folder / one["file"], one["by"]):
            import_files(case, [folder / one["file"]], by=one["by"])
    notes = [f"asked: {one}" for one in done.asked] + [f"nobody said: {one}" for one in done.unsaid]
    return notes + furnish(case, [Source.model_validate(one) for one in job.get("sources", ())])


def _cleared(case: Path) -> None:
    """Take away what a worker that was killed left half done beside the case; we hold its lock."""
    for draft in (*case.parent.glob(f".{case.name}.*"), *case.glob(".tmp-*")):
        shutil.rmtree(draft) if draft.is_dir() else draft.unlink()


def _concerns(case: Path, file: Path, by: str) -> bool:
    """Whether a delivery of a registry tells of a system of the incident."""
    from rca.importers.fact import Given
    from rca.importers.payload import documents
    from rca.importers.reading import read
    from rca.importers.vendor_map import parsed, vendor
    from rca.record.case import load
    from rca.record.files.yaml_document import read_yaml

    by_map = parsed(read_yaml(Path(by), name="map")) if by.endswith((".yaml", ".yml")) else vendor(by)
    reading = read(documents(file.read_bytes(), name=file.name), by_map, source="", file="", given=Given())
    named = {str(fact.value) for fact in reading.facts if fact.key in ("system", "served")}
    return bool(named & {system.name for system in load(case).incident.systems})


def _title(case: Path) -> str:
    from rca.record.case import load

    return str(load(case).incident.title)


def _searched(case: Path) -> dict[str, Any]:
    """What of a record can be searched, beside the results of its report."""
    from rca.record.case import load
    from rca.record.obligations.duties import duties

    incident = load(case).incident
    told = {"title": incident.title, "systems": [one.name for one in incident.systems], "at": str(incident.as_of or "")}
    owed = [str(one) for one in duties(incident).clear]
    return {**told, "actions": [one.what for one in incident.actions], "duties": owed}


def _brief(case: Path) -> str:
    """The brief of the first hour, as Markdown."""
    from rca.report.first_response.brief import brief, written

    return written(brief(case)[0], "markdown").decode()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
