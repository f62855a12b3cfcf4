"""A document as DOCX: the only import of python-docx."""

import io
import zipfile
from typing import Any

from rca.errors import RunFailed
from rca.report.rendering.document import Block, Document, Grid, Heading, Line, Verbatim
from rca.report.rendering.document_formats import source, verbatim
from rca.report.rendering.plain_text import plain

DATE = (2000, 1, 1, 0, 0, 0)
"""Of every part, so that the same document gives the same bytes."""


def to_docx(document: Document) -> bytes:
    """The bytes of a DOCX file.

    Raises
    ------
    RunFailed
        If python-docx is not installed.
    """
    try:
        from docx import Document as Docx
    except ImportError as error:
        raise RunFailed("DOCX needs python-docx: pip install 'rca-postmortem[docx]'") from error
    paper = Docx()
    paper.core_properties.author, paper.core_properties.comments = "rca", ""
    paper.core_properties.title = plain(document.title, 200)
    paper.add_heading(plain(document.title), 0)
    for block in document.blocks:
        _add(paper, block)
    held = io.BytesIO()
    paper.save(held)
    return _undated(held.getvalue())


def _add(paper: Any, block: Block) -> None:
    if isinstance(block, Heading):
        paper.add_heading(plain(block.text), block.level - 1)
    elif isinstance(block, Line):
        item = paper.add_paragraph(style="List Bullet")
        if block.label:
            item.add_run(f"{plain(block.label)}: ").bold = True
        item.add_run(plain(block.text))
        item.add_run(f" {plain(source(block))}" if block.keys else "").italic = True
    elif isinstance(block, Verbatim):
        paper.add_paragraph().add_run(verbatim(block.text)).font.name = "Consolas"
    elif isinstance(block, Grid):
        _grid(paper, block)
    else:
        paper.add_paragraph(plain(block.text))


def _grid(paper: Any, block: Grid) -> None:
    table = paper.add_table(rows=0, cols=len(block.head), style="Table Grid")
    for row in (block.head, *block.rows):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = plain(text)


def _undated(raw: bytes) -> bytes:
    """The same archive with one date on every part."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, DATE), old.read(name), zipfile.ZIP_DEFLATED)
    return held.getvalue()
