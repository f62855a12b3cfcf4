"""Executing one notebook: parameters are injected, every cell is told, and whatever fails names its cell."""

import pytest

from rca.errors import RunFailed
from rca.report.notebooks.canonical import INJECTED
from rca.report.notebooks.runner import bar
from rca.report.notebooks.templates import choose, tags


def test_what_is_injected_comes_after_the_defaults_and_every_cell_is_told(executed):
    done, told = executed("print(alpha, seed)", alpha=0.01)
    assert [INJECTED in tags(cell) for cell in done["cells"]] == [False, True, False]
    assert done["cells"][-1]["outputs"][0]["text"] == "0.01 0\n"
    assert told == ["1_tiny"] * 3


def test_a_kernel_that_dies_is_a_failed_run(executed):
    with pytest.raises(RunFailed, match="1_tiny, cell 'cell-1'"):
        executed("1", "import os; os._exit(1)")


def test_the_last_line_of_an_error_is_said_on_one_line(executed):
    with pytest.raises(RunFailed, match="1_tiny, cell 'cell-0': ") as failed:
        executed("raise ValueError('first\\nno such \\x1b[31mthing')")
    assert str(failed.value).isprintable()
    assert str(failed.value).endswith("thing.")


def test_the_bar_has_a_place_for_every_cell_and_every_notebook_and_may_stay_away(capsys):
    (template,) = choose(["drift"])
    cells = sum(cell["cell_type"] == "code" for cell in template.notebook["cells"])
    with bar([template], shown=True) as tick:
        tick("2_drift")
    assert f"0/{cells + 1} " in capsys.readouterr().err
    with bar([template], shown=False) as tick:
        tick("2_drift")
    assert capsys.readouterr() == ("", "")
