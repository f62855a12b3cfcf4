"""The page on paper: printed by a browser that is installed, tagged, with its headings as an outline."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from rca.errors import RunFailed

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
        If no browser is installed that prints pages, or it fails.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise RunFailed("no browser is here that could print the page; install Chromium, or print report.html by hand")
    with tempfile.TemporaryDirectory(prefix=".rca-pdf-", dir=to.parent) as folder:
        draft = Path(folder) / "page.pdf"
        _by_browser(browser, page, draft)
        if not draft.is_file() or not draft.read_bytes().startswith(b"%PDF"):
            raise RunFailed(f"{Path(browser).name} printed no PDF of {page.name}")
        draft.replace(to)
    return Path(browser).name


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
