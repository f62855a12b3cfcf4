import numpy as np
import pandas as pd
import pytest

from rca.tables.condition import Condition, all_hold, conjunction

ROWS = pd.DataFrame({"n": [1.0, 2.0, np.nan], "c": ["a", "b", None], "t": ["He is GAY, and proud", "gayle", None]})


@pytest.mark.parametrize(
    ("operator", "column", "value", "held"),
    [
        ("=", "c", "a", [True, False, False]),
        ("=", "n", "2", [False, True, False]),
        ("<", "n", 2.0, [True, False, False]),
        (">=", "n", 2.0, [False, True, False]),
        ("~", "t", "gay", [True, False, False]),
        ("~", "t", "Gay and", [True, False, False]),
        ("~", "t", "is proud", [False, False, False]),
    ],
)
def test_a_condition_holds_where_its_column_says_so(operator, column, value, held):
    assert Condition(column=column, operator=operator, value=value).holds(ROWS).tolist() == held


def test_a_slice_is_named_by_its_conditions_and_holds_where_all_do():
    both = [Condition(column="n", operator=">=", value=1.5), Condition(column="c", operator="=", value="b")]
    assert conjunction(both) == "n>=1.5 & c=b"
    assert all_hold(both, ROWS).tolist() == [False, True, False]
    assert all_hold([], ROWS).all()
