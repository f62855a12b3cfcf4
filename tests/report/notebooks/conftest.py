"""What the tests of notebooks share."""

import json

import pytest

from rca.report.notebooks.runner import execute
from rca.report.notebooks.templates import load
from tests.report.tiny_notebooks import notebook


@pytest.fixture
def executed(tmp_path):
    """Executes one small notebook of some sources; gives what came of it, and the names that were told on the way."""
    stage = tmp_path / "stage"
    stage.mkdir()

    def run(*sources, **parameters):
        path, told = tmp_path / "1_tiny.ipynb", []
        path.write_text(json.dumps(notebook(*sources)), encoding="utf-8")
        return execute(load(path), parameters, stage, timeout=60, tick=told.append), told

    return run


@pytest.fixture
def printed(executed):
    """What a small notebook prints in its last cell."""

    def run(*sources, **parameters):
        done, _ = executed(*sources, **parameters)
        return "".join(done["cells"][-1]["outputs"][0]["text"])

    return run
