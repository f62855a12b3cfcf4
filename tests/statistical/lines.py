"""Simulated lines of systems in which one fails and others follow: what cascades are proven on."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from rca.analysis.cascade.origin_ranking import rank_origins
from rca.record.schema.incident import Signals

START = pd.Timestamp("2026-03-02T00:00", tz="UTC")
METRICS = ("load", "errors", "latency")


@dataclass(frozen=True)
class Line:
    """How a line is drawn.

    A failure starts in one component, reaches what hangs on it some samples later, and rings an alarm at the far end.
    """

    components: int = 12
    normal: int = 400
    failing: int = 60
    height: float = 12.0
    gain: tuple[float, float] = (0.7, 1.6)
    lag: tuple[int, int] = (2, 6)
    begin: tuple[int, int] = (3, 10)
    tail: float = 30.0
    memory: float = 0.3
    ramp: int = 1
    missing_edges: float = 0.0
    wrong_edges: float = 0.0
    bystander: float = 0.0
    seconds: int = 60
    kind: str = "causal"
    graph: bool = True


@dataclass(frozen=True)
class Drawn:
    """A line that was drawn, and its truth."""

    table: pd.DataFrame
    signals: Signals
    edges: list
    kind: str
    origin: str
    onset: pd.Timestamp
    struck: dict = field(default_factory=dict)

    def answer(self, **options):
        known = {"edges": self.edges, "kind": self.kind} | options
        return rank_origins(self.table, self.signals, **known)


def draw(rng, line):
    """Draw a line: who acts on whom, where it begins, and every signal."""
    names = [f"c{place:02}" for place in rng.permutation(line.components)]
    edges = _edges(rng, names)
    begin = int(rng.integers(*line.begin))
    struck, alarm = _struck(rng, names, edges, line, begin)
    rows = line.normal + line.failing
    at = START + pd.to_timedelta(np.arange(rows) * line.seconds, unit="s")
    columns = {}
    for name in names:
        since, height = struck.get(name, (rows, 0.0))
        for metric in METRICS:
            moves = height * (metric == "latency" or rng.random() < 0.3)
            columns[f"{name}|{metric}"] = _signal(rng, line, rows, (line.normal + since, moves))
    if line.bystander:
        since = line.normal + int(rng.integers(line.begin[0], line.failing // 2))
        columns["radio|load"] = _signal(rng, line, rows, (since, line.bystander))
    signals = Signals.model_validate(
        {
            "path": "s.parquet",
            "from": at[line.normal].isoformat(),
            "to": at[-1].isoformat(),
            "target": f"{alarm}|latency",
            "bad": {"latency": "up", "errors": "up"},
        }
    )
    return Drawn(
        table=pd.DataFrame({"time": at, **columns}),
        signals=signals,
        edges=_recorded(rng, names, edges, line) if line.graph else [],
        kind=line.kind,
        origin=next(iter(struck)),
        onset=at[line.normal + begin],
        struck={name: at[min(line.normal + since, rows - 1)] for name, (since, _) in struck.items()},
    )


def _edges(rng, names):
    """Every component but the first hangs on one or two before it."""
    found = set()
    for place in range(1, len(names)):
        for above in rng.choice(place, min(place, 1 + int(rng.random() < 0.35)), replace=False):
            found.add((names[int(above)], names[place]))
    return sorted(found)


def _struck(rng, names, edges, line, begin):
    """Origin first: component → (samples until it is struck, height); and the alarm, the last to be struck."""
    while True:
        origin = names[int(rng.integers(len(names)))]
        struck, waiting = {origin: (begin, line.height)}, [origin]
        while waiting:
            cause = waiting.pop(0)
            for effect in sorted(after for before, after in edges if before == cause and after not in struck):
                since, height = struck[cause]
                lag = int(rng.integers(line.lag[0], line.lag[1] + 1))
                struck[effect] = (
                    since + lag,
                    min(max(height * rng.uniform(*line.gain), line.height / 2), 5 * line.height),
                )
                waiting.append(effect)
        late = [name for name, (since, _) in struck.items() if since <= line.failing - min(6, line.failing // 2)]
        if len(late) >= 3:
            return struck, late[-1]


def _signal(rng, line, rows, change):
    noise = rng.standard_t(line.tail, rows)
    for at in range(1, rows):
        noise[at] += line.memory * noise[at - 1]
    since, height = change
    scale = 1.0 if line.kind == "calls" else 10 ** rng.uniform(-2, 2)
    return scale * (rng.uniform(5, 100) + noise + height * np.clip((np.arange(rows) - since + 1) / line.ramp, 0, 1))


def _recorded(rng, names, edges, line):
    """The graph on record: some edges forgotten, some made up; callers first where it is one of calls."""
    kept = [edge for edge in edges if rng.random() >= line.missing_edges]
    for _ in range(round(line.wrong_edges * len(edges))):
        one, other = (names[int(at)] for at in rng.choice(len(names), 2, replace=False))
        if (one, other) not in kept:
            kept.append((one, other))
    return [(effect, cause) for cause, effect in kept] if line.kind == "calls" else kept
