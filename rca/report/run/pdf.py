"""The page on paper, tagged, with its headings as an outline: by a browser that is installed, else by WeasyPrint."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from rca.errors import RunFailed
from rca.report.page.page import unpacked
from rca.report.rendering.html import table
from rca.report.rendering.weasyprint_adapter import to_paper

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")

FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--proxy-server=127.0.0.1:9",
    "--no-pdf-header-footer",
    "--export-tagged-pdf",
    "--generate-pdf-document-outline",
    "--virtual-time-budget=10000",
)
"""Nothing is fetched; the PDF has tags for readers of the screen, and the headings as its outline."""

SECONDS = 120
"""Time that a browser has."""

MOST_ROWS = 40
"""Rows of a figure that are printed as a table; the report has all of them."""


def print_page(page: Path, to: Path) -> str:
    """Print a page as PDF, whole or not at all.

    Parameters
    ----------
    page : Path
    to : Path
        The PDF; one that is there is replaced.

    Returns
    -------
    str
        What printed it.

    Raises
    ------
    RunFailed
        If neither a browser nor WeasyPrint is installed, or it fails.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    with tempfile.TemporaryDirectory(prefix=".rca-pdf-", dir=to.parent) as folder:
        draft = Path(folder) / "page.pdf"
        if browser is None:
            draft.write_bytes(to_paper(without_scripts(page.read_text(encoding="utf-8"))))
        else:
            _by_browser(browser, page, draft)
        by = "WeasyPrint, each figure as its table" if browser is None else Path(browser).name
        if not draft.is_file() or not draft.read_bytes().startswith(b"%PDF"):
            raise RunFailed(f"{by} printed no PDF of {page.name}")
        draft.replace(to)
    return by


def without_scripts(page: str) -> str:
    """A page as it can be printed where no script runs: each figure is its table, and the page says so."""
    told = _FIGURE.sub(_as_table, page)
    if told != page:
        said = "Printed without a browser: figures are printed as the tables of their numbers."
        told = re.sub(r"(<h2 id='evidence'>[^<]*</h2>\s*<div class='body'>)", rf"\1<p class='small'>{said}</p>", told)
    told = re.sub(r"(?s)<script.*?</script>", "", told).replace("<details", "<div").replace("</details>", "</div>")
    style = _drawn(page)
    return re.sub(r"<svg [^>]*>", lambda found: f"{found[0]}<style>{style}</style>", told)


def _drawn(page: str) -> str:
    """The page's rules for what it draws, as they hold on paper: within a drawing WeasyPrint knows no others."""
    named = dict(re.findall(r"(--[\w-]+): ([^;]+);", page.partition("@media print")[2].partition("}")[0]))
    rules = "\n".join(re.findall(r"^\.course (?:text|path|\.).*$", page, re.MULTILINE)).replace(".course ", "")
    rules = re.sub(r"paint-order: stroke;[^}]*", "", rules)  # a rim that would be drawn over its letters
    return re.sub(r"var\((--[\w-]+)\)", lambda found: named.get(found[1], "#000"), rules)


_FIGURE = re.compile(
    r'<div class="canvas"[^>]*></div><details><summary>([^<]*)</summary></details>'
    r'<script type="application/gzip"[^>]*>([^<]*)</script>'
)
"""A figure, as a page has it: what its numbers are called, and its packed specification."""


def _as_table(figure: re.Match[str]) -> str:
    rows = json.loads(unpacked(figure[2]))["layout"]["meta"]["rows"]
    more = f"{figure[1]}: the first {MOST_ROWS} of {len(rows):,} rows" if len(rows) > MOST_ROWS else figure[1]
    return table(rows[:MOST_ROWS], more)


def to_pdf(page: bytes) -> bytes:
    """A page of HTML as PDF.

    Raises
    ------
    RunFailed
        As `print_page` does.
    """
    with tempfile.TemporaryDirectory(prefix="rca-pdf-") as folder:
        source, to = Path(folder) / "page.html", Path(folder) / "page.pdf"
        source.write_bytes(page)
        print_page(source, to)
        return to.read_bytes()


def _by_browser(browser: str, page: Path, draft: Path) -> None:
    profile = f"--user-data-dir={draft.parent / 'profile'}"
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # root has none to go into
    command = [browser, *FLAGS, *sandbox, profile, f"--print-to-pdf={draft}", page.resolve().as_uri()]
    try:
        subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise RunFailed(f"{Path(browser).name} could not print the page: {type(error).__name__}") from error
