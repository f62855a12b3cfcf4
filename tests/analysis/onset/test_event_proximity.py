"""After which event: the nearest is named only where it is surprising that one lies so near."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.analysis.onset.event_proximity import LONGEST, EventProximity, name_of, nearest_events
from rca.finding import Target
from rca.methods.changepoint.dating import Onset
from rca.record.schema.incident import Event

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = START, START + timedelta(days=30)


def day(number):
    return START + timedelta(days=number)


def onset(at=10.0, early=0.1, late=0.1, **about):
    moments = {"at": day(at), "earliest": day(at - early), "latest": day(at + late)}
    return Onset(**moments, what="error rate", unit="share of rows", **about)


def event(at, kind="deploy", system="loader", what="version 2"):
    return Event(at=day(at), kind=kind, system=system, what=what)


def test_an_event_just_before_a_sharp_onset_is_named():
    found = nearest_events(onset(), [event(9.95), event(3, "config"), event(20)], window=WINDOW)
    assert found.named.at == day(9.95)
    assert found.named.inside
    assert found.findings()[0].cause == Target(kind="event", name="deploy loader version 2")
    assert found.findings()[0].strength == "suggested"
    assert found.findings()[0].q_value == found.named.p_value <= 0.05


def test_the_chance_is_the_share_of_the_window_from_which_one_event_would_be_so_near():
    found = nearest_events(onset(), [event(9.95)], window=WINDOW)
    assert found.candidates[0].p_value == pytest.approx(0.2 / 30)
    found = nearest_events(onset(), [event(9.95), event(20.0)], window=WINDOW)
    assert found.candidates[0].p_value == pytest.approx(0.4 / 30)
    found = nearest_events(onset(), [event(9.0)], window=WINDOW)  # 0.9 days before the interval opens
    assert found.candidates[0].p_value == pytest.approx((0.2 + 0.9) / 30)


def test_many_events_or_a_wide_interval_surprise_nobody():
    busy = [event(number * 0.5) for number in range(60)]
    assert nearest_events(onset(), busy, window=WINDOW).named is None
    assert nearest_events(onset(early=4, late=4), [event(9.95)], window=WINDOW).named is None


def test_what_follows_the_latest_onset_or_detection_is_no_candidate():
    assert nearest_events(onset(), [event(10.2)], window=WINDOW).candidates == ()
    assert nearest_events(onset(early=1, late=5), [event(12)], window=WINDOW, detected=day(11)).candidates == ()
    assert nearest_events(onset(early=1, late=5), [event(12)], window=WINDOW, detected=day(13)).candidates != ()


@pytest.mark.parametrize("kind", ["alert", "human", "communication", "Alert"])
def test_answers_to_an_incident_did_not_begin_it(kind):
    found = nearest_events(onset(), [event(9.95, kind)], window=WINDOW)
    assert found.candidates == ()
    assert str(found) == "no event of the timeline can have begun it"
    assert found.findings() == ()


def test_an_onset_that_may_lie_before_the_window_reaches_back_to_its_start():
    before = onset(at=1, early=0, censored=True)
    found = nearest_events(before, [event(0.2)], window=WINDOW)
    assert found.candidates[0].inside
    assert found.candidates[0].p_value == pytest.approx(1.1 / 30)


def test_of_events_in_the_interval_those_that_fit_come_first():
    both = [event(9.99, system="scorer"), event(9.95, "schema", "feed", "income in cents")]
    model, feature = (
        nearest_events(onset(), both, window=WINDOW, cause=Target(kind=kind, name=name), model="scorer")
        for kind, name in (("model", "scorer"), ("feature", "income"))
    )
    assert (model.candidates[0].system, model.candidates[0].fits) == ("scorer", True)
    assert (feature.candidates[0].system, feature.candidates[0].fits) == ("feed", True)
    assert feature.candidates[0].why == "it names income"
    assert "did not change scorer" in model.candidates[1].why


@pytest.mark.parametrize(
    ("kind", "cause", "fits"),
    [
        ("schema", Target(kind="feature", name="age"), True),
        ("data", Target(kind="feature", name="age"), True),
        ("external", Target(kind="feature", name="age"), False),
        ("external", Target(kind="concept", name="label"), True),
        ("policy", Target(kind="mechanism", name="rate"), True),
        ("deploy", Target(kind="concept", name="label"), False),
        ("deploy", Target(kind="component", name="loader"), True),
        ("deploy", Target(kind="model", name="scorer"), False),
        ("deploy", None, False),
    ],
)
def test_an_event_fits_a_cause_that_it_can_bring_about(kind, cause, fits):
    candidate = nearest_events(onset(), [event(9.95, kind)], window=WINDOW, cause=cause).candidates[0]
    assert candidate.fits is fits
    assert candidate.why


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(places, random):
    events = [event(place / 2, what=f"change {place}") for place in places]
    shuffled = list(events)
    random.shuffle(shuffled)
    assert nearest_events(onset(), events, window=WINDOW) == nearest_events(onset(), shuffled, window=WINDOW)


@given(st.lists(st.floats(-10, 40), max_size=12), st.floats(0, 5), st.floats(0, 5))
def test_chances_are_chances_and_do_not_fall_with_distance(places, early, late):
    found = nearest_events(onset(early=early, late=late), [event(place) for place in places], window=WINDOW)
    told = [one.p_value for one in found.candidates]
    assert all(0 <= chance <= 1 for chance in told)
    assert told == pytest.approx(sorted(told))
    assert all(one.at <= found.onset.latest for one in found.candidates)


@pytest.mark.parametrize("count", [1, 4, 15])
def test_events_at_random_are_named_in_no_more_than_one_of_twenty(count):
    rng, draws = np.random.default_rng(count), 2000
    named = 0
    for _ in range(draws):
        events = [event(at) for at in rng.uniform(-5, 30, count)]
        named += (
            nearest_events(onset(at=rng.uniform(0, 30), early=0.2, late=0.1), events, window=WINDOW).named is not None
        )
    assert named / draws <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / draws)
    assert (named > 0) == (count < 15)  # fifteen events lie near any moment


def test_a_window_without_a_length_surprises_nobody():
    assert nearest_events(onset(), [event(9.95)], window=(day(10), day(10))).named is None


def test_a_long_name_is_cut_and_a_short_one_is_whole():
    assert len(name_of(event(0, what="x" * 200))) == LONGEST
    assert name_of(Event(at=START, kind="data", what="late")) == "data late"


def test_it_says_itself_and_comes_back_from_its_dictionary():
    found = nearest_events(onset(), [event(9.95), event(4)], window=WINDOW)
    assert EventProximity.from_dict(found.to_dict()) == found
    assert str(found).startswith("deploy loader version 2, 1.2 h before the onset (chance of an event so near:")
    assert list(found.to_frame()["lag"]) == ["1.2 h before", "6.0 d before"]
    unsure = nearest_events(onset(), [event(4)], window=WINDOW)
    assert str(unsure).startswith("no event stands out; the nearest is deploy loader version 2, 6.0 d before")
