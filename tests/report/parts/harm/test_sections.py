"""Rivals, each with what speaks for and against it; what the rows without a label leave open, with what is assumed."""

import re
from dataclasses import replace
from typing import get_args

import pytest

from rca.analysis.conclusion.results_json import UNTESTED, ruled_out
from rca.analysis.harm.label_free_bounds import Unlabelled
from rca.analysis.harm.rivals.rival import Rival
from rca.finding import CauseKind, Interval
from rca.report.parts.harm import sections
from rca.report.parts.harm.sections import MOST_RIVALS, explanation, unlabelled
from tests.conftest import ROOT

BOUNDS = Interval(low=0.08, high=0.38)


def test_bounds_stand_without_an_assumption_and_an_estimate_with_its_own(hostile):
    alone = unlabelled(Unlabelled(labelled=0.7, reference=0.1, bounds=BOUNDS, assumes=("nothing overlaps",)))
    assert "70% of the current rows have a label" in alone
    assert ("0.08 to 0.38" in alone, "reweighted" in alone) == (True, False)
    known = Unlabelled(
        labelled=0.7, reference=0.1, bounds=BOUNDS, reweighted=0.2, reweighted_interval=Interval(low=0.15, high=0.25),
        assumes=("labels lack by chance", hostile),
    )  # fmt: skip
    told = unlabelled(known)
    assert "0.15 to 0.25" in told
    assert "&lt;script" in told
    assert "<script" not in told


# --- rivals ----------------------------------------------------------------------------------------------------------

KILLED = "put back, the metric is no better"


def killed(name="age", against=KILLED, kind="feature", **known):
    return Rival(kind=kind, name=name, against=against, **known)


@pytest.fixture
def asked(harm):
    """Income stands; age was put back for nothing; of the world nothing can be said."""
    part = harm.contributions[0]
    stands = Rival(kind="feature", name="income", fault="frozen", part=part, strength="shown", found="it froze")
    lost = killed(part=replace(part, name="age", value=-0.02))
    never = killed("label", "the inputs never told of the outcome", "concept")
    return replace(harm, rivals=(stands, lost, never))


def test_every_rival_is_a_row_with_its_harm_in_the_unit_of_the_metric_and_what_killed_it(asked):
    shown = sections.rivals(asked)
    rows = [re.sub("<[^>]+>", "|", row) for row in re.findall("<tr>.*?</tr>", shown)]
    assert "harm (percentage points)" in rows[0]
    for words in ("column income (frozen)", "it froze", "|18|", "17.0 to 19.0 (95%)", "|shown|"):
        assert words in rows[1]
    for words in ("column age", "|−2|", "|rejected|", KILLED):
        assert words in rows[2]
    assert "|not tested|" in rows[3]


def test_a_long_table_of_rivals_is_cut_and_says_so(harm):
    many = replace(harm, rivals=tuple(killed(f"c{n}") for n in range(MOST_RIVALS + 3)))
    shown = sections.rivals(many)
    assert shown.count("<tr>") == MOST_RIVALS + 1
    assert "And 3 more." in shown
    assert "more." not in sections.rivals(replace(many, rivals=many.rivals[:MOST_RIVALS]))


def test_what_was_killed_is_ruled_out_and_what_no_test_reached_is_not(asked):
    assert [one.name for one in ruled_out(asked)] == ["age"]
    assert [*ruled_out(replace(asked, rivals=(asked.rivals[0], asked.rivals[2])))] == []


def test_what_stands_in_another_way_was_not_ruled_out(asked):
    again = replace(asked, rivals=(*asked.rivals, killed("income", "the mix of its values explains too little")))
    assert [one.name for one in ruled_out(again)] == ["age"]


def test_what_the_verdict_leaves_open_was_not_ruled_out(asked):
    few = killed("outliers", "so few rows show no pattern", "rows", found="3 of 900 rows carry it")
    left_open = replace(asked, rivals=(few,), undecided=few.found)
    assert [*ruled_out(left_open)] == []
    assert [*ruled_out(replace(left_open, undecided=""))] == [few]


WEIGHED = sorted({*get_args(CauseKind)} - {"component", "event", "rows"})


@pytest.mark.parametrize(
    ("kind", "name"), [*((kind, "x") for kind in WEIGHED), ("rows", "duplicates"), ("rows", "outliers")]
)
def test_an_explanation_of_every_kind_has_words(kind, name):
    said = explanation(killed(name, kind=kind))
    assert len(said.split()) > 1
    assert name not in ("duplicates", "outliers") or name not in said


def test_a_column_whose_mix_is_accused_is_told_from_one_that_was_put_back(harm):
    mixed = replace(harm.contributions[0], method="reweighted")
    said = [explanation(killed("age", fault="distribution", part=part)) for part in (None, mixed)]
    assert said == ["column age", "another mix of age"]


def test_the_words_that_tell_an_untested_rival_are_those_of_the_analysis():
    room = ROOT / "rca" / "analysis" / "harm" / "rivals"
    written = "".join(module.read_text(encoding="utf-8") for module in sorted(room.glob("*.py")))
    assert [words for words in UNTESTED if words not in written] == []


def test_what_is_hostile_in_a_rival_is_escaped(harm, hostile):
    evil = replace(harm, rivals=(killed(hostile, hostile, found=hostile), killed("{0.name}{", "}{", "model")))
    shown = sections.rivals(evil)
    assert "&lt;script" in shown
    assert "{0.name}{" in shown
    assert [one for one in ("<script", "<img", "example.org", "\x1b") if one in shown] == []
