"""How columns broke, asked of plain tables: with the arguments of the harm, and whatever means yes."""

import rca
from tests.analysis.plain_tables import AFTER, BEFORE, COLUMNS


def test_how_columns_broke_may_be_asked_with_the_arguments_of_the_harm():
    assert rca.faults(BEFORE, AFTER, metric="error_rate", model=None, **COLUMNS) == rca.faults(BEFORE, AFTER, **COLUMNS)


def test_the_answer_of_what_broke_does_not_depend_on_what_means_yes():
    words = [frame.assign(label=frame["label"].map({0: "no", 1: "yes"})) for frame in (BEFORE, AFTER)]
    assert rca.faults(*words, label="label").columns == ()
