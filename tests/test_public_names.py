"""Whatever the public functions are given, they answer, or say in a sentence what they take."""

import inspect
import shutil

import pandas as pd
import pytest

import rca
from tests.conftest import INCIDENTS, SMALLEST

WRONG = {"a number": 7, "an object": object(), "a set": {1}, "a function": len, "numbers": [7], "no text": "a\0b"}

FUNCTIONS = [name for name in rca.__all__ if inspect.isfunction(getattr(rca, name)) and name != "check"]

OTHER = {
    ("causes", "target"): object(),
    ("causes", "graph"): [object()],
    ("graph", "graph"): [object()],
    ("analyse", "alpha"): "no number",
    ("verify", "keys"): 7,
    ("verify", "case"): 7,
    ("run", "out"): 7,
    ("save_whys", "whys"): [7],
    ("save_whys", "actions"): 7,
    ("lint", "actions"): 7,
}
"""What has been seen to end in frames that name nothing a caller gave."""


def refused(ask, *given, **named):
    with pytest.raises(rca.InvalidCase) as error:
        ask(*given, **named)
    assert all(problem.hint and problem.place for problem in error.value.problems), error.value


@pytest.fixture(scope="module")
def case():
    return rca.load(INCIDENTS / SMALLEST)


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_first_argument_of_a_wrong_kind_is_refused_with_a_hint(name, what):
    if (name, what) == ("why", "no text"):
        return  # a question of any letters is one
    ask = getattr(rca, name)
    more = [one for one in list(inspect.signature(ask).parameters.values())[1:] if one.default is one.empty]
    named = {one.name: "x" for one in more if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)}
    refused(ask, WRONG[what], **named)


@pytest.mark.parametrize("what", WRONG)
def test_a_check_of_no_folder_is_a_problem_with_a_hint(what):
    assert [bool(problem.hint) for problem in rca.check(WRONG[what])] == [True]


@pytest.mark.parametrize(("name", "argument"), OTHER)
def test_another_argument_of_a_wrong_kind_is_refused_with_a_hint(name, argument, case, tmp_path):
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 1.0, 3.0]})
    first = {"causes": (rows, rows), "verify": (tmp_path,), "lint": (rca.why("Why?"),)}
    refused(getattr(rca, name), *first.get(name, (case,)), **{argument: OTHER[name, argument]})


def test_a_case_and_a_run_will_do_where_their_folder_is_asked_for(report, tmp_path):
    case = rca.load(shutil.copytree(report.case, tmp_path / SMALLEST))
    assert rca.check(case) == []
    assert rca.load(case).digest == case.digest
    assert rca.save_whys(case, whys=rca.why("Why did nobody see it?"))
    assert [one.question for one in rca.load(case).incident.whys] == ["Why did nobody see it?"]
    assert rca.verify(report.result, case=report.case).ok
