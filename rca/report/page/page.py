"""Executed notebooks as one HTML page: offline, without a server, on a phone and on paper; the verdict first.

Everything from the incident is escaped or rebuilt from an allow-list, nothing remote is loaded, and a
Content-Security-Policy allows the two scripts of the page by their digests and no other.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from rca.methods.metric import SHARES
from rca.record.schema.incident import Incident
from rca.record.why_tree.blameless import nameless, without_people
from rca.report.cells.output import RESULTS
from rca.report.notebooks.canonical import bundles
from rca.report.notebooks.templates import source, tags
from rca.report.parts.verdict.sections import STATUS
from rca.report.rendering.html import bullets, escape, markdown, paragraph, sanitize, table
from rca.report.rendering.plain_text import alike, between, legible, mask, moment, number, plain, span, words
from rca.report.rendering.plotly_adapter import MIME, plotly_js

ELSEWHERE = "elsewhere"
"""Tag of a cell whose content the page has in a section of its own."""

FIRST = "first"
"""Tag of a cell that the page has right after the verdict, before all notebooks."""

Notebook = Mapping[str, Any]


def render(
    incident: Incident, notebooks: Mapping[str, Notebook], *, results: Mapping[str, Any], provenance: Mapping[str, Any]
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
    """
    results = {**results, **{key: without_people(results[key], incident) for key in ("verdict", "unanswered")}}
    incident = nameless(incident)
    style, script = _asset("page.css"), _asset("page.js")
    library = plotly_js() if any(bundles(notebook, MIME) for notebook in notebooks.values()) else ""
    scripts = [text for text in (library, script if library else "") if text]
    counter = iter(range(1, 10_000))
    short = "".join(_cell(cell, counter) for one in notebooks.values() for cell in one["cells"] if FIRST in tags(cell))
    told = "".join(_notebook(name, notebook, counter) for name, notebook in notebooks.items())
    body = (
        _header(incident)
        + _nav(notebooks)
        + f"<main>{_verdict(results['verdict'])}"
        + f'<div class="column">{_short(short)}{told}{_open(results)}{_check(incident, provenance)}</div></main>'
        + _footer(provenance)
        + "".join(f"<script>{text}</script>" for text in scripts)
    )
    head = _head(f"{incident.title} · post-mortem", style, scripts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


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
    style, script = _asset("page.css"), _asset("page.js")
    scripts = [plotly_js(), script] if bundles(notebook[1], MIME) else []
    listed = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    body = (
        f'<header><div class="column"><p class="eyebrow">Portfolio</p><h1>{escape(title)}</h1>'
        f'<ul class="facts">{listed}</ul></div></header>'
        f'<main><div class="column">{_notebook(*notebook, iter(range(1, 10_000)))}'
        f'<section id="check">{table(_made_from(provenance), "What it was made with")}{_inputs(provenance["inputs"])}'
        f"</section></div></main>{_footer(provenance)}" + "".join(f"<script>{text}</script>" for text in scripts)
    )
    head = _head(title, style, scripts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _asset(name: str) -> str:
    return (files("rca.report.page") / "assets" / name).read_text(encoding="utf-8")


def _head(title: str, style: str, scripts: list[str]) -> str:
    allowed = " ".join(f"'sha256-{_digest(text)}'" for text in scripts) or "'none'"
    # plotly writes style elements of its own, so styles cannot be held to digests; no style can load anything
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
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


# --- the first screen ------------------------------------------------------------------------------------------------


def _header(incident: Incident) -> str:
    systems = ", ".join(" ".join(filter(None, (system.name, system.version))) for system in incident.systems)
    facts = [incident.severity, words(incident.category), incident.status, systems, f"as of {moment(incident.now)}"]
    listed = "".join(f"<li>{escape(fact)}</li>" for fact in facts if fact)
    return (
        '<a class="skip" href="#verdict">Skip to the verdict</a><header><div class="column">'
        f'<p class="eyebrow">Post-mortem · {escape(incident.id)}</p><h1>{escape(incident.title)}</h1>'
        f'<ul class="facts">{listed}</ul>'
        "</div></header>"
    )


def _nav(notebooks: Mapping[str, Notebook]) -> str:
    links = [
        ("verdict", "Verdict"),
        *((_topic(name), _label(name)) for name in notebooks),
        ("open", "Open questions"),
        ("check", "Check"),
    ]
    items = "".join(f'<li><a href="#{anchor}">{said}</a></li>' for anchor, said in links)
    return f'<nav aria-label="Sections"><ul class="column">{items}</ul></nav>'


def _topic(name: str) -> str:
    return html.escape(name.partition("_")[2] or name)


def _label(name: str) -> str:
    return {"drift": "Evidence", "explanation": "Reasons", "postmortem": "Post-mortem"}.get(
        _topic(name), _topic(name).replace("_", " ").capitalize()
    )


def _verdict(verdict: Mapping[str, Any]) -> str:
    status = verdict["status"] if verdict["status"] in STATUS else "cannot_tell"
    return (
        '<section id="verdict" class="verdict" aria-label="Verdict"><div class="column">'
        f'<p class="pill {status}">{STATUS[status]}</p>'
        f'<p class="lead">{escape(verdict["summary"])}</p>'
        f"{_metric(verdict['metric'])}{_told(verdict)}{_since(verdict['onset'])}"
        "</div></section>"
    )


def _metric(metric: Mapping[str, Any] | None) -> str:
    if metric is None:
        return ""
    name, scale = escape(words(metric["name"])), _scale(metric)
    low, high = (end * scale.factor for end in metric["interval"])
    sure = f"{metric['level']:.0%} interval {span(low, high, sign=True)}"
    changed = ' class="worse"' if not low <= 0 <= high else ""
    values = [metric[key] * scale.factor for key in ("reference", "current", "change")]
    before, during = alike(*values[:2])
    change = alike(values[2], *values[:2], sign=True)[0]
    return (
        f'<dl class="metric"><div><dt>{name}, before</dt><dd>{before}{scale.value}</dd></div>'
        f"<div{changed}><dt>in the failing window</dt><dd>{during}{scale.value}</dd></div>"
        f"<div><dt>change{scale.change}</dt><dd>{change}<small>{sure}</small></dd></div></dl>"
    )


@dataclass(frozen=True)
class _Scale:
    """Display scale of a metric: a factor, and the units of a value and of a change."""

    factor: float = 1.0
    value: str = ""
    change: str = ""


def _scale(metric: Mapping[str, Any] | None) -> _Scale:
    """Shares are shown in per cent, their changes in percentage points."""
    if metric is None or metric["name"] not in SHARES:
        return _Scale()
    return _Scale(100.0, "&thinsp;%", " in percentage points")


def _told(verdict: Mapping[str, Any]) -> str:
    """Causes that are shown; candidates where none is named."""
    if verdict["status"] == "cannot_tell":
        return _causes(verdict["causes"], _Scale(), called="Candidates, none of them named")
    named = [cause for cause in verdict["causes"] if cause["strength"] != "assumed"]
    return _causes(named, _scale(verdict["metric"]))


def _causes(causes: list[Mapping[str, Any]], scale: _Scale, *, called: str = "Causes") -> str:
    if not causes:
        return ""
    sized = [
        max(abs(end) for end in (cause["contribution"], *(cause.get("interval") or ())))
        for cause in causes
        if "contribution" in cause
    ]
    widest = max(sized, default=0.0) or 1.0
    listed = "".join(f"<li>{_cause(cause, widest, scale)}</li>" for cause in causes)
    order = (
        f"the surest first, then the largest harm{scale.change and ',' + scale.change}"
        if sized
        else "the likeliest first"
    )
    return f'<p class="caption">{called}, {order}</p><ol class="causes">{listed}</ol>'


def _cause(cause: Mapping[str, Any], widest: float, scale: _Scale) -> str:
    named = ", ".join(words(word) for word in (cause["kind"], cause.get("fault") or cause.get("signal")) if word)
    harm, interval = cause.get("contribution"), cause.get("interval")
    size = "" if harm is None else f" · {number(harm * scale.factor, sign=True)}"
    size += f" ({span(*(end * scale.factor for end in interval))})" if size and interval else ""
    said = f"{escape(named)}{size} · {escape(cause['strength'])}"
    return f"<div><strong>{escape(cause['name'])}</strong><span>{said}</span></div>" + (
        "" if harm is None else _bar(harm, interval, widest)
    )


def _bar(harm: float, interval: list[float] | None, scale: float) -> str:
    """The harm as a bar with its interval, drawn without a script."""
    width = 100 * max(harm, 0.0) / scale
    low, high = (100 * max(end, 0.0) / scale for end in interval or (harm, harm))
    whisker = f'<line x1="{low:.2f}" x2="{high:.2f}" y1="9" y2="9"/>' if interval else ""
    return (
        '<svg viewBox="0 0 100 18" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect x="0" y="4" width="{width:.2f}" height="10" rx="1"/>{whisker}</svg>'
    )


def _since(onset: Mapping[str, Any] | None) -> str:
    if onset is None:
        return ""
    sure = between(onset["earliest"], onset["latest"], onset["level"])
    return f'<p class="since">Since <strong>{moment(onset["at"])}</strong> <span class="note">({sure})</span></p>'


# --- the notebooks ---------------------------------------------------------------------------------------------------


def _short(told: str) -> str:
    return f'<section id="short" aria-label="In short">{told}</section>' if told else ""


def _notebook(name: str, notebook: Notebook, counter: Iterator[int]) -> str:
    told = "".join(_cell(cell, counter) for cell in notebook["cells"] if not {ELSEWHERE, FIRST} & set(tags(cell)))
    code = "\n\n".join(source(cell).rstrip() for cell in notebook["cells"] if cell["cell_type"] == "code")
    listing = f"<pre><code>{html.escape(legible(code))}</code></pre>"
    shown = f'<details class="code"><summary>Code of {escape(name)}.ipynb</summary>{listing}</details>'
    return f'<section id="{_topic(name)}">{told}{shown}</section>'


def _cell(cell: Mapping[str, Any], counter: Iterator[int]) -> str:
    if cell["cell_type"] == "markdown":
        return _lowered(markdown(source(cell)))
    return "".join(_output(output, counter) for output in cell.get("outputs", ()))


def _lowered(markup: str) -> str:
    """Headings one level down: the page has its own title."""
    for level in range(5, 0, -1):
        markup = markup.replace(f"<h{level}>", f"<h{level + 1}>").replace(f"</h{level}>", f"</h{level + 1}>")
    return markup


def _output(output: Mapping[str, Any], counter: Iterator[int]) -> str:
    if output["output_type"] == "stream":
        return f"<pre>{html.escape(mask(legible(''.join(output['text']))))}</pre>"
    data = output.get("data", {})
    if RESULTS in data:
        return ""
    if MIME in data:
        return _figure(data[MIME], next(counter))
    if "text/html" in data:
        return _scrolling(sanitize("".join(data["text/html"])))
    if "text/markdown" in data:
        return _lowered(markdown("".join(data["text/markdown"])))
    return paragraph("".join(data.get("text/plain", "")))


def _scrolling(markup: str) -> str:
    """Wide tables scroll inside the page, also from the keyboard."""
    opened = '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
    return markup.replace("<table>", f"{opened}<table>").replace("</table>", "</table></div>")


def _figure(spec: Mapping[str, Any], position: int) -> str:
    meta = spec["layout"].get("meta") or {}
    alt, anchor = escape(meta.get("alt", "A figure without a text alternative.")), f"figure-{position}"
    numbers = _scrolling(table(meta.get("rows", []), f"Figure {position} in numbers"))
    return (
        f'<figure class="plot" id="{anchor}"><p class="claim">{escape(meta.get("title", ""))}</p>'
        f'<div class="canvas" role="img" aria-label="{alt}" data-figure="{anchor}-data"></div>'
        f"<figcaption>Figure {position}. {alt}</figcaption>"
        f"<details><summary>The numbers</summary>{numbers}</details>"
        f'<script type="application/json" id="{anchor}-data">{_embedded(spec)}</script></figure>'
    )


def _embedded(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


# --- the end ---------------------------------------------------------------------------------------------------------


def _open(results: Mapping[str, Any]) -> str:
    questions = [
        f"{_sentence(item['question'], '?')} {_sentence(item['why'], '.')}{_decided_by(item.get('would_decide'))}"
        for item in results["unanswered"]
    ]
    told = bullets(questions) if questions else paragraph("Every question that was asked has an answer.", "rca-note")
    return f'<section id="open"><h2>What could not be answered</h2>{told}</section>'


def _decided_by(told: Mapping[str, Any] | None) -> str:
    return f" To decide it: {told['what']}; {told['rule']} (power {told['power']:.2f})." if told else ""


def _sentence(text: str, end: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.?')}{end}"


def _check(incident: Incident, provenance: Mapping[str, Any]) -> str:
    command = f"rca verify reports/{html.escape(incident.id)}"
    return (
        '<section id="check"><h2>How to check this report</h2>'
        + paragraph(
            "The first command compares every byte of this report, and its inputs, with the manifest; the second also "
            "runs everything again and compares what comes out. Both print the digest of the manifest: compare it with "
            "the one kept elsewhere since the report was issued."
        )
        + f"<pre><code>{command}\n{command} --rerun</code></pre>"
        + table(_made_from(provenance), "What it was made with")
        + _inputs(provenance["inputs"])
        + "</section>"
    )


def _inputs(inputs: Mapping[str, Mapping[str, Any]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="rca-number">{said["bytes"]:,}</td>'
        f'<td class="digest">{html.escape(said["sha256"])}</td></tr>'
        for name, said in inputs.items()
    )
    head = '<th scope="col">file</th><th scope="col" class="rca-number">bytes</th><th scope="col">SHA-256</th>'
    return _scrolling(
        f"<table><caption>The inputs</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _made_from(provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    packages = provenance["environment"]["packages"]
    settings = ", ".join(f"{name} = {value}" for name, value in provenance["parameters"].items())
    return [
        {"part": "rca", "version": provenance["code"]["version"]},
        {"part": "Python", "version": provenance["environment"]["python"]},
        {"part": "packages", "version": ", ".join(f"{name} {packages[name]}" for name in packages)},
        {"part": "parameters", "version": settings},
        {"part": "notebooks", "version": ", ".join(provenance["templates"])},
    ]


def _footer(provenance: Mapping[str, Any]) -> str:
    version, sources = plain(provenance["code"]["version"]), len(provenance["inputs"])
    made = f"Made by rca {version} from {sources} files of the incident; the same files give the same page."
    return f'<footer><div class="column">{html.escape(made)} Personal data in texts are masked.</div></footer>'
