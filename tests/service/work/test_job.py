import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from rca.errors import InvalidCase
from rca.record.case import load, scaffold
from rca.service.configuration import Source
from rca.service.work import job as jobs
from rca.service.work.process import run_job
from rca.service.work.sources import furnish, windows
from tests.conftest import ROOT
from tests.importers import simulated

EVENTS = [simulated.posted(status, at, system="credit-risk") for status, at in (
    ("open", "2026-05-02T09:10:00Z"), ("contained", "2026-05-02T15:00:00Z"), ("closed", "2026-05-07T16:00:00Z"),
)]  # fmt: skip
DRIFT = ROOT / "data" / "incidents" / "credit-drift"


def raw(events):
    return {f"delivery-{at}.json": json.dumps(one).encode() for at, one in enumerate(events)}


def job_of(folder, files, **more):
    name = "desk-7-0123abcd"
    told = {"name": name, "case": str(folder / "cases" / name), "out": str(folder / "reports"), "by": "generic"}
    return {**told, "files": sorted(files), "memory": 8_000_000_000, "only": ["timeline"], **more}


def with_registry():
    """Two deliveries of a registry beside an incident's, of which one is of its system; and what a job says of them."""
    told = simulated.changed("model_version", "created", simulated.ALERT, version="7")
    mine = {**told, "data": {"name": "credit-risk", "version": "7"}}
    files = {f"context-{at}.json": json.dumps(one).encode() for at, one in enumerate((told, mine))}
    context = [{"file": name, "by": "mlflow"} for name in files]
    sources = [{"systems": ["credit-risk"], "record": {"category": "model_drift"}}]
    return {**raw(EVENTS), **files}, {"context": context, "sources": sources}


@pytest.mark.prove
def test_an_incident_becomes_a_case_and_a_report_with_a_card_and_a_brief(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    files, more = with_registry()
    done = run_job(job_of(tmp_path, raw(EVENTS), **more), files, seconds=120)
    assert done.get("failed") is None
    assert done["verdict"]["status"] == "cannot_tell"
    assert load(tmp_path / "cases" / done["report"]).incident.status == "closed"
    report = tmp_path / "reports" / done["report"]
    assert (report / "report.html").is_file()
    assert json.loads((report.parent / ".cards" / f"{report.name}.json").read_text())["title"] == "Cards are declined"
    assert done["brief"].startswith("# First response")


@pytest.fixture
def quick(monkeypatch):
    """Runs that only build the case."""

    class Published:
        digest, folder, verdict = "d" * 64, Path("run"), {"status": "cannot_tell", "summary": "", "causes": []}

    monkeypatch.setattr("rca.report.run.case_run.run", lambda *_, **__: Published)
    monkeypatch.setattr("rca.service.store.Store.put", lambda *_, **__: {})


def test_an_incident_becomes_a_case_with_what_its_registry_and_the_configuration_say(tmp_path, quick):
    files, more = with_registry()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    job = job_of(tmp_path, raw(EVENTS), **more)
    assert jobs.done(job, tmp_path)["brief"].startswith("# First response")
    incident = load(job["case"]).incident
    assert (incident.status, incident.category, incident.title) == ("closed", "model_drift", "Cards are declined")
    assert {one.vendor for one in incident.imports.sources} == {"generic", "mlflow"}
    assert len(incident.imports.sources) == 4, "of two deliveries of the registry one is of this incident's systems"


def test_a_case_is_brought_up_to_date_and_what_people_wrote_stands(tmp_path, quick):
    def done(events, **more):
        for name, content in raw(events).items():
            (tmp_path / name).write_bytes(content)
        return jobs.done(job_of(tmp_path, raw(events), **more), tmp_path)

    done(EVENTS[:1])
    case = tmp_path / "cases" / "desk-7-0123abcd"
    record = case / "incident.yaml"
    record.write_text(record.read_text().replace("Cards are declined", "Mine"), encoding="utf-8")
    (case / ".tmp-half").write_text("left by a worker that was killed")
    done(EVENTS)
    assert not (case / ".tmp-half").exists()
    incident = load(case).incident
    assert (incident.title, incident.status) == ("Mine", "closed")
    before = record.read_bytes()
    done(EVENTS[::-1])
    assert record.read_bytes() == before


def test_files_of_a_source_come_along_but_no_record_no_answer_and_nothing_that_runs(tmp_path):
    case, data = scaffold(tmp_path, "a"), tmp_path / "data" / "a"
    data.mkdir(parents=True)
    for name in ("reference.parquet", "incident.yaml", "answer.yaml", "model.pkl", "run.py", "graph.yaml"):
        (data / name).write_text(name)
    (data / "below").mkdir()
    before = (case / "incident.yaml").read_bytes()
    furnish(case, [Source(files=f"{tmp_path}/data/{{case}}"), Source(systems=("other",), files="none")])
    assert {path.name for path in case.iterdir()} == {"incident.yaml", "sources", "reference.parquet", "graph.yaml"}
    assert (case / "incident.yaml").read_bytes() == before


@pytest.mark.parametrize("files", ["no/such/folder", "nosuch://bucket", "s3fsmissing://x/y"])
def test_a_source_that_is_not_there_is_told(tmp_path, files):
    with pytest.raises(InvalidCase, match="cannot be read"):
        furnish(scaffold(tmp_path, "a"), [Source(files=files)])


def told_case(folder):
    from rca.importers.importing import import_files

    for name, content in raw(EVENTS).items():
        (folder / name).write_bytes(content)
    case = scaffold(folder, "a")
    import_files(case, [folder / name for name in raw(EVENTS)], by="generic")
    return case


def test_a_query_is_asked_of_both_windows(tmp_path):
    case, database = told_case(tmp_path), tmp_path / "log.duckdb"
    times = pd.date_range("2026-04-01", "2026-05-10", freq="h", tz="UTC")
    rows = pd.DataFrame({"seen": times, "x": range(len(times))})
    with duckdb.connect(str(database)) as told:
        told.execute("CREATE TABLE log AS SELECT * FROM rows")
    query = "SELECT * FROM log WHERE seen >= $from AND seen < $to ORDER BY seen"
    source = Source(systems=("credit-risk",), query=query, database=database, record={"data": {"time": "seen"}})
    furnish(case, [source])
    spans = windows(load(case).incident, source)
    for name, (begin, end) in spans.items():
        found = pd.read_parquet(case / f"{name}.parquet")
        wanted = rows[(rows["seen"] >= begin) & (rows["seen"] < end)]
        assert found["x"].tolist() == wanted["x"].tolist()
        assert len(wanted) > 100
    assert spans["current"][1].isoformat() == "2026-05-07T16:00:00+00:00"
    with pytest.raises(InvalidCase, match="query failed"):
        furnish(case, [source.model_copy(update={"query": "DROP TABLE log"})])
