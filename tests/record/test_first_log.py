"""What to log first is asked, each answer goes where a report looks for it, and each can be skipped."""

import pytest

from rca.record.case import load, scaffold
from rca.record.check import check
from rca.record.first_log import QUESTIONS, ask_first

ANSWERS = ["Chatbot insults passengers", "2026-05-13T16:20:00Z", "support-chat 2.0", 'my "wheelchair" # is late: why?',
           "about 100 conversations", "switched to 1.9"]  # fmt: skip


@pytest.fixture
def case(tmp_path):
    return scaffold(tmp_path, "chat")


def answering(case, answers):
    """Answer in this order, and say what was told."""
    told, left = [], list(answers)

    def ask(_):
        if not left:
            raise EOFError
        return left.pop(0)

    return ask_first(case, ask, told.append), told


def test_every_answer_goes_where_a_report_looks_for_it(case):
    assert answering(case, ANSWERS) == (len(QUESTIONS), [])
    told = load(case).incident
    assert (told.title, told.timeline.detected.isoformat()) == (ANSWERS[0], "2026-05-13T16:20:00+00:00")
    assert [(one.name, one.version) for one in told.systems] == [("support-chat", "2.0")]
    assert told.triggering_inputs == (ANSWERS[3],)
    assert (told.impact.text, told.postmortem.temporary_fix) == (ANSWERS[4], ANSWERS[5])
    assert check(case) == []
    assert "# the legal moment of awareness" in (case / "incident.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("answers", [[""] * len(QUESTIONS), [], ["  "]], ids=["each", "all", "blank, then the rest"])
def test_what_is_skipped_leaves_the_record_as_it_was(case, answers):
    before = (case / "incident.yaml").read_bytes()
    assert answering(case, answers) == (0, [])
    assert (case / "incident.yaml").read_bytes() == before


def test_a_time_without_an_offset_is_asked_for_again(case):
    answered, told = answering(case, ["", "2026-05-13T16:20:00", "yesterday", "2026-05-13T16:20:00+02:00"])
    assert answered == 1
    assert "has no offset" in told[0]
    assert "ISO 8601" in told[1]
    assert load(case).incident.timeline.detected.hour == 16
