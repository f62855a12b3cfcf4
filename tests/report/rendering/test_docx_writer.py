import sys

import pytest

from rca.errors import RunFailed
from rca.report.rendering.document import Document, Note
from rca.report.rendering.docx_writer import to_docx

SMALL = Document(title="t", blocks=(Note(text="n"),))


def test_the_same_document_gives_the_same_bytes(monkeypatch):
    pytest.importorskip("docx")
    first = to_docx(SMALL)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert to_docx(SMALL) == first


def test_without_the_library_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(RunFailed, match=r"rca-postmortem\[docx\]"):
        to_docx(SMALL)
