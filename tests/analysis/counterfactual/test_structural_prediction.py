"""Where no model can be asked, what would have been is followed along the graph, with the row's own noise."""

import numpy as np
import pandas as pd
import pytest

import rca
from rca.errors import InvalidCase, Unanswerable

EDGES = [("z", "x"), ("x", "out"), ("z", "out"), ("k", "z")]


def drawn(rng, rows=1000, kind="mean"):
    k = rng.choice(["p", "q"], rows)
    z = rng.normal(size=rows) + (k == "q")
    x = 0.7 * z + 0.7 * rng.normal(size=rows)
    return pd.DataFrame({"k": k, "z": z, "x": x, "e": 0.8 * rng.normal(size=rows)})


def outcome(rows, kind):
    value = 2 + 1.5 * rows["x"].fillna(0) + 0.5 * rows["z"] + rows["e"]
    return value if kind == "mean" else (value > 3).astype(int)


def windows(kind, change, seed=0):
    rng = np.random.default_rng(seed)
    reference, true = drawn(rng), drawn(rng)
    frames = [rows.assign(out=outcome(rows, kind)) for rows in (reference, true, change(true))]
    return [rows.drop(columns="e") for rows in frames]


def asked(reference, current, kind, **more):
    roles = {"metric": {"name": kind, "column": "out"}, "features": ["k", "z", "x"], "graph": EDGES, **more}
    return rca.what_if(
        reference, current, mend=more.pop("mend", "x"), **{key: one for key, one in roles.items() if key != "mend"}
    )


def test_where_the_fault_can_be_undone_each_row_is_what_it_would_have_been():
    reference, true, broken = windows("mean", lambda rows: rows.assign(x=rows["x"] * 100))
    found = asked(reference, broken, "mean")
    assert found.by == "laws along the causal graph"
    assert any("graph is right" in one for one in found.assumptions)
    assert true["out"].mean() in found.would_be.interval
    told = found.frame()["would have been"].to_numpy()
    assert np.abs(told - true["out"].to_numpy()).mean() < 0.2 * np.abs(broken["out"] - true["out"]).mean()


@pytest.mark.parametrize("kind", ["mean", "rate"])
def test_where_values_are_lost_the_truth_lies_in_the_intervals(kind):
    reference, true, broken = windows(kind, lambda rows: rows.assign(x=1.2))
    found = asked(reference, broken, kind)
    assert true["out"].mean() in found.would_be.interval
    if kind == "rate":
        assert (true["out"] != broken["out"]).sum() in found.changed.interval
        assert found.turns


def test_what_is_missing_takes_a_noise_as_usual():
    reference, true, broken = windows("mean", lambda rows: rows.assign(x=rows["x"].where(rows["z"] < 0.5)))
    found = asked(reference, broken, "mean")
    assert true["out"].mean() in found.would_be.interval


def test_scores_that_no_stand_in_repeats_are_followed_and_decided_anew():
    rng = np.random.default_rng(3)
    reference, true = drawn(rng, 1500), drawn(rng, 1500)

    def scored(rows):
        score = 1 / (1 + np.exp(-(rows["x"] + rows["z"] + 2 * rows["e"])))
        return rows.assign(score=score, said=(score > 0.5).astype(int), label=0)

    reference, true, broken = scored(reference), scored(true), scored(true.assign(x=1.5))
    roles = {"metric": "false_positive_rate", "label": "label", "score": "score", "prediction": "said"}
    edges = [("z", "x"), ("x", "score"), ("z", "score"), ("score", "said")]
    found = rca.what_if(
        reference.drop(columns="e"), broken.drop(columns="e"), mend="x", graph=edges, features=["k", "z", "x"], **roles
    )
    assert found.by == "laws along the causal graph"
    assert (true["said"] != broken["said"]).sum() in found.changed.interval
    assert true["said"].mean() in found.would_be.interval


def test_flags_and_words_come_back_as_they_were():
    reference, true, broken = windows("rate", lambda rows: rows.assign(x=rows["x"] * 100))
    words = [rows.assign(out=np.where(rows["out"] == 1, "yes", "no")) for rows in (reference, broken)]
    said = asked(*words, "rate", positive="yes")
    assert {turn.was for turn in said.turns} <= {"yes", "no"}
    flags = [rows.assign(out=rows["out"] == 1) for rows in (reference, broken)]
    flagged = asked(*flags, "rate", positive=True)
    plain = asked(reference, broken, "rate")
    assert flagged.changed.value == pytest.approx(plain.changed.value, rel=0.05)
    assert said.changed.value == pytest.approx(plain.changed.value, rel=0.05)
    assert true["out"].mean() in plain.would_be.interval


def test_a_graph_that_leads_nowhere_or_misspells_gives_no_answer():
    reference, _, broken = windows("mean", lambda rows: rows.assign(x=rows["x"] * 100))
    with pytest.raises(Unanswerable, match="leads from x to nothing"):
        asked(reference, broken, "mean", graph=[("z", "x"), ("z", "out")])
    with pytest.raises(Unanswerable, match="neither a model"):
        asked(reference, broken, "mean", graph=[("z", "x")])
    with pytest.raises(Unanswerable, match="no model that could be asked again, and no causal graph"):
        asked(reference, broken, "mean", graph=[])
    with pytest.raises(InvalidCase, match="circle"):
        asked(reference, broken, "mean", graph=[("x", "out"), ("out", "z"), ("z", "x")])
