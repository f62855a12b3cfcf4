"""Reasons of a model as literals."""

from dataclasses import replace

from rca.analysis.explanation.results import Reason, ShapChange
from rca.finding import Interval


def change(value, half=0.01, q=0.0):
    return ShapChange(value=value, interval=Interval(low=value - half, high=value + half), p_value=q, q_value=q)


def reason(name, before, during, **more):
    return Reason(
        column=name,
        reference=before,
        current=during,
        rank_reference=more.pop("rank", 1),
        rank_current=1,
        rank_interval=Interval(low=1, high=2),
        size=change(during - before),
        direction=more.pop("direction", change(0.0)),
        turned="loss" in more and more["loss"].interval.low > 0,
        **more,
    )


def points(n, at=0.0):
    return tuple((at + (place % 7) / 7, (place % 11) / 11) for place in range(n))


def updated(shift):
    """As if a new model had answered in the current window."""
    parts = tuple(replace(one, update=change(one.size.value / 2), curve=change(0.3)) for one in shift.reasons)
    return replace(shift, reasons=parts, models=2)
