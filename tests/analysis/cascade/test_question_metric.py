"""The model's metric among the signals of its line."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.cascade.question import MIN_ROWS, MOMENTS, cascade_of, metric_signal
from rca.analysis.inputs.windows import windows_from
from rca.record.case import Case

AT = pd.date_range("2026-03-05T00:00", periods=240, freq="min", tz="UTC")
FAIL = AT[180]


def rows(rng, begin, end, *, per=30, wrong_from=None):
    at = pd.Series(pd.date_range(AT[begin], AT[end], periods=per * (end - begin)))
    wrong = rng.random(len(at)) < np.where(at >= AT[wrong_from if wrong_from is not None else -1], 0.6, 0.1)
    label = rng.integers(0, 2, len(at))
    return pd.DataFrame(
        {"at": at, "x": rng.normal(size=len(at)), "label": label, "said": np.where(wrong, 1 - label, label)}
    )


def windows(rng, **options):
    return windows_from(
        rows(rng, 0, 180, **options), rows(rng, 180, 239, wrong_from=190, **options),
        metric="error_rate", label="label", prediction="said", time="at",
    )  # fmt: skip


def test_the_metric_is_told_at_the_moments_of_the_signals():
    told = metric_signal(windows(np.random.default_rng(0)), pd.Series(AT))
    assert len(told) == len(AT)
    assert np.nanmean(told[:180]) == pytest.approx(0.1, abs=0.02)
    assert np.nanmean(told[195:]) == pytest.approx(0.6, abs=0.04)


def test_few_rows_are_told_at_fewer_moments():
    told = metric_signal(windows(np.random.default_rng(1), per=5), pd.Series(AT))
    assert MOMENTS <= np.isfinite(told).sum() <= 5 * 240 / MIN_ROWS + 1


def test_a_gap_between_groups_is_told_of_as_many_rows_in_the_smaller_one():
    rng = np.random.default_rng(4)
    tables = [rows(rng, 0, 180), rows(rng, 180, 239)]
    for table in tables:
        small = rng.random(len(table)) < 0.25
        wrong = small & (table["at"] >= AT[190]) & (rng.random(len(table)) < 0.6)
        table["who"], table["said"] = np.where(small, "few", "many"), np.where(wrong, 1 - table["label"], table["said"])
    known = {"label": "label", "prediction": "said", "time": "at", "groups": ("who",)}
    gap = windows_from(*tables, metric={"name": "group_gap", "of": "error_rate"}, **known)
    told = metric_signal(gap, pd.Series(AT))
    reached = np.isfinite(told)
    assert MOMENTS <= reached.sum() <= 0.25 * 30 * 240 / MIN_ROWS + 1
    assert np.nanmean(told[195:]) > np.nanmean(told[:180]) + 0.3


def test_a_root_mean_square_is_told_in_its_own_unit():
    rng = np.random.default_rng(5)
    tables = [rows(rng, 0, 180).assign(said=lambda t: t["label"] + 3.0), rows(rng, 180, 239).assign(said=7.0)]
    found = windows_from(*tables, metric="rmse", label="label", prediction="said", time="at")
    assert np.nanmax(metric_signal(found, pd.Series(AT))[:180]) == pytest.approx(3.0)


def test_rows_of_another_time_tell_nothing():
    rng = np.random.default_rng(2)
    assert metric_signal(windows(rng), pd.Series(AT + pd.Timedelta(days=9))) is None
    assert metric_signal(windows(rng), pd.Series(AT[:20])) is None


def test_the_model_that_failed_before_its_line_is_named(tmp_path):
    rng, folder = np.random.default_rng(3), tmp_path / "line"
    folder.mkdir()
    rows(rng, 0, 180).to_parquet(folder / "reference.parquet")
    rows(rng, 180, 239, wrong_from=190).to_parquet(folder / "current.parquet")
    late = 20 * (np.arange(240) >= 205)
    pd.DataFrame(
        {"time": AT, "arm|misplaced": rng.normal(9, 1, 240) + late, "stock|wrong": rng.normal(9, 1, 240) + late}
    ).to_parquet(folder / "signals.parquet")
    (folder / "incident.yaml").write_text(
        "{schema: 1, id: line, title: t, severity: sev2, category: cascade, status: closed,"
        " systems: [{name: eye, kind: model}], metric: {name: error_rate},"
        " data: {reference: reference.parquet, current: current.parquet, time: at, label: label, prediction: said},"
        f" signals: {{path: signals.parquet, from: '{FAIL.isoformat()}', to: '{AT[-1].isoformat()}'}}}}",
        encoding="utf-8",
    )
    found = cascade_of(Case.load(folder))
    assert found.suspects[0].signal == "eye|error_rate"
    assert abs((found.suspects[0].onset - AT[190]).total_seconds()) <= 120
    assert found.n_signals == 3
