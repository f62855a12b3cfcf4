"""Who waits is told which question is being asked: in a kernel and at a terminal, and nobody else."""

import contextlib
import io
import sys
from types import SimpleNamespace

import pytest

import rca
from rca.report.notebooks import question_line
from tests.conftest import INCIDENTS


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "told"), [(Terminal, True), (io.StringIO, False)])
def test_a_terminal_is_told_and_a_file_is_not(monkeypatch, stream, told):
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.delenv("RCA_KEPT", raising=False)
    rca.analyse(rca.load(INCIDENTS / "line-cascade"))
    assert ("rca: which system failed first?" in sys.stderr.getvalue()) == told


def test_in_a_notebook_the_line_is_replaced_and_gone_at_the_end_even_of_an_error(monkeypatch):
    import IPython

    shown = []
    line = SimpleNamespace(update=lambda data, **_: shown.append(data["text/plain"]))
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr(IPython.display, "display", lambda data, **_: line.update(data) or line)
    with contextlib.suppress(ZeroDivisionError), question_line.question_line() as tell:
        tell("what moved")
        _ = 1 / 0
    assert shown == ["rca: …", "rca: what moved?", ""]
