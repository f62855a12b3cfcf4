import json

import pytest

from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.practice.grammar import run as running
from rca.practice.grammar.draw import draw
from rca.practice.grammar.run import Asked

TRYING = Asked("trying")


def test_a_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(running, "_limited", lambda seed, what: asked.append(seed) or {"seed": seed, "part": what.part})
    out = tmp_path / "lines.jsonl"
    running.run(range(3), TRYING, out)
    with out.open("a") as file:
        file.write('{"seed": 3, "par')
    out.write_text(out.read_text() + "\n")
    running.run(range(5), TRYING, out)
    assert asked == [0, 1, 2, 3, 4]
    assert [line["seed"] for line in running.read(out)] == [0, 1, 2, 3, 4]


def said(monkeypatch, verdict):
    monkeypatch.setattr(running, "baselines_of", lambda _: {"largest drift": None})
    monkeypatch.setattr(running, "verdict_of", verdict)


def test_a_crash_of_the_product_is_a_wrong_answer(monkeypatch):
    def crash(_):
        raise RuntimeError("broke")

    said(monkeypatch, crash)
    line = running.line_of(3, TRYING)
    assert line["error"] == "RuntimeError: broke"
    assert line["right"] is False
    json.dumps(line, default=running._plain)


def test_a_line_says_whether_the_first_cause_is_right(monkeypatch):
    answer = draw(3).answer
    kind, name = answer.causes[0]
    causes = [
        Cause(kind="event", name="deploy", strength="assumed", findings=()),
        Cause(kind=kind, name=name, fault=(answer.faults or (None,))[0], strength="shown", findings=()),
    ]
    for order, right in ((causes, False), (causes[::-1], True)):
        verdict = Verdict(status="explained", summary="", causes=tuple(order))
        said(monkeypatch, lambda _, verdict=verdict: verdict)
        line = running.line_of(3, TRYING)
        assert (line["right"], line["right_3"]) == (right, True)
        assert line["truth"] == "explained"


def test_the_judging_part_begins_with_its_own_seeds(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(running, "run", lambda seeds, part, _out, **_: seen.append((part, list(seeds))))
    running.main(["--part", "judging", "--first", "5", "--count", "2", "--out", str(tmp_path / "x")])
    assert seen == [(Asked("judging"), [1_000_005, 1_000_006])]
    running.main(["--kind", "clipped", "--place", "slice", "--count", "1", "--out", str(tmp_path / "x")])
    assert seen[1] == (Asked("trying", "clipped", "slice"), [0])


def test_baselines_name_a_column_that_is_there():
    incident = next(one for one in map(draw, range(20)) if one.model is not None)
    named = running.baselines_of(incident)
    assert set(named) == {"largest drift", "largest drift x gain", "largest SHAP shift"}
    assert set(named.values()) - {None} <= set(incident.reference.columns)


def test_the_summary_is_printed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(running, "summary", lambda lines: f"{len(lines)} lines")
    path = tmp_path / "a.jsonl"
    path.write_text('{"seed": 1}\n{"seed": 2}\n')
    assert running.main(["--summary", str(path)]) == 0
    assert capsys.readouterr().out == "2 lines\n"


def test_an_incident_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(running, "LIMIT", 1)
    monkeypatch.setattr(running, "on_one_thread", lambda question: question)

    def forever(_seed, _part):
        while True:
            pass

    monkeypatch.setattr(running, "line_of", forever)
    with pytest.raises(TimeoutError, match="no answer within 1 s"):
        running._limited(0, TRYING)
