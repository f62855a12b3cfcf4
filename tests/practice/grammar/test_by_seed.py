import pytest

from rca.practice.grammar import by_seed


def line_of(seed):
    return {"seed": seed}


def test_a_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(by_seed, "limited", lambda seed, line: asked.append(seed) or line(seed))
    out = tmp_path / "lines.jsonl"
    by_seed.run(range(3), line_of, out)
    with out.open("a") as file:
        file.write('{"seed": 3, "par')
    out.write_text(out.read_text() + "\n")
    by_seed.run(range(5), line_of, out)
    assert asked == [0, 1, 2, 3, 4]
    assert [line["seed"] for line in by_seed.read(out)] == [0, 1, 2, 3, 4]


def test_what_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(by_seed, "LIMIT", 1)

    def forever(_seed):
        while True:
            pass

    with pytest.raises(TimeoutError, match="no answer within 1 s"):
        by_seed.limited(0, forever)
