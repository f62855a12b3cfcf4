import json
import os
from datetime import UTC, datetime, timedelta

import fsspec
import pytest

from rca.errors import InvalidCase
from rca.service.store import Store, require_fsspec

CAUSE = {"kind": "feature", "name": "pmms", "fault": "frozen", "contribution": 0.4}


def published(folder, name, *, cause=CAUSE, claim="it stood still", summary="Because.", digest="0123456789ab"):
    """What a run leaves in the folder of reports."""
    run = folder / ".runs" / f"{name}-{digest}"
    run.mkdir(parents=True)
    verdict = {"status": "explained", "summary": summary, "causes": [cause]}
    (run / "results.json").write_text(json.dumps({"verdict": verdict, "findings": [{"claim": claim}]}))
    (run / "report.html").write_text("<h1>it</h1>")
    (folder / name).symlink_to(f".runs/{run.name}")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "reports")


def put(store, name, **more):
    told = {"title": more.pop("title", name), "actions": more.pop("actions", []), "duties": more.pop("duties", [])}
    published(store.folder, name, **more)
    return store.put(name, told=told)


def names(found):
    return [one["id"] for one in found]


def test_what_a_report_says_is_found_by_its_words(store):
    put(store, "a", actions=["Watch the feed"], duties=["GDPR art. 33: not yet due"])
    put(store, "b", cause={"kind": "event", "name": "deploy 7"}, claim="errors rose")
    wanted = {
        "feed": ["a"],
        "GDPR 33": ["a"],
        "frozen": ["a"],
        "ERRORS rose": ["b"],
        "deploy feed": [],
        "": [],
        "<b>": [],
    }
    assert {words: names(store.search(words)) for words in wanted} == wanted


def test_incidents_alike_are_those_of_the_same_cause_and_then_of_the_same_words(store):
    put(store, "one", title="Cards are declined abroad")
    put(store, "same-cause", title="Nothing else", summary="", claim="x")
    put(store, "same-words", title="Cards declined abroad again", cause={"kind": "event", "name": "z"}, claim="x")
    put(store, "other", title="Rain", cause={"kind": "event", "name": "y"}, claim="q", summary="")
    assert names(store.like("one"))[:2] == ["same-cause", "same-words"]
    assert store.like("none") == []


def test_public_incidents_are_among_those_alike(store, tmp_path):
    file = tmp_path / "public.json"
    file.write_text(
        json.dumps([{"title": "Cards declined abroad", "url": "https://example.org/1"}, {"no": "title"}, 3])
    )
    put(store, "one", title="Cards are declined abroad")
    put(store, "two", title="Rain", claim="y")
    found = Store(store.folder, public=file).like("one")
    assert "https://example.org/1" in {one["url"] for one in found}


def test_a_report_is_whole_at_the_url_before_its_card_leads_to_it(tmp_path, monkeypatch):
    store = Store(tmp_path / "reports", url="memory://whole/reports")
    system = fsspec.filesystem("memory")
    order, pipe = [], type(system).pipe_file
    monkeypatch.setattr(
        type(system), "pipe_file", lambda self, path, *a, **k: (order.append(path), pipe(self, path, *a, **k))[1]
    )
    put(store, "a")
    assert order[-1] == "/whole/reports/.cards/a.json"
    card = json.loads(system.cat_file("/whole/reports/.cards/a.json"))
    run = store.folder / "a"
    for path in run.resolve().iterdir():
        assert system.cat_file(f"/whole/reports/.runs/{card['run']}/{path.name}") == path.read_bytes()


def test_a_store_that_cannot_be_written_is_told_and_has_no_card(tmp_path, monkeypatch):
    store = Store(tmp_path / "reports", url="memory://full/reports")

    def full(*_, **__):
        raise ValueError("no room")

    monkeypatch.setattr(fsspec.implementations.memory.MemoryFileSystem, "pipe_file", full)
    with pytest.raises(OSError, match="no room"):
        put(store, "a")
    assert store.cards() == []
    with pytest.raises(InvalidCase, match="cannot be written"):
        require_fsspec("memory://full/reports")


def test_what_is_old_goes_but_for_what_is_held_or_signed(tmp_path):
    store = Store(tmp_path / "reports", url="memory://old/reports")
    for name in ("old", "old-2", "held", "signed", "fresh"):
        put(store, name)
        at = (datetime.now(UTC) - timedelta(days=0 if name == "fresh" else 40)).timestamp()
        os.utime(store.folder / ".cards" / f"{name}.json", (at, at))
    (store.folder / ".runs" / "signed-0123456789ab.signed.json").write_text("{}")
    assert store.expire(days=30, hold=["held", "old-2"]) == ["old"]
    assert names(store.cards()) == ["fresh", "held", "old-2", "signed"]
    assert not (store.folder / "old").exists()
    assert not (store.folder / ".runs" / "old-0123456789ab").exists()
    assert (store.folder / "old-2" / "results.json").is_file()
    system = fsspec.filesystem("memory")
    assert sorted(path.rpartition("/")[2] for path in system.ls("/old/reports/.cards", detail=False)) == [
        "fresh.json", "held.json", "old-2.json", "signed.json",
    ]  # fmt: skip
    assert not system.exists("/old/reports/.runs/old-0123456789ab")


def test_the_page_leads_to_the_reports(store):
    put(store, "a")
    assert "Index of post-mortems" in store.page()
    assert "no report of a run: a" in store.page().lower()  # it is none that a run wrote
