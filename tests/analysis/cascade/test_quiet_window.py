"""Whether a window is like normal time: autocorrelation, spikes and length are no incident, a departure is one."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.cascade.origin_ranking import rank_origins
from rca.analysis.cascade.quiet_window import excess
from rca.analysis.cascade.signal_evidence import signal_evidence
from rca.record.schema.incident import Signals
from tests.statistical import promises
from tests.statistical.promises import long_and_short

START = pd.Timestamp("2026-03-05T06:00", tz="UTC")


def walk(rng, rows, memory):
    made = rng.normal(0, 1, rows)
    for at in range(1, rows):
        made[at] += memory * made[at - 1]
    return made


def quiet(rng, *, memory=0.0, normal=200, failing=40, step=0.0, spikes=0.0):
    rows = normal + failing
    at = START + pd.to_timedelta(np.arange(rows), unit="min")
    columns = {}
    for place in range(12):
        made = 50 + walk(rng, rows, memory) + 8 * rng.exponential(1, rows) * (rng.random(rows) < spikes)
        columns[f"s{place:02}|load"] = made + step * (place < 2) * (np.arange(rows) >= normal + 3)
    window = {"from": at[normal].isoformat(), "to": at[-1].isoformat()}
    asked = Signals.model_validate({"path": "s", **window})
    return rank_origins(pd.DataFrame({"time": at, **columns}), asked).quiet


@pytest.mark.parametrize(
    "kind", [{}, {"memory": 0.9}, {"spikes": 0.03}, {"normal": 60, "failing": 60}, {"failing": 4}], ids=str
)
@long_and_short(12, 400, at_least=0.9)
def test_a_quiet_window_is_said_to_be_one(draws, kind):
    rng = np.random.default_rng(3)
    promises.at_least(sum(quiet(rng, **kind) for _ in range(draws)), draws, 0.9, of=str(kind))


def test_a_single_event_in_a_block_of_normal_time_is_nothing_that_chance_brings_every_time():
    values = np.zeros((1, 130))
    values[0, 40] = 0.001
    values = np.vstack([values, np.random.default_rng(0).normal(10.0, 1.0, (1, 130))])
    evidence = signal_evidence(values, 100, bad=np.zeros(2, dtype=int), no_zero=np.zeros(2, dtype=bool))
    assert excess(values, 100, evidence).usual[:, 0].max() <= 1


@pytest.mark.parametrize("kind", [{}, {"memory": 0.9}, {"failing": 4}], ids=str)
@long_and_short(12, 400, at_most=0.1)
def test_a_departure_is_not_called_quiet(draws, kind):
    rng = np.random.default_rng(4)
    promises.at_most(sum(quiet(rng, step=15.0, **kind) for _ in range(draws)), draws, 0.1, of=str(kind))
