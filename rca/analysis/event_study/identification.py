"""Back-door identification of an event's effect: which covariates have to be adjusted for in the causal graph.

An event comes at a moment, so that time confounds its effect, unless the design adjusts for trends. Descendants of the
event must not be adjusted for; common causes of it and the metric have to be.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rca.analysis.causal import dowhy_adapter
from rca.analysis.causal.graph_columns import TYPO
from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.methods.change_attribution.causal_chain import chain_of

EFFECT_QUESTION = "what did the event do"

METRIC = "the metric"
"""Node that the columns it is read off lead to."""

Edges = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The causal graph around an event, and which nodes are columns.

    Attributes
    ----------
    edges : tuple of (str, str)
        Cause and effect, of columns and perhaps the event; empty where no graph is given.
    read : tuple of str
        Columns that the metric is read off.
    columns : frozenset of str
    names : tuple of str
        By what else the graph may call the event.
    clock : str or None
        The column of times.
    minds_time : bool
        Whether the design takes trends and seasons off, so that time need not be held.
    """

    edges: Edges
    read: tuple[str, ...]
    columns: frozenset[str]
    names: tuple[str, ...] = ()
    clock: str | None = None
    minds_time: bool = True

    @property
    def event(self) -> str:
        """Name of the event's node, which is that of no column."""
        return "event" if "event" not in self.columns else "the event"

    @property
    def time(self) -> str:
        """Name of the node of time, which the column of times stands for."""
        return "time" if self.clock == "time" or "time" not in self.columns else "the time"


def held_fixed(setting: Setting, covariates: Sequence[str] | None) -> tuple[str, ...]:
    """Columns to adjust for: those given, if they satisfy the back-door criterion, or those that dowhy identifies.

    Parameters
    ----------
    setting : Setting
    covariates : sequence of str or None
        As given by who asks; None leaves it to the graph.

    Raises
    ------
    InvalidCase
        If the graph has a cycle or misspells a column, or a covariate is what the metric is read off.
    Unanswerable
        If a covariate follows from the event, or holding them leaves a way open that is no effect; it names the way.

    Examples
    --------
    >>> columns = frozenset({"load", "wrong"})
    >>> setting = Setting(edges=(("load", "event"), ("load", "wrong")), read=("wrong",), columns=columns)
    >>> held_fixed(setting, None)
    ('load',)
    """
    edges = require_sound(setting, covariates or ())
    for name in covariates or ():
        _require_no_descendant(name, edges, event=setting.event)
    if not _way(setting.event, METRIC, edges):
        raise Unanswerable(EFFECT_QUESTION, "not identifiable: the graph has no way from the event to the metric")
    time = (setting.time,) if setting.minds_time else ()
    both = {"treatment": setting.event, "outcome": METRIC}
    if dowhy_adapter.blocks(edges, [*(covariates or ()), *time], **both):
        return tuple(covariates or ())
    enough = dowhy_adapter.backdoor(edges, observed=_observed(setting, edges, time), **both)
    if enough is None:
        raise Unanswerable(EFFECT_QUESTION, f"not identifiable: {_open(setting, edges)}")
    needed = tuple(name for name in enough if name != setting.time)
    if covariates is None:
        return needed
    wanted = ", ".join(map(repr, needed)) or "none"
    why = f"not identifiable: with {', '.join(map(repr, covariates)) or 'nothing'} held fixed a way stays open"
    raise Unanswerable(EFFECT_QUESTION, f"{why} that is no effect of the event; the graph asks for {wanted}")


def require_sound(setting: Setting, covariates: Sequence[str] = ()) -> Edges:
    """The graph with event, metric and time in it; refused if it misspells a column or has a cycle.

    Raises
    ------
    InvalidCase
    """
    _require_known(setting, covariates)
    edges = _drawn(setting, covariates)
    parents = _parents(edges)
    chain_of(parents, sorted(parents))  # refuses a cycle
    return edges


def _require_known(setting: Setting, covariates: Iterable[str]) -> None:
    for name in covariates:
        if name in setting.read:
            hint = "leave it out, and name what kind of row it is instead"
            raise InvalidCase.because(f"the metric is read off {name!r}", place="covariates", hint=hint)
    nodes = {node for edge in setting.edges for node in edge}
    for node in sorted(nodes - setting.columns - {setting.event, setting.time, METRIC, *setting.names}):
        if difflib.get_close_matches(node, sorted(setting.columns), n=1, cutoff=TYPO):
            hint = did_you_mean(node, setting.columns)
            raise InvalidCase.because(f"no column {node!r}", place="graph", hint=hint)


def _drawn(setting: Setting, covariates: Sequence[str]) -> Edges:
    """The causal graph extended by the event, the metric and time.

    Without a graph every covariate is a cause of the metric whose distribution changes with time. Time brings the event
    about, and moves what has no cause of its own; where the design takes trends off, it may move the metric by itself.
    """
    event, time = setting.event, setting.time
    called = dict.fromkeys(setting.names, event) | ({setting.clock: time} if setting.clock is not None else {})
    edges = {(called.get(cause, cause), called.get(node, node)) for cause, node in setting.edges}
    edges |= {(column, METRIC) for column in setting.read}
    known = {node for edge in edges for node in edge}
    edges |= {(name, METRIC) for name in covariates if name not in known}
    if not any(cause == event for cause, _ in edges):
        edges |= {(event, column) for column in (*setting.read, METRIC)}
    caused = {node for _, node in edges}
    moved = {cause for cause, _ in edges} - caused - {time}
    edges |= {(time, node) for node in (moved - set(setting.read)) | {event}}
    edges |= {(time, METRIC)} if setting.minds_time else set()
    return tuple(sorted(edges))


def _parents(edges: Edges) -> Mapping[str, tuple[str, ...]]:
    nodes = {node for edge in edges for node in edge}
    return {node: tuple(sorted(cause for cause, effect in edges if effect == node)) for node in sorted(nodes)}


def _observed(setting: Setting, edges: Edges, time: Sequence[str]) -> list[str]:
    nodes = {node for edge in edges for node in edge}
    return sorted((nodes & setting.columns - set(setting.read)) | {setting.event, METRIC, *time})


def _require_no_descendant(name: str, edges: Edges, *, event: str) -> None:
    way = _way(event, name, edges)
    if way:
        told = " → ".join(way)
        why = f"not identifiable: {name!r} follows from the event ({told}), so that holding it bends the effect"
        raise Unanswerable(EFFECT_QUESTION, why)


def _way(start: str, end: str, edges: Edges) -> tuple[str, ...]:
    """A shortest directed path; empty where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        if way[-1] == end:
            return way
        for cause, node in edges:
            if cause == way[-1] and node not in seen:
                seen.add(node)
                ways.append((*way, node))
    return ()


def _open(setting: Setting, edges: Edges) -> str:
    """Which back-door path stays open, and for want of which column."""
    event = setting.event
    nodes = {node for edge in edges for node in edge} - {event, METRIC}
    hidden = sorted(nodes - setting.columns - ({setting.time} if setting.minds_time else set()))
    for node in hidden:
        without = tuple(edge for edge in edges if event not in edge)
        to_event, to_metric = _way(node, event, edges), _way(node, METRIC, without)
        if to_event and to_metric:
            told = f"{' ← '.join(reversed(to_event))}, and {' → '.join(to_metric)}"
            return f"{node!r} is a cause of the event and of the metric ({told}), and no column"
    return "some way from the event to the metric that is no effect of it stays open"
