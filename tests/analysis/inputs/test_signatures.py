"""What a question takes stands in its signature, as completion and help show it."""

import inspect

import pandas as pd
import pytest

import rca

QUESTIONS = [name for name in rca.__all__ if inspect.isfunction(getattr(rca, name))]


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_hides_its_keywords(name):
    signature = inspect.signature(getattr(rca, name))
    assert not [one for one in signature.parameters.values() if one.kind is one.VAR_KEYWORD]


@pytest.mark.parametrize("name", ["faults", "harm", "slices", "gaps", "onset", "recovery", "explain", "what_if"])
def test_what_is_shown_is_taken_and_what_is_not_is_refused_by_name(name):
    shown = inspect.signature(getattr(rca, name)).parameters
    assert {"label", "prediction", "time", "groups", "positive"} <= set(shown)
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    asked = {"lable": "a"} | ({"metric": "mae"} if "metric" in shown else {})
    asked |= {"mend": "a"} if name == "what_if" else {}
    with pytest.raises(rca.InvalidCase, match="lable"):
        getattr(rca, name)(rows, rows, **asked)
