"""Which system failed first, asked of plain tables."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import rca

SINCE = "2026-03-02T02:30:00Z"


def table(**late):
    made = pd.DataFrame({"time": pd.date_range("2026-03-02", periods=200, freq="min", tz="UTC")})
    for seed, (name, first) in enumerate(late.items()):
        noise = np.random.default_rng(seed).normal(20, 1, 200)
        made[f"{name}|latency"] = noise + 15 * (np.arange(200) >= 150 + first)
    return made


def ask(made=None, **options):
    asked = {
        "since": SINCE,
        "target": "web|latency",
        "bad": {"latency": "up"},
        "graph": [("web", "db")],
        "kind": "calls",
    }
    return rca.cascade(table(web=8, db=2) if made is None else made, **asked | options)


def test_a_table_is_answered_as_its_case_would_be():
    found = ask()
    assert [one.component for one in found.suspects] == ["db", "web"]
    assert found.way[0].cause == "db"
    assert found == ask(pl.from_pandas(table(web=8, db=2)))
    assert found == ask(until="2026-03-02T03:19:00Z")
    assert found == ask(table(web=8, db=2).sample(frac=1, random_state=0))


def test_without_a_graph_or_an_alarm_time_tells():
    assert ask(graph=(), target=None, bad=None).suspects[0].component == "db"


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"since": None}, "since"),
        ({"since": "2026-03-02T02:30"}, "from"),
        ({"since": 5}, "from"),
        ({"bad": "up"}, "bad"),
        ({"until": "2026-03-01T00:00Z"}, ""),
        ({"bad": {"latency": "upwards"}}, "bad"),
        ({"kind": "caller"}, "kind"),
        ({"target": "web|latencies"}, "target"),
        ({"graph": [("web",)]}, "graph"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_place(options, place):
    with pytest.raises(rca.InvalidCase) as caught:
        ask(**options)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: table(web=8).rename(columns={"time": "at"}), "no column `time`"),
        (lambda: table(web=8).assign(time=lambda rows: rows["time"].dt.tz_localize(None)), "no offset"),
        (lambda: table(web=8).assign(note="slow"), "holds no numbers"),
    ],
)
def test_a_table_that_is_none_of_signals_is_refused(made, says):
    with pytest.raises(rca.InvalidCase, match=says):
        ask(made(), graph=())


def test_too_few_samples_cannot_say():
    with pytest.raises(rca.Unanswerable):
        ask(since="2026-03-02T00:05Z")


def test_of_a_case_nothing_else_is_asked_in_silence():
    case = rca.load("data/incidents/line-cascade")
    assert rca.cascade(case).suspects[0].component == "defect-detector"
    with pytest.raises(rca.InvalidCase, match="its own window"):
        rca.cascade(case, graph=[("a", "b")])


def test_no_graph_is_none():
    assert ask(graph=None) == ask(graph=())
