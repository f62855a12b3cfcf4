"""Was the cause named: names in any spelling, ranks, decoys, onsets, and libraries that are not as they should be."""

import shutil
from typing import get_args

import pytest
import yaml

from rca.errors import InvalidCase
from rca.finding import CauseKind
from rca.practice.baselines import DRIFT, SHAP_SHIFT, USED_DRIFT, Baseline
from rca.practice.score import Score, Scored, compare, normal_name, same, score
from tests.conftest import INCIDENTS

SHIPPED = INCIDENTS


def verdict(*names, status="explained", kind="feature", at=None, fault=None):
    causes = [{"kind": kind, "name": name, **({"fault": fault} if fault else {})} for name in names]
    return {"status": status, "causes": causes, "onset": {"at": at} if at else None}


def answer(*names, kind="feature", **more):
    return {"status": "explained", "causes": [{"kind": kind, "name": name} for name in names]} | more


@pytest.mark.parametrize(
    ("named", "rank", "right"),
    [(["a"], 1, True), (["b", "a"], 2, False), (["b", "c"], None, False), ([], None, False), (["a", "a"], 1, True)],
)
def test_a_rank_is_the_place_of_the_first_right_cause(named, rank, right):
    found = compare("case", answer("a"), verdict(*named))
    assert (found.rank, found.right) == (rank, right)


def test_any_of_the_answers_causes_is_right():
    assert compare("case", answer("a", "b"), verdict("b")).right


def test_a_cause_of_another_kind_is_wrong():
    assert not compare("case", answer("a"), verdict("a", kind="mechanism")).right


def test_a_concept_is_right_whatever_the_label_is_called():
    assert same({"kind": "concept", "name": "label"}, {"kind": "concept", "name": "defaulted"})
    assert not same({"kind": "concept", "name": "label"}, {"kind": "feature", "name": "label"})


def test_late_labels_are_right_whatever_the_label_is_called():
    assert same({"kind": "labels", "name": "label"}, {"kind": "labels", "name": "churned"})
    assert not same({"kind": "labels", "name": "label"}, {"kind": "concept", "name": "label"})


def test_rows_are_right_by_what_befell_them():
    assert compare("case", answer("duplicates", kind="rows"), verdict("duplicates", kind="rows")).right
    assert not compare("case", answer("duplicates", kind="rows"), verdict("sampling", kind="rows")).right


@pytest.mark.parametrize("kind", ["rows", "labels"])
def test_the_kinds_of_an_answer_are_kinds_of_a_cause(kind):
    assert kind in get_args(CauseKind)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a=1", "a=1.0"), ("a = true", "a=1"), ("a=False", "a=0"), ("x<3.50", "x<3.5"), ("a=1 & b=2", "b=2 & a=1.0"),
        ("text~Word", "text~word"), ("x>=10", "x>=1e1"), ("a=B", "a=B"),
    ],
)  # fmt: skip
def test_slices_are_the_same_in_any_spelling(one, other):
    assert normal_name(one) == normal_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("a=1", "a=2"), ("x<3", "x>=3"), ("a=B", "a=b"), ("a", "b"), ("a=1", "a=1 & b=2")]
)
def test_other_slices_are_others(one, other):
    assert normal_name(one) != normal_name(other)


@pytest.mark.parametrize(("first", "decoy"), [("loud", True), ("a", False)])
def test_naming_a_decoy_first_is_counted(first, decoy):
    known = answer("a") | {"not": [{"kind": "feature", "name": "loud"}]}
    assert compare("case", known, verdict(first, "a")).decoy is decoy


def test_a_decoy_in_second_place_is_none():
    known = answer("a") | {"not": [{"kind": "feature", "name": "loud"}]}
    assert compare("case", known, verdict("a", "loud")).decoy is False
    assert compare("case", answer("a"), verdict("loud")).decoy is None


@pytest.mark.parametrize(("named", "right"), [("frozen", True), ("scaled", False), (None, False)])
def test_a_fault_is_right_when_the_cause_found_carries_it(named, right):
    assert compare("case", answer("a", fault="frozen"), verdict("a", fault=named)).fault is right
    assert compare("case", answer("a"), verdict("a", fault=named)).fault is None


def test_the_fault_of_a_cause_that_is_not_found_is_a_miss():
    missed = [compare("case", answer("a", fault="frozen"), verdict(*names, fault="frozen")) for names in ("b", "")]
    assert [row.fault for row in missed] == [False, False]
    assert Score(cases=tuple(missed)).totals["faults right"] == (0, 2)


def test_the_fault_is_that_of_the_cause_found_and_of_no_other():
    found = verdict("b", "a") | {"causes": [{"kind": "feature", "name": "b", "fault": "frozen"},
                                            {"kind": "feature", "name": "a", "fault": "scaled"}]}  # fmt: skip
    assert compare("case", answer("a", fault="frozen"), found).fault is False
    assert compare("case", answer("a", fault="scaled"), found).fault is True


@pytest.mark.parametrize(
    ("at", "within", "right"),
    [
        ("2026-01-02T00:00:00Z", "1d", True), ("2026-01-02T00:00:01Z", "1d", False),
        ("2025-12-31T23:00:00Z", "90 min", True), ("2026-01-01T01:00:00+01:00", "0s", True),
        ("2026-01-15T00:00:00Z", "2w", True), ("2026-01-01T02:30:00Z", "2.5h", True),
    ],
)  # fmt: skip
def test_an_onset_is_right_within_what_the_answer_allows(at, within, right):
    known = answer("a", onset="2026-01-01T00:00:00Z", within=within)
    assert compare("case", known, verdict("a", at=at)).onset is right


def test_an_onset_may_be_a_date_as_yaml_reads_it():
    known = yaml.safe_load(
        "{status: explained, causes: [{kind: feature, name: a}], onset: 2026-01-01T00:00:00Z, within: 1d}"
    )
    assert compare("case", known, verdict("a", at="2026-01-01T06:00:00Z")).onset is True
    assert compare("case", known, verdict("a")).onset is None


@pytest.mark.parametrize("status", ["no_incident", "cannot_tell"])
def test_a_status_is_right_when_it_is_said(status):
    known = {"status": status, "causes": []}
    assert compare("case", known, verdict(status=status)).right
    wrong = compare("case", known, verdict("a"))
    assert (wrong.right, wrong.named) == (False, "feature a")


@pytest.mark.parametrize("status", ["no_incident", "cannot_tell"])
def test_naming_first_what_an_unexplained_answer_lists_is_right_as_well(status):
    known = {"status": status, "causes": [{"kind": "labels", "name": "churned"}]}
    late, other = verdict("churned", kind="labels")["causes"] + verdict("a")["causes"]
    for causes, right in [([late], True), ([late, other], True), ([other, late], False), ([other], False), ([], False)]:
        found = compare("case", known, {"status": "explained", "causes": causes, "onset": None})
        assert (found.right, found.rank, found.fault) == (right, None, None)
    assert compare("case", known, verdict("a", status=status)).right


def test_totals_count_each_case_where_it_belongs():
    rows = (
        Scored(case="a", answer="explained", verdict="explained", rank=1, right=True, decoy=False, fault=True),
        Scored(case="b", answer="explained", verdict="explained", rank=3, decoy=True, onset=False),
        Scored(case="c", answer="explained", verdict="cannot_tell"),
        Scored(case="d", answer="no_incident", verdict="explained"),
        Scored(case="e", answer="no_incident", verdict="no_incident", right=True),
        Scored(case="f", answer="explained", verdict="failed", error="no such column"),
        Scored(case="g", answer="cannot_tell", verdict="cannot_tell", right=True),
    )
    found = Score(cases=rows)
    assert found.totals == {
        "found@1": (1, 4), "found@3": (2, 4), "no incident, said so": (1, 2), "cannot tell, said so": (1, 1),
        "false alarms": (1, 2), "decoys named first": (1, 2), "abstentions": (1, 4), "faults right": (1, 1),
        "onsets right": (0, 1), "failed": (1, 7),
    }  # fmt: skip
    assert [row.case for row in found.failed] == ["f"]
    assert "f failed: no such column" in str(found)
    assert found.to_dict()["totals"]["found@1"] == [1, 4]


def test_a_score_comes_back_from_its_dictionary():
    found = Score(cases=(Scored(case="a", answer="explained", verdict="explained", rank=1, right=True),))
    plain = found.to_dict()
    plain.pop("totals")
    plain.pop("families")
    plain.pop("baselines")
    assert Score.from_dict(plain) == found


def test_cases_named_alike_but_for_a_number_are_told_as_a_family():
    cases = [
        Scored(case=f"shop-{at:02}", answer="explained", verdict="explained", rank=rank, known=(name,), systems=5,
               n_sigma=at == 1)
        for at, (rank, name) in enumerate([(1, "a"), (3, "a"), (None, "b")], start=1)
    ]  # fmt: skip
    cases += [Scored(case="shop-04", answer="explained", verdict="cannot_tell", rank=1, known=("c",), systems=5)]
    (family,) = Score(cases=(*cases, Scored(case="alone", answer="explained", verdict="explained"))).families
    assert (family.name, family.cases, family.found) == ("shop", 4, (2, 2, 3, 3, 3))
    assert (family.abstained, family.abstained_right, family.constant, family.n_sigma) == (1, 1, 2, 1)
    assert family.chance == pytest.approx((0.8, 1.6, 2.4, 3.2, 4.0))


def test_a_table_of_families_stands_below_the_cases():
    rows = [Scored(case=f"shop-{at}", answer="explained", verdict="explained", rank=1, known=("a",)) for at in (1, 2)]
    said = str(Score(cases=tuple(rows)))
    assert "Avg@5" in said
    assert "shop    2      1.00" in said
    assert "Avg@5" not in str(Score(cases=tuple(rows[:1])))


def tabled(case, *, right, rank=1, answer="explained"):
    baselines = Baseline(name=DRIFT, column="a", right=right), Baseline(name=USED_DRIFT, column=None)
    return Scored(case=case, answer=answer, verdict="explained", rank=rank, right=rank == 1, baselines=baselines)


def test_baselines_stand_below_the_totals_with_the_number_of_cases():
    rows = tabled("a", right=True), tabled("b", right=False, rank=2), tabled("c", right=True, answer="no_incident")
    found = Score(cases=(*rows, Scored(case="d", answer="explained", verdict="explained", rank=1, right=True)))
    assert found.to_dict()["baselines"] == [
        {"name": DRIFT, "found": 1, "of": 2, "verdicts": 1, "absent": 0},
        {"name": USED_DRIFT, "found": 0, "of": 0, "verdicts": 0, "absent": 2},
    ]
    assert "baseline largest drift: 1 of 2 (verdicts on the same: 1)" in str(found)
    assert "baseline" not in str(Score(cases=found.cases[3:]))


def library(folder, name="quiet-quarter", **changed):
    shutil.copytree(SHIPPED / name, folder / name)
    for file, text in changed.items():
        (folder / name / file.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def test_a_library_is_scored_case_by_case(tmp_path, capsys):
    (row,) = score(library(tmp_path), progress=False).cases
    assert (row.case, row.answer, row.verdict, row.right, row.error) == (
        "quiet-quarter",
        "no_incident",
        "no_incident",
        True,
        None,
    )
    assert row.seconds > 0
    assert {one.name: one.right for one in row.baselines} == {DRIFT: False, USED_DRIFT: False, SHAP_SHIFT: False}
    assert all(one.column for one in row.baselines)
    assert capsys.readouterr().err == ""


def test_progress_goes_to_standard_error(tmp_path, capsys):
    score(library(tmp_path, "line-cascade"), progress=True)
    said = capsys.readouterr()
    assert "scoring" in said.err
    assert said.out == ""


def test_a_case_that_cannot_be_read_fails_alone(tmp_path):
    library(tmp_path, "line-cascade")
    library(tmp_path, incident_yaml="schema: 1\nid: 7\n")
    found = score(tmp_path, progress=False)
    assert [row.case for row in found.failed] == ["quiet-quarter"]
    assert found.totals["failed"] == (1, 2)


@pytest.mark.parametrize(
    "text", ["- a list\n", "status: explained\ncauses: nonsense\n", "{}\n", "status: maybe\ncauses: []\n", ""]
)
def test_an_answer_that_is_none_fails_alone(tmp_path, text):
    library(tmp_path, answer_yaml=text)
    (failed,) = score(tmp_path, progress=False).failed
    assert "answer.yaml" in failed.error


def test_a_folder_without_answers_is_refused(tmp_path):
    with pytest.raises(InvalidCase, match=r"no case with an answer\.yaml"):
        score(tmp_path)
