"""The payloads that ship are those of the records, and give the records back."""

import pytest

from rca.importers.importing import import_files, new_from
from rca.practice.payloads import main, payloads
from rca.record.case import load
from rca.record.check import check
from tests.conftest import INCIDENTS, ROOT

PAYLOADS = ROOT / "data" / "payloads"
NAMES = sorted(file.parent.name for file in INCIDENTS.glob("*/incident.yaml"))


def test_the_payloads_that_ship_are_those_of_the_records(tmp_path):
    assert main([str(tmp_path)]) == 0
    made = {file.relative_to(tmp_path).as_posix(): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    held = {file.relative_to(PAYLOADS).as_posix(): file.read_bytes() for file in PAYLOADS.rglob("*") if file.is_file()}
    held.pop("README.md")
    assert made == held
    assert main([]) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_rebuilt_from_its_payloads(name, tmp_path):
    record = load(INCIDENTS / name).incident
    files = [PAYLOADS / name / file for file in payloads(record)]
    done = new_from(tmp_path, name, [*files, PAYLOADS / "changes.yaml"])
    assert check(done.case) == []
    assert (done.contradictions, done.asked, done.unsaid) == ((), (), ("category",))
    rebuilt = load(done.case).incident
    for key in ("title", "summary", "severity", "status"):
        assert getattr(rebuilt, key) == getattr(record, key)
    assert dict(rebuilt.timeline.moments()) == dict(record.timeline.moments())
    told = [(one.at, one.kind, one.system, one.what) for one in rebuilt.timeline.events]
    assert {(one.at, one.kind, one.system, one.what) for one in record.timeline.events} <= set(told)
    keys = {"name", "kind", "version", "owner", "last_good"}
    assert [one.model_dump(include=keys) for one in sorted(rebuilt.systems, key=lambda one: one.name)] == [
        one.model_dump(include=keys) for one in sorted(record.systems, key=lambda one: one.name)
    ]


def test_payloads_of_a_record_contradict_none_of_it(tmp_path):
    name = NAMES[0]
    record = load(INCIDENTS / name).incident
    case = new_from(tmp_path, name, [PAYLOADS / name / "pagerduty.jsonl"]).case
    for file in payloads(record):
        by = PAYLOADS / "changes.yaml" if file.endswith(".csv") else "auto"
        assert import_files(case, [PAYLOADS / name / file], by=by).contradictions == ()
