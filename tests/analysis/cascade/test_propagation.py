"""Which way a failure can have taken: edges, rings, guards, gaps in the graph."""

import pytest

from rca.analysis.cascade.propagation import Departed, Spread, causes_of, nearest_measured, path_to, upstream

CHAIN = {"b": frozenset("a"), "c": frozenset("b"), "d": frozenset("c"), "a": frozenset()}


def left(name, at, *, width=1.0, over=float("inf")):
    return Departed(name=name, earliest=at - width, latest=at, over=over)


def spread(*out, causes=CHAIN, measured="abcdefgx", part=1.0):
    above = nearest_measured(causes, measured)
    links = {(cause, effect): part for effect, known in above.items() for cause in known}
    return Spread(above=above, links=links, failing={one.name: one for one in out})


def told(found):
    return [(one.cause, one.effect, one.over) for one in found]


def test_calls_run_against_causes():
    edges = [("shop", "cart"), ("cart", "db")]
    assert causes_of(edges, calls=True) == causes_of([(b, a) for a, b in edges], calls=False)
    assert upstream(causes_of(edges, calls=True), "shop") == {"shop", "cart", "db"}


def test_a_component_does_not_cause_itself():
    assert causes_of([("a", "a")], calls=False) == {"a": frozenset()}


def test_an_effect_that_left_before_its_cause_did_not_follow_it():
    assert told(spread(left("a", 0), left("b", 10)).passages) == [("a", "b", None)]
    assert spread(left("a", 10), left("b", 0)).passages == ()


def test_clocks_may_be_a_sample_apart():
    assert not left("a", 0).before(left("b", 1))
    assert left("a", 0).before(left("b", 2))


def test_what_was_long_over_struck_nobody():
    assert spread(left("a", 0, over=2.0), left("b", 30)).passages == ()


@pytest.mark.parametrize(("part", "passes"), [(0.05, False), (0.5, True)])
def test_a_cause_has_to_be_able_to_bring_a_part_of_the_effect(part, passes):
    assert bool(spread(left("a", 0), left("b", 10), part=part).passages) == passes


def test_a_component_that_nobody_measures_is_looked_through():
    found = spread(left("a", 0), left("c", 0), measured="acd")
    assert told(found.passages) == [("a", "c", None)]


def test_a_guard_that_stayed_green_is_passed_where_the_order_is_sure_and_only_then():
    assert told(spread(left("a", 0), left("c", 10)).passages) == [("a", "c", "b")]
    assert spread(left("a", 0), left("c", 0)).passages == ()


def test_the_way_is_a_tree_that_reaches_each_once():
    causes = causes_of([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], calls=False)
    found = spread(left("a", 0), left("b", 10), left("c", 20), left("d", 30), causes=causes)
    assert told(found.tree("a")) == [("a", "b", None), ("a", "c", None), ("c", "d", None)]
    assert told(path_to(found.tree("a"), "d")) == [("a", "c", None), ("c", "d", None)]
    assert path_to(found.tree("a"), "x") == ()


def test_only_what_a_way_of_failures_leads_from_is_linked_to_the_alarm():
    assert spread(left("a", 0), left("c", 0), left("d", 0)).linked_to("d") == {"c", "d"}
