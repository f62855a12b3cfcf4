"""The life cycle: every moment with its source, contradictions told and not resolved, and the exposure."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from rca.analysis.conclusion.lifecycle import PHASES, Lifecycle, lifecycle_of
from rca.methods.changepoint.dating import Onset
from rca.record.schema.incident import MOMENTS, Incident

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONSET = Onset(at=AT, earliest=AT - timedelta(hours=2), latest=AT + timedelta(hours=1), what="error_rate", unit="u")
MOMENTS_ON_RECORD = {
    "detected": "2026-03-02T00:00:00Z", "alerted": "2026-03-02T00:10:00Z", "acknowledged": "2026-03-02T00:20:00Z",
    "contained": "2026-03-03T00:00:00Z", "recovered": "2026-03-04T00:00:00Z", "closed": "2026-03-09T00:00:00Z",
}  # fmt: skip


def incident(*, status="closed", as_of=None, events=(), sources=None, **moments):
    timeline = {**MOMENTS_ON_RECORD, **moments, "events": list(events), "sources": sources or {}}
    timeline = {key: value for key, value in timeline.items() if value is not None}
    return Incident.model_validate(
        {"schema": 1, "id": "i", "title": "t", "severity": "sev2", "category": "other", "status": status,
         "timeline": timeline, **({"as_of": as_of} if as_of else {})}
    )  # fmt: skip


def told(record, onset=None):
    return [one.what for one in lifecycle_of(record, onset).conflicts]


def test_what_imported_sources_contradict_is_told_with_both():
    clash = {"of": "acknowledged", "taken": "2026-03-02T00:20:00Z", "source": "sources/a.json",
             "against": "2026-03-02T04:00:00Z", "said_by": "sources/b.json"}  # fmt: skip
    record = incident()
    plain = {**record.model_dump(by_alias=True), "imports": {"contradictions": [clash]}}
    (told_,) = lifecycle_of(Incident.model_validate(plain)).conflicts
    assert told_.what == "Acknowledged: 2026-03-02T00:20:00Z, or 2026-03-02T04:00:00Z"
    assert told_.sources == ("sources/a.json", "sources/b.json")


def test_every_moment_has_its_source_and_an_estimate_its_interval():
    life = lifecycle_of(incident(sources={"detected": "sources/page.json"}), ONSET, places={"alerted": "line 7"})
    by = {one.name: one for one in life.stamps}
    assert by["onset"].source == "estimated from the data, on error rate"
    assert (by["onset"].earliest, by["onset"].latest) == (ONSET.earliest, ONSET.latest)
    assert [by[name].source for name in ("detected", "alerted", "closed")] == [
        "sources/page.json", "line 7", "timeline.closed"]  # fmt: skip
    assert [one.at for one in life.stamps] == sorted(one.at for one in life.stamps)
    assert "aware" in life.missing
    assert set(PHASES) == set(MOMENTS)


def test_a_record_that_agrees_with_itself_has_no_contradiction():
    assert told(incident(), ONSET) == told(incident()) == []
    assert str(lifecycle_of(incident())) == "6 moments; no contradiction between sources"


def test_an_onset_on_record_outside_what_the_data_leave_is_told():
    (what,) = told(incident(onset="2026-02-01T00:00:00Z"), ONSET)
    assert what.startswith("The onset on record (2026-02-01 00:00 UTC) lies outside of what the data leave")
    assert told(incident(onset="2026-03-01T11:00:00Z"), ONSET) == []


@pytest.mark.parametrize(("kind", "called"), [("alert", "An alert"), ("communication", "A message")])
def test_a_sign_before_detection_is_a_missed_signal_and_no_contradiction(kind, called):
    event = {"at": "2026-03-01T18:00:00Z", "kind": kind, "what": "errors up"}
    (found,) = lifecycle_of(incident(events=[event]), ONSET).missed
    assert found.what == f"{called} on record (errors up, 2026-03-01 18:00 UTC) came 6 h before detection"
    assert told(incident(events=[event]), ONSET) == []
    early = incident(events=[{**event, "at": "2026-02-01T00:00:00Z"}])
    for known in (early, incident(events=[event], detected=None)):
        assert lifecycle_of(known, ONSET).missed == ()


@pytest.mark.parametrize(
    ("moments", "words"),
    [
        ({"acknowledged": "2026-03-01T23:00:00Z"}, "Acknowledged (2026-03-01 23:00 UTC) comes before alerted"),
        ({"identified": "2026-03-01T23:00:00Z"}, "Identified (2026-03-01 23:00 UTC) comes before detected"),
        ({"resolved": "2026-03-03T23:00:00Z"}, "Resolved (2026-03-03 23:00 UTC) comes before recovered"),
    ],
)
def test_moments_in_an_order_that_cannot_be_are_told(moments, words):
    (what,) = told(incident(**moments))
    assert what.startswith(words)


def test_an_estimate_contradicts_only_beyond_its_interval():
    assert told(incident(detected="2026-03-01T11:00:00Z", alerted=None), ONSET) == []
    assert told(incident(detected="2026-03-01T09:00:00Z", alerted=None), ONSET)


def test_a_status_without_its_moment_and_a_moment_after_now_are_told():
    assert told(incident(closed=None)) == ["The status is closed, and the record has no moment at which it was closed"]
    (what,) = told(incident(as_of="2026-03-05T00:00:00Z"))
    assert what == "The record is as of 2026-03-05 00:00 UTC, and has a moment after that, 2026-03-09 00:00 UTC"
    assert str(lifecycle_of(incident(closed=None))).endswith("1 contradiction between sources")


def hours(first, last):
    return pd.Series(pd.date_range(first, last, freq="h", tz="UTC"))


def test_the_exposure_counts_the_rows_from_the_onset_to_containment():
    found = lifecycle_of(incident(), ONSET, times=hours("2026-02-20", "2026-03-08")).exposure
    assert (found.rows, found.fewest, found.most) == (36, 35, 38)
    assert str(found) == "1 d 12 h from onset to containment, with 36 (35 to 38) rows in the data"


def test_an_exposure_that_the_data_do_not_cover_says_so():
    found = lifecycle_of(
        incident(onset="2026-03-01T00:00:00Z"), ONSET, times=hours("2026-03-01 20:00", "2026-03-02 03:00")
    )
    assert found.exposure.left_out == "the data begin 20 h after the onset, and the data end 21 h before containment"
    assert found.exposure.rows == found.exposure.fewest == found.exposure.most == 8


def test_without_rows_or_containment_there_is_no_count():
    assert "no rows tell" in str(lifecycle_of(incident(), ONSET).exposure)
    assert lifecycle_of(incident(contained=None), ONSET).exposure is None
    assert lifecycle_of(incident()).exposure is None


def test_the_life_cycle_of_a_case_cites_its_record_and_comes_back(analysis_of):
    life = analysis_of("line-cascade").lifecycle
    assert life.rows()[1]["source"].startswith("incident.yaml, timeline.alerted (line ")
    assert Lifecycle.from_dict(life.to_dict()) == life
