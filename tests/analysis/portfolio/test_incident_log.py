"""A log of incidents read as moments: what columns are, which stamps are odd, what comes twice, and what "now" is."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pytest

from rca.analysis.portfolio.durations import BETWEEN, MEASURED, gaps_of, lengths_of
from rca.analysis.portfolio.incident_log import LISTED, incidents_of
from rca.analysis.portfolio.timestamps import UNKNOWN
from rca.errors import InvalidCase

HOUR = 3600.0


def at(hour, minute=0):
    return f"2026-03-0{1 + hour // 24}T{hour % 24:02d}:{minute:02d}:00Z"


def log(**columns):
    return pd.DataFrame(columns)


def odd(found):
    return {(one.kind, one.of): one.incidents for one in found}


def lengths(read, measure="length"):
    found = lengths_of(read, measure)
    order = np.argsort(found.rows)
    return found.seconds[order].tolist(), found.ended[order].tolist()


# --- columns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ("Resolved At", "resolved"),
        ("created_at", "start"),
        ("incident_start_timestamp", "start"),
        ("close_timestamp", "closed"),
        ("ACKNOWLEDGED", "acknowledged"),
    ],
)
def test_columns_are_known_by_the_names_that_exports_give_them(column, what):
    assert incidents_of(log(id=["a"], **{column: [at(1)]})).read_as[what] == column


def test_the_plainest_name_wins_and_the_other_column_is_named_as_unused():
    read = incidents_of(log(created_at=[at(1)], start=[at(2)], colour=["red"]))
    assert read.read_as["start"] == "start"
    assert read.unused == ("created_at", "colour")


def test_columns_may_be_named_by_who_asks():
    table = log(ticket=["x"], began=[at(1)], finished=[at(3)])
    for columns in ({"id": "ticket", "start": "began", "end": "finished"}, "id=ticket, start=began, end = finished"):
        read = incidents_of(table, columns=columns)
        assert read.names.tolist() == ["x"]
        assert lengths(read) == ([2 * HOUR], [True])


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"onsett": "begn"}, "did you mean 'onset'"),
        ({"onset": "began"}, "no column 'began'. Hint: did you mean 'begn'"),
        ("onset", "no column ''"),
    ],
)
def test_a_column_that_is_not_there_is_refused_by_name(columns, said):
    with pytest.raises(InvalidCase, match=said.replace("'", ".")):
        incidents_of(log(begn=[at(1)]), columns=columns)


def test_a_log_of_numbers_in_place_of_moments_is_refused_by_the_names_of_its_columns():
    with pytest.raises(InvalidCase, match="though created_at may be: there are numbers in it"):
        incidents_of(log(id=["a"], created_at=[1_700_000_000]))


def test_a_log_without_moments_is_refused():
    with pytest.raises(InvalidCase, match="no column is a moment or a length"):
        incidents_of(log(id=["a"], colour=["red"]))


def test_a_column_that_comes_twice_is_refused_only_if_it_is_read():
    table = pd.DataFrame([[at(1), at(2), 1, 2]], columns=["start", "end", "x", "x"])
    assert lengths(incidents_of(table)) == ([HOUR], [True])
    with pytest.raises(InvalidCase, match="there are 2 columns 'end'"):
        incidents_of(table.set_axis(["start", "end", "end", "x"], axis=1))


def test_without_an_end_a_log_with_a_start_ends_when_it_closed():
    read = incidents_of(log(started=[at(1)], closed=[at(4)], resolved=[at(3)]))
    assert read.read_as["end"] == "closed"
    assert lengths(read) == ([3 * HOUR], [True])


def test_a_column_of_numbers_is_no_moment_unless_somebody_says_so():
    table = log(start=[at(1)], end=[at(2)], recovery_time=[17.0], alert=[1])
    assert set(incidents_of(table).read_as) == {"start", "end"}
    with pytest.raises(InvalidCase, match="holds numbers"):
        incidents_of(table, columns={"alerted": "alert"})


@pytest.mark.parametrize("engine", ["pandas", "polars", "lazy", "arrow", "duckdb"])
def test_every_engine_gives_the_same_lengths(engine):
    table = pd.DataFrame(
        {"id": ["a", "b"], "start": pd.to_datetime([at(1), at(2)]), "end": pd.to_datetime([at(3), None])}
    )
    arrow = pl.from_pandas(table).to_arrow()
    made = {
        "pandas": lambda: table,
        "polars": lambda: pl.from_arrow(arrow),
        "lazy": lambda: pl.from_arrow(arrow).lazy(),
        "arrow": lambda: arrow,
        "duckdb": lambda: pytest.importorskip("duckdb").from_arrow(arrow),
    }[engine]()
    assert lengths(incidents_of(made)) == ([2 * HOUR, HOUR], [True, False])


# --- stamps ----------------------------------------------------------------------------------------------------------


def test_zones_may_be_mixed_and_change_no_length():
    start = ["2026-03-01T10:00:00+02:00", "2026-03-01 08:00:00Z", "2026-03-01 08:00:00 UTC"]
    end = [datetime(2026, 3, 1, 4, tzinfo=timezone(timedelta(hours=-5))), at(9), "2026-03-01T09:00:00+0000"]
    assert lengths(incidents_of(log(start=start, end=end))) == ([HOUR] * 3, [True] * 3)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_length_over_a_change_of_the_clock_is_what_passed(zone):
    start, end = pd.Timestamp("2026-03-28T12:00", tz=zone), pd.Timestamp("2026-03-29T12:00", tz=zone)
    hours = {"Europe/Berlin": 23, "America/New_York": 24}[zone]
    zoned, naive = log(start=[start], end=[end]), log(start=["2026-03-28T12:00"], end=["2026-03-29T12:00"])
    assert lengths(incidents_of(zoned)) == lengths(incidents_of(naive, zone=zone)) == ([hours * HOUR], [True])


def test_a_leap_day_is_a_day():
    assert lengths(incidents_of(log(start=["2024-02-28T00:00Z"], end=["2024-03-01T00:00Z"]))) == ([48 * HOUR], [True])


@pytest.mark.parametrize(
    "stamps",
    [
        ["2026-03-01T10:00"],
        [at(1), "2026-03-01 10:00:00"],
        ["2026-03-01"],
        pd.to_datetime(["2026-03-01T10:00"]),
        [datetime(2026, 3, 1)],  # noqa: DTZ001 - naive on purpose
    ],
    ids=str,
)
def test_a_stamp_without_an_offset_is_refused_with_a_hint(stamps):
    with pytest.raises(InvalidCase, match=r"without an offset.*Hint:.*zone"):
        incidents_of(log(start=[at(0)] * len(stamps), end=stamps))


def test_a_local_time_that_came_twice_or_never_is_listed():
    ends = ["2026-03-29T02:30", "2026-10-25T02:30", "2026-10-26T02:30"]
    read = incidents_of(log(start=["2026-03-01T00:00"] * 3, end=ends), zone="Europe/Berlin")
    assert odd(read.oddities) == {("unreadable", "end"): ("row 1", "row 2")}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", ""])
def test_a_zone_that_is_none_is_refused(zone):
    with pytest.raises(InvalidCase, match="no zone is called"):
        incidents_of(log(start=["2026-03-01T10:00"], end=["2026-03-01T11:00"]), zone=zone)


def test_what_is_no_time_is_listed_and_not_taken_for_open():
    read = incidents_of(log(id=["a", "b", "c"], start=[at(1)] * 3, end=[at(2), "n/a", None], status=["closed"] * 3))
    assert odd(read.oddities) == {("unreadable", "end"): ("b",)}
    assert odd(lengths_of(read, "length").oddities) == {("missing", "length: over without end"): ("b", "c")}
    assert lengths(read) == ([HOUR], [True])


def test_a_column_of_which_nothing_can_be_read_is_refused():
    with pytest.raises(InvalidCase, match="no time can be read: the first is 'soon'"):
        incidents_of(log(start=["soon", "later"], end=[at(1), at(2)]))


def test_a_placeholder_year_is_listed_and_not_a_moment():
    read = incidents_of(log(id=["a", "b"], start=[at(1)] * 2, end=["0001-01-01T00:00:00Z", at(2)]))
    assert odd(read.oddities) == {("a placeholder", "end"): ("a",)}
    assert read.stamps["end"].tolist()[0] == UNKNOWN
    assert read.over.tolist() == [False, True]


def test_nothing_of_an_empty_log_is_an_error():
    read = incidents_of(log(id=[], start=[], end=[]))
    assert len(read) == 0
    assert lengths_of(read, "length") is None
    assert gaps_of(read) is None


def test_a_row_without_any_stamp_is_an_incident_all_the_same():
    read = incidents_of(log(id=["a", None, ""], start=[at(1), None, pd.NaT], end=[at(2), None, None]))
    assert read.names.tolist() == ["a", "row 2", "row 3"]
    assert odd(lengths_of(read, "length").oddities) == {("missing", "length: no start"): ("row 2", "row 3")}


# --- odd, twice, reopened --------------------------------------------------------------------------------------------


def test_zero_and_negative_lengths_are_listed_and_not_counted():
    read = incidents_of(log(id=list("abc"), start=[at(1), at(2), at(3)], end=[at(1), at(1), at(4)]))
    found = lengths_of(read, "length")
    assert odd(found.oddities) == {
        ("without length", "length: end = start"): ("a",),
        ("negative", "length: end before start"): ("b",),
    }
    assert (found.seconds.tolist(), found.left_out.tolist()) == ([HOUR], [0, 1])


def test_moments_out_of_order_are_listed():
    read = incidents_of(log(id=["a", "b"], onset=[at(1)] * 2, contained=[at(5), at(2)], recovered=[at(4), at(3)]))
    assert odd(read.oddities) == {("out of order", "recovered before contained"): ("a",)}
    assert lengths(read, "time_to_recover") == ([3 * HOUR, 2 * HOUR], [True, True])


def test_a_long_list_names_the_first_and_counts_all():
    many = LISTED + 500
    found = lengths_of(incidents_of(log(start=[at(1)] * many, end=[at(1)] * many)), "length").oddities[0]
    assert (found.count, len(found.incidents)) == (many, LISTED)
    assert str(found).endswith("and 500 more")


def test_a_row_that_comes_twice_is_counted_once():
    table = log(id=["a", "b", "a"], start=[at(1), at(2), at(1)], end=[at(3), at(4), at(3)])
    read = incidents_of(table)
    assert odd(read.oddities) == {("counted once, the row comes again", "id"): ("a",)}
    assert lengths(read) == ([2 * HOUR, 2 * HOUR], [True, True])


def test_rows_without_a_name_are_never_the_same_incident():
    assert lengths(incidents_of(log(id=[None, None], start=[at(1)] * 2, end=[at(3)] * 2)))[0] == [2 * HOUR] * 2


def test_a_reopened_incident_lasts_from_its_first_beginning_to_its_last_end():
    table = log(id=["a", "b", "a"], start=[at(1), at(2), at(6)], end=[at(3), at(4), at(9)], severity=["s1", "s2", "s3"])
    for rows in (table, table.iloc[::-1]):
        read = incidents_of(rows)
        assert odd(read.oddities) == {("reopened, the id comes with other stamps", "id"): ("a",)}
        assert dict(zip(read.names, lengths(read)[0], strict=True)) == {"a": 8 * HOUR, "b": 2 * HOUR}


def test_an_incident_that_was_reopened_and_not_closed_again_is_open():
    read = incidents_of(log(id=["a", "a"], onset=[at(1), at(6)], recovered=[at(3), None]), as_of=at(10))
    assert lengths(read, "time_to_recover") == ([9 * HOUR], [False])


def test_lengths_of_a_reopened_incident_add_up():
    for minutes in ([10, 20, 5], ["10", "20", "5"]):
        assert sorted(lengths(incidents_of(log(id=["a", "a", "b"], minutes=minutes)))[0]) == [300.0, 1800.0]


@pytest.mark.parametrize(
    "ids",
    [
        [1, 2, 1],
        [1.0, 2.0, 1.0],
        [True, False, True],
        ["x", "y", "x"],
        [["x"], {"y": 1}, ["x"]],
        ["\ud800", "y", "\ud800"],
    ],
)
def test_names_may_be_of_any_type(ids):
    assert len(incidents_of(log(id=pd.Series(ids, dtype=object), start=[at(1)] * 3, end=[at(2)] * 3))) == 2


# --- open, and now ---------------------------------------------------------------------------------------------------


def test_what_is_open_is_censored_at_the_last_moment_on_record():
    read = incidents_of(log(start=[at(1), at(2)], end=[at(5), None]))
    assert lengths(read) == ([4 * HOUR, 3 * HOUR], [True, False])


def test_as_of_an_earlier_moment_nothing_later_is_known():
    table = log(id=list("abc"), start=[at(1), at(2), at(8)], end=[at(3), at(6), at(9)])
    read = incidents_of(table, as_of=at(4))
    assert lengths(read) == ([2 * HOUR, 2 * HOUR], [True, False])
    assert odd(read.oddities) == {("left out, not begun then", "as of"): ("c",)}


def test_each_incident_may_have_a_now_of_its_own():
    read = incidents_of(log(onset=[at(1), at(1)], recovered=[None, at(20)], as_of=[at(3), at(20)]))
    assert lengths(read, "time_to_recover") == ([2 * HOUR, 19 * HOUR], [False, True])


def test_an_incident_that_began_at_what_now_is_is_listed():
    read = incidents_of(log(id=["a", "b"], start=[at(1), at(5)], end=[at(5), None]))
    assert odd(lengths_of(read, "length").oddities) == {("begun only then", "length: as of start"): ("b",)}


@pytest.mark.parametrize("as_of", ["2026-03-01", "soon", datetime(2026, 3, 1)])  # noqa: DTZ001 - naive on purpose
def test_a_now_without_an_offset_is_refused(as_of):
    with pytest.raises(InvalidCase, match=r"as_of: .* is no time with an offset"):
        incidents_of(log(start=[at(1)], end=[at(2)]), as_of=as_of)


def test_an_incident_that_is_over_but_lacks_a_moment_is_missing_and_not_open():
    read = incidents_of(log(id=["a", "b"], detected=[at(1)] * 2, contained=[None, at(2)], closed=[at(9), at(3)]))
    found = lengths_of(read, "time_to_contain")
    assert odd(found.oddities) == {("missing", "time to contain: over without contained"): ("a",)}
    assert found.ended.all()


def test_a_page_that_nobody_acknowledged_is_censored_when_it_was_over():
    read = incidents_of(log(alerted=[at(1), at(1)], acknowledged=[at(2), None], resolved=[at(7), at(4)]))
    assert lengths(read, "time_to_acknowledge") == ([HOUR, 3 * HOUR], [True, False])


def test_a_status_says_that_an_incident_without_an_end_is_over():
    table = log(start=[at(1)] * 3, end=[at(2), None, None], status=["Resolved", " closed ", "open"])
    assert incidents_of(table, as_of=None).over.tolist() == [True, True, False]


@pytest.mark.parametrize(("unit", "size"), [("seconds", 1), ("minutes", 60), ("hours", 3600)])
def test_lengths_may_be_given_in_place_of_moments(unit, size):
    read = incidents_of(log(id=list("abcd"), **{unit: [1, 2.5, 0, None]}))
    assert sorted(lengths(read)[0]) == [size, 2.5 * size]
    assert {kind for kind, _ in odd(lengths_of(read, "length").oddities)} == {"without length", "missing"}


def test_what_is_no_length_is_listed():
    read = incidents_of(log(id=["a", "b", "c"], minutes=["5", "long", "inf"], status=["closed"] * 3))
    assert odd(read.oddities) == {("unreadable", "minutes"): ("b", "c")}


def test_a_length_beyond_all_reason_is_listed():
    read = incidents_of(log(id=list("abc"), hours=[1e300, -1e300, 1]))
    assert odd(read.oddities) == {("unreadable", "hours"): ("a", "b")}
    assert lengths(read)[0] == [HOUR]


def test_a_length_of_an_open_incident_is_censored():
    assert lengths(incidents_of(log(minutes=[5, 7], status=["open", "closed"]))) == ([300.0, 420.0], [False, True])


# --- groups, and from one to the next --------------------------------------------------------------------------------


def test_incidents_are_told_apart_by_what_the_log_says_and_by_quarter():
    starts = ["2025-12-31T23:59Z", "2026-01-01T00:00Z", None]
    read = incidents_of(log(severity=[1.0, 2.0, None], system=["b", "a", "b"], onset=starts))
    assert {name: (codes.tolist(), names) for name, (codes, names) in read.labels.items()} == {
        "severity": ([0, 1, -1], ("1", "2")),
        "system": ([1, 0, 1], ("a", "b")),
        "quarter": ([0, 1, -1], ("2025-Q4", "2026-Q1")),
    }


def test_every_measure_of_a_case_has_both_of_its_moments_in_a_log():
    read = incidents_of(
        log(**{name: [at(hour)] for hour, name in enumerate(("deployed", "onset", "detected", "alerted"))})
    )
    told = {name for name in MEASURED if lengths_of(read, name) is not None}
    assert told == {"time_to_detect"}


def test_time_between_failures_runs_from_recovery_to_the_next_onset_and_the_last_is_running():
    table = log(id=list("abc"), onset=[at(20), at(1), at(10)], recovered=[at(21), at(2), at(14)], system=list("xyx"))
    read = incidents_of(table, as_of=at(30))
    found = gaps_of(read)
    assert (found.measure, found.start, found.end) == (BETWEEN, "recovered of the one before", "onset")
    assert (found.seconds / HOUR).tolist() == [6.0, 8.0, 9.0]
    assert found.ended.tolist() == [True, True, False]
    assert read.names[found.rows].tolist() == ["a", "c", "a"]
    assert (gaps_of(read, read.labels["system"][0]).seconds / HOUR).tolist() == [6.0, 9.0, 28.0]


def test_failures_that_overlap_are_one_and_an_open_one_leaves_no_time_without_failure():
    table = log(id=list("abc"), onset=[at(1), at(2), at(12)], recovered=[at(10), at(3), at(13)])
    found = gaps_of(incidents_of(table))
    assert (found.seconds / HOUR).tolist() == [2.0]
    assert [(one.kind, one.count, one.incidents) for one in found.oddities] == [
        ("begun before all others were over", 1, ())
    ]
    assert gaps_of(incidents_of(table.assign(recovered=[None, at(3), at(13)]))) is None


def test_the_moments_of_a_log_are_in_utc():
    read = incidents_of(log(start=["2026-03-01T10:00:00+02:00"], end=[None]))
    assert datetime.fromtimestamp(read.began[0] / 1e6, UTC) == datetime(2026, 3, 1, 8, tzinfo=UTC)
