"""A document as a Word file (ECMA-376, WordprocessingML); the same document gives the same bytes."""

import io
import zipfile
from html import escape

from rca.report.rendering.document import Block, Document, Grid, Heading, Line, Note
from rca.report.rendering.plain_text import legible, mask, plain

_NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_OPEN = "http://schemas.openxmlformats.org"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml."

_SIZES = (36, 28, 24, 22)
"""Half-points of a heading, by its level."""

_STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="Heading{at}"><w:name w:val="heading {at}"/><w:pPr><w:keepNext/>'
    f'<w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="{at - 1}"/></w:pPr>'
    f'<w:rPr><w:b/><w:sz w:val="{size}"/></w:rPr></w:style>'
    for at, size in enumerate(_SIZES, 1)
)

_BORDERS = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:color="999999"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)

_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_OPEN}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        + "".join(
            f'<Override PartName="/word/{name}.xml" ContentType="{_TYPE}{kind}+xml"/>'
            for name, kind in (("document", "document.main"), ("styles", "styles"), ("numbering", "numbering"))
        )
        + "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_OPEN}/package/2006/relationships"><Relationship Id="r1" Target="word/document.xml" '
        f'Type="{_OPEN}/officeDocument/2006/relationships/officeDocument"/></Relationships>'
    ),
    "word/_rels/document.xml.rels": (
        f'<Relationships xmlns="{_OPEN}/package/2006/relationships">'
        + "".join(
            f'<Relationship Id="r{name}" Target="{name}.xml" Type="{_OPEN}/officeDocument/2006/relationships/{name}"/>'
            for name in ("styles", "numbering")
        )
        + "</Relationships>"
    ),
    "word/styles.xml": (
        f'<w:styles {_NAMESPACE}><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Calibri" w:hAnsi="Calibri"/>'
        '<w:sz w:val="22"/><w:lang w:val="en-GB"/></w:rPr></w:rPrDefault></w:docDefaults>'
        f'<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>{_STYLES}'
        "</w:styles>"
    ),
    "word/numbering.xml": (
        f'<w:numbering {_NAMESPACE}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/>'
        '<w:lvlText w:val="•"/><w:pPr><w:ind w:left="360" w:hanging="360"/></w:pPr></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    ),
}
"""Everything but the text."""

_BULLET = '<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>'


def docx(document: Document) -> bytes:
    """A document as the bytes of a `.docx` file; personal data in its texts are masked.

    References
    ----------
    ECMA-376 part 1, section 17.
    """
    body = "".join(map(_block, (Heading(text=document.title, level=1), *document.blocks)))
    parts = {**_PARTS, "word/document.xml": f"<w:document {_NAMESPACE}><w:body>{body}<w:sectPr/></w:body></w:document>"}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), f"{_HEAD}{text}", zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return _paragraph(_run(plain(block.text)), f'<w:pPr><w:pStyle w:val="Heading{min(block.level, 4)}"/></w:pPr>')
    if isinstance(block, Line):
        label = _run(f"{plain(block.label)}: ", bold=True) if block.label else ""
        keys = _run(f" [{plain(', '.join(block.keys))}]") if block.keys else ""
        return _paragraph(label + _run(plain(block.text)) + keys, _BULLET)
    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Note):
        return _paragraph(_run(plain(block.text)))
    return "".join(_paragraph(_run(line)) for line in mask(legible(block.text)).splitlines())


def _grid(grid: Grid) -> str:
    head = "".join(_cell(text, bold=True) for text in grid.head)
    rows = "".join(f"<w:tr>{''.join(map(_cell, row))}</w:tr>" for row in grid.rows)
    columns = "<w:gridCol/>" * len(grid.head)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{_BORDERS}</w:tblBorders></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid><w:tr><w:trPr><w:tblHeader/></w:trPr>{head}</w:tr>{rows}</w:tbl><w:p/>"
    )


def _cell(text: str, *, bold: bool = False) -> str:
    return f"<w:tc><w:tcPr/>{_paragraph(_run(plain(text), bold=bold))}</w:tc>"


def _paragraph(runs: str, style: str = "") -> str:
    return f"<w:p>{style}{runs}</w:p>"


def _run(text: str, *, bold: bool = False) -> str:
    properties = "<w:rPr><w:b/></w:rPr>" if bold else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
