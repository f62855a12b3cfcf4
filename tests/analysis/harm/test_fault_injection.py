"""A fault done to reference rows: it costs what it cost, and where it cannot be done nothing is said."""

import numpy as np
import pytest

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.fault_injection import injected_harm
from rca.analysis.inputs.windows import windows_from
from rca.tables.condition import Condition
from tests.analysis.harm.test_repair_and_rescore import FEATURES, asker, planted

ROLES = {"label": "label", "score": "score", "prediction": "prediction", "features": list(FEATURES)}


def windows(rows=2000, fault="frozen"):
    return windows_from(*planted(fault, rows=rows), metric="brier", **ROLES)


def injected(told, **fault):
    fault = {"fault": "frozen", "share": 1.0, "evidence": "planted", **fault}
    return injected_harm(told, ColumnFault(column="x0", **fault), ask=asker(), rng=np.random.default_rng(0))


def test_a_frozen_column_costs_in_the_reference_what_it_cost_in_the_current_window():
    told = windows()
    value = str(told.current["x0"].mode()[0])
    found = injected(told, value=value)
    parts = [told.meter.parts(rows) for rows in (told.reference, told.current)]
    worse = parts[1].value() - parts[0].value()
    apart = np.sqrt(sum((part.influence() ** 2).sum() for part in parts))
    assert found.value == pytest.approx(worse, abs=3 * apart)
    assert found.value > 4 * found.error
    assert np.mean(found.halves) == pytest.approx(found.value, rel=0.05)


def test_values_that_come_too_late_are_those_of_the_rows_before():
    told = windows(fault=None)
    found = injected(told, fault="stale", lag=3)
    permuted = told.reference.assign(x0=np.random.default_rng(1).permutation(told.reference["x0"]))
    lost = told.meter.parts(asker()(permuted)).value() - told.meter.parts(told.reference).value()
    assert found.rows == len(told.reference) - 3
    assert found.value == pytest.approx(lost, rel=0.25)


def test_a_condition_holds_in_both_windows():
    told = windows()
    where = (Condition(column="x1", operator=">=", value=0.0),)
    value = str(told.current["x0"].mode()[0])
    found = injected(told, value=value, where=where)
    assert found.rows == (told.reference["x1"] >= 0).sum()
    assert 0.2 * injected(told, value=value).value < found.value < 0.8 * injected(told, value=value).value


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "swapped", "partner": "x1"},
        {"fault": "distribution"},
        {"fault": "stale", "lag": 0},
        {"fault": "stale", "lag": 1950},
    ],
)
def test_what_cannot_be_done_to_sound_rows_says_nothing(fault):
    assert injected(windows(), **fault) is None
