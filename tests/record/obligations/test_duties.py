"""What all rules answer to a whole record: two laws at once, what is asked, what is warned of, how it is told."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.cli import command
from rca.cli import commands as cli
from rca.record.case import load
from rca.record.obligations.duties import Duties, duties
from rca.record.obligations.rules import rule_table
from tests.conftest import INCIDENTS
from tests.record.obligations.situation import RULES, facts_of, incident_of

AWARE = {"aware": "2026-11-24T10:00+01:00", "detected": "2026-11-23T10:00+01:00"}

NOW = datetime(2026, 11, 25, tzinfo=UTC)

BANK = {"dora_entity": True, "major_ict_incident": True, "personal_data_breach": True, "risk_to_persons": True}


def bank(sent=(), **facts):
    stamps = {"classified_major": "2026-11-24T12:00+01:00"}
    return incident_of(["de"], facts=BANK | facts, stamps=stamps, timeline=AWARE, sent=sent)


def test_two_laws_run_at_once_each_from_its_own_trigger():
    found = duties(bank(), NOW)
    assert found["gdpr-33"].deadline.isoformat() == "2026-11-27T10:00:00+01:00"
    assert found["dora-init-4h"].deadline.isoformat() == "2026-11-24T16:00:00+01:00"
    assert found["dora-init-24h"].deadline.isoformat() == "2026-11-25T10:00:00+01:00"
    assert [found[rule].answer for rule in ("gdpr-33", "dora-init-4h")] == ["not_yet_due", "late_by"]


def test_nis2_steps_aside_for_dora():
    found = duties(bank(nis2_entity=True, significant_incident=True), NOW)
    assert found["nis2-23-ew"].answer == "needs_counsel"
    assert "dora_entity" in found["nis2-23-ew"].because


def test_a_report_by_regime_and_type_is_a_report_under_the_rule():
    sent = [{"regime": "DORA", "report_type": "Initial", "submitted_at": "2026-11-24T15:59:00+01:00"}]
    found = duties(bank(sent), NOW)
    assert [found[rule].answer for rule in ("dora-init-4h", "dora-init-24h", "dora-inter")] == [
        "met",
        "met",
        "not_yet_due",
    ]


def test_what_came_later_is_not_known_yet():
    found = duties(bank([("gdpr", "2026-11-26T10:00+01:00")]), NOW)
    assert (found["gdpr-33"].answer, found["gdpr-33"].sent) == ("not_yet_due", None)
    assert duties(bank([("gdpr", "2026-11-26T10:00+01:00")]))["gdpr-33"].answer == "met"


# --- decisions not to report -----------------------------------------------------------------------------------------

DECISION = {"regime": "dora-init-4h", "not_reportable_because": "below the criteria", "by": "head of risk"}


def test_a_decision_not_to_report_is_kept_with_reason_role_and_time_and_hides_nothing():
    found = duties(bank([DECISION | {"decided_at": "2026-11-24T13:00+01:00"}]), NOW)["dora-init-4h"]
    assert (found.answer, found.overdue) == ("late_by", False)
    assert found.decision == "decided not to report by head of risk, 2026-11-24 13:00+01:00: below the criteria"


def test_a_decision_without_a_time_leaves_the_duty_overdue_and_is_remarked():
    found = duties(bank([DECISION]), NOW)
    assert found["dora-init-4h"].overdue
    assert any("lacks who decided (`by`) or when (`decided_at`)" in one for one in found.remarks)


def test_nothing_says_by_itself_that_an_incident_need_not_be_reported():
    told = [str(duties(record, NOW)) for record in (bank(), incident_of(["de"], facts={}, stamps={}))]
    assert not any("not reportable" in one or "no report" in one for one in told)


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_a_missing_fact_is_asked_for_with_what_each_answer_would_change():
    record = incident_of(["eu"], facts={"personal_data_breach": True}, stamps={}, timeline=AWARE)
    asked = {one.name: one for one in duties(record, NOW).questions}
    assert asked["risk_to_persons"].yes == {"gdpr-33": "not_yet_due"}
    assert asked["risk_to_persons"].no == {"gdpr-33": "no_rule_matched"}
    assert asked["nis2_entity"].yes["nis2-23-ew"] == "asks significant_incident"


def test_every_rule_that_cannot_tell_waits_for_a_question():
    found = duties(incident_of(["eu", "us", "uk"], facts={}, stamps={}, timeline=AWARE), NOW)
    waiting = {rule for question in found.questions for rule in question.rules}
    assert waiting == {one.rule for one in found.duties if one.answer == "cannot_tell"}


@pytest.mark.parametrize(
    ("places", "facts", "name", "said"),
    [
        ([], BANK, "jurisdictions", "Under which law"),
        (["eu"], BANK, "country", "Whose public holidays"),
        (["de"], {"dora_entity": True, "major_ict_incident": True}, "classified_major", "It starts the clock"),
    ],
)
def test_places_and_stamps_are_asked_for_too(places, facts, name, said):
    stamps = {} if name == "classified_major" else {"classified_major": "2026-11-24T12:00+01:00"}
    found = duties(incident_of(places, facts=facts, stamps=stamps, timeline=AWARE), NOW)
    question = next(one for one in found.questions if one.name == name)
    assert said in str(question)
    assert question.yes == question.no == {}


# --- what is warned of and remarked ----------------------------------------------------------------------------------

HIGH_RISK = {
    "high_risk_ai": True,
    "serious_incident": True,
    "ai_act_class": "annex_iii",
    "significant_design_change": True,
}


def altered(at, sent=()):
    timeline = {"detected": "2028-03-01T10:00Z", "aware": "2028-03-02T10:00Z", "eradicated": at}
    record = incident_of(["de"], facts=HIGH_RISK, stamps={}, sent=sent, timeline=timeline)
    return duties(record, datetime(2028, 3, 20, tzinfo=UTC))


def test_altering_the_system_before_the_authority_was_told_is_warned_of():
    (warning,) = altered("2028-03-05T10:00Z", [("euaia-73-2", "2028-03-06T10:00Z")]).warnings
    assert "Art. 73(6)" in warning
    assert "timeline.eradicated" in warning


def test_altering_it_afterwards_is_not():
    assert not altered("2028-03-07T10:00Z", [("euaia-73-2", "2028-03-06T10:00Z")]).warnings


def test_where_the_law_does_not_forbid_it_nobody_is_warned():
    timeline = AWARE | {"eradicated": "2026-11-24T12:00+01:00"}
    assert not duties(incident_of(["de"], facts=BANK, stamps={}, timeline=timeline), NOW).warnings


def test_a_fact_a_trigger_or_a_notification_that_no_rule_knows_is_remarked():
    record = incident_of(
        ["de"],
        facts={"deaht": True, "death": "yes"},
        stamps={"classified_majr": AWARE["aware"]},
        sent=[("gdqr", AWARE["aware"])],
    )
    told = "\n".join(duties(record, NOW).remarks)
    for near in ("'deaht'; did you mean 'death'?", "'classified_majr'; did you mean", "'gdqr'; did you mean 'gdpr'?"):
        assert near in told
    assert "'death' is neither true nor false" in told


def test_a_place_that_no_rule_knows_is_remarked_and_an_unknown_part_counts_as_its_country():
    facts = {"medical_device": True, "serious_incident_mdr": True, **facts_of(RULES["mdr-87-15d"])}
    found = duties(incident_of(["germany", "de-xx"], facts=facts, stamps={}, timeline=AWARE), NOW)
    assert any("no rule knows the place 'germany'" in one for one in found.remarks)
    assert any("holidays of 'de-xx' are not known" in one for one in found.remarks)
    assert found["mdr-87-15d"].deadline.isoformat() == "2026-12-09T23:59:59+01:00"


def test_how_a_limit_was_counted_is_printed_with_its_source():
    told = str(duties(bank(), NOW))
    assert told.count("counted by dora_noon: Del. Reg. (EU) 2025/301 Art. 5(4)") == 1
    assert "72 hours by hours from aware" in told


def test_a_trigger_that_contradicts_the_timeline_is_remarked_and_does_not_count():
    found = duties(incident_of(["de"], facts=BANK, stamps={"aware": "2026-11-20T10:00Z"}, timeline=AWARE), NOW)
    assert found["gdpr-33"].start.isoformat() == "2026-11-24T10:00:00+01:00"
    assert any("differs from timeline.aware" in one for one in found.remarks)


def test_a_repealed_law_is_named_where_its_facts_fit():
    found = duties(
        incident_of(["us-co"], facts={"algorithmic_discrimination_found": True}, stamps={}, timeline=AWARE), NOW
    )
    assert any("SB 24-205) is repealed" in one for one in found.remarks)
    assert found["co-sb24-205"].deadline is None


def test_beyond_the_day_the_law_was_looked_up_that_is_said():
    assert any("last looked up" in one for one in duties(bank(), datetime(2027, 5, 1, tzinfo=UTC)).remarks)


# --- whatever is on record -------------------------------------------------------------------------------------------

STAMPS = st.dictionaries(
    st.sampled_from(sorted(rule_table().stamps)),
    st.integers(0, 8 * 365 * 24).map(lambda hours: NOW - timedelta(days=700) + timedelta(hours=hours)),
    max_size=12,
)

RECORDS = st.fixed_dictionaries(
    {
        "places": st.lists(st.sampled_from([*rule_table().zones, "de-by", "us-tx", "xx", "gb"]), max_size=4),
        "facts": st.dictionaries(
            st.sampled_from(sorted(rule_table().facts)), st.sampled_from([True, True, False, None, "yes"]), max_size=60
        ),
        "stamps": STAMPS,
        "sent": st.lists(
            st.tuples(st.sampled_from(sorted(rule_table().reports)), st.just(NOW.isoformat())), max_size=6
        ),
    }
)


@settings(max_examples=25, deadline=None)
@given(RECORDS)
def test_whatever_is_on_record_every_rule_answers_and_none_says_more_than_it_may(drawn):
    found = duties(incident_of(drawn.pop("places"), **drawn))
    for one in found.duties:
        if one.answer in ("met", "late_by", "not_yet_due"):
            assert RULES[one.rule].computes
            assert one.deadline > one.start
            assert not one.missing
        else:
            assert not one.overdue
        assert bool(one.missing) or one.answer != "cannot_tell"
    assert str(found)
    assert json.dumps(found.to_dict())


# --- how it is told --------------------------------------------------------------------------------------------------


def test_it_prints_the_version_of_the_rules_and_the_day_whose_law_applies():
    assert str(duties(bank(), NOW)).startswith(
        f"rules of {rule_table().version}; law as of 2026-11-23; now 2026-11-25 00:00"
    )


def test_what_is_late_comes_first_with_its_citation_and_who_is_to_be_told():
    line = str(duties(bank(), NOW)).splitlines()[1]
    assert line.startswith("late by 9 h  dora-init-4h: initial notification → competent authority (Reg. (EU) 2022/2554")


def test_differing_readings_are_printed_once():
    facts = HIGH_RISK | {"death": True}
    told = str(duties(incident_of(["de"], facts=facts, stamps={}, timeline=AWARE), NOW))
    assert told.count("readings of art-73-start: (a)") == 1
    assert "(b)" in told


def test_a_record_that_says_nothing_is_answered_all_the_same():
    found = duties(incident_of([], facts={}, stamps={}))
    assert len(found.duties) == len(RULES)
    assert "no day on record" in str(found)


def test_the_answers_survive_json():
    found = duties(bank(), NOW)
    assert Duties.from_dict(json.loads(json.dumps(found.to_dict()))).to_dict() == found.to_dict()
    assert len(found.to_frame()) == len(RULES)


@pytest.mark.parametrize("name", ["chatbot-update", "credit-drift", "line-cascade", "hiring-bias"])
def test_the_incidents_that_ship_are_told_in_a_screen(name):
    assert len(str(duties(load(INCIDENTS / name).incident)).splitlines()) <= 24


def test_the_command_says_by_its_status_that_something_is_overdue(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("rca.record.case.load", lambda _: type("", (), {"incident": bank()}))
    assert cli.main(["obligations", "x", "--as-of", "2026-11-25T00:00:00Z"]) == command.NEEDS_A_PERSON
    assert "late by 9 h  dora-init-4h" in capsys.readouterr().out
    assert cli.main(["obligations", "x", "--as-of", "2026-11-24T14:00:00Z", "--json"]) == command.DONE
    assert json.loads(capsys.readouterr().out)["version"] == str(rule_table().version)


def test_hostile_words_of_a_record_are_no_markup(hostile):
    record = incident_of(
        [hostile], facts={hostile: True, "death": hostile}, stamps={}, sent=[DECISION | {"by": hostile}], timeline=AWARE
    )
    assert "<script" not in duties(record, NOW)._repr_html_()


def test_a_zone_on_record_moves_the_end_of_a_day():
    facts = facts_of(RULES["euaia-55-code-2d"])
    record = incident_of(["eu"], facts=facts, stamps={"aware": "2026-05-15T23:00Z"}, zone="Europe/Helsinki")
    assert duties(record)["euaia-55-code-2d"].deadline.isoformat() == "2026-05-18T23:59:59+03:00"


def test_a_zone_that_does_not_exist_is_refused():
    for zone in ("Europe/Berlinn", "../etc/passwd", "", "Europe"):
        with pytest.raises(ValueError, match="no time zone goes by that name"):
            incident_of(["eu"], facts={}, stamps={}, zone=zone)
