"""Output of a notebook cell: a figure or a table, its text, and the findings it stands on."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rca.finding import Finding
from rca.report.rendering.chart import Chart
from rca.report.rendering.html import paragraph
from rca.report.rendering.plotly_adapter import MIME

FINDINGS = "application/vnd.rca.findings+json"
"""Type of the findings among a notebook's outputs."""

RESULTS = "application/vnd.rca.results+json"
"""Type of the content of `results.json` among a notebook's outputs."""

ABSENT = "application/vnd.rca.absent+json"
"""Type that marks an output as a reason why a part is missing: the page leaves such a part out."""

CONFIG = {"displayModeBar": False, "showSendToCloud": False, "plotlyServerURL": ""}
"""No buttons, and none that would send a chart away: plotly.js offers to upload it."""

INERT = '<div class="mathjax_ignore">'
"""What markup stands in, so that no `$` of an incident makes a formula in JupyterLab."""

Bundle = dict[str, Any]


def display(bundle: Bundle) -> None:
    """Display a bundle of representations by MIME type."""
    from IPython.display import display as shown

    shown(bundle, raw=True)


def html(markup: str, *, said: str, claims: Iterable[Finding] = ()) -> None:
    """Display markup, with plain text where no markup can be shown."""
    display({"text/html": f"{INERT}{markup}</div>", "text/plain": said, **_carried(claims)})


def figure(drawn: Chart, claims: Iterable[Finding] = ()) -> None:
    """Display a figure, with its text alternative."""
    spec = {**drawn.to_dict(), "config": CONFIG}
    display({MIME: spec, "text/plain": spec["layout"]["meta"]["alt"], **_carried(claims)})


def absent(why: str) -> None:
    """Say why a part is missing."""
    display({ABSENT: True, "text/html": paragraph(why, "rca-note"), "text/plain": why})


def _carried(claims: Iterable[Finding]) -> Bundle:
    plain = [asdict(claim) for claim in claims]
    return {FINDINGS: plain} if plain else {}
