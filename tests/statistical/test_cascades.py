"""The planted origin of a simulated line is named first as often as promised, and quiet lines name nobody.

A line has a dozen systems or more with three signals each, hung on one another at random; its failure starts in one of
them and reaches the others some samples later, as strongly or more so. Curves go from a whole graph to one of which
three edges in five are missing, and from light to heavy noise.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.statistical import promises
from tests.statistical.lines import Line, draw
from tests.statistical.promises import long_and_short, of_some_and_all


def named(draws, line, most=1):
    """In how many lines the origin is among the first so many suspects."""
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(draws):
        drawn = draw(rng, line)
        hits += drawn.origin in [one.component for one in drawn.answer().suspects[:most]]
    return hits


def judged(draws, line):
    """In how many lines the origin is the first suspect, and in how many another is, without a doubt."""
    rng, hits, wrong = np.random.default_rng(21), 0, 0
    for _ in range(draws):
        drawn = draw(rng, line)
        found = drawn.answer()
        hits += drawn.origin == found.suspects[0].component
        wrong += found.doubt is None and found.suspects[0].component != drawn.origin
    return hits, wrong


@pytest.mark.parametrize(("kind", "promised"), [("causal", 0.97), ("calls", 0.97)])
@long_and_short(6, 600, at_least=0.97)
def test_the_origin_is_named_first_where_the_graph_is_known(draws, kind, promised):
    promises.at_least(named(draws, Line(kind=kind)), draws, promised, of=kind)


MISSING = [(0.1, 0.9), (0.3, 0.8), (0.6, 0.75), (1.0, 0.9)]


@pytest.mark.parametrize(
    ("missing", "promised", "draws"), of_some_and_all([(0.3, 0.8), (1.0, 0.9)], MISSING, (6, 600), at_least=0.8)
)
def test_the_origin_is_named_first_though_edges_are_missing(draws, missing, promised):
    promises.at_least(named(draws, Line(missing_edges=missing)), draws, promised, of=f"{missing:.0%} of edges missing")


WRONG = [(0.1, 0.95), (0.3, 0.95), (0.6, 0.9)]


@pytest.mark.parametrize(("wrong", "promised", "draws"), of_some_and_all(WRONG[1:2], WRONG, (6, 600), at_least=0.9))
def test_the_origin_is_named_first_though_edges_are_made_up(draws, wrong, promised):
    promises.at_least(named(draws, Line(wrong_edges=wrong)), draws, promised, of=f"{wrong:.0%} more edges")


HEIGHTS = [(4.0, 0.6), (6.0, 0.93), (9.0, 0.95), (20.0, 0.97)]


@pytest.mark.parametrize(
    ("height", "promised", "draws"), of_some_and_all(HEIGHTS[1:2], HEIGHTS, (6, 600), at_least=0.93)
)
def test_the_origin_is_named_first_by_how_far_it_fails(draws, height, promised):
    promises.at_least(named(draws, Line(height=height)), draws, promised, of=f"{height:g} standard deviations")


NOISE = [(30.0, 0.0, 0.97), (4.0, 0.3, 0.95), (3.0, 0.6, 0.9)]


@pytest.mark.parametrize(
    ("tail", "memory", "promised", "draws"), of_some_and_all(NOISE[-1:], NOISE, (6, 600), at_least=0.9)
)
def test_the_origin_is_named_first_in_heavy_and_lasting_noise(draws, tail, memory, promised):
    promises.at_least(named(draws, Line(tail=tail, memory=memory)), draws, promised, of=f"t{tail:g}, {memory:g}")


SLOW = {"failing": 120, "height": 15.0, "gain": (0.3, 3.0)}


RAMPS = [(15, True, 0.97), (40, True, 0.97), (15, False, 0.8)]


@pytest.mark.parametrize(
    ("ramp", "graph", "promised", "draws"),
    of_some_and_all(RAMPS[1:], RAMPS, (6, 600), at_least=0.8, at_most=0.1),
)
def test_the_origin_of_a_failure_that_comes_by_and_by_is_named_first(draws, ramp, graph, promised):
    hits, wrong = judged(draws, Line(ramp=ramp, graph=graph, **SLOW))
    of = f"over {ramp} samples, {'with a' if graph else 'no'} graph"
    promises.at_least(hits, draws, promised, of=of)
    promises.at_most(wrong, draws, 0.1, of=f"named though wrong, {of}")


SLIGHT = [(2.0, True, 0.6), (4.0, True, 0.95), (4.0, False, 0.7)]


@pytest.mark.parametrize(
    ("height", "graph", "promised", "draws"),
    of_some_and_all(SLIGHT[1:2], SLIGHT, (6, 600), at_least=0.95, at_most=0.1),
)
def test_the_origin_of_a_failure_that_is_slight_and_lasts_is_named_first(draws, height, graph, promised):
    hits, wrong = judged(draws, Line(height=height, failing=200, graph=graph))
    of = f"{height:g} standard deviations, {'with a' if graph else 'no'} graph"
    promises.at_least(hits, draws, promised, of=of)
    promises.at_most(wrong, draws, 0.1, of=f"named though wrong, {of}")


@long_and_short(6, 600, at_least=0.93)
def test_a_loud_bystander_is_not_named_first(draws):
    promises.at_least(named(draws, Line(bystander=60.0)), draws, 0.93)


@long_and_short(6, 600, at_least=0.93)
def test_where_all_fail_within_one_sample_the_graph_alone_tells(draws):
    promises.at_least(named(draws, Line(lag=(0, 0), kind="calls")), draws, 0.95, of="with a graph")
    promises.at_least(named(draws, Line(lag=(0, 0), kind="calls", failing=13, begin=(2, 3))), draws, 0.93, of="13 rows")


@long_and_short(8, 600, at_most=0.1)
def test_where_neither_time_nor_graph_tells_nobody_is_named_wrongly_for_sure(draws):
    rng, wrong = np.random.default_rng(12), 0
    for _ in range(draws):
        drawn = draw(rng, Line(lag=(0, 0), graph=False))
        found = drawn.answer()
        wrong += found.doubt is None and found.suspects[0].component != drawn.origin
    promises.at_most(wrong, draws, 0.1)


@long_and_short(4, 400, at_least=0.95)
def test_forty_systems_are_no_harder(draws):
    promises.at_least(named(draws, Line(components=40)), draws, 0.95)


BEGUN = [(1, 0.3), (5, 0.3), (15, 0.3), (40, 0.3), (15, 0.8)]


@pytest.mark.parametrize(
    ("ramp", "memory", "draws"), of_some_and_all([BEGUN[0], BEGUN[-1]], BEGUN, (6, 600), within=(0.93, 1.0))
)
def test_the_onset_lies_in_its_interval(draws, ramp, memory):
    rng, inside = np.random.default_rng(13), 0
    for _ in range(draws):
        drawn = draw(rng, Line(ramp=ramp, memory=memory, failing=120))
        onset = {one.component: one for one in drawn.answer().suspects}[drawn.origin]
        inside += onset.onset is not None and onset.earliest < drawn.onset <= onset.onset
    promises.within(inside, draws, (0.93, 1.0), of=f"over {ramp} samples, memory {memory:g}")


@long_and_short(6, 600, at_least=0.95)
def test_lags_lie_in_their_intervals(draws):
    rng, inside, steps = np.random.default_rng(14), 0, 0
    for _ in range(draws):
        drawn = draw(rng, Line())
        for one in drawn.answer().steps:
            if one.cause in drawn.struck and one.effect in drawn.struck:
                lag = (drawn.struck[one.effect] - drawn.struck[one.cause]).total_seconds()
                inside += one.earliest <= lag <= one.latest
                steps += 1
    promises.at_least(inside, steps, 0.95)


QUIET = [(30.0, 0.0), (30.0, 0.6), (3.0, 0.3)]


@pytest.mark.parametrize(("tail", "memory", "draws"), of_some_and_all(QUIET[1:2], QUIET, (6, 600), at_most=0.05))
def test_quiet_lines_name_nobody(draws, tail, memory):
    rng, alarms = np.random.default_rng(15), 0
    for _ in range(draws):
        drawn = draw(rng, Line(tail=tail, memory=memory, height=0.0))
        alarms += replace(drawn, edges=[]).answer().doubt is None
    promises.at_most(alarms, draws, 0.05, of=f"t{tail:g}, {memory:g}")
