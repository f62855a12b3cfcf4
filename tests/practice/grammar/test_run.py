import json

from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.practice.grammar import run as running
from rca.practice.grammar.by_seed import plain
from rca.practice.grammar.draw import draw
from rca.practice.grammar.run import Asked

TRYING = Asked("trying")


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
    json.dumps(line, default=plain)


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
    monkeypatch.setattr(
        running, "run", lambda seeds, line, _out, **_: seen.append((line.keywords["asked"], list(seeds)))
    )
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
