"""What a record says, as the rules read it."""

from datetime import UTC, datetime

import pytest

from rca.record.obligations.known import Known, report_names
from rca.record.schema.incident import Notification
from tests.record.obligations.situation import incident_of


def known(places=(), now=None, **facts):
    return Known.of(incident_of(list(places), facts=facts, stamps={}), now)


@pytest.mark.parametrize(
    ("places", "place", "within"),
    [
        (["DE"], "eu", True),
        (["de-by"], "eu", True),
        (["eu"], "eea", True),
        (["no"], "eu", False),
        (["no"], "eea", True),
        (["us"], "us-ca", None),
        (["us", "us-ny"], "us-ca", False),
        (["us_ca"], "us", True),
        (["GB"], "uk", True),
        ([], "kr", None),
        (["xx"], "kr", False),
        (["xx"], "international", True),
    ],
)
def test_a_place_lies_within_a_law_or_not_or_it_cannot_be_said(places, place, within):
    assert known(places).within(place) is within


def test_of_alternatives_one_is_enough_and_all_have_to_be_known_to_say_no():
    assert known(death=True).holds("death or serious_injury") == (True, ())
    assert known(death=False).holds("death or serious_injury") == (None, ("serious_injury",))
    assert known(death=False, serious_injury=False).holds("death or serious_injury") == (False, ())


def test_an_older_name_of_a_fact_counts():
    assert known(high_risk_ai_system=True).fact("high_risk_ai") is True


@pytest.mark.parametrize(("placed", "before"), [("2026-08-01", True), ("2026-08-02", None), ("2028-08-02", False)])
def test_whether_a_system_was_placed_before_a_date_that_was_not_read_is_said_outside_its_range_only(placed, before):
    assert known(placed_on_market=placed).fact("placed_before_the_date") is before


def test_now_is_the_last_moment_on_record_unless_it_is_said():
    record = incident_of([], facts={}, stamps={"notice_at": "2026-05-01T00:00Z"}, sent=[("gdpr", "2026-06-01T00:00Z")])
    assert Known.of(record).now == datetime(2026, 6, 1, tzinfo=UTC)
    early = Known.of(record, datetime(2026, 4, 1, tzinfo=UTC))
    assert (early.stamps, early.sent(("gdpr",))) == ({}, [])


def test_the_class_of_a_system_on_record_will_do():
    record = incident_of([], facts={}, stamps={}, systems=[{"name": "a", "risk_class": "annex_i"}])
    assert Known.of(record).system_class == "annex_i"


def test_a_notification_goes_by_its_regime_with_its_type_and_by_what_its_rule_reports():
    assert report_names(Notification(regime="nis2", report_type="final")) == {"nis2", "nis2-final"}
    assert report_names(Notification(regime="nis2-23-fr")) == {"nis2-final"}
