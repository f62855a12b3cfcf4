"""The page for a board: in order, in plain words, with every number from the record or the results."""

import json
import re

import pytest

import rca
from rca.analysis.faults.rules.order import RULES
from rca.cli import command
from rca.cli import commands as cli
from rca.record.schema.incident import Incident
from rca.report.brief.board import ANALOGIES, FEWEST_TRIALS, PLAIN, board, plainly
from rca.report.rendering.document import Grid, Heading, Line
from rca.report.rendering.document_formats import to_markdown
from tests.conftest import HOSTILE, INCIDENTS, ROOT

SAMPLE = ROOT / "reports" / "sample" / "credit-drift"

NAMES = ("chatbot-update", "credit-drift", "hiring-bias", "line-cascade", "quiet-quarter")

ORDER = ["Situation", "Task", "Action", "Result", "A picture of it", "What is at risk", "What you are asked to decide"]

JARGON = (
    "accuracy algorithm anomaly api attribution auc baseline bias-variance bootstrap categorical "
    "changepoint classifier coefficient cohort confidence confounder correlation covariate csv dataset "
    "deploy deployed deployment distribution drift embedding endpoint false-positive feature features "
    "gradient heteroscedastic hyperparameter hypothesis imputation inference interval json latency logit "
    "mean median metric metrics mitigated null onset outlier overfitting p-value parameter parquet "
    "percentile pipeline precision quantile recall regression residual rollback schema sev1 sev2 sev3 "
    "shap significance slice standard-deviation statistically stochastic threshold timeseries timestamp "
    "variance vector"
)
"""Words that nobody on a board has to know; not taken from the table that replaces some of them."""


@pytest.fixture(scope="module")
def page():
    """An incident that ships, and its page by the results of the report that ships."""
    incident = rca.load(INCIDENTS / "credit-drift").incident
    return incident, board(incident, json.loads((SAMPLE / "results.json").read_bytes()))


def sound(document, named=frozenset()):
    """In order, one page long, in plain words, with one picture that is marked as one, and with options."""
    told = to_markdown(document)
    assert [one.text for one in document.blocks if isinstance(one, Heading)] == ORDER
    assert 200 < len(told.split()) <= 560
    assert trade(told) <= named
    assert sum(one in told for one in ANALOGIES.values()) == 1
    assert "it is no evidence, and proves nothing" in told
    assert len([one for one in document.blocks if isinstance(one, Line) and one.label.startswith("Option")]) >= 2


def trade(text):
    return {word for word in JARGON.split() if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text.casefold())}


def test_a_page_is_in_order_short_and_without_a_word_of_the_trade(page):
    sound(page[1])


@pytest.mark.parametrize("name", NAMES)
def test_so_is_one_of_the_record_alone(name):
    told = board(rca.load(INCIDENTS / name).incident)
    assert not trade(to_markdown(told))
    assert "The data have not been looked into" in to_markdown(told)
    assert [one.text for one in told.blocks if isinstance(one, Heading)] == [
        one for one in ORDER if "picture" not in one
    ]


def test_a_word_of_the_trade_would_be_found_and_those_of_the_table_are_replaced():
    assert trade("The schema drift.") == {"schema", "drift"}
    assert not trade(plainly(" ".join(PLAIN)))
    assert plainly("the schemas of a metrical API") == "the schemas of a metrical interface"


def test_every_fault_and_every_verdict_without_one_has_a_picture():
    kinds = {rule.kind for rule in RULES} | {"distribution", "concept", "model", "slice", "component", "rows", "labels"}
    assert kinds | {"mechanism", "no_incident", "cannot_tell"} <= set(ANALOGIES)


def test_a_decision_on_record_is_asked_and_no_other(page):
    incident, _ = page
    asked = {"asked": "Shall it be sold", "options": ["yes, at once", "no, never"]}
    own = incident.model_dump(by_alias=True) | {"postmortem": {"decision": asked}}
    told = to_markdown(board(Incident.model_validate(own)))
    assert "Shall it be sold?" in told
    assert "**Option B:** No, never." in told
    assert "Switch the system off" not in told


def risks(document):
    (grid,) = [one for one in document.blocks if isinstance(one, Grid)]
    return {what: (much, between) for what, much, between in grid.rows}


def test_money_people_and_penalties_are_told_with_their_ranges_or_as_not_on_record(page):
    incident, document = page
    people = incident.impact.people
    assert risks(document)["People"][0] == (f"{people:,}" if people is not None else "not on record")
    assert risks(document)["Penalties"] == ("not on record", "no range on record")
    impact = {"money": 1_200_000, "money_interval": [9e5, 2e6], "penalties": 15e6, "penalties_interval": [0, 15e6]}
    own = incident.model_dump(by_alias=True) | {"impact": impact}
    told = risks(board(Incident.model_validate(own)))
    assert told["Money"] == ("1,200,000", "900,000 and 2,000,000")
    assert told["Penalties"] == ("15,000,000", "0 and 15,000,000")


def test_what_a_record_says_is_inert_and_names_nobody(page):
    own = page[0].model_dump(by_alias=True) | {"title": HOSTILE, "summary": "Ann Smith broke it; ann@example.org"}
    people = {"postmortem": {"people": {"Ann Smith": "an analyst"}}}
    told = to_markdown(board(Incident.model_validate(own | people)))
    assert "Smith" not in told
    assert "@" not in told
    assert "<script" not in told


def test_an_overdue_report_stands_beside_every_option():
    duty = {"jurisdictions": ["de"], "facts": {"personal_data_breach": True, "risk_to_persons": True}}
    told = {"schema": 1, "id": "i", "title": "t", "severity": "sev2", "category": "other", "status": "closed"}
    times = {"timeline": {"aware": "2026-03-01T09:00Z"}, "as_of": "2026-03-20T09:00Z", "obligations": duty}
    said = to_markdown(board(Incident.model_validate(told | times)))
    assert (
        "**Duty to report (GDPR):** Notify, with reasons if late to the supervisory authority: overdue by 16 d" in said
    )
    assert "1 report to authorities overdue: send, or decide not to and say why." in said


def test_each_report_is_told_by_its_name_and_so_is_a_decision_to_send_none():
    said = to_markdown(board(rca.load(INCIDENTS / "chatbot-update").incident))
    assert "Early warning: sent to the competent authority 14 May, 15:10, in time, due 14 May, 18:30." in said
    assert "**Decided to send no report:** GDPR-33 (data protection officer, 15 May, 16:00): no reply held data" in said


def test_a_share_of_a_few_trials_is_no_number_and_no_part_exceeds_its_whole():
    incident, results = (
        rca.load(INCIDENTS / "credit-drift").incident,
        json.loads((SAMPLE / "results.json").read_bytes()),
    )
    of, wrong = FEWEST_TRIALS, incident.impact.wrong

    def said(right, of, above):
        results["verdict"]["confidence"] = {"right": right, "of": of, "on": "draws"}
        results["since_onset"]["above"] = above
        return to_markdown(board(incident, results))

    assert f"right in 3 of {of} trials" in said(3, of, wrong)
    assert "is not known: too few were tried" in said(0, of - 1, wrong)
    assert "Of them more than in usual times" in said(3, of, wrong)
    assert "Of them more than in usual times" not in said(3, of, wrong + 1)


def test_the_command_prints_the_page(capsys):
    assert cli.main(["board", str(INCIDENTS / "line-cascade")]) == command.DONE
    assert capsys.readouterr().out.startswith("# For the board: Quality dashboard passes faulty parts")
