"""Hours, days, weeks, months and quarters that rows lie in."""

import numpy as np
import pandas as pd
import pytest

from rca.tables.calendar import Calendar

TIMES = pd.Series(
    pd.to_datetime(["2026-03-02T10:30Z", "2026-01-31T23:59Z", None, "2026-02-01T00:00Z", "2026-03-02T10:59Z"])
)


@pytest.mark.parametrize(("period", "alike"), [("h", 4), ("D", 4), ("W", 3), ("M", 4), ("Q", 2)])
def test_rows_of_one_span_have_one_number_and_rows_without_a_time_are_apart(period, alike):
    found = Calendar.of(TIMES, period)
    assert found.numbers[0] == -1
    assert found.spans.tolist() == found.numbers[found.place].tolist()
    assert len(found.numbers) == alike
    assert np.array_equal(found.place[found.first], np.arange(alike))
    assert found.spans[0] == found.spans[4]
