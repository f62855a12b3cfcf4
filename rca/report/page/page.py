"""A report as one HTML page: offline, without a server, on a phone and on paper; the brief, then folded evidence.

Everything from the incident is escaped or rebuilt from an allow-list, nothing remote is loaded, and a
Content-Security-Policy allows the scripts of the page by their digests and no other. Where plotly.js lies
beside the page, the element that names it is allowed by a word that nothing else in the page can hold: its digest.
"""

import base64
import gzip
import hashlib
import html
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count as count_from
from typing import Any

from rca.record.schema.incident import Incident
from rca.record.why_tree.blameless import nameless, without_people
from rca.report.brief.brief import brief, digest
from rca.report.brief.words import STRENGTHS
from rca.report.cells.output import ABSENT, FINDINGS, INERT, RESULTS
from rca.report.notebooks.templates import ELSEWHERE, source, tags
from rca.report.rendering.html import MISSING, escape, markdown, paragraph, sanitize, table
from rca.report.rendering.plain_text import count, legible, mask
from rca.report.rendering.plotly_adapter import FILE, MIME, plotly_js
from rca.tables.personal_data import KINDS

PACKED = re.compile(r"(<script type=['\"]application/gzip['\"][^>]*>)([^<]*)")
"""What is packed in a page, after the tag it stands in."""

MOST_TEXT = 64 * 1024 * 1024
"""Letters that packed data may hold."""

LONG = 200
"""Letters of markup from which it is told once; a heading may stand over several things."""

SECTIONS = ("Impact", "Cause", "Timeline", "Actions", "Check", "Evidence")
"""What the navigation names."""

Notebook = Mapping[str, Any]


def render(
    incident: Incident,
    notebooks: Mapping[str, Notebook],
    *,
    results: Mapping[str, Any],
    provenance: Mapping[str, Any],
    beside: bool = False,
) -> str:
    """Write the page of a report; the same inputs give the same bytes.

    Parameters
    ----------
    incident : Incident
    notebooks : dict
        Name → executed notebook, in the order in which the page has them.
    results : dict
        The content of `results.json`.
    provenance : dict
        What the report was made from, as the manifest has it.
    beside : bool
        Whether plotly.js is a file beside the page instead of a part of it.
    """
    seal = digest(results)
    told = {**results, **{key: without_people(results[key], incident) for key in ("verdict", "unanswered", "findings")}}
    known = nameless(incident)
    chapters = _once(one for name, notebook in notebooks.items() for one in _chapters(name, notebook))
    folded = "".join(_folded(one) for one in _numbered(chapters))
    body = (
        f"{_nav(known.id, SECTIONS)}<main class='column'>{brief(known, told, seal)}"
        f"<section id='evidence-all' aria-labelledby='evidence'><h2 id='evidence'>Evidence</h2>"
        f"<div class='body'>{folded}{_findings(told['findings'])}{_inputs(provenance)}</div></section></main>"
        f"<footer class='column'>{_made(known, provenance)}</footer>"
    )
    title, drawn = f"{known.title} · post-mortem", "data-figure=" in folded
    return _page(title, body, drawn=drawn, foot=_foot(known.id, seal), beside=beside)


def render_sheet(
    title: str, facts: Iterable[str], *, notebook: tuple[str, Notebook], provenance: Mapping[str, Any]
) -> str:
    """Write the page of a single notebook that is about no one incident; the same inputs give the same bytes.

    Parameters
    ----------
    title : str
    facts : iterable of str
        What stands under the title.
    notebook : (str, dict)
        Its name, and the notebook as executed.
    provenance : dict
        What it was made from, as the manifest has it.
    """
    chapters = "".join(
        f"<section><h2 id='{one.anchor}'>{one.title}</h2><div class='body'>{one.body}</div></section>"
        for one in _numbered(_chapters(*notebook))
    )
    made = f"<section><h2 id='check'>Made from</h2><div class='body'>{_inputs(provenance)}</div></section>"
    return sheet(title, facts, chapters + made)


def sheet(title: str, facts: Iterable[str], sections: str) -> str:
    """A page of sections, which are safe already, under a title with some facts."""
    body = (
        f"<main class='column brief'><div class='head'><p class='small'>{escape(' · '.join(facts))}</p>"
        f"<h1>{escape(title)}</h1></div>{sections}</main>"
    )
    return _page(title, body, drawn="data-figure=" in sections)


def _page(title: str, body: str, *, drawn: bool, foot: str = "", beside: bool = False) -> str:
    headings, tables = count_from(1), count_from(1)
    body = re.sub(r"<(h[1-6])>", lambda found: f"<{found[1]} id='heading-{next(headings)}'>", body)
    body = re.sub(r'aria-label="Table"', lambda _: f'aria-label="Table {next(tables)}"', body)
    style, own, library, allowed = _asset("page.css") + foot, "", "", ["'none'"]
    if drawn:
        library, source = _beside(style + body) if beside else _within()
        own, allowed = f"<script>{_asset('page.js')}</script>", [f"'sha256-{_digest(_asset('page.js'))}'", source]
    head = _head(title, style, allowed)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head><body>\n{body}{library}{own}\n</body></html>\n"


def _within() -> tuple[str, str]:
    """plotly.js packed into the page, and what allows it."""
    whole = plotly_js()
    return f"<script type='application/gzip' id='library'>{packed(whole)}</script>", f"'sha256-{_digest(whole)}'"


def _beside(page: str) -> tuple[str, str]:
    """plotly.js beside the page, and what allows it: browsers check no digest of a file on disk, but they do a word."""
    word = hashlib.sha256(spread(page).encode()).hexdigest()
    return f"<script src='{FILE}' nonce='{word}'></script>", f"'nonce-{word}'"


def packed(text: str) -> str:
    """Text as data that the page unpacks: a third of its size, and nothing in it can end the element it stands in."""
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def unpacked(data: str) -> str:
    """What `packed` made, as text again; of data from elsewhere no more than `MOST_TEXT`.

    >>> unpacked(packed("<a>"))
    '<a>'
    """
    return zlib.decompressobj(wbits=31).decompress(base64.b64decode(data), MOST_TEXT).decode()


def spread(page: str) -> str:
    """A page with all that is packed as text: zlib packs the same text otherwise from one release to the next."""
    return re.sub(
        r"(<script type=['\"]application/gzip['\"][^>]*>)([^<]*)", lambda one: one[1] + unpacked(one[2]), page
    )


def _foot(name: str, seal: str) -> str:
    """What stands at the foot of every printed page, beside its number."""
    said = re.sub(r"[^A-Za-z0-9._-]", "", name)
    font = "font: 7.2pt Helvetica, Arial, sans-serif; color: #444b54"
    return f"@page {{ @bottom-left {{ content: '{said} · digest {seal[:12]}'; {font} }} }}\n"


def _asset(name: str) -> str:
    return (files("rca.report.page") / "assets" / name).read_text(encoding="utf-8")


def _head(title: str, style: str, allowed: list[str]) -> str:
    # plotly writes style elements of its own, so styles cannot be held to digests; no style can load anything
    policy = (
        f"default-src 'none'; script-src {' '.join(allowed)}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{style}</style>"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _nav(name: str, sections: Iterable[str]) -> str:
    items = "".join(f"<li><a href='#{one.lower()}'>{one}</a></li>" for one in sections)
    skip = "<a class='skip' href='#impact'>Skip to the impact</a>"
    inner = f"<span><b>{escape(name)}</b></span><ul>{items}</ul>"
    return f"{skip}<nav aria-label='Sections'><div class='column'>{inner}</div></nav>"


# --- the evidence ----------------------------------------------------------------------------------------------------


@dataclass
class Chapter:
    """A question of a notebook with what answers it.

    Attributes
    ----------
    title : str
    notebook : str
    parts : list of str
        Markup; figures have a place for their number.
    findings : dict
        Their ids, in order.
    cells : list of int
        Of the notebook, from 1.
    """

    title: str
    notebook: str
    parts: list[str] = field(default_factory=list)
    findings: dict[str, None] = field(default_factory=dict)
    cells: list[int] = field(default_factory=list)

    @property
    def body(self) -> str:
        """Its markup, with where it is from."""
        return "".join(self.parts)

    @property
    def anchor(self) -> str:
        """The id of its heading."""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.notebook} {self.title}".lower()).strip("-")


def _chapters(name: str, notebook: Notebook) -> Iterator[Chapter]:
    """The questions of a notebook that have an answer, in order."""
    chapter = Chapter(title="", notebook=name)
    pending = ""
    for place, cell in enumerate(notebook["cells"], 1):
        if ELSEWHERE in tags(cell):
            continue
        if cell["cell_type"] == "markdown":
            heading = re.match(r"(#{1,3}) (.+)", source(cell))
            if heading is not None and len(heading[1]) < 3:
                yield from _answered(chapter)
                chapter, pending = Chapter(title=escape(heading[2]), notebook=name), ""
            elif heading is not None:
                pending = f"<h4>{escape(heading[2])}</h4>"
            continue
        made = [part for output in cell.get("outputs", ()) if (part := _output(output))]
        if made:
            chapter.parts += [pending, *made] if pending else made
            chapter.cells.append(place)
            pending = ""
        chapter.findings.update(dict.fromkeys(one["id"] for one in _carried(cell)))
    yield from _answered(chapter)


def _once(chapters: Iterable[Chapter]) -> Iterator[Chapter]:
    """The chapters without what one before has told to the letter; figures stay, those of every notebook."""
    told: set[str] = set()
    for chapter in chapters:
        chapter.parts = [part for part in chapter.parts if NUMBER in part or part not in told]
        told.update(part for part in chapter.parts if len(part) >= LONG)
        yield from _answered(chapter)


def _answered(chapter: Chapter) -> Iterator[Chapter]:
    if chapter.parts:
        yield chapter


def _carried(cell: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for output in cell.get("outputs", ()):
        yield from output.get("data", {}).get(FINDINGS, ())


def _numbered(chapters: Iterable[Chapter]) -> Iterator[Chapter]:
    """The chapters, with every figure numbered."""
    number = 0
    for chapter in chapters:
        for place, part in enumerate(chapter.parts):
            if NUMBER in part:
                number += 1
                chapter.parts[place] = part.replace(NUMBER, str(number))
        yield chapter


def _folded(chapter: Chapter) -> str:
    many = count(len(chapter.findings), "finding") if chapter.findings else ""
    cited = ", ".join(f"<a href='#{_slug(one)}'>{escape(one)}</a>" for one in chapter.findings)
    cells = ", ".join(map(str, chapter.cells))
    origin = f"{chapter.notebook}.ipynb, cell{'s' * (len(chapter.cells) > 1)} {cells}"
    told = f"<p class='small'>{origin}{f'; findings {cited}' if cited else ''}</p>"
    return _details(chapter.anchor, chapter.title, chapter.body + told, many=many)


def _details(anchor: str, title: str, body: str, *, many: str) -> str:
    return (
        f"<details class='chapter'><summary><h3 id='{anchor}'>{title}</h3><span class='small'>{many}</span></summary>"
        f"<div>{body}</div></details>"
    )


def _slug(name: str) -> str:
    """The anchor of a finding."""
    return "finding-" + re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()


def _findings(findings: Iterable[Mapping[str, Any]]) -> str:
    """Every finding with its strength, what it assumes and what it survived."""
    rows = [
        f"<tr id='{_slug(one['id'])}'><th scope='row'><code>{escape(one['id'])}</code></th>"
        f"<td>{escape(one['claim'])}</td><td>{STRENGTHS[one['strength']]}</td>"
        f"<td>{escape('; '.join(one['refuters']))}</td><td>{escape('; '.join(one['assumptions']))}</td></tr>"
        for one in findings
    ]
    if not rows:
        return ""
    named = ("finding", "claim", "strength", "survived", "assumes")
    head = "".join(f"<th scope='col'>{name}</th>" for name in named)
    body = _scrolling(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>")
    return _details("findings", "What is each claim worth?", body, many=count(len(rows), "finding"))


NUMBER = "\N{REPLACEMENT CHARACTER}"
"""Where the number of a figure goes; no text from outside can hold it after it was made legible."""


def _output(output: Mapping[str, Any]) -> str:
    if output["output_type"] == "stream":
        return f"<pre>{html.escape(mask(legible(''.join(output['text']))))}</pre>"
    data = output.get("data", {})
    if RESULTS in data or ABSENT in data:
        return ""
    if MIME in data:
        return _figure(data[MIME])
    if "text/html" in data:
        told = "".join(data["text/html"]).removeprefix(INERT)
        return _scrolling(sanitize(MISSING.sub("", told)).replace(NUMBER, ""))
    if "text/markdown" in data:
        return markdown("".join(data["text/markdown"])).replace(NUMBER, "")
    return paragraph("".join(data.get("text/plain", ""))).replace(NUMBER, "")


def _scrolling(markup: str) -> str:
    """Wide tables scroll inside the page, also from the keyboard."""
    opened = '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
    return markup.replace("<table>", f"{opened}<table>").replace("</table>", "</table></div>")


def _figure(spec: Mapping[str, Any]) -> str:
    """A figure with its claim; its numbers are drawn as a table when a reader asks for them."""
    meta = spec["layout"].get("meta") or {}
    alt = escape(meta.get("alt", "A figure without a text alternative.")).replace(NUMBER, "")
    claim = escape(meta.get("title", "")).replace(NUMBER, "")
    return (
        f'<figure class="plot" id="figure-{NUMBER}"><p class="claim">{claim}</p>'
        f'<div class="canvas" role="img" aria-label="{alt}" data-figure="figure-{NUMBER}-data"></div>'
        f"<details><summary>Figure {NUMBER} in numbers</summary></details>"
        f'<script type="application/gzip" id="figure-{NUMBER}-data">{packed(_plain(spec))}</script></figure>'
    )


def _plain(spec: Mapping[str, Any]) -> str:
    return json.dumps(spec, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# --- the end ---------------------------------------------------------------------------------------------------------


def _inputs(provenance: Mapping[str, Any]) -> str:
    """Files with their digests, and what the report was made with."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="rca-number">{said["bytes"]:,}</td>'
        f'<td class="digest">{html.escape(said["sha256"])}</td></tr>'
        for name, said in provenance["inputs"].items()
    )
    head = '<th scope="col">file</th><th scope="col" class="rca-number">bytes</th><th scope="col">SHA-256</th>'
    listed = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    many, masked = count(len(provenance["inputs"]), "file"), provenance.get("masked")
    body = _scrolling(listed) + table(_made_with(provenance), "What it was made with")
    body += _scrolling(table(_hidden(masked), "What was masked before the notebooks ran")) if masked else ""
    return _details("inputs", "What was it made from?", body, many=many)


def _hidden(masked: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"what": KINDS.get(one["kind"], f"declared as {one['kind']}"), "where": one["place"], "how many": one["count"]}
        for one in masked
    ]


def _made_with(provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    packages = provenance["environment"]["packages"]
    settings = ", ".join(f"{name} = {value}" for name, value in provenance["parameters"].items())
    return [
        {"part": "Python", "version": provenance["environment"]["python"]},
        {"part": "packages", "version": ", ".join(f"{name} {packages[name]}" for name in packages)},
        {"part": "parameters", "version": settings},
        {"part": "notebooks", "version": ", ".join(provenance["templates"])},
    ]


def _made(incident: Incident, provenance: Mapping[str, Any]) -> str:
    debrief = incident.postmortem
    said = [f"Owner: {debrief.owner}."] if debrief.owner else []
    with_ = [one for one in debrief.authors if one != debrief.owner]
    said += [f"Written with {', '.join(with_)}."] if with_ else []
    said += [f"{debrief.mark.capitalize()}."] if debrief.mark else []
    return escape(
        " ".join([*said, f"Made by rca {provenance['code']['version']}. Personal data and offensive words are masked."])
    )
