"""Whether an event's effect can be told, and what has to be held fixed for it."""

import pytest

from rca.analysis.event_study.identification import Setting, held_fixed
from rca.errors import InvalidCase, Unanswerable

COLUMNS = frozenset({"load", "channel", "score", "wrong", "label"})


def setting(*edges, columns=COLUMNS, **more):
    return Setting(edges=edges, read=("wrong",), columns=columns, **more)


def test_without_a_graph_what_is_given_is_held():
    for minds_time in (True, False):
        assert held_fixed(setting(minds_time=minds_time), ["channel", "load"]) == ("channel", "load")
        assert held_fixed(setting(minds_time=minds_time), None) == ()


def test_a_common_cause_on_the_graph_is_held_without_being_asked_for():
    edges = [("load", "event"), ("load", "wrong")]
    assert held_fixed(setting(*edges), None) == ("load",)
    assert held_fixed(setting(*edges, minds_time=False), None) == ("load",)


def test_what_moves_with_time_is_held_where_the_design_does_not_mind_time():
    edges = [("channel", "wrong")]
    assert held_fixed(setting(*edges), None) == ()
    assert held_fixed(setting(*edges, minds_time=False), None) == ("channel",)


def test_the_event_may_go_by_its_own_name():
    edges = [("load", "loader 2"), ("load", "wrong"), ("loader 2", "wrong")]
    assert held_fixed(setting(*edges, names=("loader 2",)), None) == ("load",)


@pytest.mark.parametrize(
    ("edges", "covariates", "says"),
    [
        ([("event", "score"), ("score", "wrong")], ["score"], "'score' follows from the event .event → score"),
        ([("event", "score"), ("wrong", "score")], ["score"], "'score' follows from the event"),
        ([("wrong", "score")], ["score"], "'score' follows from the event .event → wrong → score"),
        (
            [("fire", "event"), ("fire", "wrong")],
            None,
            "'fire' is a cause of the event and of the metric .event ← fire",
        ),
        ([("load", "event"), ("load", "wrong")], ["channel"], "the graph asks for 'load'"),
        ([("load", "event"), ("load", "wrong")], [], "with nothing held fixed a way stays open"),
        ([("event", "score"), ("channel", "wrong")], None, "no way from the event to the metric"),
    ],
    ids=str,
)
def test_what_is_not_identifiable_is_said_with_the_way(edges, covariates, says):
    with pytest.raises(Unanswerable, match=f"not identifiable: .*(?:{says})"):
        held_fixed(setting(*edges), covariates)


def test_a_collider_among_the_covariates_opens_a_way():
    edges = [("x", "event"), ("x", "channel"), ("y", "channel"), ("y", "wrong")]
    with pytest.raises(Unanswerable, match="the graph asks for none"):
        held_fixed(setting(*edges), ["channel"])
    assert held_fixed(setting(*edges), None) == ()


@pytest.mark.parametrize(
    ("edges", "covariates", "says"),
    [
        ([("load", "wrong"), ("wrong", "load")], None, "circle"),
        ([("chanel", "wrong")], None, "did you mean 'channel'"),
        ([], ["wrong"], "read off 'wrong'"),
    ],
    ids=str,
)
def test_bad_graphs_and_covariates_are_refused(edges, covariates, says):
    with pytest.raises(InvalidCase, match=says):
        held_fixed(setting(*edges), covariates)


def test_columns_may_be_called_event_or_time():
    odd = COLUMNS | {"event", "time"}
    for minds_time in (True, False):
        assert held_fixed(setting(columns=odd, minds_time=minds_time, clock="at"), ["event", "time"]) == (
            "event",
            "time",
        )


def test_the_column_of_times_is_time():
    edges = [("at", "wrong"), ("channel", "wrong")]
    assert held_fixed(setting(*edges, columns=COLUMNS | {"at"}, clock="at"), None) == ()
    with pytest.raises(Unanswerable, match=r"not identifiable: .*(stays open|no column)"):
        held_fixed(setting(*edges, columns=COLUMNS | {"at"}, clock="at", minds_time=False), None)
