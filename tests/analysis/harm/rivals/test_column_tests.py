"""What speaks for a column: put back it gains, its worth is lost, the outcome follows the others as before."""

from dataclasses import replace
from itertools import product

import pytest

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.evidence.column_relations import ColumnRelation
from rca.analysis.harm.repair_and_rescore import PutBack
from rca.analysis.harm.rivals.column_tests import ColumnEvidence, ColumnTests, against_of, found_of, strength_of

RANK = {None: 0, "assumed": 1, "suggested": 2, "shown": 3}
PUT = PutBack(column="c", lost=0.1, lost_error=0.01, gain=0.1, gain_error=0.01, rows=500, halves=(0.1, 0.1))
ALONE = ColumnRelation(column="c", given_others=1.0, others_given=1.0)


def evidence(fault="scaled", *, moved=True, broke=True, put=PUT):
    known = ColumnFault(column="c", fault=fault, share=1.0, evidence="times 12")
    return ColumnEvidence(fault=known, moved=moved, broke=broke, relation=ALONE, put=put)


def every():
    names = ("gained", "lost", "likely", "sieved", "changed", "surely")
    return [dict(zip(names, said, strict=True)) for said in product([False, True], repeat=len(names))]


@pytest.mark.parametrize("test", ["gained", "lost", "likely"])
@pytest.mark.parametrize("seen", [{}, {"broke": False}, {"fault": "distribution", "broke": False}, {"put": None}])
def test_no_test_that_passes_makes_a_column_weaker(test, seen):
    for said in every():
        with_it, without = (ColumnTests(**said | {test: passed}) for passed in (True, False))
        assert RANK[strength_of(evidence(**seen), with_it)] >= RANK[strength_of(evidence(**seen), without)]


def test_a_column_that_only_moved_is_shown_by_gain_and_loss_together_with_what_the_others_keep():
    moved = evidence("distribution", broke=False)
    assert strength_of(moved, ColumnTests(gained=True, lost=True, sieved=True, changed=True)) == "shown"
    assert strength_of(moved, ColumnTests(lost=True, sieved=True, changed=True)) == "suggested"
    assert strength_of(moved, ColumnTests(gained=True, changed=True)) == "assumed"
    assert strength_of(moved, ColumnTests()) is None


def test_where_no_model_can_be_asked_a_column_is_at_most_suggested():
    assert {strength_of(evidence(put=None), ColumnTests(**said)) for said in every()} == {None, "suggested"}


def test_what_is_found_and_what_speaks_against_it_is_said():
    passed = ColumnTests(gained=True, lost=True, sieved=True, changed=True)
    assert found_of(evidence(), passed).endswith("the outcome follows the other columns as before; times 12")
    assert against_of(evidence(), passed) == ""
    assert against_of(evidence(), ColumnTests()) == "put back, the metric is no better on the same rows"


@pytest.mark.parametrize(("tells", "strength"), [(3.0, "suggested"), (0.0, "suggested"), (-3.0, None)])
def test_a_silent_column_that_tells_the_contrary_is_no_wrong_value(tells, strength):
    silent = replace(evidence("distribution", moved=False, broke=False), own_effect=tells)
    assert strength_of(silent, ColumnTests(lost=True, sieved=True, changed=True)) == strength


def test_a_silent_column_to_which_the_others_are_tied_is_sound():
    tied = replace(ALONE, tied=True)
    silent = replace(evidence("distribution", moved=False, broke=False), relation=tied)
    assert strength_of(silent, ColumnTests(lost=True, sieved=True, changed=True)) is None
