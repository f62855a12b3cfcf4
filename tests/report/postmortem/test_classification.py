"""What kind of incident it was, in the report."""

from rca.report.postmortem.classification import classification
from tests.report.postmortem.test_duties import HOSTILE, plain, post_of


def test_each_vocabulary_is_told_with_its_standing_and_its_key():
    told = plain(classification(post_of(labels={"mit_domain": "7", HOSTILE: "1"})))
    assert "7 (AI system safety, failures & limitations)" in told
    assert "labels.mit_domain" in told
    assert "decided" in told
    assert "open" in told
    assert "<script" not in classification(post_of(labels={HOSTILE: "1"}))
