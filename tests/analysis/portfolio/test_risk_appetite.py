"""Many incidents against the limits that an organisation set: breaches with intervals, and what cannot be said."""

import json

import numpy as np
import pytest

from rca import portfolio
from rca.analysis.portfolio.durations import lengths_of
from rca.analysis.portfolio.incident_log import incidents_of
from rca.analysis.portfolio.question import Portfolio
from rca.analysis.portfolio.risk_appetite import BREACHED, KEPT, TOO_FEW, UNKNOWN, against, appetite_of, rate
from rca.errors import InvalidCase
from rca.record.log import read_log
from tests.analysis.portfolio.test_portfolio import log

RECORD = """schema: 1
id: {id}
title: t
severity: sev2
category: other
status: closed
timeline:
  onset: 2025-{month:02d}-01T00:00Z
  detected: 2025-{month:02d}-0{days}T00:00Z
  aware: 2025-{month:02d}-10T00:00Z
impact: {{people: {people}, money: {money}}}
obligations: {{jurisdictions: [de], facts: {{personal_data_breach: {breach}, risk_to_persons: true}}}}
actions: [{{what: a, due: {due}}}]
"""


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """Twelve incidents of a year: noticed in two days, but one; a hundred people each; one report is overdue."""
    folder = tmp_path_factory.mktemp("year")
    for month in range(1, 13):
        told = {
            "id": f"i{month}", "month": month, "days": 9 if month == 3 else 3, "people": 100,
            "money": "null" if month == 5 else 10, "breach": "true" if month == 7 else "false",
            "due": "2025-06-01" if month < 3 else "2027-06-01",
        }  # fmt: skip
        (folder / told["id"]).mkdir()
        (folder / told["id"] / "incident.yaml").write_text(RECORD.format(**told))
    return folder


def measured_of(source, as_of="2026-01-01T00:00Z"):
    told = read_log(source)
    read = incidents_of(told.table, as_of=as_of)
    return told, read, [lengths_of(read, "time_to_detect")]


def asked(known, limits):
    told, read, measured = known
    return {one.name: one for one in against(appetite_of(limits), read, measured, incidents=told.incidents)}


@pytest.fixture(scope="module")
def known(year):
    return measured_of(year)


def test_a_portfolio_tells_its_appetite_and_comes_back_from_json(year, known):
    limits = {"time_to_detect": "5d:0.5", "overdue_actions": 1, "people_per_quarter": 100}
    found = portfolio(year, appetite=limits, as_of="2026-01-01T00:00Z")
    assert found.appetite == tuple(asked(known, limits).values())
    assert Portfolio.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found
    assert "people per quarter: at most 100; 300 (155–631) on record of 12: breached" in str(found)


def test_a_limit_in_time_is_a_share_with_an_interval(known):
    found = asked(known, {"time_to_detect": "5d:0.5"})["time_to_detect"]
    assert found.found.value == pytest.approx(11 / 12)
    assert found.found.low < 11 / 12 < found.found.high
    assert found.state == KEPT
    assert found.over == ("i3",)
    assert asked(known, {"time_to_detect": "5d:0.999"})["time_to_detect"].state == BREACHED
    assert asked(known, {"time_to_detect": "5d:0.9"})["time_to_detect"].state == TOO_FEW
    assert "not enough incidents to say" in str(asked(known, {"time_to_detect": "5d:0.9"})["time_to_detect"])


def test_harm_a_quarter_is_breached_only_where_chance_is_ruled_out(known):
    limits = {"people_per_quarter": 100}
    found = asked(known, limits)["people_per_quarter"]
    assert found.found.value == pytest.approx(300, rel=0.01)
    assert found.state == BREACHED
    assert asked(known, {"people_per_quarter": 290})["people_per_quarter"].state == TOO_FEW
    assert asked(known, {"people_per_quarter": 1000})["people_per_quarter"].state == KEPT


def test_a_few_incidents_never_keep_a_limit_of_harm(tmp_path):
    (tmp_path / "i1").mkdir()
    told = {"id": "i1", "month": 1, "days": 3, "people": 1, "money": 1, "breach": "false", "due": "2027-01-01"}
    (tmp_path / "i1" / "incident.yaml").write_text(RECORD.format(**told))
    assert asked(measured_of(tmp_path), {"people_per_quarter": 10**9})["people_per_quarter"].state == TOO_FEW
    assert asked(measured_of(tmp_path), {"time_to_detect": "5d:0.9"})["time_to_detect"].state == TOO_FEW
    soon = asked(measured_of(tmp_path, "2025-02-01T00:00Z"), {"people_per_quarter": 1})["people_per_quarter"]
    assert (soon.state, soon.found.value) == (UNKNOWN, None)  # less than a quarter was seen


def test_where_a_record_says_nothing_of_a_harm_no_limit_of_it_is_kept(known):
    found = asked(known, {"money_per_quarter": 10_000})["money_per_quarter"]
    assert (found.n, found.lacking, found.state) == (11, 1, UNKNOWN)
    assert asked(known, {"money_per_quarter": 1})["money_per_quarter"].state == BREACHED


def test_overdue_actions_and_duties_are_counted_without_an_interval(known):
    found = asked(known, {"overdue_actions": 1, "overdue_duties": 0})
    actions, duties = found["overdue_actions"], found["overdue_duties"]
    assert (actions.found.value, actions.found.low, actions.state) == (2.0, None, BREACHED)
    assert set(actions.over) == {"i1", "i2"}
    assert (duties.found.value, duties.over, duties.state) == (1.0, ("i7",), BREACHED)
    assert asked(known, {"overdue_actions": 2})["overdue_actions"].state == KEPT
    open_ = asked(known, {"overdue_duties": 1})["overdue_duties"]
    assert (open_.lacking, open_.state) == (12, UNKNOWN)  # every record leaves a fact of some duty open


def test_a_table_tells_of_time_alone():
    found = portfolio(log(), appetite="time_to_recover=4h:0.5, people_per_quarter=5, overdue_duties=0")
    assert [one.state for one in found.appetite[1:]] == [UNKNOWN, UNKNOWN]
    assert found.appetite[0].n == 200


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ("time_to_detekt=1d", "did you mean 'time_to_detect'"),
        ("overdue_duties=many", "must be a number from 0 on"),
        ("people_per_quarter=-1", "must be a number from 0 on"),
        ("time_to_detect=soon", "the limit must be a length of time"),
    ],
)
def test_a_limit_that_is_none_is_refused(limits, says):
    with pytest.raises(InvalidCase, match=says):
        appetite_of(limits)


def test_no_limit_is_no_appetite(known):
    assert asked(known, None) == {}


def test_the_upper_end_allows_for_a_harm_that_has_not_come_yet():
    """Of lognormal harms, some twelve a year: the truth lies above the interval in fewer than one of ten draws."""
    rng = np.random.default_rng(0)
    truth = 3 * np.exp(3 + 1.5**2 / 2)
    draws = [list(rng.lognormal(3, 1.5, n)) for n in rng.poisson(12, 300) if n >= 5]
    found = [rate(harms, 4.0) for harms in draws]
    assert np.mean([truth > one.high for one in found]) < 0.08
    assert np.mean([truth < one.low for one in found]) < 0.05
