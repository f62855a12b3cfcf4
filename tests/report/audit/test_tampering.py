"""Kinds of tampering with a report, its case and what lies around it: each is caught, or lies outside the promise."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from rca import shipped
from rca.report.audit import rerun
from rca.report.audit import verify as verifying
from rca.report.audit.sign import sign
from rca.report.audit.verify import verify
from rca.report.cells.output import RESULTS
from rca.report.manifest import provenance, standalone
from rca.report.notebooks.canonical import to_json
from rca.report.run import case_run
from rca.report.run.case_run import run
from tests.report.tiny_notebooks import RESULT, notebook

RECORD = """schema: 1
id: tiny
title: Tiny
severity: sev5
category: other
status: closed
timeline: {onset: 2026-03-01T00:00:00Z, detected: 2026-03-05T12:00:00Z, closed: 2026-03-09T12:00:00Z}
postmortem: {sign_off: [head of risk, head of data]}
"""

PLAIN, RERUN = "by verify", "by --rerun alone"
"""How a row is caught; any other word is the reason why it lies outside the promise."""

AS_AN_HONEST_RUN = "an honest run that was asked like this writes the same"
NOT_COVERED = "it is told to be covered by nothing: it is of the machine and the hour, and may be left out"
NOT_READ = "no analysis reads it, so that no answer can come from it"
ALL_ANEW = (
    "who makes report, record and signatures anew has made another report; the digest kept elsewhere tells, or a key"
)
ANOTHER_REPORT = "it is another report that is amiss, and `rca verify` of that one says so"


# --- one small report, made once: all but the kernel is real ---------------------------------------------------------


def executed(template, parameters, stage, *, timeout, tick):
    """A notebook as papermill gives it back: its parameters injected, and an output that depends on every input."""
    lines = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    seen = hashlib.sha256(f"{provenance.inputs(stage / parameters['case'])}{lines}".encode()).hexdigest()
    shown = {RESULTS: {**RESULT, "durations": {"seen": seen}}, "text/plain": "ready"}
    cells = [{**cell, "execution_count": at} for at, cell in enumerate(template.notebook["cells"], 1)]
    cells[-1]["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": shown}]
    tagged = {"tags": ["injected-parameters"]}
    cells.insert(
        1, {"cell_type": "code", "id": "x", "metadata": tagged, "outputs": [], "source": lines, "execution_count": 9}
    )
    return {"cells": cells}


def derived_once(kept):
    """The real derivation, kept by all that it depends on: most rows have the same report derived again."""

    def derive(order, stage):
        key = repr((order.case.digest, order.written, order.seed, order.only, order.settings, order.beside))
        if key not in kept:
            case_run.derive(order, stage)
            kept[key] = {path.name: path.read_bytes() for path in (stage / "report").iterdir()}
        (stage / "report").mkdir(exist_ok=True)
        for name, content in kept[key].items():
            (stage / "report" / name).write_bytes(content)

    return derive


@pytest.fixture(scope="module")
def shelf_made(tmp_path_factory):
    """A case and its reports: an older run, the latest, and who signed it."""
    base = tmp_path_factory.mktemp("tampering")
    (base / "templates").mkdir()
    (base / "templates" / "1_tiny.ipynb").write_text(json.dumps(notebook("show()")), encoding="utf-8")
    case = base / "shelf" / "cases" / "tiny"
    (case / "sources").mkdir(parents=True)
    (case / "incident.yaml").write_text(RECORD, encoding="utf-8")
    (case / "sources" / "minutes.md").write_text("It began on Monday.\n", encoding="utf-8")
    code, environment = cache(provenance.code), cache(provenance.environment)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "templates", lambda: base / "templates")
        patch.setattr(case_run, "execute", executed)
        for module in (provenance, verifying):
            patch.setattr(module, "code", code)
            patch.setattr(module, "environment", environment)
        patch.setattr(rerun, "derive", derived_once({}))
        for seed in (1, 0):
            run(case, out=base / "shelf" / "reports", seed=seed, progress=False)
        sign(base / "shelf" / "reports" / "tiny", role="head of risk", name="HR-7")
        sign(base / "shelf" / "reports" / "tiny", role="head of data")
        yield base / "shelf"


@dataclass
class Shelf:
    """A copy that a row tampers with."""

    root: Path

    @property
    def link(self):
        return self.root / "reports" / "tiny"

    @property
    def case(self):
        return self.root / "cases" / "tiny"

    @property
    def runs(self):
        return self.root / "reports" / ".runs"

    @property
    def run(self):
        return self.link.resolve()

    @property
    def older(self):
        return next(path for path in self.runs.iterdir() if path.is_dir() and path != self.run)

    @property
    def history(self):
        return self.runs / "tiny.history.jsonl"

    def beside(self, ending):
        return self.run.with_name(self.run.name + ending)


@pytest.fixture
def shelf(shelf_made, tmp_path):
    return Shelf(shutil.copytree(shelf_made, tmp_path / "copied", symlinks=True))


@pytest.fixture(scope="module")
def alone(shelf_made):
    """The verifier as it lies in the report, which knows nothing of the package."""
    module = ModuleType("verify_of_a_report")  # no import, which would lay compiled code into the report
    exec((shelf_made / "reports" / "tiny" / "verify.py").read_text(encoding="utf-8"), module.__dict__)
    assert not [name for name in vars(module) if name == "rca"]
    return module


# --- what somebody does who hides it ---------------------------------------------------------------------------------


def edit(path, old, new, count=1):
    content = path.read_bytes()
    assert old in content, (path.name, old)
    path.write_bytes(content.replace(old, new, count))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def linked(path):
    """The same content, by a link that leads elsewhere."""
    kept = path.parent.parent.parent.parent / f"kept-{path.name}"
    path.rename(kept)
    path.symlink_to(kept)


def piped(path):
    path.unlink()
    os.mkfifo(path)


def foldered(path):
    path.unlink()
    path.mkdir()


def changed(path, change):
    """JSON of which a value is another, written as a run writes it."""
    made = json.loads(path.read_bytes())
    change(made)
    path.write_bytes(to_json(made))


def anew(shelf, text=None, **changes):
    """Make the digests of all files, the manifest, its digest, the folder, the record and the signatures anew."""
    old, run, link = hashlib.sha256((shelf.run / "manifest.json").read_bytes()).hexdigest(), shelf.run, shelf.link
    if text is None:
        made = {**json.loads((run / "manifest.json").read_bytes()), **changes}
        there = {name: run / name for name in made.get("outputs", ()) if (run / name).is_file()}
        made |= (
            {"outputs": {**made["outputs"], **{name: provenance.entry(path) for name, path in there.items()}}}
            if there
            else {}
        )
        text = to_json(made)
    (run / "manifest.json").write_bytes(text)
    new = provenance.seal(run)
    name = f"{run.name[:-13]}-{new[:12]}"
    for ending in ("", ".log.json", ".signed.json"):
        run.with_name(run.name + ending).rename(run.with_name(name + ending))
    link.unlink()
    link.symlink_to(f".runs/{name}")
    edit(shelf.beside(".signed.json"), old.encode(), new.encode(), 9)
    edit(shelf.history, old.encode(), new.encode(), 9)
    on_record(shelf)


def on_record(shelf):
    """Put the signatures as they are into a history whose lines hold each other."""
    entries = [json.loads(line) for line in shelf.history.read_bytes().splitlines()]
    entries, after, lines = [one for one in entries if one["what"] == "run"], "", []
    for one in entries:
        lines.append(standalone.compact({**one, "after": after}))
        after = hashlib.sha256(lines[-1]).hexdigest()
    made = (
        json.loads(shelf.beside(".signed.json").read_bytes())
        if shelf.beside(".signed.json").exists()
        else {"signatures": []}
    )
    for one in made["signatures"]:
        seen = hashlib.sha256(standalone.compact(one)).hexdigest()
        lines.append(standalone.compact({"after": after, "what": "signed", "digest": one["digest"], "sha256": seen}))
        after = hashlib.sha256(lines[-1]).hexdigest()
    shelf.history.write_bytes(b"".join(line + b"\n" for line in lines))


def resigned(shelf, **changes):
    """Another signature, and the record as if it had been so from the beginning."""
    changed(shelf.beside(".signed.json"), lambda made: made["signatures"][0].update(changes))
    on_record(shelf)


def manifest_of(shelf):
    return json.loads((shelf.run / "manifest.json").read_bytes())


def without(shelf, key):
    anew(shelf, to_json({name: value for name, value in manifest_of(shelf).items() if name != key}))


def within(shelf, *keys, to):
    """A value within the manifest, and everything anew."""
    made = at = manifest_of(shelf)
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = to
    anew(shelf, **made)


def rewritten(shelf, old, new):
    """The text of the manifest otherwise, and everything anew."""
    text = to_json(manifest_of(shelf))
    assert old in text
    anew(shelf, text.replace(old, new, 1))


def page(shelf, old, new):
    edit(shelf.run / "report.html", old, new)
    anew(shelf)


def results(shelf, change, *, and_page=False):
    before = hashlib.sha256((shelf.run / "results.json").read_bytes()).hexdigest()
    changed(shelf.run / "results.json", change)
    if and_page:
        after = hashlib.sha256((shelf.run / "results.json").read_bytes()).hexdigest()
        content = (shelf.run / "report.html").read_bytes()
        content = content.replace(before.encode(), after.encode()).replace(before[:12].encode(), after[:12].encode())
        (shelf.run / "report.html").write_bytes(content)
    anew(shelf)


def ran(shelf, change):
    changed(shelf.run / "1_tiny.ipynb", change)
    anew(shelf)


def lines(shelf, change):
    kept = shelf.history.read_bytes().splitlines(keepends=True)
    change(kept)
    shelf.history.write_bytes(b"".join(kept))


def back_to(shelf, run):
    shelf.link.unlink()
    shelf.link.symlink_to(f".runs/{run.name}")


def copied_over_link(shelf):
    run = shelf.run
    shelf.link.unlink()
    shutil.copytree(run, shelf.link)


def gone_with_link_back(shelf):
    run, older = shelf.run, shelf.older
    back_to(shelf, older)
    shutil.rmtree(run)
    for ending in (".log.json", ".signed.json"):
        run.with_name(run.name + ending).unlink()


def unsigned_by_all(shelf):
    shelf.beside(".signed.json").unlink()
    on_record(shelf)


FILES = ("1_tiny.ipynb", "results.json", "report.html", "verify.py", "manifest.json", "manifest.sha256")
KEYS = (
    "schema",
    "incident",
    "case",
    "parameters",
    "only",
    "inputs",
    "templates",
    "signing",
    "code",
    "environment",
    "outputs",
)
SIGNED, LOG = ".signed.json", ".log.json"
ERROR = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
FIGURE = {"output_type": "display_data", "metadata": {}, "data": {"application/vnd.plotly.v1+json": {}}}


def of_files(row):
    for name in FILES:
        row(f"{name}: a bit flipped", lambda s, n=name: flip(s.run / n))
        row(f"{name}: gone", lambda s, n=name: (s.run / n).unlink())
        row(f"{name}: emptied", lambda s, n=name: (s.run / n).write_bytes(b""))
        row(f"{name}: a byte more", lambda s, n=name: (s.run / n).write_bytes((s.run / n).read_bytes() + b" "))
        row(f"{name}: a link to the same", lambda s, n=name: linked(s.run / n))
        row(f"{name}: a folder", lambda s, n=name: foldered(s.run / n))
    for name in ("results.json", "manifest.json", "manifest.sha256"):
        row(f"{name}: a pipe", lambda s, n=name: piped(s.run / n))
    for name in ("more.txt", ".hidden", "json.py", "a\nb", os.fsdecode(b"bad\xff")):
        row(f"added: {name!r}", lambda s, n=name: (s.run / n).write_bytes(b""))
    row("added: a folder", lambda s: (s.run / ".ipynb_checkpoints").mkdir())
    row(
        "added: a file that the manifest lists",
        lambda s: [
            (s.run / "more.txt").write_bytes(b"x"),
            anew(s, outputs={**manifest_of(s)["outputs"], "more.txt": provenance.entry(s.run / "more.txt")}),
        ],
    )


def of_keys(row):
    for key in KEYS:
        row(f"manifest without {key}", lambda s, k=key: without(s, k))
    row("manifest: a key more", lambda s: anew(s, approved_by="the board"))
    row("manifest: a kind more", lambda s: anew(s, kind="portfolio"))
    row("manifest: a key twice", lambda s: rewritten(s, b"{\n", b'{\n "incident": "another",\n'))
    row(
        "manifest: an input twice",
        lambda s: rewritten(
            s, b' "inputs": {\n', b' "inputs": {\n  "incident.yaml": {\n   "sha256": "",\n   "bytes": 1\n  },\n'
        ),
    )
    row("manifest: a key more in an entry", lambda s: within(s, "inputs", "incident.yaml", "seen", to=True))
    row("manifest: a key more of the code", lambda s: within(s, "code", "reviewed", to=True), RERUN)
    row("manifest: a key more of the environment", lambda s: within(s, "environment", "host", to="h"), RERUN)
    row("manifest: a key more of signing", lambda s: within(s, "signing", "by", to="h"), RERUN)
    row("manifest: no number", lambda s: rewritten(s, b'"seed": 0', b'"seed": NaN'))
    row("manifest: other blanks", lambda s: anew(s, json.dumps(manifest_of(s)).encode()))
    row("manifest: letters escaped", lambda s: rewritten(s, b'"tiny"', b'"t\\u0069ny"'))
    row("manifest: keys in another order", lambda s: anew(s, to_json(dict(reversed(manifest_of(s).items())))), RERUN)
    row("manifest: version 2", lambda s: anew(s, schema=2))
    row("manifest: version true", lambda s: anew(s, schema=True))
    row("manifest: version 1.0", lambda s: anew(s, schema=1.0))
    for what, text in {
        "no JSON": b"{",
        "a list": b"[]\n",
        "null": b"null\n",
        "deep": b"[" * 99_999,
        "no UTF-8": b"\xff",
        "a mark before": b"\xef\xbb\xbf{}",
        "a long number": b"1" * 9999,
    }.items():
        row(f"manifest: {what}", lambda s, t=text: anew(s, t))


def of_values(row):
    row("manifest: another digest of an input", lambda s: within(s, "inputs", "incident.yaml", "sha256", to="0" * 64))
    row("manifest: another size of an input", lambda s: within(s, "inputs", "incident.yaml", "bytes", to=1))
    row("manifest: a size that is true", lambda s: within(s, "inputs", "incident.yaml", "bytes", to=True))
    row("manifest: an input less", lambda s: anew(s, inputs={}))
    row("manifest: an input more", lambda s: within(s, "inputs", "x.csv", to={"sha256": "0" * 64, "bytes": 1}))
    for name in ("../x", "/etc/x", "a//b", "a\0b", ""):
        row(
            f"manifest: an input {name!r}",
            lambda s, n=name: within(s, "inputs", n, to={"sha256": "0" * 64, "bytes": 1}),
        )
    row("manifest: an output elsewhere", lambda s: within(s, "outputs", "../x", to={"sha256": "0" * 64, "bytes": 1}))
    row(
        "manifest: an output less",
        lambda s: anew(
            s, outputs={name: one for name, one in manifest_of(s)["outputs"].items() if name != "verify.py"}
        ),
    )
    row("manifest: a template more", lambda s: within(s, "templates", "2.ipynb", to={"sha256": "0" * 64, "bytes": 1}))
    row("manifest: another template", lambda s: within(s, "templates", "1_tiny.ipynb", "sha256", to="0" * 64), RERUN)
    row("manifest: other code", lambda s: within(s, "code", "sha256", to="0" * 64), RERUN)
    row("manifest: another version", lambda s: within(s, "code", "version", to="9.9"), RERUN)
    row("manifest: the code is a word", lambda s: anew(s, code="good"), RERUN)
    (row("manifest: another log of what was masked", lambda s: anew(s, masked=[{"kind": "email"}]), RERUN),)
    row("manifest: the environment is a list", lambda s: anew(s, environment=[1]), RERUN)
    row("manifest: another Python", lambda s: within(s, "environment", "python", to="2.7"), RERUN)
    row("manifest: another package", lambda s: within(s, "environment", "packages", "numpy", to="1.0.0"), RERUN)
    row(
        "manifest: a package less",
        lambda s: anew(s, environment={**manifest_of(s)["environment"], "packages": {}}),
        RERUN,
    )
    row("manifest: a package more", lambda s: within(s, "environment", "packages", "sound", to="1"), RERUN)
    row(
        "manifest and page: another package",
        lambda s: [
            edit(s.run / "report.html", b"numpy ", b"numpy 1.0.0-"),
            within(s, "environment", "packages", "numpy", to="1.0.0"),
        ],
        RERUN,
    )
    row("manifest: another seed", lambda s: within(s, "parameters", "seed", to=7))
    row("manifest: the seed is false", lambda s: within(s, "parameters", "seed", to=False))
    row("manifest: a parameter that is none", lambda s: within(s, "parameters", "approved", to="yes"), RERUN)
    row("manifest: another case", lambda s: anew(s, case="../../../cases/other"))
    row("manifest: a case by its whole path", lambda s: anew(s, case="/cases/tiny"))
    row("manifest: a case of a mile", lambda s: anew(s, case="x/" * 4000))
    row("manifest: another incident", lambda s: anew(s, incident="other"))
    row("manifest: signed from earlier on", lambda s: within(s, "signing", "since", to="1999-01-01T00:00:00Z"), RERUN)
    row("manifest: signed from never on", lambda s: within(s, "signing", "since", to="soon"))
    row(
        "manifest: other roles",
        lambda s: within(s, "signing", "roles", to=["head of risk", "head of data", "me"]),
        RERUN,
    )
    row("manifest: no notebook was asked for", lambda s: anew(s, only=["nothing"]), RERUN)
    row("manifest: asked for by name", lambda s: anew(s, only=["tiny"]), AS_AN_HONEST_RUN)


def of_contents(row):
    row("results: a verdict", lambda s: results(s, lambda made: made["verdict"].update(summary="All is well.")))
    row(
        "results and page: a verdict",
        lambda s: results(s, lambda made: made["verdict"].update(summary="All is well."), and_page=True),
        RERUN,
    )
    row("results: of another incident", lambda s: results(s, lambda made: made.update(incident="x"), and_page=True))
    row("results: a key twice", lambda s: [edit(s.run / "results.json", b"{\n", b'{\n "incident": "x",\n'), anew(s)])
    row("page: a word", lambda s: page(s, b"Evidence</h2>", b"Proof</h2>"), RERUN)
    row("page: a script", lambda s: page(s, b"</body>", b"<script>alert(1)</script></body>"), RERUN)
    row("page: a comment", lambda s: page(s, b"</body>", b"<!-- x --></body>"), RERUN)
    row("page: a figure", lambda s: page(s, b"</body>", b'<figure class="plot"></figure></body>'))
    row("page: no UTF-8", lambda s: page(s, b"</body>", b"\xff</body>"))
    row("notebook: an output", lambda s: ran(s, lambda made: made["cells"][2]["outputs"][0]["data"].update(x=1)), RERUN)
    row("notebook: a source", lambda s: ran(s, lambda made: made["cells"][2].update(source=["show(1)"])), RERUN)
    row(
        "notebook: the injected source",
        lambda s: ran(s, lambda made: made["cells"][1].update(source=["seed = 7"])),
        RERUN,
    )
    row("notebook: a cell less", lambda s: ran(s, lambda made: made["cells"].pop()), RERUN)
    row(
        "notebook: a cell more",
        lambda s: ran(s, lambda made: made["cells"].append({**made["cells"][0], "id": "more"})),
        RERUN,
    )
    row("notebook: in another order", lambda s: ran(s, lambda made: made["cells"].reverse()), RERUN)
    row("notebook: a word of metadata", lambda s: ran(s, lambda made: made["metadata"].update(author="me")), RERUN)
    row("notebook: never run", lambda s: ran(s, lambda made: made["cells"].pop(1)))
    row("notebook: two cells of one name", lambda s: ran(s, lambda made: made["cells"][2].update(id="parameters")))
    row("notebook: an error", lambda s: ran(s, lambda made: made["cells"][2]["outputs"].append(ERROR)))
    row("notebook: a figure", lambda s: ran(s, lambda made: made["cells"][2]["outputs"].append(FIGURE)))
    row(
        "notebook: other parameters",
        lambda s: ran(s, lambda made: made["metadata"]["papermill"]["parameters"].update(seed=7)),
    )
    row("notebook: no notebook", lambda s: ran(s, lambda made: made.clear()))
    row("notebook: a key twice", lambda s: [edit(s.run / "1_tiny.ipynb", b"{\n", b'{\n "cells": [],\n'), anew(s)])
    row(
        "verify.py: one that says yes",
        lambda s: [(s.run / "verify.py").write_text("print('as it was made')\n", encoding="utf-8"), anew(s)],
        RERUN,
    )


def of_inputs(row):
    row("input: edited", lambda s: edit(s.case / "incident.yaml", b"sev5", b"sev1"))
    row("input: longer", lambda s: edit(s.case / "incident.yaml", b"sev5", b"sev5 # x"))
    row("input: emptied", lambda s: (s.case / "sources" / "minutes.md").write_bytes(b""))
    row("input: gone", lambda s: (s.case / "sources" / "minutes.md").unlink())
    row("input: its folder gone", lambda s: shutil.rmtree(s.case / "sources"))
    row("input: added", lambda s: (s.case / "new.csv").write_bytes(b"a\n"))
    row("input: added below", lambda s: (s.case / "sources" / "new.md").write_bytes(b"a\n"))
    row("input: another name", lambda s: (s.case / "sources" / "minutes.md").rename(s.case / "sources" / "Minutes.md"))
    row("input: a link out of the case", lambda s: linked(s.case / "sources" / "minutes.md"))
    row("input: a pipe", lambda s: piped(s.case / "sources" / "minutes.md"))
    row("input: a folder", lambda s: foldered(s.case / "sources" / "minutes.md"))
    row("input: a file in place of the case", lambda s: [shutil.rmtree(s.case), s.case.write_bytes(b"")], "gone")
    row("input: the case gone", lambda s: shutil.rmtree(s.case), "gone")
    row("input: the case has another name", lambda s: s.case.rename(s.case.with_name("other")), "gone")
    row("input: a hidden file added", lambda s: (s.case / ".notes").write_bytes(b"a"), NOT_READ)
    row("input: the known answer added", lambda s: (s.case / "answer.yaml").write_bytes(b"a"), NOT_READ)
    row("input: an empty folder added", lambda s: (s.case / "more").mkdir(), NOT_READ)
    row("input: touched", lambda s: os.utime(s.case / "incident.yaml", (0, 0)), NOT_READ)


def of_places(row):
    row("link: to the older run", lambda s: back_to(s, s.older))
    row("link: to the older run, the later gone", gone_with_link_back)
    row("link: another name", lambda s: s.link.rename(s.link.with_name("other")), "renamed")
    row("link: a copy of the run in its place", copied_over_link)
    row(
        "run: another name",
        lambda s: [s.run.rename(s.run.with_name("tiny-0123456789ab")), back_to(s, s.runs / "tiny-0123456789ab")],
    )
    row(
        "run: the name of another incident",
        lambda s: [
            name := s.run.name.replace("tiny", "other"),
            s.run.rename(s.run.with_name(name)),
            back_to(s, s.runs / name),
        ],
    )
    row("runs: a file more", lambda s: (s.runs / "approval.pdf").write_bytes(b"x"))
    row("runs: a folder more", lambda s: (s.runs / "more").mkdir())
    row("runs: the older run edited", lambda s: flip(s.older / "results.json"), ANOTHER_REPORT)
    row("runs: the older run gone", lambda s: shutil.rmtree(s.older), ANOTHER_REPORT)
    row("log: edited", lambda s: edit(s.beside(LOG), b'"user"', b'"USER"'))
    row("log: of the older run", lambda s: shutil.copy(s.older.with_name(s.older.name + LOG), s.beside(LOG)))
    row("log: a link", lambda s: linked(s.beside(LOG)))
    row("log: a pipe", lambda s: piped(s.beside(LOG)))
    row("log: gone", lambda s: s.beside(LOG).unlink(), NOT_COVERED)


def of_history(row):
    row("history: gone", lambda s: s.history.unlink())
    row("history: emptied", lambda s: s.history.write_bytes(b""))
    row("history: the first line gone", lambda s: lines(s, lambda kept: kept.pop(0)))
    row("history: a line within gone", lambda s: lines(s, lambda kept: kept.pop(1)))
    row("history: the last line gone", lambda s: lines(s, lambda kept: kept.pop()))
    row("history: lines in another order", lambda s: lines(s, lambda kept: kept.reverse()))
    row("history: a line twice", lambda s: lines(s, lambda kept: kept.append(kept[-1])))
    row("history: a line edited", lambda s: edit(s.history, b'"run"', b'"ran"'))
    row(
        "history: the last line edited",
        lambda s: lines(s, lambda kept: kept.append(kept.pop().replace(b"signed", b"sighed"))),
    )
    row("history: a key more", lambda s: edit(s.history, b"{", b'{"a":1,'))
    row("history: no JSON", lambda s: s.history.write_bytes(b"\xff\n"))
    row("history: a link", lambda s: linked(s.history))
    row("history: a pipe", lambda s: piped(s.history))
    row("history: a folder", lambda s: foldered(s.history))
    row(
        "history: of another run alone, made anew",
        lambda s: [lines(s, lambda kept: kept.pop(1)), s.beside(SIGNED).unlink(), on_record(s)],
    )


def of_signatures(row):
    row("signature: another role", lambda s: edit(s.beside(SIGNED), b"head of risk", b"head of data"))
    row("signature: another name", lambda s: edit(s.beside(SIGNED), b"HR-7", b"HR-8"))
    row("signature: another time", lambda s: edit(s.beside(SIGNED), b'"at": "20', b'"at": "19'))
    row(
        "signature: another digest",
        lambda s: changed(s.beside(SIGNED), lambda made: made["signatures"][0].update(digest="0" * 64)),
    )
    row("signature: one gone", lambda s: changed(s.beside(SIGNED), lambda made: made["signatures"].pop()))
    row(
        "signature: one more",
        lambda s: changed(
            s.beside(SIGNED), lambda made: made["signatures"].append({**made["signatures"][0], "name": "x"})
        ),
    )
    row(
        "signature: in another order",
        lambda s: changed(s.beside(SIGNED), lambda made: made["signatures"].reverse()),
        "it says the same",
    )
    row("signature: all gone", lambda s: s.beside(SIGNED).unlink())
    row(
        "signature: all gone, and a line of the record",
        lambda s: [s.beside(SIGNED).unlink(), lines(s, lambda kept: kept.pop())],
    )
    row(
        "signature: a key more", lambda s: changed(s.beside(SIGNED), lambda made: made["signatures"][0].update(ok=True))
    )
    row("signature: a key twice", lambda s: edit(s.beside(SIGNED), b"{\n", b'{\n "schema": 1,\n'))
    row("signature: other blanks", lambda s: s.beside(SIGNED).write_bytes(s.beside(SIGNED).read_bytes() + b"\n"))
    row("signature: no JSON", lambda s: s.beside(SIGNED).write_bytes(b"{"))
    row("signature: a list", lambda s: s.beside(SIGNED).write_bytes(b"[]\n"))
    row("signature: a link", lambda s: linked(s.beside(SIGNED)))
    row("signature: a pipe", lambda s: piped(s.beside(SIGNED)))
    row(
        "signature: laid beside the older run",
        lambda s: shutil.copy(s.beside(SIGNED), s.older.with_name(s.older.name + SIGNED)),
    )
    row("signature: before the incident, on record", lambda s: resigned(s, at="1999-01-01T00:00:00Z"))
    row("signature: in the future, on record", lambda s: resigned(s, at="2999-01-01T00:00:00Z"))
    row("signature: without an offset, on record", lambda s: resigned(s, at="2026-06-01T00:00:00"))
    row("signature: of no time, on record", lambda s: resigned(s, at="soon"))
    row("signature: in no role of the record, on record", lambda s: resigned(s, role="the board"))
    row("signature: of another report, on record", lambda s: resigned(s, digest="0" * 64))
    row("signature: another name, on record", lambda s: resigned(s, name="HR-8"), ALL_ANEW)
    row("signature: all gone, from the record too", unsigned_by_all, ALL_ANEW)


def table() -> dict[str, tuple[str, Callable[[Shelf], object]]]:
    """What is done → how it is caught, and the doing."""
    rows = {}

    def row(name, do, caught=PLAIN):
        assert name not in rows
        rows[name] = (caught, do)

    for topic in (of_files, of_keys, of_values, of_contents, of_inputs, of_places, of_history, of_signatures):
        topic(row)
    return rows


TABLE = table()


def test_there_are_kinds_enough_and_few_that_nobody_can_catch():
    outside = [name for name, (caught, _) in TABLE.items() if caught not in (PLAIN, RERUN, "gone")]
    assert len(TABLE) >= 110
    assert len(outside) <= 12


def test_as_it_was_made_it_passes_and_after_a_move_with_its_case(shelf, alone, tmp_path):
    assert verify(shelf.link, rerun=True).status == alone.check(shelf.link)["status"] == 0
    moved = Shelf(shelf.root.rename(tmp_path / "elsewhere"))
    assert verify(moved.link, rerun=True).status == alone.check(moved.link)["status"] == 0


@pytest.mark.parametrize("name", TABLE)
def test_tampering_is_caught_or_lies_outside_the_promise(shelf, alone, name):
    caught, do = TABLE[name]
    do(shelf)
    link = shelf.link if os.path.lexists(shelf.link) else shelf.link.with_name("other")
    plainly = verify(link)
    assert plainly.status == alone.check(link)["status"] == {PLAIN: 3, "gone": 4, "renamed": 3}.get(caught, 0), str(
        plainly
    )
    if caught not in (PLAIN, "gone", "renamed"):
        again = verify(link, rerun=True)
        assert again.status == (3 if caught == RERUN else 0), str(again)
        assert caught != RERUN or again.differences
