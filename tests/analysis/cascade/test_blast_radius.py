"""What passed through failing systems, by their own traffic."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from rca.analysis.cascade.blast_radius import passed, touched, what_passes

AT = pd.date_range("2026-01-01", periods=61, freq="min", tz="UTC")
END = AT[60].to_pydatetime()


@pytest.mark.parametrize(
    ("metric", "counted"),
    [
        ("images_per_min", ("images", 60.0)), ("orders/s", ("orders", 1.0)), ("parts_per_hour", ("parts", 3600.0)),
        ("PodWorkload(Ops)", ("operations", 1.0)), ("requests", ("requests", None)), ("qps", ("queries", 1.0)),
        ("latency", None), ("cpu_pct", None), ("", None), ("speed_m_min", None),
    ],
)  # fmt: skip
def test_traffic_is_known_by_its_name(metric, counted):
    assert what_passes(metric) == counted


def test_rates_are_integrated_and_counts_added_up():
    table = pd.DataFrame({"time": AT, "a|orders_per_min": 2.0, "a|requests": 3.0, "b|load": 9.0})
    (a, b) = touched(table, {"a": AT[30].to_pydatetime(), "b": AT[40].to_pydatetime()}, end=END)
    assert a.counted == pytest.approx({"orders": 60.0, "requests": 93.0})
    assert (b.counted, a.seconds, b.seconds) == ({}, 1800, 1200)


def test_nothing_is_counted_after_containment():
    table = pd.DataFrame({"time": AT, "a|requests": 1.0})
    (a,) = touched(table, {"a": AT[30].to_pydatetime()}, end=END, contained=AT[40].to_pydatetime())
    assert (a.counted, a.until) == ({"requests": 11.0}, AT[40])
    (late,) = touched(table, {"a": END}, end=END, contained=END - timedelta(hours=1))
    assert late.seconds == 0


def test_missing_samples_are_passed_over():
    table = pd.DataFrame(
        {"time": AT, "a|orders_per_min": np.where(np.arange(61) % 2, np.nan, 2.0), "a|requests": np.nan}
    )
    (a,) = touched(table, {"a": AT[0].to_pydatetime()}, end=END)
    assert a.counted == pytest.approx({"orders": 120.0, "requests": 0.0})


@pytest.mark.parametrize(
    "metric", ["submissions_per_min", "retrievals_per_s", "bytes_transferred_per_s", "badge_scans_per_h"]
)
def test_words_that_only_look_amiss_are_traffic(metric):
    assert what_passes(metric) is not None


@pytest.mark.parametrize(
    "metric", ["errors_per_min", "failed_calls_per_s", "retries/s", "gc_per_min", "HTTP_ERRORS_per_s"]
)
def test_what_goes_amiss_is_none(metric):
    assert what_passes(metric) is None


def test_a_rate_that_climbs_all_the_time_is_no_count():
    at = pd.date_range("2026-01-01", periods=61, freq="min", tz="UTC")
    line = pd.DataFrame({"time": at, "press|parts_per_min": np.arange(61.0), "arm|parts": np.arange(61.0)})
    assert passed(line) == {"press": {"parts": pytest.approx(1800.0)}, "arm": {"parts": 60.0}}
