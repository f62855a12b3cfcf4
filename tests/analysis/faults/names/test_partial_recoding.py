"""Codes that mean each other in a part of the rows: told by other columns, and no mix that moved is taken for it."""

import numpy as np
import pytest

from rca.analysis.faults.contingency import contingency_of
from rca.analysis.faults.names.partial_recoding import partial_recoding
from rca.tables.column_pair import ColumnPair
from tests.analysis.faults.recoded_columns import coded, told, turned


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_codes_that_changed_here_and_there_are_recoded_without_a_map(share):
    hit = np.random.default_rng(2).random(4000) < share
    found = told(turned(coded(1), hit))
    assert (found.fault, found.recoding, found.invertible) == ("recoded", (), False)


def test_the_map_is_told_in_words_with_its_share_and_there_is_none_where_no_code_changed():
    before, after = coded(0), coded(1)

    def said(current):
        pair = ColumnPair(reference=before["code"], current=current["code"], coded=True)
        laid = contingency_of(before, current, columns=list(before), categorical=["code"], conditioned=False)
        return partial_recoding(pair, laid, moved={"code"})

    hit = np.random.default_rng(2).random(4000) < 0.4
    assert said(turned(after, hit)).evidence.startswith("in some 40% of the rows 0 stands for 2, 1 stands for 4")
    assert said(after) is None


def test_one_value_written_here_and_there_is_no_recoding():
    after = coded(1)
    found = told(after.assign(code=after["code"].mask(np.random.default_rng(2).random(4000) < 0.4, 2)))
    assert found.fault != "recoded"


def test_codes_whose_mix_moved_are_not_recoded():
    after = coded(1, 12_000)
    kept = np.random.default_rng(2).random(len(after)) < after["code"].map({0: 0.2, 1: 0.9}).fillna(0.5)
    assert told(after[kept].reset_index(drop=True)).fault == "distribution"
