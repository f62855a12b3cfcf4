"""HTML that is safe by construction: made from escaped text, or rebuilt from an allow-list of tags."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

from rca.report.rendering.plain_text import legible, mask, number, plain

TAGS = frozenset(
    {"table", "thead", "tbody", "tr", "th", "td", "caption", "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li"}
    | {"strong", "em", "code", "pre", "span", "div", "details", "summary", "br", "a", "dl", "dt", "dd"}
)
"""Tags that notebook outputs may use; of everything else the text stays."""

SILENT = frozenset({"script", "style", "template", "iframe", "object", "noscript", "title", "textarea", "svg", "math"})
"""Tags that go with all they hold."""

VOID = frozenset({"br"})

CLASSES = frozenset({"rca-number", "rca-short", "rca-pill", "rca-note", "rca-why", "rca-lead"})
"""Classes the page has a style for."""

MISSING = re.compile(r'<p class="rca-missing">.*?</p>', re.DOTALL)
"""Notes for whoever writes the record on what it lacks; the page leaves them out."""

EMPTY: tuple[object, ...] = (None, "", ())
"""Values that say nothing."""

ZONE = " UTC"

SHORT = 24
"""Letters up to which a cell is kept on one line."""

SCOPES = frozenset({"col", "row"})

Row = Mapping[str, Any]


def escape(value: object) -> str:
    """A text from outside, cleaned, masked and escaped.

    >>> escape("<b>ann@example.org</b>")
    '&lt;b&gt;▮▮▮&lt;/b&gt;'
    """
    return html.escape(plain(value))


def element(tag: str, inner: str, cls: str = "") -> str:
    """An element around HTML that is safe already."""
    return f'<{tag} class="{cls}">{inner}</{tag}>' if cls else f"<{tag}>{inner}</{tag}>"


def paragraph(text: object, cls: str = "") -> str:
    """A paragraph of text from outside."""
    return element("p", escape(text), cls)


def bullets(items: Iterable[object]) -> str:
    """A list of texts from outside."""
    return element("ul", "".join(element("li", escape(item)) for item in items))


def table(rows: Sequence[Row], caption: str) -> str:
    """Rows of plain values as a table; the first column heads its row.

    >>> table([{"window": "reference", "rows": 1200}], "Rows")[:75]
    '<table><caption>Rows</caption><thead><tr><th scope="col">window</th><th sco'
    """
    if not rows:
        return paragraph(f"{caption}: none.", "rca-note")
    rows = _in_one_zone(_without_empty(rows))
    head = "".join(f'<th scope="col"{_aligned(rows, name)}>{escape(name)}</th>' for name in rows[0])
    body = "".join(element("tr", _cells(row)) for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _without_empty(rows: Sequence[Row]) -> list[Row]:
    """The rows without columns that say nothing; the first column stays."""
    names = [name for place, name in enumerate(rows[0]) if place == 0 or any(row[name] not in EMPTY for row in rows)]
    return [{name: row[name] for name in names} for row in rows]


def _in_one_zone(rows: Sequence[Row]) -> list[Row]:
    """The rows with UTC said in the head of a column of moments, and not again in every cell."""
    held = {name: [row[name] for row in rows if row[name] not in EMPTY] for name in rows[0]}
    zoned = {name for name, said in held.items() if len(said) > 1 and all(str(one).endswith(ZONE) for one in said)}
    return [
        {f"{name},{ZONE}" if name in zoned else name: _without_zone(said) if name in zoned else said
         for name, said in row.items()}
        for row in rows
    ]  # fmt: skip


def _without_zone(said: object) -> object:
    return said.replace(ZONE, "") if isinstance(said, str) else said


def _aligned(rows: Sequence[Row], name: str) -> str:
    return ' class="rca-number"' if any(_is_number(row[name]) for row in rows) else ""


def _cells(row: Row) -> str:
    first, *rest = row.values()
    return f'<th scope="row"{_one_line(first)}>{escape(shown(first))}</th>' + "".join(
        f"<td{_one_line(value)}>{escape(shown(value))}</td>" for value in rest
    )


def _one_line(value: object) -> str:
    if _is_number(value):
        return ' class="rca-number"'
    return ' class="rca-short"' if len(shown(value)) <= SHORT else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: object) -> str:
    """A value as a table shows it.

    >>> shown(True), shown(None), shown(0.12345), shown(("a", "b"))
    ('yes', '–', '0.123', 'a, b')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return number(value)
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "–"
    return str(value) or "–"


def sanitize(untrusted: str) -> str:
    """Rebuild HTML from allowed tags and escaped text; nothing of the input is copied unread.

    >>> sanitize('<p onclick="x()">a <script>alert(1)</script><a href="https://evil.example">b</a></p><td>')
    '<p>a <a>b</a></p><td></td>'
    """
    parser = _Rebuild()
    parser.feed(untrusted)
    parser.close()
    return parser.result()


def markdown(text: str) -> str:
    r"""Markdown as HTML without raw HTML, images or links that leave the page.

    >>> markdown("## A\n<b>x</b> [y](https://evil.example)")
    '<h2>A</h2>\n<p>&lt;b&gt;x&lt;/b&gt; <a>y</a></p>\n'
    """
    from markdown_it import MarkdownIt

    return sanitize(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


class _Rebuild(HTMLParser):
    """Writes allowed tags and escaped text, and closes what was left open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an allowed tag with its allowed attributes."""
        if tag in SILENT:
            self._silent.append(tag)
        elif tag in TAGS and not self._silent:
            self._out.append(f"<{tag}{_attributes(tag, attrs)}>")
            if tag not in VOID:
                self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the nearest open tag of that name, and what is open inside it."""
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
        elif tag in self._open:
            while (last := self._open.pop()) != tag:
                self._out.append(f"</{last}>")
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Keep text, escaped."""
        if not self._silent:
            self._out.append(html.escape(mask(legible(data))))

    def result(self) -> str:
        """What was rebuilt, with every tag closed."""
        return "".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open))


def _attributes(tag: str, attributes: list[tuple[str, str | None]]) -> str:
    allowed = [(name, value) for name, value in attributes if value and _may(tag, name, value)]
    return "".join(f' {name}="{html.escape(value)}"' for name, value in dict(allowed).items())


def _may(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return value in CLASSES
    if name == "scope":
        return tag == "th" and value in SCOPES
    return name == "href" and tag == "a" and value.startswith("#")
