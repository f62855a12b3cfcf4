"""What the tests of a report's audit share."""

import shutil

import pytest

from tests.conftest import SMALLEST


@pytest.fixture
def shelf(report, tmp_path):
    """A folder of runs with one run in it, as a run leaves it, and the case beside it."""
    runs = tmp_path / "reports" / ".runs"
    runs.mkdir(parents=True)
    shutil.copytree(report.result.folder, runs / report.result.folder.name)
    history = f"{SMALLEST}.history.jsonl"
    shutil.copy(report.result.folder.with_name(history), runs / history)
    shutil.copytree(report.case, tmp_path / "cases" / SMALLEST)
    return runs / report.result.folder.name
