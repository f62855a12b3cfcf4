import numpy as np
import pytest

from rca.errors import InvalidCase
from rca.practice.grammar.families import FIRST_JUDGED
from rca.practice.lines import draw as drawing
from rca.practice.lines.clock import Clock, Fault
from rca.practice.lines.draw import FAULTS, JUDGED_STRUCTURES, STRUCTURES, TRIED_STRUCTURES, draw
from rca.practice.lines.plants import plant
from rca.practice.lines.services import services


@pytest.mark.parametrize(("seed", "part"), [(FIRST_JUDGED, "trying"), (3, "judging")])
def test_a_seed_belongs_to_one_part(seed, part):
    with pytest.raises(InvalidCase, match="is not of the part"):
        draw(seed, part)


def test_a_fault_that_nobody_knows_is_refused():
    with pytest.raises(InvalidCase, match="no fault"):
        draw(0, fault="boredom")


def test_only_judging_draws_its_own_structures():
    rng = np.random.default_rng(0)
    trying, judging = ({drawing._structure(rng, part) for _ in range(200)} for part in ("trying", "judging"))
    assert trying == set(STRUCTURES) - set(JUDGED_STRUCTURES)
    assert judging == set(STRUCTURES) - set(TRIED_STRUCTURES)


@pytest.mark.parametrize("fault", sorted({kind for kinds in FAULTS.values() for kind in kinds}))
def test_every_fault_moves_its_origin_or_those_that_call_it(fault):
    line = next(one for one in (draw(seed, fault=fault) for seed in range(20)) if one.z > 1)
    assert line.fault == fault
    assert line.origin in {str(name).partition("|")[0] for name in line.table}


def test_in_a_quiet_line_nothing_goes_wrong():
    line = draw(1, fault="quiet")
    assert (line.origin, line.z, line.fault) == (None, 0.0, "quiet")
    assert line.table["time"].is_monotonic_increasing


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_a_fault_changes_nothing_before_it_begins(structure):
    clock, rng = Clock(normal=40, failing=20, step=60), np.random.default_rng(4)
    world = services(rng, structure) if STRUCTURES[structure] == "services" else plant(rng, structure)
    kind = FAULTS[STRUCTURES[structure]][0]
    fault = Fault(kind=kind, origin=world.names[0], start=50, height=9.0)
    after, before = (world.play(np.random.default_rng(1), clock, one) for one in (fault, None))
    assert all(np.allclose(after[name][:50], before[name][:50]) for name in after)
    moved = {name.partition("|")[0] for name in after if not np.allclose(after[name][50:], before[name][50:])}
    assert world.names[0] in moved


def test_a_slow_callee_is_in_its_callers_percentile_as_often_as_it_is_called():
    clock = Clock(normal=200, failing=50, step=60)
    for seed in range(40):
        world = services(np.random.default_rng(seed), "shop")
        call = world.calls[0]
        if call.share == 1.0 and "latency_p90" in world.metrics:
            break
    fault = Fault(kind="delay", origin=world.names[call.callee], start=200, height=1000.0)
    found = world.play(np.random.default_rng(2), clock, fault)
    caller, callee = (found[f"{world.names[one]}|latency_p90"] for one in (call.caller, call.callee))
    assert caller[200:].mean() > 5 * caller[:200].mean()
    assert callee[200:].mean() < 2 * callee[:200].mean()
