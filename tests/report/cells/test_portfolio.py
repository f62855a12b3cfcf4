"""What the notebook of many incidents shows: every part of a log, what it lacks, and hostile records as text."""

import pandas as pd
import pytest
import yaml

from rca import portfolio
from rca.report.cells import portfolio as cells_portfolio
from tests.analysis.portfolio.test_portfolio import log
from tests.conftest import HOSTILE, INCIDENTS


@pytest.fixture
def shown(monkeypatch):
    """What was displayed."""
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def everything(found):
    cells_portfolio.results(found)
    cells_portfolio.overview(found)
    cells_portfolio.curves(found)
    for grouping in ("severity", "category", "system", "quarter"):
        cells_portfolio.groups(found, grouping)
    for verb in ("trends", "comparisons", "targets", "oddities", "factors", "actions"):
        getattr(cells_portfolio, verb)(found)


def text(bundles):
    return " ".join(bundle.get("text/html", bundle["text/plain"]) for bundle in bundles)


def test_every_part_of_a_log_is_shown(shown):
    table = log(80, system=[f"s{at % 8}" for at in range(80)], category=["a", "b"] * 40)
    table.loc[:1, "recovered"] = table.onset
    everything(portfolio(table, split="2025-01-01T00:00Z", targets="time_to_recover=4h:0.5"))
    said = text(shown)
    assert "without length" in said
    assert "i0, i1" in said
    assert "cannot tell" in said or "met" in said
    assert all("text/plain" in bundle for bundle in shown)


def test_what_a_log_lacks_is_said(shown):
    everything(portfolio(log(0)))
    said = text(shown)
    for words in ("No measure has", "apart by system", "No incident has a date", "No day was given", "No target was"):
        assert words in said
    assert "No factor is on record" in said
    assert "No corrective action is on record" in said


def test_a_mean_that_does_not_mislead_is_no_warning(shown):
    cells_portfolio.overview(portfolio(pd.DataFrame({"minutes": range(10, 40)})))
    assert "No mean misleads." in text(shown)


def test_many_odd_incidents_are_named_up_to_a_number(shown):
    many = cells_portfolio.NAMED + 7
    cells_portfolio.oddities(portfolio(pd.DataFrame({"minutes": [0] * many + [1, 2]})))
    assert "and 7 more" in text(shown)


def test_recurring_factors_actions_and_broken_cases_are_shown_escaped(shown, tmp_path):
    for name in ("credit-drift", "line-cascade"):
        (tmp_path / name).mkdir()
        record = yaml.safe_load((INCIDENTS / name / "incident.yaml").read_text(encoding="utf-8"))
        record["whys"] = [{"question": "Why?", "answer": {"statement": HOSTILE}}]
        record["actions"] = [{"what": HOSTILE, "due": due} for due in ("2000-01-01", None)]
        (tmp_path / name / "incident.yaml").write_text(yaml.safe_dump(record), encoding="utf-8")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "incident.yaml").write_text("nothing: here", encoding="utf-8")
    everything(portfolio(tmp_path))
    said = text(shown)
    assert "Factors that recur" in said
    assert "nobody" in said
    assert "Cases that could not be read" in said
    assert "<script>" not in said
