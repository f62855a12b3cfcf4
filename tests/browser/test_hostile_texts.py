"""A page with a hostile text in every place, and no policy to help it: nothing runs, is fetched or overflows."""

import html
import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from threading import Thread

import pytest

from rca.record.case import load
from rca.record.schema.incident import Incident
from rca.report.page.page import render
from rca.report.rendering.chart import label
from rca.report.rendering.plotly_adapter import MIME
from tests.browser.conftest import CHROMIUM
from tests.browser.hostile_texts import HOSTILE_TEXTS
from tests.conftest import INCIDENTS, ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

SAMPLE = ROOT / "reports" / "sample" / "credit-drift"

CHOSEN = frozenset(
    ("status", "kind", "strength", "fault", "severity", "category", "harm", "role", "join", "outcome", "phase")
) | frozenset(("notebook", "sha256", "output_type"))
"""Keys whose values are chosen from a list of ours, or are digests."""

OURS = re.compile(r"\d{4}-\d\d-\d\d|timeline\.")
"""How texts begin that are moments, or refer to one."""

DRAWN = frozenset({"text", "ticktext", "name"})
"""Keys of a figure whose values are texts."""


class Planter:
    """Puts the next of the texts after every text that comes from outside: after equal ones the same."""

    def __init__(self, texts):
        self.texts, self.known = cycle(texts), {}

    def text(self, told):
        if told not in self.known:
            self.known[told] = f"{told} {next(self.texts)}"
        return self.known[told]

    def json(self, value, key=""):
        if isinstance(value, dict):
            return {name: self.json(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self.json(one, key) for one in value]
        outside = isinstance(value, str) and key not in CHOSEN and not OURS.match(value)
        return self.text(value) if outside else value

    def figure(self, value, key=""):
        """As charts put texts there; what the page itself says of a figure is as hostile as can be."""
        if isinstance(value, dict):
            return {name: self.json(one) if name == "meta" else self.figure(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self.figure(one, key) for one in value]
        return label(self.text(value)[-22:]) if isinstance(value, str) and key in DRAWN else value

    def notebook(self, notebook):
        cells = []
        for cell in notebook["cells"]:
            outputs = [self.output(one) for one in cell.get("outputs", ())]
            cells.append({**cell, "outputs": outputs} if outputs else cell)
        return {"cells": cells}

    def output(self, output):
        if output["output_type"] == "stream":
            return {**output, "text": self.text("".join(output["text"]))}
        data = output["data"]
        if MIME in data:
            return {**output, "data": {**data, MIME: self.figure(data[MIME])}}
        told = {
            kind: "".join(one) if isinstance(one, list) and kind.startswith("text/") else one
            for kind, one in data.items()
        }
        return {**output, "data": self.json(told)}

    def incident(self, record):
        """Every field that takes any text has one."""
        told = record.model_dump(mode="json", by_alias=True, exclude_none=True)
        for holder, key in [one for one in leaves(told) if isinstance(one[0][one[1]], str)]:
            before = holder[key]
            holder[key] = self.json(before)
            try:
                Incident.model_validate(told)
            except ValueError:
                holder[key] = before
        return Incident.model_validate(told)


def leaves(value):
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(one, dict | list):
            yield from leaves(one)
        else:
            yield value, key


def page_of(texts):
    """The page of the sample with texts in record, results, notebooks and names of files; its policy is taken away."""
    plant, made = Planter(texts), json.loads((SAMPLE / "manifest.json").read_text(encoding="utf-8"))
    read = {
        name: json.loads((SAMPLE / name).read_text(encoding="utf-8")) for name in [*made["templates"], "results.json"]
    }
    made["inputs"] = {plant.text(name): said for name, said in made["inputs"].items()}
    record = plant.incident(load(INCIDENTS / "credit-drift").incident)
    results = plant.json(read.pop("results.json"))
    told = render(
        record,
        {name.removesuffix(".ipynb"): plant.notebook(one) for name, one in read.items()},
        results={**results, "incident": record.id},
        provenance=made,
    )
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", told)


@contextmanager
def listening():
    """A server on this machine, with every path that it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


WATCH = """<script>
window.ran = 0;
window.hit = () => { window.ran += 1; };
for (const name of ["alert", "confirm", "prompt", "open"]) window[name] = window.hit;
addEventListener("load", () => setTimeout(() => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  setTimeout(() => {
    document.querySelectorAll("main *, nav *, footer *").forEach((one) => {
      for (const kind of ["mouseover", "focus", "toggle"]) one.dispatchEvent(new Event(kind));
      if (one.tagName === "A" && !(one.getAttribute("href") || "#").startsWith("#")) one.click();
    });
    const inside = (one) => one.closest(".scroll, pre, .plot, svg, .skip");
    const out = [...document.querySelectorAll("main *, nav *, footer *")].filter(
      (one) => !inside(one) && one.getClientRects().length && one.getBoundingClientRect().right > innerWidth + 1);
    const wide = document.documentElement.scrollWidth > innerWidth;
    const drawn = document.querySelectorAll(".main-svg").length > 0;
    parent.document.title = JSON.stringify([window.ran, wide, out.map((one) => one.outerHTML.slice(0, 200)), drawn]);
  }, 2500);
}, 2500));
</script>"""


def seen_at(width, page, tmp_path, browse):
    (tmp_path / "page.html").write_text(page.replace("</title>", "</title>" + WATCH, 1), encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(
        f"<title>none</title><iframe src='page.html' width='{width}' height='800'></iframe>", encoding="utf-8"
    )
    seen = browse(frame, "--dump-dom", "--allow-file-access-from-files", "--window-size=1400,900")
    return json.loads(html.unescape(re.search(r"<title>(.*?)</title>", seen.stdout, flags=re.DOTALL)[1]))


def held(texts, width, tmp_path, browse):
    with listening() as (here, asked):
        page = page_of([text.replace("HERE", here) for text in texts])
        assert seen_at(width, page, tmp_path, browse) == [0, False, [], True]
    assert asked == []


@pytest.mark.parametrize("width", [1280, 390])
def test_texts_in_every_place_of_a_page_do_nothing(width, tmp_path, browse):
    held(HOSTILE_TEXTS, width, tmp_path, browse)


def test_the_watch_sees_what_runs_is_fetched_or_overflows(tmp_path, browse):
    with listening() as (here, asked):
        bad = f"<main><img src={here}/x onerror=hit()><div style='width:9000px'>x</div><svg class='main-svg'/>"
        ran, wide, out, _ = seen_at(1280, f"<title>a</title>{bad}", tmp_path, browse)
    assert (ran, wide, len(out), asked) == (1, True, 1, ["/x"])


@pytest.mark.prove
@pytest.mark.parametrize("turn", range(1, len(HOSTILE_TEXTS)))
def test_every_text_in_every_place_does_nothing(turn, tmp_path, browse):
    held(HOSTILE_TEXTS[turn:] + HOSTILE_TEXTS[:turn], (1280, 390)[turn % 2], tmp_path, browse)
