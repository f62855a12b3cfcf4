"""Which way a failure can have taken: edges, rings, guards, gaps in the graph."""

from dataclasses import replace

import pytest

from rca.analysis.cascade.propagation import Departed, Spread, causes_of, in_order, path_to, upstream

CHAIN = {"b": frozenset("a"), "c": frozenset("b"), "d": frozenset("c"), "a": frozenset()}


def left(name, at, *, size=20.0, width=1.0, sure=True, amount=None):
    return Departed(name=name, size=size, earliest=at - width, latest=at, sure=sure, amount=amount)


def spread(*out, causes=CHAIN, alarm=None, measured="abcdefgx"):
    return Spread(causes=causes, measured=frozenset(measured), failing={one.name: one for one in out}, alarm=alarm)


def told(found):
    return [(one.cause, one.effect, one.over) for one in found]


def test_calls_run_against_causes():
    edges = [("shop", "cart"), ("cart", "db")]
    assert causes_of(edges, calls=True) == causes_of([(b, a) for a, b in edges], calls=False)
    assert upstream(causes_of(edges, calls=True), "shop") == {"shop", "cart", "db"}


def test_a_component_does_not_cause_itself():
    assert causes_of([("a", "a")], calls=False) == {"a": frozenset()}


def test_an_effect_that_left_before_its_cause_is_not_explained_by_it():
    assert spread(left("a", 0), left("b", 10)).explained == {"b"}
    assert spread(left("a", 10), left("b", 0)).explained == frozenset()


def test_clocks_may_be_a_sample_apart():
    assert not left("a", 0).before(left("b", 1))
    assert left("a", 0).before(left("b", 2))


def test_of_a_ring_that_failed_at_once_none_explains_another_and_the_first_explains_the_rest():
    ring = causes_of([("a", "b"), ("b", "a")], calls=False)
    assert spread(left("a", 0), left("b", 0), causes=ring).explained == frozenset()
    assert spread(left("a", 0), left("b", 10), causes=ring).explained == {"b"}


def test_an_accident_explains_nothing():
    assert spread(left("a", 0, size=4.0, sure=False), left("b", 0)).explained == frozenset()


def test_what_is_surely_followed_is_no_accident():
    found = spread(left("a", 0, size=4.0, sure=False), left("b", 10))
    assert found.solid == {"a", "b"}
    assert found.explained == {"b"}


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
    found = spread(left("a", 0), left("c", 0), left("d", 0), alarm="d")
    assert found.linked == {"c", "d"}
    assert found.reaching == {"a", "b", "c", "d", "e", "f", "g", "x"}


def test_what_the_graph_knows_and_that_cannot_act_on_the_alarm_does_not_reach_it():
    assert "d" not in spread(left("d", 0), alarm="b").reaching


def test_without_a_graph_everything_reaches_and_is_linked():
    found = spread(left("a", 0), left("b", 9), causes={}, alarm="b")
    assert found.linked == {"a", "b"}
    assert found.explained == frozenset()


def test_an_origin_accounts_for_all_that_it_struck():
    found = spread(left("a", 0), left("b", 10), left("x", 0, size=40.0))
    assert found.evidence("a") > found.evidence("x") > found.evidence("b")


def test_what_came_surely_first_and_accounts_for_as_much_is_not_lost_for_a_missing_edge():
    causes = causes_of([("e", "f"), ("c", "d")], calls=False)
    out = [left("e", 0), left("f", 5), left("c", 20), left("d", 30)]
    assert spread(*out, causes=causes, alarm="d").adrift == {"e"}
    late = [left("e", 25), left("f", 30), *out[2:]]
    assert spread(*late, causes=causes, alarm="d").adrift == frozenset()


def test_what_the_alarm_itself_can_act_on_did_not_begin_it():
    causes = causes_of([("d", "x"), ("c", "d")], calls=False)
    out = [left("x", 0, size=500.0), left("c", 20), left("d", 30)]
    assert spread(*out, causes=causes, alarm="d").adrift == frozenset()


@pytest.mark.parametrize(("amount", "explains"), [(10.0, True), (1.0, False), (None, True)])
def test_a_callee_has_to_bring_a_part_of_what_its_caller_shows(amount, explains):
    found = spread(left("a", 0, amount=amount), left("b", 0, amount=20.0))
    assert (found.explained == {"b"}) == explains


@pytest.mark.parametrize(("calls", "explains"), [(0.2, False), (1.0, False), (3.0, True), (None, True)])
def test_what_a_callee_brings_counts_as_often_as_it_is_called(calls, explains):
    callee = replace(left("a", 0, amount=6.0), traffic={} if calls is None else {"requests": calls * 100})
    caller = replace(left("b", 0, amount=20.0), traffic={"requests": 100.0, "bytes": 1.0})
    assert (spread(callee, caller).explained == {"b"}) == explains


def test_time_alone_does_not_put_a_trifle_first():
    weight = {"light": 1.0, "heavy": 9.0}
    pair = [left("light", 0), left("heavy", 10, size=90.0)]
    assert in_order(pair) == ["light", "heavy"]
    assert in_order(pair, weight) == ["heavy", "light"]


def test_an_accident_does_not_come_first_by_time_and_where_all_may_be_the_comparable_do():
    assert in_order([left("a", 0, size=5, sure=False), left("b", 10)]) == ["b", "a"]
    pair = [left("a", 0, size=6, sure=False), left("b", 10, size=8, sure=False)]
    assert in_order(pair) == ["a", "b"]
    assert in_order([left("a", 0, size=3, sure=False), pair[1]]) == ["b", "a"]


def test_of_two_whose_order_is_not_sure_the_likelier_to_have_led_comes_first_unless_the_other_went_much_farther():
    early, late = left("early", 4, width=8), left("late", 8, width=8, size=30.0)
    assert 0 < early.lead(late) < 1
    assert in_order([late, early]) == ["early", "late"]
    assert in_order([replace(late, size=900.0), early]) == ["late", "early"]


def test_what_stayed_in_its_range_led_nobody():
    stayed = left("stayed", float("inf"))
    assert not stayed.before(left("b", 0))
    assert not left("b", 0).before(stayed)
    assert in_order([stayed, left("b", 0)]) == ["b", "stayed"]


def test_ties_go_by_name():
    assert in_order([left("b", 0), left("a", 0)]) == ["a", "b"]
