"""What was tried against an effect, as a table: every attempt with its outcome, and what is taken for granted."""

from dataclasses import replace

from rca.report.parts.event_study.sections import checks


def test_every_attempt_stands_with_its_outcome_above_what_is_taken_for_granted(effect, hostile):
    (passed,) = effect.refuters
    failed = replace(passed, says=hostile, passed=False)
    told = checks(replace(effect, refuters=(passed, failed, replace(passed, passed=None))))
    outcomes = [told.index(outcome) for outcome in ("passed", "failed", "could not be tried")]
    assert outcomes == sorted(outcomes)
    assert told.count("<li>") == len(effect.assumptions)
    assert told.index("Taken for granted") > outcomes[-1]
    assert "<script" not in told
