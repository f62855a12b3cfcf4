"""Is this report as it was made? `python -I verify.py [REPORT] [CASE]`; Python 3.11 or later and nothing else.

A run lays this file into every report for whoever does not trust the package; of a report that you doubt, take it from
elsewhere. `rca verify` asks these same functions. Neither can tell a report whose every digest was made anew: for that
there is the digest that `rca run` printed, kept elsewhere, and `rca verify --rerun`, which derives everything again.
Exit status: 0 yes, 2 there is no report, 3 a person has to look, 4 it cannot be said, for the inputs are gone.
"""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # a json.py that lies in the report is not to be believed

import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

MANIFEST, SIDECAR, RESULTS, PAGE, SELF = "manifest.json", "manifest.sha256", "results.json", "report.html", "verify.py"
LIBRARY = "plotly.js"  # beside the page where that was asked for
LOG, SIGNED, HISTORY, RUNS = ".log.json", ".signed.json", ".history.jsonl", ".runs"
BESIDE = rf"(.+-[0-9a-f]{{12}}({LOG}|{SIGNED})?|.+{HISTORY}|(failed|damaged)-.+-\d+|\.tmp-.+)"  # what may lie in .runs
KEYS = {"schema", "incident", "case", "parameters", "inputs", "templates", "signing", "code", "environment", "outputs"}
SIGNATURE, ENTRY = {"role", "name", "at", "digest", "after"}, {"after", "digest", "sha256", "what"}
PLOT = "application/vnd.plotly.v1+json"
MOST, SKEW = 64 * 1024 * 1024, timedelta(minutes=5)  # bytes of a file read whole; how far clocks may be apart
BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)  # what hostile files end in


def check(given: Path, case: Path | None = None) -> dict[str, Any]:
    """Every answer about the report in a folder, or at the link to one; `status` is what this file exits with."""
    report = given.resolve()
    answer: dict[str, Any] = {"made": None, "digest": None, "inputs": "gone", "changes": [], "signatures": []}
    answer |= {"damage": damaged(report, answer), "signing": []}
    if (made := answer["made"]) is not None:
        answer["damage"] += told("the folders around it", around(given, report, made["incident"]))
        where = case or Path(os.path.normpath(report / made["case"]))
        if case or where.is_dir():
            answer["changes"] = told("the inputs", inputs(where, made))
            answer["inputs"] = "changed" if answer["changes"] else "same"
        answer["signing"] = told("the history of runs and signatures", signed(report, answer))
    holding = {one["role"] for one in answer["signatures"] if not one["void"]}
    unsigned = {one["role"] for one in answer["signatures"]} - holding
    bad = answer["damage"] or answer["changes"] or answer["signing"] or unsigned
    return {**answer, "status": 3 if bad else 4 if answer["inputs"] == "gone" else 0}


def told(place: str, problems: Iterator[str]) -> list[str]:
    """What is amiss, as far as files can be read that may be hostile."""
    said: list[str] = []
    try:
        said.extend(problems)
    except BROKEN as error:
        said.append(f"{place}: it cannot be read ({type(error).__name__}: {error})")
    return said


def damaged(report: Path, answer: dict[str, Any]) -> list[str]:
    """Everything in the folder that is not as its manifest says; manifest and digest are put into `answer`."""
    return told(MANIFEST, files(report, answer)) or told("the structure of it", structure(report, answer["made"]))


def files(report: Path, answer: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the files of the folder, byte for byte."""
    there = {path.name.encode("utf-8", "backslashreplace").decode(): odd(path) for path in sorted(report.iterdir())}
    yield from (f"{name}: {there.get(name, 'missing')}" for name in (MANIFEST, SIDECAR) if there.get(name, "missing"))
    answer["digest"], answer["made"] = digest, made = sha256(report / MANIFEST), manifest(report)
    if there.get(SIDECAR) == "" and read(report / SIDECAR) != f"{digest}  {MANIFEST}\n".encode():
        yield f"{MANIFEST}: its digest is not the one in {SIDECAR}"
    if report.parent.name == RUNS and report.name[-13:] != f"-{digest[:12]}":
        yield f"{MANIFEST}: its digest is not the one in the name of its folder"
    outputs = made["outputs"]
    ours = {*made["templates"], RESULTS, PAGE, SELF, *({LIBRARY} & outputs.keys())}
    yield from (f"{name}: {'not run' if name in ours else 'no run writes it'}" for name in ours ^ outputs.keys())
    for name in sorted({*there, *outputs} - {MANIFEST, SIDECAR}):
        known = differs(report / name, outputs[name]) if name in outputs and there.get(name) == "" else "added"
        if what := there.get(name, "missing") or known:
            yield f"{name}: {what}"


def manifest(report: Path) -> dict[str, Any]:
    """The manifest of a report; an exception of `BROKEN` where it is none."""
    made: dict[str, Any] = load(report / MANIFEST)
    need(json.dumps(made.get("schema")) == "1", "not a manifest of version 1")
    for other in sorted(
        made.keys() ^ (KEYS | ({"kind", "file"} if "kind" in made else {"only"} | {"masked"} & made.keys()))
    ):
        raise ValueError(f"{other} is {'nothing that a run writes' if other in made else 'missing'}")
    for key in ("inputs", "outputs", "templates"):
        for name, said in made[key].items():
            out = {"..", "", "."} & {*name.split("/")} or "\0" in name or ("/" in name and key != "inputs")
            need(not out, f"{key}: {name[:80]!r} leaves the folder")
            sized = said.keys() == {"sha256", "bytes"} and type(said["bytes"]) is int and len(said["sha256"]) == 64
            need(sized, f"{key}: {name[:80]!r} has no digest and size")
    case, roles, since = made["case"], made["signing"]["roles"], made["signing"]["since"]
    texts = [case, made["incident"], made.get("file") or "", *roles]
    need(type(roles) is list and all(type(one) is str for one in texts), "case, incident, file or roles are no texts")
    need(case[:1] != "/" and "\0" not in case and len(case) <= 4096, "case is no path from here")
    need(not {"case", "source"} & made["parameters"].keys(), "parameters are not what they have to be")
    need(since is None or datetime.fromisoformat(since) <= datetime.now(UTC), "it was made before the incident")
    return made


def structure(report: Path, made: dict[str, Any]) -> Iterator[str]:
    """What does not fit together though all digests agree: who makes them anew may leave traces."""
    source = made["case"] + (f"/{made['file']}" if made.get("file") else "")
    given, figures = {**made["parameters"], "case": made["case"], "source": source}, 0
    for name in made["templates"]:
        notebook = load(report / name)
        cells = [(cell["id"], cell["metadata"].get("tags", []), cell.get("outputs", [])) for cell in notebook["cells"]]
        failed = any(output["output_type"] == "error" for *_, outputs in cells for output in outputs)
        injected = sum("injected-parameters" in tags for _, tags, _ in cells)
        if failed or injected != 1 or len({cell for cell, *_ in cells}) != len(cells):
            yield f"{name}: not the cells of a notebook that was run"
        said = notebook["metadata"]["papermill"]["parameters"]
        if any(json.dumps(said[key]) != json.dumps(given[key]) for key in given.keys() & said.keys()):
            yield f"{name}: its parameters are not those of the manifest"
        shown = [output for _, tags, outputs in cells if "elsewhere" not in tags for output in outputs]
        figures += sum(PLOT in output.get("data", ()) for output in shown)
    page = (report / PAGE).read_text(encoding="utf-8")
    if page.count('<figure class="plot"') != figures:
        yield f"{PAGE}: not the figures of the notebooks, which have {figures}"
    if (f"<script src='{LIBRARY}'" in page) != (LIBRARY in made["outputs"]):
        yield f"{LIBRARY}: beside a page that does not use it, or used and not there"
    if load(report / RESULTS)["incident"] != made["incident"]:
        yield f"{RESULTS}: of another incident"
    if "only" in made and made["outputs"][RESULTS]["sha256"] not in page:
        yield f"{PAGE}: it is of other results than {RESULTS}"


def inputs(case: Path, made: dict[str, Any]) -> Iterator[str]:
    """What became of the inputs; of a report on many incidents not whether one was added."""
    need(case.is_dir(), "there is no such folder")
    for name, said in made["inputs"].items():
        inside = (case / name).resolve().is_relative_to(case.resolve())
        if what := (differs(case / name, said) if inside else "leads elsewhere") if (case / name).is_file() else "gone":
            yield f"{name}: {what}"
    for path in (Path(folder, name) for folder, _, names in os.walk(case) for name in names if "only" in made):
        name = path.relative_to(case).as_posix()
        if name not in {*made["inputs"], "answer.yaml"} and not re.search(r"(^|/)\.", name) and path.is_file():
            yield f"{name}: added"


def around(given: Path, report: Path, incident: str) -> Iterator[str]:
    """What is amiss about where the report lies."""
    if given.is_symlink() and given.name != incident:
        yield f"{given.name}: the link leads to a report of {incident[:80]!r}"
    if report.parent.name != RUNS and os.path.lexists(report.parent / RUNS / (incident + HISTORY)):
        yield f"{report.name}: a folder where the link to the latest run has to be"
    if report.parent.name == RUNS:
        if report.name[:-13] != incident:
            yield f"{MANIFEST}: it is of {incident[:80]!r}, which is not the name of its folder"
        names = sorted(path.name for path in report.parent.iterdir())
        yield from (f"{RUNS}/{name}: no run puts it there" for name in names if not re.fullmatch(BESIDE, name))


def history(report: Path, incident: str) -> Path:
    """Where the history of the runs of an incident lies, or that of a report which was carried elsewhere."""
    return report.with_name((incident if report.parent.name == RUNS else report.name) + HISTORY)


def chain(path: Path) -> list[dict[str, str]]:
    """The lines of a history, each bound to the one before it; ValueError where one was edited, added or removed."""
    entries, after = [], ""
    for line in read(path).splitlines() if os.path.lexists(path) else ():
        entries.append(entry := strict(line))
        sound = compact(entry) == line and entry.keys() == ENTRY and entry["after"] == after
        need(sound, "a line of the history was edited, added or removed")
        after = hashlib.sha256(line).hexdigest()
    return entries


def signed(report: Path, answer: dict[str, Any]) -> Iterator[str]:
    """What is amiss about runs and signatures; each signature is put into `answer`, with why it is void."""
    runs, place, digest = report.parent.name == RUNS, history(report, answer["made"]["incident"]), answer["digest"]
    entries = chain(place)
    ran = [one["digest"] for one in entries if one["what"] == "run"]
    if runs and digest not in ran:
        yield f"{place.name}: this run is not on record"
    elif runs and ran[-1] != digest:
        yield f"{place.name}: a later run of this incident is on record, of digest {ran[-1][:12]}"
    log, logs = report.with_name(report.name + LOG), [one["sha256"] for one in entries if one["digest"] == digest]
    if runs and os.path.lexists(log) and (odd(log) or sha256(log) not in logs):
        yield f"{log.name}: its content changed"
    due = [one["sha256"] for one in entries if one["what"] == "signed"]
    named = re.escape(place.name.removesuffix(HISTORY)) + ("-[0-9a-f]{12}" if runs else "") + re.escape(SIGNED)
    for path in sorted(path for path in report.parent.iterdir() if re.fullmatch(named, path.name)):
        for one in signatures(path):
            answer["signatures"].append({**one, "void": void(one, answer)})
            if (seen := hashlib.sha256(compact(one)).hexdigest()) in due:
                due.remove(seen)
            else:
                yield f"{path.name}: the signature of {one['role'][:80]!r} is not on record as it stands here"
    yield from (f"{place.name}: a signature on record is gone, or was edited" for _ in due)


def signatures(path: Path) -> list[dict[str, Any]]:
    """The signatures in a file; an exception of `BROKEN` where it is none."""
    made: list[dict[str, Any]] = load(path)["signatures"]
    for one in made:
        texts = [one["role"], one["at"], one["digest"], one["after"], one["name"] or ""]
        sound = one.keys() - {"envelope"} == SIGNATURE and all(type(text) is str for text in texts)
        need(sound, f"no file of signatures: {path.name}")
    return made


def void(one: dict[str, Any], answer: dict[str, Any]) -> str:
    """Why a signature does not hold; empty where it does."""
    at, signing = datetime.fromisoformat(one["at"]), answer["made"]["signing"]
    since, roles = signing["since"], signing["roles"]
    reasons = {
        "what was signed is not this report": one["digest"] != answer["digest"],
        "the report is no longer what was signed": answer["damage"],
        "an input has changed since": answer["changes"],
        "it is dated before the incident was detected": since is not None and at < datetime.fromisoformat(since),
        "it is dated in the future": at > datetime.now(UTC) + SKEW,
        "the record does not name this role among those who sign": roles and one["role"] not in roles,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def need(fact: object, what: str) -> None:
    """Stop reading what a run cannot have written."""
    if not fact:
        raise ValueError(what)


def odd(path: Path) -> str:
    """What is wrong with a path as a file; empty where it is a plain one."""
    kinds = {"a symbolic link": path.is_symlink(), "a folder": path.is_dir(), "no plain file": not path.is_file()}
    return next((kind for kind, holds in kinds.items() if holds), "")


def differs(path: Path, said: dict[str, Any]) -> str:
    """What became of a file, by its size, then by its digest; empty where it is the same."""
    if (size := path.stat().st_size) != said["bytes"]:
        return f"{size:,} bytes instead of {said['bytes']:,}"
    return "" if sha256(path) == said["sha256"] else "its content changed"


def sha256(path: Path) -> str:
    """Digest of a file, read in pieces."""
    need(path.is_file(), f"{path.name} is no plain file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path) -> bytes:
    """A plain file that is not too large."""
    need(not odd(path) and path.stat().st_size <= MOST, f"{path.name} is not a plain file of its size")
    return path.read_bytes()


def load(path: Path) -> Any:
    """A JSON file of a report: plain, and written to the byte as a run writes it."""
    value = strict(data := read(path))
    written = (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
    need(written == data, f"{path.name} is not written as a run writes it")
    return value


def strict(data: bytes) -> Any:
    """What JSON says where all readers take it alike: no key twice, no NaN."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(pairs)) == len(pairs), "a key comes twice")
        return dict(pairs)

    return json.loads(data, object_pairs_hook=once, parse_constant=int)


def compact(value: Any) -> bytes:
    """JSON that leaves no choice (RFC 8785, of what has no fractions): keys in order, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def main(argv: list[str]) -> int:
    """Say what there is to say, a line each, and give the exit status."""
    report, case = Path(argv[0]) if argv else Path(__file__).parent, Path(argv[1]) if argv[1:] else None
    if not report.is_dir():
        print(f"{SELF}: there is no such folder; python -I verify.py [REPORT] [CASE]")
        return 2
    answer = check(report, case)
    said = [f"digest  {answer['digest']}", f"inputs  {answer['inputs']}"]
    said += [f"signed  {one['role']}, {one['at']}: {one['void'] or 'holds'}" for one in answer["signatures"]]
    said += [f"AMISS   {one}" for one in (*answer["damage"], *answer["changes"], *answer["signing"])]
    said.append({0: "as it was made", 3: "a person has to look", 4: "cannot be said"}[answer["status"]])
    print("\n".join("".join(char if char.isprintable() else "?" for char in line) for line in said))
    return int(answer["status"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
