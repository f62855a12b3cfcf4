"""What each form says, and what it leaves open: asked for, refused by name, never made up."""

import pytest

from rca.errors import InvalidCase
from rca.importers.fact import Given
from rca.importers.payload import documents
from rca.importers.reading import read, recognised
from rca.importers.vendor_map import vendor
from tests.importers import simulated
from tests.importers.simulated import FORMS, WITH, raw

NONE = {form for form in FORMS if next(one for one in vendor(form[0]).shapes if one.name == form[1]).none}

SAYS = {
    ("pagerduty", "webhook v3"): "title severity status system event moment reopened",
    ("pagerduty", "incidents"): "title severity status system event moment",
    ("pagerduty", "alerts"): "title event moment",
    ("pagerduty", "log entries"): "event moment",
    ("pagerduty", "notes"): "event",
    ("pagerduty", "change events"): "event",
    ("pagerduty", "analytics of incidents"): "title status system event moment",
    ("pagerduty", "analytics of responses"): "event",
    ("pagerduty", "post-mortem of a status page"): "event",
    ("alertmanager", "webhook v4"): "title status system event moment",
    ("grafana", "webhook"): "title status system event moment",
    ("generic", "event"): "title severity status system event moment",
    ("opsgenie", "webhook"): "title severity status system event moment",
    ("opsgenie", "alerts"): "title severity status event moment",
    ("opsgenie", "logs of an alert"): "event moment",
    ("jira_service_management", "alerts"): "title severity status event moment",
    ("incident_io", "incident"): "title summary severity status event moment",
    ("incident_io", "updates"): "status event",
    ("incident_io", "follow-ups"): "action",
    ("grafana_oncall", "alert group"): "title status event moment",
    ("goalert", "alert"): "title summary event moment",
    ("goalert", "alert's status"): "event",
    ("statuspage", "incidents"): "title status event moment",
    ("servicenow", "event log"): "severity status event moment",
    ("servicenow", "incident table"): "title severity status event moment",
    ("mlflow", "webhook of a model"): "system served event",
    ("mlflow", "webhook of a prompt"): "event",
    ("mlflow", "model versions"): "system served event",
    ("mlflow", "runs"): "event",
    ("mlflow", "table of runs"): "event",
    ("wandb", "run"): "event",
    ("alibi_detect", "drift by feature"): "detection",
    ("alibi_detect", "drift of all features"): "detection",
    ("alibi_detect", "drift"): "detection",
    ("seldon", "CloudEvent of a drift detector"): "detection",
    ("evidently", "report"): "detection",
    ("nannyml", "univariate drift"): "detection",
    ("otel", "spans"): "served event",
}
"""Form → the sorts of facts in it."""


def reading(form, given=None):
    found = documents(raw(form), name="f")
    return read(found, recognised(found), source="sources/f", file="f", given=given or WITH.get(form, Given()))


def of(form, key, given=None):
    return [one for one in reading(form, given).facts if one.key == key]


def test_every_form_is_told_apart_and_says_something_or_is_refused_by_name():
    assert set(SAYS) | NONE == set(FORMS)
    assert not set(SAYS) & NONE


@pytest.mark.parametrize("form", SAYS, ids=": ".join)
def test_a_form_says_what_its_map_says(form):
    told = reading(form)
    assert (told.vendor, told.shapes) == (form[0], (form[1],))
    assert {fact.key for fact in told.facts} == set(SAYS[form].split())


@pytest.mark.parametrize("form", sorted(NONE), ids=": ".join)
def test_what_holds_no_incident_is_refused_by_its_name(form):
    with pytest.raises(InvalidCase, match=f"{vendor(form[0]).called}, {form[1]}: .*--attach"):
        reading(form)


# --- what is left open is asked for ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "given", "said"),
    [
        (
            ("servicenow", "incident table"),
            Given(),
            r"f, result\[0\].opened_at: '2026-05-02 09:26:00' has no offset.*--zone",
        ),
        (("goalert", "alert"), Given(), "there is no time.*--at"),
        (("alibi_detect", "drift"), Given(), "there is no time.*--at"),
        (("nannyml", "univariate drift"), Given(), "has no offset"),
        (
            ("alibi_detect", "drift by feature"),
            Given(at=simulated.GIVEN.at, columns=("a",)),
            "has 2 columns, and 1 names",
        ),
        (("pagerduty", "incidents"), Given(incident="Q2"), "has no incident 'Q2'. Hint: it has Q1CARDS"),
    ],
)
def test_what_a_file_leaves_open_is_refused_with_the_option_that_says_it(form, given, said):
    with pytest.raises(InvalidCase, match=said):
        reading(form, given)


def test_a_length_of_an_undocumented_unit_is_asked_for_and_dates_nothing():
    told = reading(("opsgenie", "alerts"), Given())
    assert {fact.value for fact in told.facts if fact.key == "moment"} == {"detected", "alerted"}
    assert "its unit is not documented: --unit ms, or s" in told.asked[0]


def test_a_customer_s_own_timestamp_is_no_moment_until_somebody_says_which():
    form = ("incident_io", "incident")
    assert {fact.value for fact in of(form, "moment")} == {"onset", "contained"}
    assert any("'Tea was made' is a timestamp of your own" in one for one in reading(form).asked)
    told = of(form, "moment", Given(names={"Tea was made": "mitigated"}))
    assert {fact.value for fact in told} == {"onset", "contained", "mitigated"}


def test_a_word_that_is_none_of_the_record_s_is_asked_for(monkeypatch):
    monkeypatch.setitem(
        FORMS,
        ("incident_io", "updates"),
        {"incident_updates": [{**simulated.UPDATE, "new_severity": {"name": "Minor"}}]},
    )
    told = reading(("incident_io", "updates"))
    assert not [fact for fact in told.facts if fact.key == "severity"]
    assert "severity: incident.io says 'Minor'" in told.asked[0]


def test_a_file_with_several_incidents_is_refused_until_one_is_named(monkeypatch):
    two = {"incidents": [simulated.INCIDENT, {**simulated.INCIDENT, "id": "Q2"}]}
    monkeypatch.setitem(FORMS, ("pagerduty", "incidents"), two)
    with pytest.raises(InvalidCase, match=r"holds 2 incidents: Q1CARDS, Q2.*--incident ID"):
        reading(("pagerduty", "incidents"))
    assert {fact.of for fact in of(("pagerduty", "incidents"), "event", Given(incident="Q2"))} == {"Q2"}


# --- traps -----------------------------------------------------------------------------------------------------------


def test_an_end_in_year_1_means_that_the_alert_still_fires(monkeypatch):
    for change in ({}, {"status": "resolved"}, {"endsAt": "2026-05-02T23:00:00Z"}):
        monkeypatch.setitem(FORMS, ("alertmanager", "webhook v4"), simulated.notified(**change))
        assert len(of(("alertmanager", "webhook v4"), "event")) == 1


def test_analytics_are_read_in_the_zone_that_the_answer_names():
    triggered = of(("pagerduty", "analytics of incidents"), "event")[0]
    assert triggered.at.isoformat() == "2026-05-02T09:10:00+00:00"


def test_a_log_of_events_is_read_in_both_of_its_spellings():
    assert [fact.at.isoformat()[:16] for fact in of(("servicenow", "event log"), "event")] == [
        "2026-05-02T09:26", "2026-05-02T12:41", "2026-05-20T08:00",
    ]  # fmt: skip


def test_pairs_and_maps_of_a_registry_say_the_same():
    assert (
        of(("mlflow", "runs"), "event")[0].value
        == of(("mlflow", "table of runs"), "event")[0].value
        == "run cards-7 started"
    )


def test_many_requests_are_told_as_the_first_and_the_last():
    told = [fact.value for fact in of(("otel", "spans"), "event")]
    assert told == [
        "request answered by helper-1",
        "request answered by helper-2 (first of 3)",
        "request answered by helper-2 (last of 3)",
        "request failed: timeout",
    ]


def test_fields_that_no_map_names_are_listed():
    assert "event.data.urgency" in reading(("pagerduty", "webhook v3")).left


def test_a_form_that_nobody_knows_is_refused_with_those_that_are_known():
    with pytest.raises(InvalidCase, match=r"is of no form that is known.*pagerduty"):
        recognised([{"colour": "red"}])
    with pytest.raises(
        InvalidCase, match=r"f: is no form of PagerDuty that is known; it has colour. Hint: known are webhook v3"
    ):
        read([{"colour": "red"}], vendor("pagerduty"), source="s", file="f", given=Given())


def test_every_problem_is_told_at_once(monkeypatch):
    broken = [
        {**one, "event": {**one["event"], "occurred_at": wrong}}
        for one, wrong in zip(simulated.PAGED, ["x", None, 5, "2026-05-02"], strict=False)
    ]
    monkeypatch.setitem(FORMS, ("pagerduty", "webhook v3"), broken)
    with pytest.raises(InvalidCase) as refused:
        reading(("pagerduty", "webhook v3"))
    assert [problem.place for problem in refused.value.problems] == [f"f, [{at}].event.occurred_at" for at in range(4)]
