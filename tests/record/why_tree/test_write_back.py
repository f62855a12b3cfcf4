"""Why-trees and actions written back: only what changed, every other byte and comment kept."""

import re

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rca.errors import InvalidCase
from rca.record.case import load
from rca.record.files.yaml_document import document
from rca.record.schema.corrective_action import CorrectiveAction
from rca.record.schema.why_tree import Factor, Rejected, Why
from rca.record.why_tree.write_back import KEPT, _says, edited, save_whys

RECORD = """\
schema: 1
id: loans   # the folder's name
title: "Loans: refused"
severity: sev2
category: other
status: closed
whys:   # drafted on Monday
  # the symptom
  - question: Why were loans refused?   # asked by the branches
    answer:
      statement: The error rose   # measured
      evidence: [metric.change]   # see 2_drift
    whys:
      - {question: Why did it rise?, answer: {statement: Income stood still, at: 2026-03-01T00:00:00+00:00}}
      # the guard
      - question: Why did nobody see?
        answer:
          role: latent
          statement: >-
            No check looks
            at single values

          # still to be shown
        rejected: []

# what we do
actions:
  - what: Watch the feed   # soon
    owner: data-platform
    due: 2026-07-15
    state: open
  - what: Tell the branches
    due: 2026-08-01

as_of: null   # the end
"""


def held(text):
    value = document(text, name="incident.yaml").value
    return tuple(KEPT[key].validate_python(_filled(value.get(key) or [])) for key in ("whys", "actions"))


def _filled(value):
    if isinstance(value, dict):
        return {key: _filled(one) for key, one in value.items() if one is not None}
    return [_filled(one) for one in value] if isinstance(value, list) else value


WHYS, ACTIONS = held(RECORD)


def comments(text):
    return re.findall(r"#.*", text)


def changed_lines(before, after):
    return set(after.splitlines()) - set(before.splitlines()), set(before.splitlines()) - set(after.splitlines())


def test_what_says_the_same_is_left_as_it_is_written():
    assert edited(RECORD, whys=WHYS, actions=ACTIONS) == RECORD


def test_one_word_changed_is_one_line_changed_and_its_comment_stays():
    tree = WHYS[0].model_copy(update={"answer": WHYS[0].answer.model_copy(update={"statement": "The error doubled"})})
    fresh = edited(RECORD, whys=[tree])
    came, went = {"      statement: The error doubled   # measured"}, {"      statement: The error rose   # measured"}
    assert changed_lines(RECORD, fresh) == (came, went)
    assert held(fresh)[0] == (tree,)


def test_what_is_added_is_added_and_all_comments_stay():
    more = Why(question="Why so late?", answer=Factor(statement="Yes: no", evidence=("a.b", "sources/x #1.md")))
    tree = WHYS[0].then(more)
    plan = (ACTIONS[0].model_copy(update={"factors": ("the error rose",)}), CorrectiveAction(what="no"), ACTIONS[1])
    fresh = edited(RECORD, whys=[tree], actions=plan)
    assert held(fresh) == ((tree,), plan)
    assert comments(RECORD) == [one for one in comments(fresh) if one in comments(RECORD)]
    assert set(RECORD.splitlines()) <= set(fresh.splitlines())


def test_what_is_taken_out_is_taken_out_and_no_more():
    fresh = edited(RECORD, actions=ACTIONS[1:])
    assert held(fresh)[1] == ACTIONS[1:]
    assert changed_lines(RECORD, fresh)[0] == set()
    bare = ACTIONS[0].model_copy(update={"owner": None})
    assert "owner" not in edited(RECORD, actions=(bare, ACTIONS[1]))


def test_the_first_key_of_an_item_can_go():
    text = "actions:\n  - state: done   # since May\n    what: w   # the feed\n"
    assert edited(text, actions=[CorrectiveAction(what="w")]) == text.replace("state: done   # since May\n    ", "")


def test_a_key_that_is_not_there_is_put_at_the_end():
    plan = [CorrectiveAction(what="w")]
    assert edited("id: a  # mine", actions=plan) == "id: a  # mine\nactions:\n- what: w\n"
    assert edited("id: a\n", actions=()) == "id: a\nactions: []\n"


@pytest.mark.parametrize("empty", ["[]", "", "null", "~  # none yet"])
def test_an_empty_list_is_filled(empty):
    text = f"id: a\nactions: {empty}\nas_of: null  # the end\n"
    fresh = edited(text, actions=[CorrectiveAction(what="w", owner="x")])
    assert held(fresh)[1] == (CorrectiveAction(what="w", owner="x"),)
    assert fresh.endswith("as_of: null  # the end\n")
    assert held(edited(fresh, actions=()))[1] == ()


def test_a_list_in_brackets_stays_in_brackets():
    text = "actions: [{what: w, factors: [a]}]  # short\n"
    fresh = edited(text, actions=[CorrectiveAction(what="w", factors=("a", "b: c"))])
    assert fresh == 'actions: [{what: w, factors: [a, "b: c"]}]  # short\n'


def test_line_ends_and_a_mark_of_byte_order_stay():
    text = "\ufeffid: a\r\nactions:\r\n- what: w\r\n"
    fresh = edited(text, actions=[CorrectiveAction(what="w", owner="x")])
    assert fresh == "\ufeffid: a\r\nactions:\r\n- what: w\r\n  owner: x\r\n"


SIGNS = st.sampled_from("\n:#-'\"[]{}&*!|>%@ \t")
BREAKS = {"\x85", "\u2028", "\u2029", "\ufeff", "\uffff", "\ufffe"}
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters=BREAKS) | SIGNS, max_size=25
)
EVIDENCE = st.lists(TEXT, max_size=2).map(tuple)
FACTORS = st.builds(
    Factor, statement=TEXT, role=st.sampled_from(["trigger", "latent"]), evidence=EVIDENCE, id=st.none() | TEXT
)
REJECTED = st.lists(st.builds(Rejected, statement=TEXT, because=TEXT, evidence=EVIDENCE), max_size=1).map(tuple)
LEAVES = st.builds(
    Why, question=TEXT, answer=st.none() | FACTORS, rejected=REJECTED, join=st.sampled_from(["and", "or"])
)
TREES = st.recursive(
    LEAVES,
    lambda below: st.builds(Why, question=TEXT, answer=FACTORS, whys=st.lists(below, max_size=3).map(tuple)),
    max_leaves=5,
)
PLANS = st.lists(
    st.builds(CorrectiveAction, what=TEXT, owner=st.none() | TEXT, factors=EVIDENCE, due=st.none() | TEXT), max_size=3
).map(tuple)


@settings(max_examples=60, deadline=None)
@given(
    first=st.lists(TREES, max_size=2).map(tuple), second=st.lists(TREES, max_size=2).map(tuple), plan=PLANS, other=PLANS
)
@example(first=(), second=(Why(question="\n"),), plan=(), other=(CorrectiveAction(what="", due="null"),))
def test_whatever_is_written_is_read_back_the_same_and_the_rest_is_not_touched(first, second, plan, other):
    text = RECORD
    for trees, actions in ((first, plan), (second, other), (second, other)):
        before, text = text, edited(text, whys=trees, actions=actions)
        assert held(text) == (trees, actions)
        head, tail = RECORD[: RECORD.index("whys:")], RECORD[RECORD.index("as_of: null") :]
        assert text.startswith(head)
        assert tail in text
    assert text == before
    assert isinstance(yaml.safe_load(text), dict)


def test_a_record_on_disk_is_changed_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "loans"
    folder.mkdir()
    (folder / "incident.yaml").write_text(RECORD)
    assert not save_whys(folder, whys=WHYS)
    assert save_whys(folder, whys=[WHYS[0].then(Why(question="Why so late?"))])
    assert load(folder).incident.whys[0].open()[0].question == "Why so late?"
    assert [path.name for path in folder.iterdir()] == ["incident.yaml"]
    assert load(folder).incident.actions == ACTIONS


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"- a\n"])
def test_what_is_no_record_is_refused(tmp_path, content):
    path = tmp_path / "incident.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidCase):
        save_whys(path, whys=WHYS)


def test_where_the_fewest_edits_do_not_say_what_is_wanted_the_whole_list_is_written(monkeypatch):
    monkeypatch.setattr("rca.record.why_tree.write_back._says", lambda *_: False)
    plan = (ACTIONS[1], CorrectiveAction(what="new"))
    fresh = edited(RECORD, actions=plan)
    assert held(fresh) == (WHYS, plan)
    assert fresh.startswith(RECORD[: RECORD.index("actions:")])
    assert fresh.endswith("as_of: null   # the end\n")


def test_a_text_that_cannot_be_read_says_nothing():
    assert not _says("- a", "whys", ())
    assert not _says("whys: [1]", "whys", ())
