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
SIGNATURE, ENTRY = {"role", "name", "at", "digest", "after"}, ["after", "digest", "sha256", "what"]
PLOT = "application/vnd.plotly.v1+json"
MOST, SKEW = 64 * 1024 * 1024, timedelta(minutes=5)  # bytes of JSON that is read whole; how far clocks may be apart
BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)  # what hostile files end in


def check(given: Path, case: Path | None = None) -> dict[str, Any]:
    """Every answer about the report in a folder, or at the link to one; `status` is what this file exits with."""
    report = given.resolve()
    signing: list[str] = []
    answer: dict[str, Any] = {"made": None, "digest": None, "inputs": "gone", "changes": [], "signatures": []}
    damage = damaged(report, answer)
    if (made := answer["made"]) is not None:
        gather(damage, "the folders around it", around(given, report, made["incident"]))
        where = case or Path(os.path.normpath(report / made["case"]))
        if case or where.is_dir():
            gather(answer["changes"], "the inputs", inputs(where, made))
            answer["inputs"] = "changed" if answer["changes"] else "same"
        gather(signing, "the history of runs and signatures", signed(report, answer | {"damage": damage}))
    holding = {one["role"] for one in answer["signatures"] if not one["void"]}
    bad = damage or signing or answer["changes"] or {one["role"] for one in answer["signatures"]} - holding
    status = 3 if bad else 4 if answer["inputs"] == "gone" else 0
    return {**answer, "damage": damage, "signing": signing, "status": status}


def gather(found: list[str], place: str, problems: Iterator[str]) -> None:
    """Take in what is amiss, as far as files can be read that may be hostile."""
    try:
        found.extend(iter(problems))
    except BROKEN as error:
        found.append(f"{place}: it cannot be read ({type(error).__name__}: {error})")


# --- the report ------------------------------------------------------------------------------------------------------


def damaged(report: Path, answer: dict[str, Any]) -> list[str]:
    """Everything in the folder that is not as its manifest says; the manifest is put into `answer`."""
    problems: list[str] = []
    gather(problems, MANIFEST, files(report, answer))
    if not problems:
        gather(problems, "the structure of the report", structure(report, answer["made"]))
    return problems


def files(report: Path, answer: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the files of the folder, byte for byte."""
    found = {path.name.encode("utf-8", "backslashreplace").decode(): odd(path) for path in sorted(report.iterdir())}
    yield from (f"{name}: {what}" for name, what in found.items() if what)
    yield from (f"{name}: missing" for name in (MANIFEST, SIDECAR) if name not in found)
    if found.get(MANIFEST) == found.get(SIDECAR) == "":
        digest, sidecar = sha256(report / MANIFEST), report / SIDECAR
        if sidecar.stat().st_size > 200 or sidecar.read_bytes() != f"{digest}  {MANIFEST}\n".encode():
            yield f"{MANIFEST}: its digest is not the one in {SIDECAR}"
        if report.parent.name == RUNS and report.name[-13:] != f"-{digest[:12]}":
            yield f"{MANIFEST}: its digest is not the one in the name of its folder"
    made = manifest(report)
    answer.update(made=made, digest=sha256(report / MANIFEST))
    outputs, ours = made["outputs"], {*made["templates"], RESULTS, PAGE, SELF, *({LIBRARY} & made["outputs"].keys())}
    yield from (f"{name}: missing" for name in outputs if name not in found)
    yield from (f"{name}: added" for name in found if name not in {*outputs, MANIFEST, SIDECAR})
    yield from (
        f"{name}: {'not run' if name in ours else 'no run writes it'}" for name in sorted(ours ^ outputs.keys())
    )
    for name in sorted(outputs):
        if found.get(name) == "" and (what := differs(report / name, outputs[name])):
            yield f"{name}: {what}"


def manifest(report: Path) -> dict[str, Any]:
    """The manifest of a report; an exception of `BROKEN` where it is none."""
    made: dict[str, Any] = load(report / MANIFEST)
    if json.dumps(made.get("schema")) != "1":
        raise ValueError("not a manifest of version 1")
    for key in sorted(
        made.keys() ^ (KEYS | ({"kind", "file"} if "kind" in made else {"only"} | {"masked"} & made.keys()))
    ):
        raise ValueError(f"{key} is {'nothing that a run writes' if key in made else 'missing'}")
    for key in ("inputs", "outputs", "templates"):
        for name, said in made[key].items():
            if {"..", "", "."} & set(name.split("/")) or "\0" in name or ("/" in name and key != "inputs"):
                raise ValueError(f"{key}: {name[:80]!r} leaves the folder")
            if said.keys() != {"sha256", "bytes"} or type(said["bytes"]) is not int or len(said["sha256"]) != 64:
                raise ValueError(f"{key}: {name[:80]!r} has no digest and size")
    roles, texts = made["signing"]["roles"], [made["case"], made["incident"], made.get("file") or ""]
    if not all(isinstance(one, str) for one in [*texts, *roles]) or not isinstance(roles, list):
        raise ValueError("case, incident, file or roles are not what they have to be")
    if (
        texts[0][:1] == "/"
        or "\0" in texts[0]
        or len(texts[0]) > 4096
        or {"case", "source"} & made["parameters"].keys()
    ):
        raise ValueError("case or parameters are not what they have to be")
    if (since := made["signing"]["since"]) is not None and datetime.now(UTC) < datetime.fromisoformat(since):
        raise ValueError("it was made before the incident was detected")
    return made


def differs(path: Path, said: dict[str, Any]) -> str:
    """What became of a file, by its size, then by its digest; empty where it is the same."""
    if (size := path.stat().st_size) != said["bytes"]:
        return f"{size:,} bytes instead of {said['bytes']:,}"
    return "" if sha256(path) == said["sha256"] else "its content changed"


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
        if any(json.dumps(said[key]) != json.dumps(value) for key, value in given.items() if key in said):
            yield f"{name}: its parameters are not those of the manifest"
        shown = [output for _, tags, outputs in cells if "elsewhere" not in tags for output in outputs]
        figures += sum(PLOT in output.get("data", ()) for output in shown)
    page, results = (report / PAGE).read_text(encoding="utf-8"), load(report / RESULTS)
    if page.count('<figure class="plot"') != figures:
        yield f"{PAGE}: not the figures of the notebooks, which have {figures}"
    if (f"<script src='{LIBRARY}'" in page) != (LIBRARY in made["outputs"]):
        yield f"{LIBRARY}: beside a page that does not use it, or used and not there"
    if results["incident"] != made["incident"]:
        yield f"{RESULTS}: of another incident"
    if "only" in made and made["outputs"][RESULTS]["sha256"] not in page:
        yield f"{PAGE}: it is of other results than {RESULTS}"


def inputs(case: Path, made: dict[str, Any]) -> Iterator[str]:
    """What became of the inputs; of a report on many incidents not whether one was added."""
    if not case.is_dir():
        yield "there is no such folder"
        return
    for name, said in made["inputs"].items():
        inside = (case / name).resolve().is_relative_to(case.resolve())
        if what := (differs(case / name, said) if inside else "leads elsewhere") if (case / name).is_file() else "gone":
            yield f"{name}: {what}"
    for path in (Path(folder, name) for folder, _, names in os.walk(case) for name in names if "only" in made):
        name = path.relative_to(case).as_posix()
        if name not in {*made["inputs"], "answer.yaml"} and not re.search(r"(^|/)\.", name) and path.is_file():
            yield f"{name}: added"


# --- what lies around it: other runs, logs, signatures ---------------------------------------------------------------


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
    for line in path.read_bytes().splitlines() if os.path.lexists(path) and not odd(path) else ():
        entry = strict(line)
        if compact(entry) != line or sorted(entry) != ENTRY or entry["after"] != after:
            raise ValueError("a line of the history was edited, added or removed")
        entries.append(entry)
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
    told: list[dict[str, Any]] = load(path)["signatures"]
    for one in told:
        texts = [one["role"], one["at"], one["digest"], one["after"], one["name"] or ""]
        if one.keys() - {"envelope"} != SIGNATURE or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"no file of signatures: {path.name}")
    return told


def void(one: dict[str, Any], answer: dict[str, Any]) -> str:
    """Why a signature does not hold; empty where it does."""
    at, (since, roles) = (
        datetime.fromisoformat(one["at"]),
        (answer["made"]["signing"][key] for key in ("since", "roles")),
    )
    if one["digest"] != answer["digest"]:
        return "what was signed is not this report"
    if answer["damage"] or answer["inputs"] == "changed":
        return "the report is no longer what was signed" if answer["damage"] else "an input has changed since"
    if since is not None and at < datetime.fromisoformat(since):
        return "it is dated before the incident was detected"
    if at > datetime.now(UTC) + SKEW:
        return "it is dated in the future"
    return "the record does not name this role among those who sign" if roles and one["role"] not in roles else ""


# --- files -----------------------------------------------------------------------------------------------------------


def odd(path: Path) -> str:
    """What is wrong with a path as a file; empty where it is a plain one."""
    if path.is_symlink() or path.is_dir():
        return "a symbolic link" if path.is_symlink() else "a folder"
    return "" if path.is_file() else "no plain file"


def sha256(path: Path) -> str:
    """Digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(path: Path) -> Any:
    """A JSON file of a report: plain, and written to the byte as a run writes it."""
    if odd(path) or path.stat().st_size > MOST:
        raise ValueError("not a plain file of its size")
    value = strict(data := path.read_bytes())
    if (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode() != data:
        raise ValueError(f"{path.name} is not written as a run writes it")
    return value


def strict(data: bytes) -> Any:
    """What JSON says where all readers take it alike: no key twice, no NaN."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key comes twice")
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
