"""Small incidents with one cause add up; they are joined by causes and never by titles."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from rca.record.obligations.duties import duties
from rca.record.obligations.recurring import Past, past, recurring
from tests.record.obligations.situation import incident_of

TITLES = ["Model drifts", "Service slow", "Wrong decisions", "Alarm at night"]

DORA = {"dora_entity": True}


def small(name, cause, on, **more):
    """A record with a why-tree of one leaf, some people reached, and some hours."""
    whys = (
        [{"question": "Why?", "answer": {"statement": cause, "role": "trigger", "strength": "suggested"}}]
        if cause
        else []
    )
    start = datetime.combine(on, datetime.min.time(), UTC)
    timeline = {"detected": start, "recovered": start + timedelta(hours=more.pop("hours", 10))}
    told = {"id": name, "timeline": timeline, "whys": whys, "impact": {"people": more.pop("people", 1000)}}
    return incident_of(["de"], facts=DORA, stamps=more.pop("stamps", {}), **{**told, **more})


def year():
    """200 incidents of a year: some causes come back within six months, some later, most never; titles say nothing."""
    rng = random.Random(7)
    records, truth = [], {}
    for number in range(200):
        cause = f"cause {rng.randrange(12)}" if rng.random() < 0.25 else f"only here {number}"
        on = date(2026, 1, 1) + timedelta(days=rng.randrange(365))
        records.append(small(f"i{number}", cause, on, title=rng.choice(TITLES), people=rng.randrange(60_000)))
        truth[f"i{number}"] = (cause, on)
    return records, truth


def six_months_later(day):
    month = day.month + 6
    for last in (day.day, 30, 29, 28):
        try:
            return date(day.year + (month > 12), month - 12 * (month > 12), last)
        except ValueError:
            continue
    raise AssertionError


def test_of_a_year_of_200_incidents_every_pair_within_six_months_is_found_and_none_by_its_title():
    records, truth = year()
    found = recurring(past(record) for record in records).found
    joined = {pair for one in found for pair in combinations(sorted(one.incidents), 2)}
    due = {
        (one, other)
        for one, other in combinations(sorted(truth), 2)
        if truth[one][0] == truth[other][0]
        and max(truth[one][1], truth[other][1]) <= six_months_later(min(truth[one][1], truth[other][1]))
    }
    assert joined == due
    assert len(due) > 20
    titles = {record.id: record.title for record in records}
    assert sum(titles[one] == titles[other] for one, other in combinations(titles, 2)) > 4000
    assert any(titles[one] != titles[other] for one, other in joined)


def test_what_adds_up_is_said_with_the_thresholds_it_passes():
    records, _ = year()
    for one in recurring(past(record) for record in records).found:
        assert one.adds_up is (True if len(one.over) >= 2 else None)
        assert ("clients" in one.over) == (one.together["clients"] > 100_000)
        assert ("hours" in one.over) == (one.together["hours"] > 24)


def test_none_is_ever_said_not_to_add_up():
    (one,) = recurring([Past(incident=name, on=date(2026, 1, 1), causes=("c",), amounts={}) for name in "ab"]).found
    assert one.adds_up is None
    assert "cannot tell whether they add up" in str(one)


def test_what_was_major_by_itself_or_only_assumed_recurs_with_nothing():
    major = small("a", "c", date(2026, 1, 1), stamps={"classified_major": "2026-01-01T00:00Z"})
    guessed = small("b", None, date(2026, 1, 2)).model_copy(update={"whys": ()})
    assert not recurring([past(major), past(guessed), past(small("d", "c", date(2026, 1, 3)))]).found


def test_the_rule_on_recurring_incidents_is_answered_from_the_portfolio():
    before = [
        past(small(name, "Frozen rate.", date(2026, 5, day), people=60_000)) for name, day in (("a", 1), ("b", 2))
    ]
    record = small("c", "frozen  rate", date(2026, 6, 1))
    found = duties(record, past_incidents=before)
    assert found["dora-recurring"].answer == "no_clock"
    assert any(
        "3 incidents from 2026-05-01 to 2026-06-01, cause: frozen rate (a, b, c)" in one for one in found.warnings
    )
    assert duties(record)["dora-recurring"].answer == "cannot_tell"
    assert (
        duties(record, datetime(2026, 4, 1, tzinfo=UTC), past_incidents=before)["dora-recurring"].answer
        == "cannot_tell"
    )


def test_a_fact_that_was_entered_goes_before_what_the_portfolio_implies():
    before = [past(small("a", "frozen rate", date(2026, 5, 1)))]
    record = small("c", "frozen rate", date(2026, 6, 1))
    told = record.obligations.model_copy(update={"facts": DORA | {"same_apparent_root_cause": False}})
    found = duties(record.model_copy(update={"obligations": told}), past_incidents=before)
    assert found["dora-recurring"].answer == "no_rule_matched"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 700)), max_size=12))
def test_groups_fit_into_six_months_and_none_lies_within_another(drawn):
    first = date(2026, 1, 1)
    those = [
        Past(incident=f"i{at}", on=first + timedelta(days=day), causes=(cause,), amounts={})
        for at, (cause, day) in enumerate(drawn)
    ]
    found = recurring(those).found
    for one in found:
        assert len(one.incidents) >= 2
        assert one.last <= six_months_later(one.first)
    groups = [set(one.incidents) for one in found]
    assert not any(one < other for one in groups for other in groups)
