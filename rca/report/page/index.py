"""The page over a folder of reports: what each is of, how it ended, and how long that took."""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rca.errors import InvalidCase
from rca.record.durations import duration_in_words
from rca.report.brief.words import BADGES, bound
from rca.report.page.page import sheet
from rca.report.rendering.html import escape
from rca.report.rendering.plain_text import count

MOST = 32 * 1024 * 1024
"""Bytes of a page, and of results, that are read."""

TITLE = "Index of post-mortems"
"""Of the page; by it an older one is known."""

MOST_HEAD = 1_000
"""Bytes of a page among which its title stands."""

TIMES = {"time_to_detect": "to detect", "time_to_contain": "to contain", "time_to_recover": "to recover"}
"""Durations that are listed, and their words."""

_HEAD = re.compile(
    r"<p class='small'>(?P<line>[^<]*)</p><h1[^>]*>(?P<title>[^<]*)</h1>"
    r"<p class='badge (?P<badge>[a-z_]+)'>[^<]*</p><p class='verdict'>(?P<verdict>[^<]*)</p>"
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A report in a folder.

    Attributes
    ----------
    name : str
        Of its folder.
    line, title, verdict : str
        As its page has them.
    badge : str
        Key of `BADGES`.
    times : dict of str to float
        Duration → seconds, of those known.
    """

    name: str
    line: str
    title: str
    verdict: str
    badge: str
    times: dict[str, float]


def entries(folder: Path) -> tuple[list[Entry], list[str]]:
    """The reports of a folder by name, and the names of what looks like one and cannot be read.

    Parameters
    ----------
    folder : pathlib.Path
        Where `rca run` writes.

    Raises
    ------
    InvalidCase
        If there is no such folder.
    """
    if not folder.is_dir():
        raise InvalidCase.because("there is no such folder", place=str(folder))
    found, unread = [], []
    for place in sorted(one.parent for one in folder.glob("*/report.html")):
        entry = _entry(place)
        if entry is not None:
            found.append(entry)
        else:
            unread.append(place.name)
    return found, unread


def _entry(place: Path) -> Entry | None:
    try:
        page, results = (_text(place / name) for name in ("report.html", "results.json"))
        head, durations = _HEAD.search(page), json.loads(results)["durations"]
        if head is None or head["badge"] not in BADGES:
            return None
        times = {name: float(durations[name]["seconds"]) for name in TIMES if name in durations}
    except (OSError, ValueError, TypeError, LookupError):
        return None
    said = {name: html.unescape(head[name]) for name in ("line", "title", "verdict")}
    return Entry(name=place.name, badge=head["badge"], times=times, **said)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST).decode("utf-8")


def index_page(found: Sequence[Entry], unread: Sequence[str]) -> str:
    """The page over some reports; the same reports give the same bytes.

    Parameters
    ----------
    found : sequence of Entry
    unread : sequence of str
        Names that are listed as such.
    """
    counted = ", ".join(
        f"{sum(one.badge == key for one in found)} {word.lower()}"
        for key, word in BADGES.items()
        if any(one.badge == key for one in found)
    )
    facts = [count(len(found), "report"), counted] if found else ["no report yet"]
    body = "".join(map(_card, found))
    if unread:
        names = ", ".join(map(escape, unread))
        body += f"<section><h2>Not listed</h2><div class='body'><p>No report of a run: {names}</p></div></section>"
    return sheet(TITLE, facts, body)


def require_own(place: Path) -> None:
    """Refuse to write over a page that is no index of ours.

    Raises
    ------
    InvalidCase
    """
    if place.exists() and TITLE.encode() not in place.read_bytes()[:MOST_HEAD]:
        hint = "move it, or give another folder"
        raise InvalidCase.because("is in the way: it is no index of reports", place=str(place), hint=hint)


def _card(entry: Entry) -> str:
    from urllib.parse import quote

    known = [f"{duration_in_words(entry.times[key])} {word}" for key, word in TIMES.items() if key in entry.times]
    return (
        f"<section><h2><a href='{html.escape(quote(entry.name))}/report.html'>{escape(entry.title)}</a></h2>"
        f"<div class='body'><p class='small'>{escape(f'{entry.name} · {entry.line}')}</p>"
        f"<p class='badge {entry.badge}'>{BADGES[entry.badge]}</p><p>{bound(escape(entry.verdict))}</p>"
        + (f"<p class='small'>{escape(' · '.join(known))}</p>" if known else "")
        + "</div></section>"
    )
