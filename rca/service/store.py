"""Store of reports: a folder, copied to an fsspec URL where one is set; search, incidents alike, retention and holds.

Of each report a card says what can be searched: `.cards/<case>.json`, in the folder and at the URL. A report is whole
at the URL before its card leads to it, so that whoever begins at a card reads the old report or the new one.
"""

import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase
from rca.record.files.whole_file import write_whole
from rca.record.files.yaml_document import plain
from rca.report.manifest.standalone import LOG, RUNS, SIGNED

CARDS = ".cards"

INDEX = "index.html"

FEWEST = 3
"""Letters that a word has which tells incidents apart."""

MOST = 50
"""Cards that an answer has at most."""

SAME_CAUSE, SAME_SLICE = 2.0, 1.0
"""What the same cause, and the same slice, count beside words that are alike to 1."""

Card = dict[str, Any]


class Store:
    """Reports in a folder, as runs publish them, and at a URL.

    Parameters
    ----------
    folder : Path
        Where `rca run` publishes.
    url : str, optional
        fsspec URL, such as s3://bucket/reports.
    public : Path, optional
        Public incidents, as JSON: a list of mappings with `title`, `text` and `url`.
    """

    def __init__(self, folder: Path, *, url: str | None = None, public: Path | None = None) -> None:
        self.folder, self.url, self.public = folder, url, public

    # --- publication -------------------------------------------------------------------------------------------------

    def put(self, name: str, *, told: Mapping[str, Any]) -> Card:
        """Put a published report's card beside it, and copy both to the URL.

        Parameters
        ----------
        name : str
            Of the case.
        told : mapping
            What the report's results do not say: `title`, `actions`, `duties`, `systems`, `at`.

        Raises
        ------
        InvalidCase
            If the URL cannot be written.
        """
        run = (self.folder / name).resolve()
        card = card_of(run, name, told)
        raw = json.dumps(card, indent=1).encode()
        if self.url:
            self._copy(run, card["id"], raw)
        (self.folder / CARDS).mkdir(exist_ok=True)
        write_whole(self.folder / CARDS / f"{name}.json", raw)
        return card

    @cached_property
    def _remote(self) -> tuple[Any, str]:
        import fsspec

        system, path = fsspec.core.url_to_fs(self.url)
        return system, str(path).rstrip("/")

    def _copy(self, run: Path, name: str, card: bytes) -> None:
        try:
            system, root = self._remote
            for file in sorted(path for path in run.rglob("*") if path.is_file()):
                to = f"{root}/{RUNS}/{run.name}/{file.relative_to(run).as_posix()}"
                system.makedirs(to.rpartition("/")[0], exist_ok=True)
                system.pipe_file(to, file.read_bytes())
            system.makedirs(f"{root}/{CARDS}", exist_ok=True)
            system.pipe_file(f"{root}/{CARDS}/{name}.json", card)
        except Exception as error:  # each file system has errors of its own
            raise OSError(f"the store cannot be written: {plain(str(error))}") from error

    # --- what is there -----------------------------------------------------------------------------------------------

    def cards(self) -> list[Card]:
        """The cards of all reports, by name."""
        found = []
        for path in sorted((self.folder / CARDS).glob("*.json")):
            try:
                found.append(json.loads(path.read_bytes()))
            except (OSError, ValueError):
                continue
        return found

    def search(self, words: str) -> list[Card]:
        """Reports in whose card every word stands, in a finding, a cause, an action or a duty; the newest first."""
        wanted = _words(words)
        found = [card for card in self.cards() if wanted <= _words(_text(card))] if wanted else []
        return sorted(found, key=lambda card: str(card.get("at")), reverse=True)[:MOST]

    def like(self, name: str) -> list[dict[str, Any]]:
        """Past incidents like one, the most alike first: by cause, by slice, and by words (cosine of TF-IDF)."""
        cards = {card["id"]: card for card in self.cards()}
        own = cards.pop(name, None)
        if own is None:
            return []
        others = [*cards.values(), *self._public()]
        weigh = _weights([own, *others])
        found = [(_alike(own, other, weigh), other) for other in others]
        told: list[dict[str, Any]] = [
            {"alike": round(score, 3), **{key: one.get(key) for key in ("id", "title", "status", "url")}}
            for score, one in found
            if score > 0
        ]
        return sorted(told, key=lambda one: float(one["alike"]), reverse=True)[:MOST]

    def _public(self) -> list[Card]:
        if self.public is None:
            return []
        found = json.loads(self.public.read_bytes())
        return [one for one in found if isinstance(one, dict) and isinstance(one.get("title"), str)]

    def page(self, words: str = "") -> str:
        """The page over all reports, or over those in which words stand."""
        from rca.report.page.index import entries, index_page

        self.folder.mkdir(parents=True, exist_ok=True)
        found, unread = entries(self.folder)
        named = {card["id"] for card in self.search(words)} if words else {one.name for one in found}
        page = index_page([one for one in found if one.name in named], unread)
        return re.sub(r"(<a href=')(?=[^'/]+/report\.html)", r"\1reports/", page)

    # --- retention ---------------------------------------------------------------------------------------------------

    def expire(self, *, days: int, hold: Iterable[str], now: datetime | None = None) -> list[str]:
        """Take away reports that are older than some days, but for those that are held, and say which.

        A report is as old as its card. Of a signed one nothing is taken away.
        """
        before = (now or datetime.now(UTC)) - timedelta(days=days)
        held, gone = set(hold), []
        for path in sorted((self.folder / CARDS).glob("*.json")):
            name = path.stem
            if name in held or datetime.fromtimestamp(path.stat().st_mtime, UTC) >= before or self._signed(name):
                continue
            self._remove(name)
            gone.append(name)
        return gone

    def _signed(self, name: str) -> bool:
        return any((self.folder / RUNS).glob(f"{name}-*{SIGNED}"))

    def _remove(self, name: str) -> None:
        """The card first, so that nothing leads to what is gone."""
        (self.folder / CARDS / f"{name}.json").unlink(missing_ok=True)
        (self.folder / name).unlink(missing_ok=True)
        runs = [path for path in (self.folder / RUNS).glob(f"{name}-*") if _of(path.name, name)]
        for path in runs:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if self.url:
            system, root = self._remote
            system.rm_file(f"{root}/{CARDS}/{name}.json")
            for path in system.glob(f"{root}/{RUNS}/{name}-*"):
                if _of(str(path).rpartition("/")[2], name):
                    system.rm(path, recursive=True)


def _of(run: str, name: str) -> bool:
    """Whether a run, or its log, is of a case: the name, and twelve digits of the digest.

    >>> _of("storm-0123456789ab", "storm"), _of("storm-2-0123456789ab", "storm")
    (True, False)
    """
    return re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{12}}(?:{re.escape(LOG)})?", run) is not None


def card_of(run: Path, name: str, told: Mapping[str, Any]) -> Card:
    """What of a report can be searched."""
    results = json.loads((run / "results.json").read_bytes())
    verdict = results["verdict"]
    keys = ("kind", "name", "fault", "where", "strength")
    causes = [{key: one[key] for key in keys if one.get(key)} for one in verdict["causes"]]
    said = {"status": verdict["status"], "summary": verdict["summary"], "causes": causes}
    findings = [one["claim"] for one in results["findings"]]
    return {"id": name, "run": run.name, **said, "findings": findings, **told}


def _text(value: Any) -> str:
    """All text of a card, but for names of runs."""
    if isinstance(value, dict):
        return " ".join(_text(one) for key, one in value.items() if key != "run")
    return " ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


def _words(text: str) -> set[str]:
    """The words of a text, without marks and in lower case.

    >>> sorted(_words("Feature pmms, frozen: +0.49"))
    ['49', 'feature', 'frozen', 'pmms']
    """
    return {
        word for word in re.findall(r"[^\W_]+", text.lower()) if len(word) >= FEWEST or (word.isdigit() and word != "0")
    }


def _weights(cards: list[Card]) -> dict[str, float]:
    """How rare each word is: the logarithm of how many cards there are to each that has it."""
    counts = Counter(word for card in cards for word in _words(_text(card)))
    return {word: math.log(len(cards) / count) for word, count in counts.items()}


def _alike(one: Card, other: Card, weigh: Mapping[str, float]) -> float:
    mine, theirs = (_words(_text(card)) for card in (one, other))
    length = math.sqrt(_length(mine, weigh) * _length(theirs, weigh))
    words = _length(mine & theirs, weigh) / length if length else 0.0
    causes, slices = ({_cause(c) for c in card.get("causes", ())} for card in (one, other)), (
        {c["where"] for c in card.get("causes", ()) if c.get("where")} for card in (one, other)
    )  # fmt: skip
    same_cause, same_slice = (bool(set.intersection(*pair)) for pair in (causes, slices))
    return words + SAME_CAUSE * same_cause + SAME_SLICE * same_slice


def _length(words: set[str], weigh: Mapping[str, float]) -> float:
    return sum(weigh[word] ** 2 for word in words)


def _cause(cause: Mapping[str, Any]) -> tuple[Any, ...]:
    return cause.get("kind"), cause.get("name"), cause.get("fault")


def require_fsspec(url: str) -> None:
    """Refuse a URL whose library is not installed, or that cannot be reached.

    Raises
    ------
    InvalidCase
    """
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(url)
        probe = f"{str(path).rstrip('/')}/.probe"
        system.makedirs(probe.rpartition("/")[0], exist_ok=True)
        system.pipe_file(probe, b"")
        system.rm_file(probe)
    except Exception as error:  # each file system has errors of its own
        hint = "install what the store needs, such as s3fs, and give it its keys"
        raise InvalidCase.because(f"cannot be written: {plain(str(error))}", place=plain(url), hint=hint) from error
