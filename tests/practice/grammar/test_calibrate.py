"""Counts of right verdicts: by what was said first, whatever the truth, and none of what broke down."""

import json

import pytest

from rca.practice.grammar.calibrate import counted, main
from rca.practice.grammar.families import FIRST_COUNTED, FIRST_JUDGED


def line(status, kind=None, strength=None, *, right):
    causes = [{"kind": kind, "strength": strength}] if kind else []
    return {"status": status, "causes": causes, "right": right}


def test_verdicts_are_counted_by_the_kind_and_strength_of_their_first_cause():
    lines = [line("explained", "feature", "shown", right=True), line("explained", "feature", "shown", right=False)]
    assert counted([*lines, line("explained", "concept", "suggested", right=True)]) == {
        "concept, suggested": [1, 1],
        "feature, shown": [1, 2],
    }


def test_other_verdicts_are_counted_by_their_status_whatever_causes_they_name():
    assert counted([line("cannot_tell", "labels", "suggested", right=True), line("no_incident", right=False)]) == {
        "cannot_tell": [1, 1],
        "no_incident": [0, 1],
    }


def test_a_crash_is_no_verdict():
    assert counted([line("error", right=False)]) == {}


@pytest.mark.parametrize("seed", [2990, FIRST_JUDGED, FIRST_COUNTED - 1])
def test_seeds_that_try_or_judge_are_not_counted(seed, tmp_path, monkeypatch, capsys):
    path = tmp_path / "lines.jsonl"
    path.write_text(json.dumps(line("no_incident", right=True) | {"seed": seed}), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["calibrate", str(path)])
    with pytest.raises(SystemExit):
        main()
    assert f"seed {seed} tries or judges the rules" in capsys.readouterr().err
