"""A document as Markdown, HTML or messages for Slack; texts from outside are inert in each.

Markdown has no link, mention or markup but ours, HTML is one page without scripts, and Slack gets rich text, in which
nothing is parsed. `docx_writer` has the fourth format.
"""

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from rca.report.rendering.document import Block, Document, Grid, Heading, Line, Note, Verbatim
from rca.report.rendering.html import escape
from rca.report.rendering.plain_text import legible, mask, plain

LONGEST = 4000
"""Letters of a verbatim text that are shown."""

SLACK_BLOCKS, SLACK_HEADER, SLACK_LETTERS = 50, 150, 11_000
"""What a message may have: Slack documents the first two, and refuses blocks from some 13,000 letters on."""

CUT = "Shortened for Slack; the whole is in the other formats."

STYLE = """\
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h2{border-top:1px solid #bbb;padding-top:.8rem;margin-top:2rem}li{margin:.25rem 0;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f3f3f3;padding:.7rem}small{color:#5a5a5a}
table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top}"""


def source(block: Line) -> str:
    """Keys of the record that a line is from; nothing where it has none."""
    return f"(from {', '.join(block.keys)})" if block.keys else ""


def verbatim(text: str) -> str:
    r"""A text letter by letter, without what is not seen and what identifies people.

    >>> verbatim("say\r\n\x1b[31mhi to jo@example.org")
    'say\n[31mhi to ▮▮▮'
    """
    safe = mask(legible(text).replace("\t", "    "))
    return safe if len(safe) <= LONGEST else f"{safe[:LONGEST]}…"


# --- Markdown --------------------------------------------------------------------------------------------------------


def to_markdown(document: Document) -> str:
    """A document as CommonMark, with tables of GitHub's."""
    parts = [f"# {marked(document.title)}"]
    for is_line, blocks in groupby(document.blocks, key=lambda one: isinstance(one, Line)):
        told = [_markdown(one) for one in blocks]
        parts += ["\n".join(told)] if is_line else told
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {marked(block.text)}"
    if isinstance(block, Line):
        label = f"**{marked(block.label)}:** " if block.label else ""
        return f"- {label}{marked(block.text)} {marked(source(block))}".rstrip()
    if isinstance(block, Verbatim):
        text = verbatim(block.text)
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        return f"{fence}text\n{text}\n{fence}"
    if isinstance(block, Grid):
        rows = [block.head, ("---",) * len(block.head), *block.rows]
        return "\n".join(f"| {' | '.join(cell if row is rows[1] else marked(cell) for cell in row)} |" for row in rows)
    return marked(block.text)


def marked(text: str) -> str:
    r"""A text as Markdown that shows it and does nothing else.

    >>> print(marked("# *a* [b](javascript:x) <!channel> `c` @here &lt; snake_case"))
    \# \*a\* \[b\](javascript:x) &lt;!channel&gt; \`c\` (at)here &amp;lt; snake_case
    """
    safe = re.sub(r"([\\`*\[\]|~$])", r"\\\1", plain(text))
    safe = re.sub(r"&(?=#|\w+;)", "&amp;", safe).replace("<", "&lt;").replace(">", "&gt;").replace("@", "(at)")
    safe = re.sub(r"(?i)\bwww\.", r"www\\.", re.sub(r":(?=//)", r"\\:", re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", safe)))
    return re.sub(r"^(\d*)(?=[#+=-]|[.)](?:\s|$))", r"\1\\", safe)


# --- HTML ------------------------------------------------------------------------------------------------------------


def to_html(document: Document) -> str:
    """A document as one page that loads nothing and runs nothing."""
    body = "".join(
        f"<ul>{''.join(map(_html, blocks))}</ul>" if is_line else "".join(map(_html, blocks))
        for is_line, blocks in groupby(document.blocks, key=lambda one: isinstance(one, Line))
    )
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(document.title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(document.title)}</h1>{body}</main></body></html>\n"
    )


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Line):
        label = f"<b>{escape(block.label)}:</b> " if block.label else ""
        keys = f" <small>{escape(source(block))}</small>" if block.keys else ""
        return f"<li>{label}{escape(block.text)}{keys}</li>"
    if isinstance(block, Verbatim):
        return f"<pre>{html.escape(verbatim(block.text))}</pre>"
    if isinstance(block, Grid):
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in block.head)
        rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in block.rows)
        return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    return f"<p>{escape(block.text)}</p>"


# --- Slack -----------------------------------------------------------------------------------------------------------


def to_slack(document: Document) -> list[dict[str, Any]]:
    """Messages for Slack, one a chapter: each can be the body of a webhook, or of `chat.postMessage` beside a channel."""
    chapters: list[list[Block]] = [[Heading(text=document.title, level=1)]]
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 2 and len(chapters[-1]) > 1:
            chapters.append([])
        chapters[-1].append(block)
    return [_message(document.title, chapter) for chapter in chapters]


def _message(title: str, chapter: Iterable[Block]) -> dict[str, Any]:
    heading = next((one.text for one in chapter if isinstance(one, Heading) and one.level == 2), "")
    blocks, letters = [], 0
    for is_heading, part in groupby(chapter, key=lambda one: isinstance(one, Heading)):
        for block in map(_header, part) if is_heading else [_rich(part)]:
            letters += len(str(block))
            if letters > 2 * SLACK_LETTERS or len(blocks) == SLACK_BLOCKS - 1:
                return _posted(title, heading, [*blocks, _rich([Note(text=CUT)])])
            blocks.append(block)
    return _posted(title, heading, blocks)


def _posted(title: str, heading: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """A message; its `text`, which notifications show, is parsed for marks and is escaped therefore."""
    text = html.escape(plain(f"{title}: {heading}" if heading else title, 200), quote=False).replace("@", "(at)")
    return {"text": text, "mrkdwn": False, "link_names": False, "unfurl_links": False, "blocks": blocks}


def _header(block: Any) -> dict[str, Any]:
    text = plain(block.text, SLACK_HEADER) or "–"
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _rich(blocks: Iterable[Block]) -> dict[str, Any]:
    elements: list[dict[str, Any]] = []
    for is_line, part in groupby(blocks, key=lambda one: isinstance(one, Line | Grid)):
        if is_line:
            items = [_section(*item) for one in part for item in _items(one)]
            elements.append({"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": items})
        else:
            elements += [
                {**_section("", verbatim(one.text)), "type": "rich_text_preformatted"}
                if isinstance(one, Verbatim) else _section("", plain(one.text))
                for one in part if isinstance(one, Verbatim | Note)
            ]  # fmt: skip
    return {"type": "rich_text", "elements": elements}


def _items(block: Block) -> Iterator[tuple[str, str]]:
    """Label and text of each item; a row of a table is one."""
    if isinstance(block, Line):
        yield block.label, plain(f"{block.text} {source(block)}")
    elif isinstance(block, Grid):
        for first, *rest in block.rows:
            yield first, plain("; ".join(f"{name}: {cell}" for name, cell in zip(block.head[1:], rest, strict=True)))


def _section(label: str, text: str) -> dict[str, Any]:
    before = [{"type": "text", "text": f"{plain(label)}: ", "style": {"bold": True}}] if label else []
    return {"type": "rich_text_section", "elements": [*before, {"type": "text", "text": text or "–"}]}
