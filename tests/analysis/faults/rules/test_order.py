"""The rules together: each has words of its own, and what it does to some rows it undoes."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rules.order import RULE_OF, RULES

KNOWN = {
    "scaled": {"factor": 60.0},
    "shifted": {"offset": -4.5},
    "recoded": {"recoding": (("20", "1"), ("30", "2"), ("10", "3"))},
    "swapped": {"partner": "b"},
}


def test_a_rule_says_its_fault_of_a_column_by_name_and_each_in_its_own_words():
    assert all(rule.clause.startswith("{name} ") and rule.check for rule in RULES)
    assert len({rule.clause for rule in RULES}) == len({rule.check for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    "kind", [rule.kind for rule in RULES if rule.inject and rule.undo and rule.kind != "truncated"]
)
def test_what_a_rule_does_to_some_rows_it_undoes(kind):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": rng.choice([1, 2, 3], 200), "b": rng.choice([7, 8, 9], 200)})
    struck, rule = rng.random(200) < 0.5, RULE_OF[kind]
    faults = {
        column: ColumnFault(column=column, fault=kind, share=0.5, evidence="said", **{**KNOWN[kind], **more})
        for column, more in (("a", {}), ("b", {"partner": "a"}))
    }
    done = rows.assign(**{column: rule.inject(fault, rows, struck) for column, fault in faults.items()})
    assert (done["a"] != rows["a"]).equals(pd.Series(struck))
    back = rule.undo(faults["a"], done, struck)
    np.testing.assert_allclose(back.astype(float), rows["a"])
