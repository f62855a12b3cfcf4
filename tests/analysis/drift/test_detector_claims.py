"""Claims of other makers' detectors are told under their name, and judged against the windows of the case."""

import shutil

import pytest

from rca.analysis.conclusion.analyse import analyse
from rca.analysis.drift.detector_claims import judged_claims
from rca.record.case import load
from rca.record.schema.imported import Detection
from rca.record.why_tree.write_back import with_values
from tests.conftest import INCIDENTS

CLAIM = {"vendor": "alibi_detect", "detector": "KSDrift", "at": "2026-05-02T09:00:00Z", "drift": True, "p_value": 1e-9}


def said(**more):
    return Detection.model_validate({**CLAIM, **more})


@pytest.mark.parametrize(
    ("claim", "ours", "words"),
    [
        (said(column="income"), True, "income drifted (KSDrift, p 1e-09); the windows of the case agree"),
        (
            said(column="income", drift=False),
            True,
            "did not drift (KSDrift, p 1e-09); the windows of the case do not bear",
        ),
        (said(column="height"), None, "the case has no windows to compare it with"),
        (said(), True, "all columns together drifted"),
    ],
)
def test_a_claim_is_judged_by_the_column_s_own_comparison(claim, ours, words, drift):
    (judged,) = judged_claims([claim], drift).claims
    assert judged.ours is ours
    assert words in str(judged)


def test_a_claim_is_assumed_and_accuses_nothing(drift):
    (finding,) = judged_claims([said(column="income")], drift).findings()
    assert (finding.id, finding.strength, finding.cause) == ("detector.alibi_detect.0", "assumed", None)
    assert str(judged_claims([said(column="income")], drift)).startswith("1 of 1 claims")


def test_without_claims_there_is_nothing_to_judge(drift):
    assert judged_claims([], drift) is None
    assert judged_claims([said()], None).claims[0].ours is None


def test_a_claim_on_record_is_a_finding_of_the_analysis_and_moves_no_verdict(tmp_path):
    case = shutil.copytree(INCIDENTS / "line-cascade", tmp_path / "line-cascade")
    before = analyse(load(case)).verdict
    record = case / "incident.yaml"
    record.write_text(with_values(record.read_text(encoding="utf-8"), {"detections": [CLAIM]}), encoding="utf-8")
    found = analyse(load(case))
    assert found.verdict == before
    assert "alibi_detect says" in {one.id: one.claim for one in found.findings()}["detector.alibi_detect.0"]
