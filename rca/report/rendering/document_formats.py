"""A document as Markdown, HTML or messages for Slack; texts from outside are inert in each.

Markdown has no link, mention or markup but ours, HTML is one page without scripts, and Slack gets rich text, in which
nothing is parsed. `docx_writer` has the fourth format.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from rca.report.rendering.document import Block, Document, Grid, Heading, Line, Verbatim
from rca.report.rendering.plain_text import legible, mask, plain

LONGEST = 4000
"""Letters of a verbatim text that are shown."""

SLACK_BLOCKS, SLACK_HEADER, SLACK_LETTERS = 50, 150, 11_000
"""What a message may have: Slack documents the first two, and refuses blocks from some 13,000 letters on."""

STYLE = """\
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h2{border-top:1px solid #bbb;padding-top:.8rem;margin-top:2rem}li{margin:.25rem 0;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f3f3f3;padding:.7rem}small{color:#5a5a5a}
table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top}
@media print{body{font:9.5pt/1.32 system-ui,sans-serif;max-width:none;margin:0;padding:0}
h1{font-size:16pt;margin:0 0 .4rem}
h2{margin:.7rem 0 .2rem;padding-top:.4rem;font-size:11.5pt}p,ul,table{margin:.25rem 0}td,th{padding:.12rem .4rem}
ul{padding-left:1.1rem}@page{margin:14mm}}"""


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
    from rca.report.rendering.html import escape

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
    from rca.report.rendering.html import escape

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
    """Messages for Slack, one a chapter: each is the body of a webhook, or of `chat.postMessage` beside a channel."""
    chapters: list[list[Block]] = [[Heading(text=document.title, level=1)]]
    for block in document.blocks:
        if _begins(block) and any(map(_begins, chapters[-1])):
            chapters.append([])
        chapters[-1].append(block)
    return [message for chapter in chapters for message in _messages(document.title, chapter)]


def _begins(block: Block) -> bool:
    """Whether a chapter begins here."""
    return isinstance(block, Heading) and block.level == 2


def _messages(title: str, chapter: Iterable[Block]) -> Iterator[dict[str, Any]]:
    """A chapter as one message, or as several where Slack would not take so much in one.

    The `text` of a message, which notifications show, is parsed for marks, and is escaped therefore.
    """
    blocks = [*chapter]
    named = " – ".join([title, *(one.text for one in blocks if isinstance(one, Heading) and _begins(one))])
    text = html.escape(plain(named, SLACK_HEADER), quote=False).replace("@", "(at)")
    packed, letters = [[_slack(blocks[0])]], 0
    for block in map(_slack, blocks[1:]):
        letters += len(json.dumps(block))
        if letters > SLACK_LETTERS or len(packed[-1]) == SLACK_BLOCKS:
            packed.append([])
            letters = len(json.dumps(block))
        packed[-1].append(block)
    yield from ({"text": text, "mrkdwn": False, "link_names": False, "blocks": part} for part in packed)


def _slack(block: Block) -> dict[str, Any]:
    if isinstance(block, Heading):
        text = plain(block.text, SLACK_HEADER) or "–"
        return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}
    if isinstance(block, Line | Grid):
        items = [_section(label, text) for label, text in _items(block)]
        element: dict[str, Any] = {"type": "rich_text_list", "style": "bullet", "elements": items}
    elif isinstance(block, Verbatim):
        element = {**_section("", verbatim(block.text)), "type": "rich_text_preformatted"}
    else:
        element = _section("", plain(block.text))
    return {"type": "rich_text", "elements": [element]}


def _items(block: Line | Grid) -> Iterator[tuple[str, str]]:
    """Label and text of each item; a row of a table is one."""
    if isinstance(block, Line):
        yield block.label, plain(f"{block.text} {source(block)}")
        return
    for first, *rest in block.rows:
        yield first, plain("; ".join(f"{name}: {cell}" for name, cell in zip(block.head[1:], rest, strict=True)))


def _section(label: str, text: str) -> dict[str, Any]:
    before = [{"type": "text", "text": f"{plain(label)}: ", "style": {"bold": True}}] if label else []
    return {"type": "rich_text_section", "elements": [*before, {"type": "text", "text": text or "–"}]}
