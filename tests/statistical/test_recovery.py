"""Planted causes are found, false alarms keep to alpha, and intervals cover what they promise."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from rca.analysis.conclusion.verdict import weigh_windows
from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.harm.harm import attribute_harm
from rca.analysis.inputs.metric_reader import MetricReader
from rca.analysis.inputs.windows import Windows
from rca.methods.change_attribution.conditional_invariance import unchanged
from rca.methods.change_attribution.density_ratio import Ratio, divide
from rca.methods.changepoint.dating import change_point
from rca.methods.metric import measure
from rca.practice.simulate import score_of, tabular
from rca.record.case import Roles
from rca.record.schema.incident import Metric
from tests.statistical.promises import at_least, at_most, long_and_short, of_some_and_all

FEATURES = tuple(f"x{i}" for i in range(6))
ROLES = Roles(label="label", score="score", prediction="prediction", features=FEATURES)


@dataclass(frozen=True)
class Known:
    """The model of `tabular`."""

    features: tuple[str, ...] = FEATURES
    format: str = "function"
    inside: None = None

    def scores(self, rows):
        return score_of(rows[list(self.features)])


def divided(reference, current, name="brier", *, model=True, seed=0):
    windows = Windows(
        reference=reference,
        current=current,
        roles=ROLES,
        metric=Metric(name=name),
        model=Known() if model else None,
        parents={},
    )
    moved = univariate_drift(reference, current, features=FEATURES)
    return attribute_harm(windows, moved, diagnose(reference, current, moved), rng=np.random.default_rng(seed))


def rows_of(rng, n):
    return pd.DataFrame(
        {
            "number": rng.normal(size=n), "heavy": np.exp(2 * rng.normal(size=n)), "count": rng.poisson(2, n),
            "word": rng.choice(list("abcde"), n, p=[0.5, 0.3, 0.15, 0.04, 0.01]), "flag": rng.random(n) < 0.1,
            "holed": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "rare": np.where(rng.random(n) < 0.01, np.nan, 1.0),
        }
    )  # fmt: skip


# -- false alarms ------------------------------------------------------------------------------------------------------


@long_and_short(10, 3000, at_most=0.05)
@pytest.mark.parametrize(("n", "m"), [(200, 300), (1500, 800)])
def test_where_nothing_moved_each_test_alarms_no_more_than_alpha(draws, n, m):
    rng = np.random.default_rng(n)
    alarms: dict[str, int] = {}
    for _ in range(draws):
        for row in univariate_drift(rows_of(rng, n), rows_of(rng, m)).columns:
            alarms[row.name] = alarms.get(row.name, 0) + (row.p_value <= 0.05)
    assert alarms.keys() >= {"number", "word", "flag", "missing:holed"}
    for hits in alarms.values():
        at_most(hits, draws, 0.05)


@long_and_short(10, 3000, at_most=0.05)
def test_where_nothing_moved_a_table_alarms_no_more_than_alpha(draws):
    rng = np.random.default_rng(2)
    at_most(
        sum(bool(univariate_drift(rows_of(rng, 300), rows_of(rng, 300), material=0.0).moved()) for _ in range(draws)),
        draws,
        0.05,
    )


@long_and_short(10, 2000, at_most=0.05)
@pytest.mark.parametrize("shift", [0.1, 0.5])
def test_mechanisms_that_did_not_change_alarm_no_more_than_alpha(draws, shift):
    rng, hits = np.random.default_rng(3), 0

    def made(by):
        a = rng.normal(by, 1, 1000)
        return pd.DataFrame(
            {"a": a, "b": rng.poisson(2, 1000), "c": (rng.random(1000) < 1 / (1 + np.exp(-a))).astype(int)}
        )

    for _ in range(draws):
        tested = unchanged(made(0), made(shift), {"a": (), "b": (), "c": ("a", "b")}, rng=rng)
        hits += tested["c"] <= 0.05
    at_most(hits, draws, 0.05)


QUIET = ["error_rate", "log_loss", "false_positive_rate"]


@pytest.mark.parametrize(("name", "draws"), of_some_and_all(["error_rate"], QUIET, (3, 1000), at_most=0.025))
def test_a_quiet_quarter_is_called_an_incident_in_one_of_forty(draws, name):
    hits = sum(
        weigh_windows(divided(*tabular(np.random.default_rng(seed), rows=400), name)).status != "no_incident"
        for seed in range(draws)
    )
    at_most(hits, draws, 0.025)


# -- coverage ----------------------------------------------------------------------------------------------------------

TRUTH = 200_000


@long_and_short(10, 2000, at_least=0.94)
@pytest.mark.parametrize("name", ["error_rate", "brier", "log_loss", "false_positive_rate", "rmse"])
def test_the_interval_of_a_change_covers_it(draws, name):
    meter = MetricReader(metric=Metric(name=name), roles=ROLES)
    whole = [meter.parts(rows).value() for rows in tabular(np.random.default_rng(99), rows=TRUTH, fault="shifted")]
    truth, hits = whole[1] - whole[0], 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        parts = [meter.parts(rows) for rows in tabular(rng, rows=400, fault="shifted")]
        hits += truth in measure(*parts, meter.metric, rng=rng).interval
    at_least(hits, draws, 0.94)  # a percentile bootstrap of 400 rows is a little short


@long_and_short(20, 2000, at_least=0.95)
def test_the_interval_of_an_effect_covers_it(draws):
    rng = np.random.default_rng(4)
    number = math.erf(0.5 / (2 * math.sqrt(2)))  # Kolmogorov-Smirnov distance of two normals half a deviation apart
    hits = {"number": 0, "word": 0, "missing:holed": 0}
    for _ in range(draws):
        before = pd.DataFrame({"number": rng.normal(size=300), "word": rng.choice(list("abc"), 300, p=[0.5, 0.3, 0.2])})
        after = pd.DataFrame(
            {"number": rng.normal(0.5, 1, 400), "word": rng.choice(list("abc"), 400, p=[0.3, 0.3, 0.4])}
        )
        before["holed"], after["holed"] = (
            np.where(rng.random(len(f)) < p, np.nan, 1.0) for f, p in ((before, 0.1), (after, 0.2))
        )
        for row in univariate_drift(before, after).columns:
            truth = {"number": number, "word": 0.2, "missing:holed": 0.1}.get(row.name)
            if truth is not None:
                hits[row.name] += truth in row.interval
    for count in hits.values():
        at_least(count, draws, 0.95)


@pytest.mark.parametrize(("fault", "draws"), of_some_and_all(["scaled"], ["frozen", "scaled"], (2, 200), at_least=0.93))
def test_the_interval_of_a_mended_columns_harm_covers_it(draws, fault):
    meter = MetricReader(metric=Metric(name="brier"), roles=ROLES)
    whole = [meter.parts(rows).value() for rows in tabular(np.random.default_rng(99), rows=TRUTH, fault=fault)]
    hits = 0
    for seed in range(draws):
        found = divided(*tabular(np.random.default_rng(seed), rows=1000, fault=fault))
        hits += any(part.name == "x0" and whole[1] - whole[0] in part.interval for part in found.contributions)
    at_least(hits, draws, 0.93)  # what x0 is frozen on is drawn too, and the truth above is of another draw


@long_and_short(20, 4000, at_least=0.95)
def test_the_interval_of_a_weighted_division_covers_it(draws):
    rng, hits = np.random.default_rng(5), 0
    density = np.array([0.3, 0.7]) / 0.5
    meter = MetricReader(metric=Metric(name="mean", column="y"), roles=Roles())
    for _ in range(draws):
        x, moved = rng.integers(0, 2, 500), (rng.random(500) < 0.7).astype(int)
        frames = [pd.DataFrame({"y": values + rng.normal(size=500)}) for values in (x, moved)]
        found = divide(*map(meter.parts, frames), {"x": Ratio(reference=density[x], current=density[moved])}, last="y")
        hits += abs(found.contributions[0] - 0.2) <= 1.96 * found.errors[0]
    at_least(hits, draws, 0.95)


@long_and_short(20, 4000, at_least=0.95)
@pytest.mark.parametrize("by", [0.5, 1.0])
def test_the_interval_of_an_onset_covers_it(draws, by):
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(draws):
        found = change_point(rng.normal(size=600) + by * (np.arange(600) >= 200), 0.0)
        hits += found.earliest <= 200 <= found.latest
    at_least(hits, draws, 0.95)


# -- planted causes ----------------------------------------------------------------------------------------------------


FAULTS = ["frozen", "default_value", "scaled", "shifted", "missing"]  # tests/analysis/harm/test_harm.py has each, too


@pytest.mark.parametrize(("fault", "draws"), of_some_and_all(["missing"], FAULTS, (1, 40), at_least=0.97))
def test_a_planted_fault_is_named_first_with_its_kind(draws, fault):
    hits = 0
    for seed in range(draws):
        causes = weigh_windows(divided(*tabular(np.random.default_rng(seed), rows=1000, fault=fault))).causes
        hits += bool(causes) and (causes[0].kind, causes[0].name, causes[0].fault) == ("feature", "x0", fault)
    at_least(hits, draws, 0.97)


@pytest.mark.parametrize(("model", "draws"), of_some_and_all([False], [True, False], (1, 40), at_least=0.95))
def test_a_planted_change_of_the_world_is_named_first(draws, model):
    hits = 0
    for seed in range(draws):
        causes = weigh_windows(
            divided(*tabular(np.random.default_rng(seed), rows=1000, fault="concept"), model=model)
        ).causes
        hits += bool(causes) and causes[0].kind == "concept"
    at_least(hits, draws, 0.95)


@pytest.mark.parametrize(("column", "draws"), of_some_and_all(["x2"], ["x1", "x2"], (1, 60), at_least=0.95))
def test_the_fault_is_found_in_whichever_column_it_is(draws, column):
    hits = 0
    for seed in range(draws):
        found = weigh_windows(divided(*tabular(np.random.default_rng(seed), rows=1000, fault="shifted", column=column)))
        hits += bool(found.causes) and found.causes[0].name == column
    at_least(hits, draws, 0.95)
