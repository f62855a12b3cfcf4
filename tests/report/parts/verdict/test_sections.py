"""The verdict in words: its status, its causes where it names some, and every question that stays open."""

from dataclasses import replace

import pytest

from rca.finding import Unanswered
from rca.report.parts.verdict import sections


@pytest.mark.parametrize("status", ["explained", "no_incident", "cannot_tell"])
def test_every_status_is_said_in_words_before_anything_else(verdict, status):
    told = sections.verdict(replace(verdict, status=status))
    assert told.startswith(f'<p class="rca-pill">{sections.STATUS[status]}</p>')


def test_candidates_are_told_only_where_nothing_can_be_named(verdict):
    (cause,) = verdict.causes
    unsure = replace(verdict, causes=(cause, replace(cause, name="rooms", strength="assumed")))
    assert "rooms" not in sections.causes(unsure)
    assert "rooms" in sections.causes(replace(unsure, status="cannot_tell"))
    assert "The data name no cause" in sections.causes(replace(verdict, causes=()))


def test_the_change_of_the_metric_stands_with_its_interval(verdict):
    told = sections.verdict(verdict)
    assert "Error rate rose: 10.0 % before, 30.0 % during the failure" in told
    assert "95% interval of the change +17.0 to +23.0 percentage points" in told


def test_a_finding_stands_with_what_it_assumes_and_survived(verdict):
    (claim,) = verdict.metric.findings()
    told = sections.findings([replace(claim, assumptions=("rows are alike",), refuters=("a placebo",))])
    assert "1 finding, with" in told
    assert "rows are alike" in told
    assert "a placebo" in told


def test_every_open_question_is_a_question_with_its_reason(hostile):
    told = sections.unanswered(
        [Unanswered(question="since when?", why="no row has a time."), Unanswered(question="why", why=hostile)]
    )
    assert "<li>since when? No row has a time.</li>" in told
    assert "<script" not in told
    assert "has an answer" in sections.unanswered([])
