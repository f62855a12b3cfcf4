"""A page of HTML as PDF without a browser: the only import of WeasyPrint."""

import logging

from rca.errors import RunFailed

MISSING = (
    "nothing is here that could print the page; install Chromium, or WeasyPrint: pip install 'rca-postmortem[print]', "
    "or print report.html by hand"
)

NO_PANGO = (
    "WeasyPrint is installed, and Pango, which it draws text with, is not; on Debian: apt-get install libpango-1.0-0 "
    "libpangoft2-1.0-0 libharfbuzz-subset0"
)


def to_paper(page: str) -> bytes:
    """Print a page that needs no script, tagged as PDF/UA-1, with its headings as an outline; nothing is fetched.

    Raises
    ------
    RunFailed
        If WeasyPrint, or the library that it draws text with, is not installed.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except ImportError as error:
        raise RunFailed(MISSING) from error
    except OSError as error:
        raise RunFailed(NO_PANGO) from error
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it does not know of our styles is no news to a reader
    made: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf(pdf_variant="pdf/ua-1")
    return made
