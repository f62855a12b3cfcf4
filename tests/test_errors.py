import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.errors import InvalidCase, Problem, RcaError, RunFailed, Unanswerable, did_you_mean


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem(what="no column 'incom'", place="data.label", hint="did you mean 'income'?"),
         "data.label: no column 'incom'. Hint: did you mean 'income'?"),
        (Problem(what="empty.", place="current.parquet"), "current.parquet: empty."),
    ],
)  # fmt: skip
def test_a_problem_says_place_then_what_then_hint(problem, said):
    assert str(problem) == said


def test_a_refusal_keeps_every_problem():
    problems = [Problem(what="one", place="a"), Problem(what="two", place="b")]
    refusal = InvalidCase(iter(problems))
    assert refusal.problems == tuple(problems)
    assert str(refusal) == "a: one.\nb: two."


def test_a_refusal_for_one_reason_is_a_refusal_with_one_problem():
    refusal = InvalidCase.because("gone", place="case", hint="look again")
    assert refusal.problems == (Problem(what="gone", place="case", hint="look again"),)


def test_what_the_data_cannot_say_carries_its_question_and_its_reason():
    unanswerable = Unanswerable("since when", "no column has a time")
    assert (unanswerable.question, unanswerable.why) == ("since when", "no column has a time")
    assert str(unanswerable) == "since when: cannot tell, because no column has a time"


@pytest.mark.parametrize("error", [InvalidCase([]), RunFailed("cell 3"), Unanswerable("why", "no rows")])
def test_everything_raised_on_purpose_is_one_family(error):
    assert isinstance(error, RcaError)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_name_that_is_known_is_its_own_nearest(known):
    assert did_you_mean(known[0], known) == f"did you mean {known[0]!r}?"


def test_of_many_unlike_names_a_few_are_listed_in_order():
    known = [f"column_{number:02}" for number in range(20, 0, -1)]
    assert did_you_mean("?", known) == "known are " + ", ".join(sorted(known)[:8]) + ", …"


def test_where_nothing_is_known_nothing_is_suggested():
    assert did_you_mean("income", []) == ""


def test_a_notebook_shows_the_message_and_no_frames(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        shell.run_cell("import rca\nrca.load('no such folder')")
    finally:
        InteractiveShell.clear_instance()
    said = capsys.readouterr().out
    assert said.startswith("InvalidCase: no such folder")
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1
