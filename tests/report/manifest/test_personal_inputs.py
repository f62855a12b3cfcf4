"""Personal data and offensive words in every field, column and text of a case: no byte of its report holds any."""

import html
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from rca.analysis.conclusion.analyse import analyse
from rca.errors import InvalidCase
from rca.record.case import load
from rca.report.manifest.personal_inputs import personal
from rca.report.page.page import spread
from rca.report.rendering.masking import Masking, spelled
from rca.report.run.case_run import run

ADDRESS = "zq.canary{}@example.org"

FORMS = (
    "+49 30 1234567",
    "DE89 3704 0044 0532 0130 00",
    "4111 1111 1111 1111",
    "192.0.2.117",
    "2001:db8::ff00:42:8329",
    "12345678Z",
    "811228-9874",
    "fucking bastards",
)
"""What detectors find, beside addresses."""

NAMES = ("Zelda Quixote", "Ottoline Vanterpool", "Caradoc Penhaligon", "Isolde Featherstone")

KEPT = frozenset(
    {
        "schema",
        "id",
        "severity",
        "category",
        "status",
        "at",
        "kind",
        "role",
        "aim",
        "strength",
        "detected",
        "closed",
        "to",
    }
)
"""Keys of the record that are not any text."""


def planted(value, texts, key=""):
    """A record with a text more in every text."""
    if isinstance(value, dict):
        return {name: one if name in KEPT else planted(one, texts, name) for name, one in value.items()}
    if isinstance(value, list):
        return [planted(one, texts, key) for one in value]
    return f"{value} {next(texts)}" if isinstance(value, str) and key not in KEPT else value


def texts():
    for place in range(100_000):
        yield (ADDRESS.format(place), *FORMS, *NAMES, "Penhaligon")[place % (len(FORMS) + len(NAMES) + 2)]


RECORD = {
    "schema": 1,
    "id": "canaries",
    "title": "Refunds refused",
    "summary": "Some were refused.",
    "severity": "sev3",
    "category": "bias",
    "status": "closed",
    "systems": [{"name": "desk", "kind": "model", "owner": "team", "oversight": "by people"}],
    "timeline": {
        "detected": "2026-05-20T09:00:00Z",
        "closed": "2026-06-02T09:00:00Z",
        "events": [{"at": "2026-05-11T00:00:00Z", "kind": "deploy", "system": "desk", "what": "version 2"}],
    },
    "impact": {"people": 12, "text": "Twelve people waited.", "harm": ["delay"]},
    "whys": [
        {
            "question": "Why were they refused?",
            "answer": {"statement": "The desk changed", "role": "trigger", "evidence": ["metric.change"]},
            "rejected": [{"statement": "The season", "because": "it had not changed"}],
        }
    ],
    "actions": [
        {"what": "Check by agent", "owner": "team", "due": "2026-07-01", "aim": "prevent", "done_when": "it runs"}
    ],
    "postmortem": {
        "owner": "team",
        "authors": ["team"],
        "first_signal": "a call",
        "went_well": ["The call"],
        "messages": [{"at": "2026-05-21T00:00:00Z", "to": "affected", "what": "letters"}],
        "evidence": [{"id": "e1", "what": "the letter", "where": "archive"}],
        "people": {"Caradoc Penhaligon": "the clerk"},
    },
}

DATA = {
    "reference": "reference.csv",
    "current": "current.csv",
    "time": "at",
    "id": "call",
    "entity": "customer",
    "personal": ["agent", "household"],
    "groups": ["agent"],
    "text": ["said"],
    "categorical": ["household"],
    "words": {"agent": {"say": f"agent, as {ADDRESS.format('w')} calls it"}},
}


def window(start, *, during, rows=600):
    """Calls whose refusals depend on the agent, the household and a phrase, where something changed."""
    rng = np.random.default_rng(int(during))
    agent, household = rng.choice(NAMES, rows), rng.choice([40117, 40118, 40119], rows)
    greeted = rng.random(rows) < 0.4
    worse = during * (0.5 * (agent == NAMES[0]) + 0.3 * (household == 40117) + 0.3 * greeted)
    desk = rng.choice(["north", FORMS[1]], rows)
    said = [
        f"{'hello ' + NAMES[0] if one else 'please'} write {ADDRESS.format('text')} or {FORMS[at % len(FORMS)]}"
        for at, one in enumerate(greeted)
    ]
    return pd.DataFrame({
        "at": pd.date_range(start, periods=rows, freq="17min", tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ"),
        "call": [ADDRESS.format(f"{during}{at}") for at in range(rows)],
        "customer": [ADDRESS.format(at % 300) for at in range(rows)],
        "agent": agent,
        "household": household,
        "said": said,
        "desk": np.where(during & (rng.random(rows) < 0.5), ADDRESS.format("desk"), desk),
        ADDRESS.format("column"): rng.normal(size=rows) + during * (agent == NAMES[0]),
        "refused": (rng.random(rows) < 0.05 + worse).astype(int),
    })  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases") / "canaries"
    folder.mkdir()
    window("2026-04-20", during=False).to_csv(folder / "reference.csv", index=False)
    window("2026-05-11", during=True).to_csv(folder / "current.csv", index=False)
    told = planted(RECORD, texts()) | {"data": DATA, "metric": {"name": "rate", "column": "refused"}}
    told["postmortem"]["people"] = RECORD["postmortem"]["people"]
    (folder / "incident.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def report(case):
    return run(case, out=case.parent.parent / "reports", progress=False, only=["drift", "postmortem"])


def written(folder):
    """Every byte of a report but plotly.js, as written and with what is packed or escaped as text."""
    for file in sorted(folder.rglob("*")):
        text = file.read_text(encoding="utf-8")
        text = re.sub(r"(id='library'>)[^<]*", r"\1", text)
        plain = html.unescape(spread(text) if file.suffix == ".html" else text)
        yield file.name, re.sub(r"\\u([0-9a-f]{4})", lambda one: chr(int(one[1], 16)), plain)
        yield file.name, text


CANARIES = re.compile(
    r"canary|zelda|quixote|ottoline|vanterpool|caradoc|penhaligon|isolde|featherstone|fucking|bastards|30 1234567"
    r"|3704 0|4111 1|192\.0\.2|ff00:42|12345678z|811228|\"4011[789]\"|=4011",
    re.IGNORECASE,
)


def test_no_byte_of_a_report_holds_what_was_planted(report):
    left = {
        (name, text[max(hit.start() - 60, 0) : hit.end() + 20])
        for name, text in written(report.folder)
        for hit in CANARIES.finditer(text)
    }
    assert not left


def test_one_person_has_one_pseudonym_in_every_notebook_and_none_without_the_inputs(case, report):
    told = personal(load(case)).masking.known
    name = told["zelda quixote"]
    assert all(name in text for file, text in written(report.folder) if file in ("2_drift.ipynb", "report.html"))
    assert len({told[spelled(one)] for one in NAMES}) == len(NAMES)
    assert told["caradoc penhaligon"] == "the clerk"
    assert Masking(key=b"another").pseudonym("person", NAMES[0]) != name
    key = personal(load(case)).masking.key
    assert all(key.hex() not in text for _, text in written(report.folder))


def test_masking_changes_labels_and_nothing_else(case, report):
    loaded = load(case)
    plain = json.loads(json.dumps(analyse(loaded).results()))
    assert personal(loaded).masking.over(plain) == report.results
    assert list(numbers(plain)) == list(numbers(report.results))
    assert plain["verdict"]["status"] == report.results["verdict"]["status"]


def numbers(value):
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from numbers(one)
    elif not isinstance(value, str):
        yield value


def test_the_log_counts_by_kind_and_place_and_tells_nothing(case, report):
    log = json.loads((report.folder / "manifest.json").read_text(encoding="utf-8"))["masked"]
    assert {"kind": "data.personal", "place": "agent", "count": 4} in log
    said = {one["place"]: one["count"] for one in log if one["kind"] == "email"}
    assert said["reference, said"] == 600
    assert any(place.startswith("incident.yaml, ") for place in said)
    assert not any(CANARIES.search(str(one)) for one in log)


def test_a_file_called_by_a_person_is_refused_with_a_hint(case, tmp_path):
    folder = shutil.copytree(case, tmp_path / "canaries")
    (folder / "sources").mkdir()
    (folder / "sources" / "zelda-quixote.txt").write_text("letter", encoding="utf-8")
    with pytest.raises(InvalidCase, match="rename the file") as refused:
        run(folder, out=tmp_path / "reports", progress=False)
    assert "zelda" not in str(refused.value)
