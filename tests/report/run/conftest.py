"""What the tests of runs share: a quick notebook, and the report it has left before."""

import json
import shutil
from dataclasses import replace

import pytest

from rca import shipped
from rca.report.run.case_run import run
from tests.report.tiny_notebooks import SHOW, notebook


def laid(base):
    """A case, and a folder of templates with one quick notebook; writes others into it."""
    case = base / "cases" / "tiny"
    case.mkdir(parents=True)
    (case / "incident.yaml").write_text(
        "schema: 1\nid: tiny\ntitle: Tiny\nseverity: sev5\ncategory: other\nstatus: open\n", encoding="utf-8"
    )
    folder = base / "templates"
    folder.mkdir()

    def write(*sources, name="1_tiny", **kind):
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook(*sources, **kind)), encoding="utf-8")
        return case

    write(SHOW)
    write.case, write.templates = case, folder
    return write


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    made = laid(tmp_path)
    monkeypatch.setattr(shipped, "templates", lambda: made.templates)
    return made


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """The quick notebook, run once in a folder of its own."""
    base = tmp_path_factory.mktemp("elsewhere")
    made = laid(base)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "templates", lambda: made.templates)
        return run(made.case, out=base / "out", progress=False)


@pytest.fixture
def old(tiny, elsewhere, tmp_path):
    """The report that a run has left before; it is not told that it was carried here."""
    out = tmp_path / "out"
    shutil.copytree(elsewhere.folder.parent.parent, out, symlinks=True)
    return replace(elsewhere, path=out / "tiny", folder=out / ".runs" / elsewhere.folder.name)
