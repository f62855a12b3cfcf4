"""Why-trees and fishbones as figures: every factor in the table, everything from outside escaped."""

import json

import pytest

import rca
from rca.record.schema.why_tree import Factor, Rejected, Why
from rca.record.why_tree.views import fishbone
from rca.report.parts.why_tree.charts import MOST_ON_A_BONE, MOST_WHYS, outline
from rca.report.rendering.chart import CALM, HARM, HELP, QUIET, chart

TREE = Why(
    question="Why did it fail?",
    answer=Factor(statement="It was full", role="trigger", category="data", strength="shown", evidence=("a.b",)),
    whys=(
        Why(question="Why was it full?", answer=Factor(statement="A log grew", category="infrastructure")),
        Why(
            question="Why unseen?",
            answer=Factor(statement="No alarm", role="latent"),
            whys=(Why(question="Why none?", ask="ops"),),
        ),
    ),
    join="or",
    rejected=(Rejected(statement="Load", because="low"),),
)


def test_a_tree_is_drawn_as_an_outline_coloured_by_role():
    drawn = chart(TREE)
    edges, nodes = drawn.data
    assert nodes["x"] == [0, 1, 1, 2]
    assert nodes["y"] == [0, 1, 2, 3]
    assert nodes["marker"]["color"] == [HARM, CALM, HELP, QUIET]
    assert nodes["marker"]["symbol"] == ["circle", "circle-open", "circle-open", "square-open"]
    assert edges["x"] == [0, 0, 1, None, 0, 0, 1, None, 1, 1, 2, None]
    assert edges["y"] == [0, 1, 1, None, 0, 2, 2, None, 2, 3, 3, None]
    assert drawn.title == "4 whys, 1 of them open"


def test_the_table_has_every_why_with_its_evidence():
    rows = chart(TREE).rows
    assert [row["answer"] for row in rows] == ["It was full", "A log grew", "No alarm", "open"]
    assert [row["enough by itself"] for row in rows] == [False, True, True, False]
    assert rows[0]["evidence"] == "a.b"


def test_an_open_question_says_who_can_answer():
    texts = [note["text"] for note in chart(TREE).layout["annotations"]]
    assert texts[-1] == "<i>Why none?</i><br>open, to be answered by ops"


def test_a_great_tree_is_drawn_in_part_and_told_whole():
    tree = TREE.model_copy(update={"whys": TREE.whys * MOST_WHYS})
    drawn = outline([tree])
    assert len(drawn.data[1]["x"]) == MOST_WHYS
    assert len(drawn.rows) == 1 + 3 * MOST_WHYS
    assert f"The first {MOST_WHYS} of {1 + 3 * MOST_WHYS} are drawn." in drawn.alt


def test_no_tree_is_said_to_be_none():
    assert outline([]).title == "No why is on record, and the data suggest none"
    assert outline([Why(question="Why so?", answer=Factor(statement="s"))]).title == "1 why, all answered"


def test_a_fishbone_has_a_bone_for_each_category_and_the_bare_ones_in_grey():
    drawn = chart(fishbone([TREE], "It failed"))
    headed = [note for note in drawn.layout["annotations"] if note["text"].startswith("<b>") and "font" in note]
    names = {note["text"]: note["font"]["color"] for note in headed}
    assert names["<b>data</b>"] == CALM
    assert names["<b>people</b>"] == QUIET
    assert names["<b>not sorted</b>"] == CALM
    assert [row["factor"] for row in drawn.rows] == ["It was full", "A log grew", "No alarm"]
    assert "none under model, code, people, process, outside" in drawn.title
    assert "data: It was full" in drawn.alt


def test_a_crowded_bone_shows_some_and_the_table_all():
    many = [Why(question="Why so?", answer=Factor(statement=f"s{n}", category="data")) for n in range(9)]
    drawn = chart(fishbone(many, "e"))
    assert sum(">s" in f">{note['text']}" for note in drawn.layout["annotations"]) == MOST_ON_A_BONE
    assert len(drawn.rows) == 9
    assert chart(fishbone([], "e")).alt.endswith("None.")


@pytest.mark.parametrize(
    "draw", [lambda tree: tree, lambda tree: fishbone([tree], tree.question)], ids=["tree", "bones"]
)
def test_hostile_words_are_escaped_before_plotly_reads_them(draw):
    evil = "<a href='https://evil.example'>x</a><script>"
    tree = Why(question=evil, answer=Factor(statement=evil, category="data", evidence=(evil,)))
    drawn = json.dumps({key: value for key, value in chart(draw(tree)).to_dict()["layout"].items() if key != "meta"})
    assert "<a href" not in drawn
    assert "<script" not in drawn


def test_a_tree_can_be_plotted():
    assert rca.plot(TREE).layout.meta["title"] == "4 whys, 1 of them open"
