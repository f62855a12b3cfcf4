"""Texts from outside do nothing in any format: a hostile document has the same markup as a harmless one."""

import io
import json
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from rca.report.rendering.document import Document, Grid, Heading, Line, Note, Verbatim
from rca.report.rendering.document_formats import (
    LONGEST,
    SLACK_BLOCKS,
    marked,
    to_html,
    to_markdown,
    to_slack,
    verbatim,
)
from rca.report.rendering.docx_writer import to_docx
from rca.report.rendering.plain_text import plain
from tests.conftest import HOSTILE

ATTACKS = [
    HOSTILE,
    "<script>alert(1)</script>",
    "</pre></main><img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![i](https://evil.example/x.png)",
    "<https://evil.example> https://evil.example www.evil.example <javascript:alert(1)>",
    "<!channel> <!here> <@U123> @here @channel <https://evil.example|bank>",
    "*bold* _em_ **strong** ~~gone~~ `code` ``` $x^2$ :smile:",
    "# heading\n\n- list\n1. one\n> quote\n\n---\n| a | b |\n```\nfence",
    "1. one",
    "2) two",
    "+ plus",
    "=====",
    "\x1b[31mred\x1b[0m \x07 \u202egnp.exe\u202c \u2066x\u2069 \u200b zero",
    "&lt;b&gt; &#60;b&#62; &amp;",
    "\\` \\[ \\",
    "[ref]: https://evil.example",
    "```````",
    "\ud800 lone \ufffe none",
    "<w:p><w:r/></w:p> ]]> &xxe;",
]


def document(text):
    return Document(
        title=text,
        blocks=(
            Heading(text=text),
            Note(text=text),
            Line(text=text),
            Line(label=text, text=text, keys=(text, text)),
            Heading(text=text, level=3),
            Verbatim(text=text),
            Grid(head=("A", "B"), rows=((text, text), ("x", text))),
        ),
    )


def tokens(markdown):
    """Kinds of all tokens, with the text of those that show some left out."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = parser.parse(markdown)
    inner = [child for token in found for child in token.children or ()]
    return [token.type for token in found] + [one.type for one in inner if one.type != "text_special"]


def joined(kinds):
    """Neighbouring texts as one."""
    return [kind for at, kind in enumerate(kinds) if kind != "text" or at == 0 or kinds[at - 1] != "text"]


@pytest.mark.parametrize("text", ATTACKS)
def test_in_markdown_a_text_is_text(text):
    made = to_markdown(document(text))
    assert joined(tokens(made)) == joined(tokens(to_markdown(document("harmless"))))
    outside = made.replace(verbatim(text), "")
    assert not re.search(r"@|<|(?<!\\)://|\bwww\.", outside)


def test_in_markdown_a_text_can_still_be_read():
    said = "snake_case of 1.9, 3-4 & 5 %: 2026-05-02 (no. 7)! a+b=c #9"
    assert marked(said) == said


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, tuple(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def tags(page):
    parser = Tags()
    parser.feed(page)
    return parser


@pytest.mark.parametrize("text", ATTACKS)
def test_in_html_a_text_is_text(text):
    page = tags(to_html(document(text)))
    assert page.seen == tags(to_html(document("harmless"))).seen
    assert plain(text) in " ".join(page.text)


def test_the_page_may_load_and_run_nothing():
    assert "default-src &#x27;none&#x27;" in to_html(document("x"))


def shape(value):
    """What a payload is made of, its texts left out."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


def texts(value):
    if isinstance(value, dict):
        if "text" in value and isinstance(value["text"], str) and "blocks" not in value:
            yield value["type"], value["text"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from texts(one)


@pytest.mark.parametrize("text", ATTACKS)
def test_in_slack_a_text_stands_where_nothing_is_parsed(text):
    made = to_slack(document(text))
    assert shape(made) == shape(to_slack(document("harmless")))
    assert {kind for kind, _ in texts(made)} == {"text", "plain_text"}  # never mrkdwn
    assert all(said for _, said in texts(made))
    assert not any(re.search("[<>@]", message["text"]) for message in made)
    json.dumps(made)


def test_a_message_keeps_to_what_slack_takes_and_nothing_is_lost():
    blocks = [Heading(text="a" * 400)]
    for number in range(80):
        blocks += [Heading(text=f"at {number}", level=3), Line(text="word " * 50)]
    *parts, other = to_slack(Document(title="t", blocks=(*blocks, Heading(text="next"), Note(text="n"))))
    assert other["text"] == "t – next"
    assert sum(len(message["blocks"]) for message in parts) == len(blocks) + 1
    for message in parts:
        assert len(message["blocks"]) <= SLACK_BLOCKS
        assert len(json.dumps(message["blocks"])) < 13_000
        assert all(len(one["text"]["text"]) <= 150 for one in message["blocks"] if one["type"] == "header")


def test_in_docx_a_text_is_text():
    docx = pytest.importorskip("docx")
    made, harmless = (
        docx.Document(io.BytesIO(to_docx(Document(title=title, blocks=tuple(blocks)))))
        for title, blocks in [
            (ATTACKS[0], [block for text in ATTACKS for block in document(text).blocks]),
            ("harmless", document("harmless").blocks * len(ATTACKS)),
        ]
    )
    assert [one.style.name for one in made.paragraphs] == [one.style.name for one in harmless.paragraphs]
    assert [table.cell(1, 1).text for table in made.tables] == [plain(text) for text in ATTACKS]
    links = [rel for part in made.part.package.iter_parts() for rel in part.rels.values() if rel.is_external]
    assert links == []


def test_a_long_text_is_cut_and_lines_are_kept():
    assert verbatim("a\r\n\tb") == "a\n    b"
    assert len(verbatim("a" * 9000)) == LONGEST + 1


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_comes_out_that_a_terminal_or_a_reader_would_obey(text):
    made = to_markdown(document(text)) + to_html(document(text))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069]", made)
