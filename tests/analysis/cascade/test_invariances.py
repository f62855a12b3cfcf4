"""A cascade's answer is the same in other units and names, in any order, with a signal told twice, at half the rate."""

import numpy as np
import pytest

from rca.analysis.cascade.origin_ranking import rank_origins
from rca.practice.lines.draw import draw

SEEDS = (7, 20, 23)


@pytest.fixture(scope="module", params=SEEDS)
def line(request):
    return draw(request.param)


def asked(line, table=None, *, signals=None, edges=None):
    """Status, first suspect and its probability."""
    found = rank_origins(
        line.table if table is None else table,
        line.signals if signals is None else signals,
        edges=line.edges if edges is None else edges,
        kind=line.kind,
    )
    status = "quiet" if found.quiet else "named" if found.doubt is None else "doubt"
    return status, found.suspects[0].component, found.suspects[0].probability


def columns(line):
    return [name for name in line.table.columns if name != "time"]


def same(one, other, within=1e-3):
    assert one[:2] == other[:2]
    assert one[2] == pytest.approx(other[2], abs=within)


def test_other_units(line):
    metrics = sorted({name.partition("|")[2] for name in columns(line)})
    times = {metric: 10.0 ** (place % 7 - 3) for place, metric in enumerate(metrics)}
    other = line.table.assign(**{name: line.table[name] * times[name.partition("|")[2]] for name in columns(line)})
    same(asked(line), asked(line, other))


def test_another_zero_of_a_thermometer(line):
    warm = [name for name in columns(line) if name.endswith("|temperature")]
    other = line.table.assign(**{name: line.table[name] * 1.8 + 32 for name in warm})
    same(asked(line), asked(line, other), within=0.01)


def test_other_names(line):
    known = sorted({name.partition("|")[0] for name in columns(line)})
    new = dict(zip(known, (f"z{place:03}" for place in np.random.default_rng(0).permutation(len(known))), strict=True))

    def renamed(name):
        component, _, metric = name.partition("|")
        return f"{new[component]}|{metric}"

    target = line.signals.target
    status, first, probability = asked(
        line,
        line.table.rename(columns={name: renamed(name) for name in columns(line)}),
        signals=line.signals.model_copy(update={"target": renamed(target) if target is not None else None}),
        edges=[(new.get(one, one), new.get(two, two)) for one, two in line.edges],
    )
    same(asked(line), (status, {late: early for early, late in new.items()}[first], probability))


def test_any_order(line):
    mixed = line.table[["time", *columns(line)[::-1]]].sample(frac=1, random_state=0)
    same(asked(line), asked(line, mixed, edges=line.edges[::-1]), within=1e-9)


def test_a_signal_told_twice(line):
    name = columns(line)[0]
    metric, bad = name.partition("|")[2], dict(line.signals.bad)
    if metric in bad:
        bad[f"{metric}_again"] = bad[metric]
    twice = line.table.assign(**{f"{name}_again": line.table[name]})
    same(asked(line), asked(line, twice, signals=line.signals.model_copy(update={"bad": bad})), within=0.02)


def test_half_the_rate_names_no_other(line):
    one, other = asked(line), asked(line, line.table.iloc[::2])
    assert one[1] == other[1] or not one[0] == other[0] == "named"
