import json
from functools import cache

from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.practice.grammar.by_seed import plain
from rca.practice.lines import run as running
from rca.practice.lines.draw import draw


@cache
def seed_of(*, quiet):
    return next(seed for seed in range(60) if (draw(seed).origin is None) == quiet)


def said(monkeypatch, verdict):
    monkeypatch.setattr(running, "verdict_of", lambda _: (verdict, 0.9))


def test_a_crash_of_the_product_is_a_wrong_answer(monkeypatch):
    def crash(_):
        raise RuntimeError("broke")

    monkeypatch.setattr(running, "verdict_of", crash)
    line = running.line_of(seed_of(quiet=False), "trying")
    assert (line["error"], line["right"]) == ("RuntimeError: broke", False)
    json.dumps(line, default=plain)
    assert "error: RuntimeError" in running.summary([line])


def test_a_line_says_whether_the_origin_is_named_first(monkeypatch):
    seed = seed_of(quiet=False)
    origin = draw(seed).origin
    causes = [Cause(kind="component", name=name, strength="suggested", findings=()) for name in ("x", origin)]
    for order, right in ((causes, False), (causes[::-1], True)):
        said(monkeypatch, Verdict(status="explained", summary="", causes=tuple(order)))
        line = running.line_of(seed, "trying")
        assert (line["first"], line["right"], line["rank"]) == (right, right, 1 if right else 2)
        assert set(line["baselines"]) >= {"n-sigma", "BARO"}


def test_a_quiet_window_is_right_where_it_is_said_to_be(monkeypatch):
    seed = seed_of(quiet=True)
    for status, right in (("no_incident", True), ("cannot_tell", False)):
        said(monkeypatch, Verdict(status=status, summary=""))
        assert running.line_of(seed, "trying")["right"] is right


def test_counts_are_written_by_what_was_said(tmp_path):
    lines = [{"status": "explained", "key": "k", "right": right} for right in (True, False)] + [{"status": "error"}]
    running.write_counts(lines, tmp_path / "counts.json")
    held = json.loads((tmp_path / "counts.json").read_text())
    assert held == {"on": "3 drawn lines of systems", "counts": {"k": [1, 2]}}


def test_a_run_of_both_parts_is_summed_up(tmp_path, capsys, monkeypatch):
    said(monkeypatch, Verdict(status="no_incident", summary=""))
    monkeypatch.setattr(
        running, "run", lambda seeds, line, out, **_: out.write_text(json.dumps(line(seeds[0]), default=plain))
    )
    out = tmp_path / "lines.jsonl"
    assert running.main(["--part", "judging", "--count", "1", "--out", str(out)]) == 0
    assert json.loads(out.read_text())["seed"] == 1_000_000
    running.main(["--summary", str(out)])
    assert "found first by structure" in capsys.readouterr().out
