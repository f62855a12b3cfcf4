"""Why-trees as nested lists: every question once, its evidence beside its answer, and who can answer what is open."""

from rca.record.schema.why_tree import Factor, Why
from rca.report.parts.why_tree.sections import whys

LEAF = Why(
    question="Why unseen?", ask="ops", candidates=(Factor(statement="No alarm rang", evidence=("sources/log.txt",)),)
)
TREE = Why(
    question="Why did it fail?",
    answer=Factor(statement="It was full", strength="shown", evidence=("a.b",)),
    whys=(LEAF, Why(question="Why was it full?", answer=Factor(statement="A log grew"))),
)


def test_a_why_lies_within_the_why_that_it_answers():
    told = whys([TREE])
    assert (told.count("<ul>"), told.count("</ul>"), told.count("<li ")) == (2, 2, 3)
    assert told.index("It was full") < told.index("Why unseen?") < told.index("Why was it full?")
    assert "shown; evidence: a.b" in told
    assert "evidence: none on record" in told


def test_an_open_why_says_who_can_answer_and_what_the_record_suggests():
    told = whys([LEAF])
    assert "Open. To be answered by ops." in told
    assert "Not established; the record suggests: No alarm rang (evidence: sources/log.txt)" in told


def test_no_tree_is_said_to_be_none_and_a_hostile_one_arrives_as_text(hostile):
    assert "No why-path is on record" in whys([])
    assert "<script" not in whys([Why(question=hostile, answer=Factor(statement=hostile, evidence=(hostile,)))])
