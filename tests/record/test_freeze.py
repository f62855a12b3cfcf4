"""What a repair will overwrite is kept byte for byte, with who took it and when; whole or not at all."""

import hashlib
from datetime import UTC, datetime

import pytest

from rca.errors import InvalidCase
from rca.record.case import load, scaffold
from rca.record.check import check
from rca.record.freeze import freeze

AT = datetime(2026, 5, 2, 10, 0, tzinfo=UTC)
PICKLE = b"\x80\x04\x95."


@pytest.fixture
def case(tmp_path):
    (tmp_path / "model.pkl").write_bytes(PICKLE)
    (tmp_path / "prompt.txt").write_text("be kind", encoding="utf-8")
    return scaffold(tmp_path, "chat")


def taken(case, **more):
    files = {"model": case.parent / "model.pkl", "system prompt": case.parent / "prompt.txt"}
    return freeze(case, files, role="ml on call", said={"index version": "v37"}, at=AT, **more)


def test_what_is_kept_has_its_bytes_its_sum_its_role_and_its_time(case):
    told = taken(case)
    assert [one.what for one in told] == ["model", "system prompt", "index version"]
    assert (case / told[0].where).read_bytes() == PICKLE
    evidence = load(case).incident.postmortem.evidence
    assert [(one.id, one.what, one.collected_by, one.at) for one in evidence] == [
        ("E1", "model", "ml on call", AT), ("E2", "system prompt", "ml on call", AT),
        ("E3", "index version", "ml on call", AT),
    ]  # fmt: skip
    assert all(hashlib.sha256((case / one.where).read_bytes()).hexdigest() == one.sha256 for one in evidence)
    assert check(case) == []


def test_the_same_bytes_are_kept_once_and_changed_ones_beside_them(case):
    taken(case)
    text = (case / "incident.yaml").read_text(encoding="utf-8")
    assert all(one.known for one in taken(case))
    assert (case / "incident.yaml").read_text(encoding="utf-8") == text
    (case.parent / "prompt.txt").write_text("be brief", encoding="utf-8")
    assert [one.known for one in taken(case)] == [True, False, True]
    kept = [one.where for one in load(case).incident.postmortem.evidence if one.what == "system prompt"]
    assert sorted((case / where).read_text(encoding="utf-8") for where in kept) == ["be brief", "be kind"]


def test_comments_of_the_record_stay(case):
    taken(case)
    assert "aware: null                    # the legal moment" in (case / "incident.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("files", "said", "match"),
    [({"model": "gone.txt"}, {}, "gone.txt: there is no such file"), ({}, {}, "nothing is named"),
     ({"": "/dev/null"}, {}, "no such file")],
)  # fmt: skip
def test_a_refusal_leaves_the_case_as_it_was(case, files, said, match):
    before = sorted(path.name for path in case.rglob("*") if path.is_file())
    with pytest.raises(InvalidCase, match=match):
        freeze(case, {"prompt": case.parent / "prompt.txt", **files} if files else {}, role="r", said=said)
    assert sorted(path.name for path in case.rglob("*") if path.is_file()) == before
    assert load(case).incident.postmortem.evidence == ()
