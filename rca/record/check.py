"""Consistency checks of a case folder: whether tables, model, graph and signals are what the record says."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from os import PathLike
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rca.errors import InvalidCase, Problem
from rca.record.case import Case
from rca.record.files.case_folder import ANSWER, RECORD, inside, names_of, opened, walk
from rca.record.files.graph_file import Graph, read_graph
from rca.record.files.table_files import Table
from rca.record.files.validation import WINDOWS, take_in
from rca.record.files.yaml_document import Document, Location, near, show
from rca.record.schema.incident import Metric, Signals
from rca.record.schema.why_tree import Why

if TYPE_CHECKING:
    import pandas as pd

if TYPE_CHECKING:
    import pandas as pd

    Column = pd.Series[Any]

_TWO_CLASSES = frozenset(("error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier"))
"""Metrics that need a label of at least two classes."""

_PROBABILITY = frozenset(("log_loss", "brier"))
"""Metrics that take the score for a probability."""


def check(path: "str | PathLike[str]") -> list[Problem]:
    """Every problem of a case folder at once: record, tables, model, graph, signals; [] when sound."""
    try:
        folder, record = opened(path)
    except InvalidCase as error:
        return list(error.problems)
    incident, problems = take_in(record, names=names_of(folder))
    if incident is None:
        return problems
    found = [*problems, *files(Case(folder=folder, incident=incident, record=record))]
    return list(dict.fromkeys(found))


def files(case: "Case") -> list[Problem]:
    """Every problem of the files that a record names."""
    found = _Found()
    for name in WINDOWS:
        found.add(_window(case, name))
    found.add(_training(case))
    for look in (_same_columns, _graph, _signals, _model, _sources, _imports, _every_file):
        found.add(look(case))
    return found.problems


class _Found:
    """Collects problems; an error of reading becomes a problem, and the checks go on."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, more: Iterable[Problem]) -> None:
        try:
            for problem in more:  # one by one: what comes before an error is kept
                self.problems.append(problem)
        except InvalidCase as error:
            self.problems.extend(error.problems)


# --- tables -----------------------------------------------------------------------------------------------------------


def _window(case: "Case", name: str) -> Iterator[Problem]:
    table = case.table(name)
    if table is None:
        return
    yield from _lacking(case, name, table)
    frame, problems = _rows(table)
    yield from problems
    place = case.record.place("data", name)
    if frame.empty:
        narrowed = table.start or table.end
        hint = "look at `from` and `to`, and at the offset of the times" if narrowed else ""
        yield Problem(what=f"the {name} window has no rows", place=place, hint=hint)
        return
    yield from _values(case, name, frame)


def _training(case: "Case") -> Iterator[Problem]:
    """What the model was trained on; it needs none of the columns of a time after it."""
    table = case.table("training")
    if table is not None and table.read().empty:
        yield Problem(what="the training table has no rows", place=case.record.place("data", "training"))


def _rows(table: Table) -> "tuple[pd.DataFrame, list[Problem]]":
    """The rows; all of them, with the problem, where the times are no times."""
    try:
        return table.read(), []
    except InvalidCase as error:
        known = [problem for problem in error.problems if table.time in table.columns]
        return replace(table, time=None, start=None, end=None).read(), known


def _lacking(case: "Case", name: str, table: Table) -> Iterator[Problem]:
    """Columns that have a role and are not in the table."""
    metric = case.incident.metric
    outcome = [(("metric", "column"), metric.column)] if metric and metric.column else []
    roles = [(_at(role), column) for role, column in case.roles.named()]
    personal = case.incident.data.personal if case.incident.data else ()
    named = [(f"personal[{at}]", column) for at, column in enumerate(personal)]
    for at, column in [*roles, *((_at(role), column) for role, column in named), *outcome]:
        if column not in table.columns:
            what = f"the {name} table has no column {show(column)}"
            yield Problem(what=what, place=case.record.place(*at), hint=near(column, table.columns))


def _at(role: str) -> Location:
    """`groups[1]`, or `blocks.embedding[1]`, as a location below `data`."""
    name, _, index = role.rstrip("]").rpartition("[") if role.endswith("]") else (role, "", "")
    key, _, inner = name.partition(".")
    return ("data", key, *((inner,) if inner else ()), *((int(index),) if index else ()))


def _values(case: "Case", name: str, frame: "pd.DataFrame") -> Iterator[Problem]:
    roles, metric = case.roles, case.incident.metric
    nested = list(_nested(case, name, frame))
    yield from nested
    if nested:
        return
    if roles.label in frame:
        yield from _label(case, name, frame[roles.label])
    if metric and metric.column in frame and metric.name == "mean" and not _is_number(frame[metric.column]):
        what = f"{show(metric.column)} holds {frame[metric.column].dtype} in the {name} table, and a mean needs numbers"
        yield Problem(what=what, place=case.record.place("metric", "column"))
    for role, column in roles.named():
        if role.startswith(("score", "weight")) and column in frame:
            wrong = _weight(frame[column]) if role == "weight" else _score(frame[column], metric)
            if wrong:
                what = f"{show(column)} {wrong} in the {name} table"
                yield Problem(what=what, place=case.record.place(*_at(role)))


def _is_number(column: "Column") -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column.dtype) or bool(column.isna().all())


def _measure(metric: Metric | None) -> str:
    """The metric that is taken over rows: the one inside a `group_gap`."""
    return str(metric.of or metric.name) if metric else ""


def _label(case: "Case", name: str, label: "Column") -> Iterator[Problem]:
    measure, place = _measure(case.incident.metric), case.record.place("data", "label")
    known = label.dropna()
    if known.empty:
        what = f"the label is missing in every row of the {name} table"
        yield Problem(what=what, place=place, hint="where labels have not come yet, leave `data.label` out")
    elif measure in _TWO_CLASSES and (known == known.iloc[0]).all():
        what = f"every label of the {name} table is {show(_bare(known.iloc[0]))}; {measure} needs two classes"
        yield Problem(what=what, place=place)
    elif _says_yes(measure, known, case) and not _positive(known, case.roles.positive).any():
        few = ", ".join(show(_bare(value)) for value in sorted(known.unique(), key=str)[:5])
        what = f"no label of the {name} table is {show(case.roles.positive)}; there are {few}"
        yield Problem(what=what, place=case.record.place("data", "positive"), hint="say which value means yes")
    elif measure in ("mae", "rmse") and not _is_number(label):
        what = f"the label holds {label.dtype} in the {name} table, and {measure} needs numbers"
        yield Problem(what=what, place=place)


def _says_yes(measure: str, known: "Column", case: "Case") -> bool:
    """Whether the metric needs the positive label; errors among many classes, and losses over all, do not."""
    if case.roles.class_scores and measure in ("log_loss", "brier"):
        return False
    return measure in _TWO_CLASSES and (measure != "error_rate" or known.nunique() <= 2)


def _positive(values: "Column", positive: str | float) -> "pd.Series[bool]":
    import pandas as pd

    if isinstance(positive, str):
        return values.astype(str).eq(positive)
    return pd.to_numeric(values, errors="coerce").eq(float(positive))


def _bare(value: object) -> object:
    """A number of numpy as one of Python, which messages know how to show."""
    return value.item() if hasattr(value, "item") else value


def _score(score: "Column", metric: Metric | None) -> str:
    if not _is_number(score):
        return f"holds {score.dtype}, and a score is a number"
    known = score.dropna()
    if known.empty:
        return "is missing in every row"
    outside = _measure(metric) in _PROBABILITY and not known.between(0, 1).all()
    return f"runs from {known.min():.3g} to {known.max():.3g}, and a probability was expected" if outside else ""


def _weight(weight: "Column") -> str:
    if not _is_number(weight):
        return f"holds {weight.dtype}, and a weight is a number"
    sound = (weight >= 0).all() and 0 < weight.sum() < float("inf")
    return "" if sound else "is negative, missing, infinite or nothing but zero"


def _nested(case: "Case", name: str, frame: "pd.DataFrame") -> Iterator[Problem]:
    """Columns whose cells are lists or mappings, which no analysis can compare, but for vectors among the features."""
    import numpy as np

    roles, metric = case.roles, case.incident.metric
    named = dict.fromkeys(
        (*roles.features, *(column for _, column in roles.named()), metric.column if metric else None)
    )
    held = [column for column in named if column not in roles.ignore and column in frame]
    alone = {*roles.features} - {column for _, column in roles.named()}
    for column in (one for one in held if frame[one].dtype == object):
        nested = any(isinstance(value, list | dict | set | np.ndarray) for value in frame[column])
        if nested and (column not in alone or vector_length(frame[column]) is None):
            what = f"{show(column)} holds lists or mappings in the {name} table"
            yield Problem(what=what, place=case.record.place("data", name), hint="spread them out, or `ignore` it")


def vector_length(values: "pd.Series[Any]") -> int | None:
    """How many numbers each cell of a column holds; None where they are no lists of numbers, all as long.

    >>> import pandas as pd
    >>> vector_length(pd.Series([[1.0, 2.0], None, [0.5, 1]])), vector_length(pd.Series([[1.0], [1.0, 2.0]]))
    (2, None)
    """
    import numpy as np

    if values.dtype != object:
        return None
    known = [cell for cell in values if not (cell is None or (isinstance(cell, float) and np.isnan(cell)))]
    if not known or not all(isinstance(cell, list | tuple | np.ndarray) for cell in known):
        return None
    lengths = {len(cell) for cell in known}
    numbers = all(np.asarray(cell).dtype.kind in "biuf" and np.ndim(cell) == 1 for cell in known)
    return lengths.pop() if len(lengths) == 1 and numbers else None


def _same_columns(case: "Case") -> Iterator[Problem]:
    """Columns that only one of the windows has, against the reference."""
    reference = case.table("reference")
    if reference is None:
        return
    named = {column for _, column in case.roles.named()}
    for name in ("current", "recovered"):
        table = case.table(name)
        columns = table.columns if table else reference.columns
        place = case.record.place("data", name)
        for column in reference.columns:
            if column not in columns and column not in named:
                what = f"the {name} table has no column {show(column)}, which the reference has"
                yield Problem(what=what, place=place, hint=near(column, set(columns) - set(reference.columns)))
        for column in columns:
            if column not in reference.columns and column not in named:
                what = f"the {name} table has a column {show(column)}, which the reference has not"
                yield Problem(what=what, place=place, hint="drop it, or add it to `data.ignore`")


# --- graph, signals, model, sources -----------------------------------------------------------------------------------


def _graph(case: "Case") -> Iterator[Problem]:
    name = case.incident.graph
    if name is None:
        return
    graph, document = read_graph(inside(case.folder, name, place=case.record.place("graph")), name=name)
    if graph.kind == "causal":
        yield from _nodes(case, graph, document)


def _nodes(case: "Case", graph: Graph, document: Document) -> Iterator[Problem]:
    """Nodes of a causal graph that are no column and no signal; callers and callees may be unobserved."""
    tables = [table for name in (*WINDOWS, "signals") if (table := case.table(name))]
    columns = {column for table in tables for column in table.columns}
    known = columns | {column.partition("|")[0] for column in columns}
    for node in graph.nodes:
        if known and node not in known:
            what = f"{show(node)} is no column and no component"
            yield Problem(what=what, place=document.place("edges", _first(graph, node)), hint=near(node, known))


def _first(graph: Graph, node: str) -> int:
    return next(at for at, edge in enumerate(graph.edges) if node in edge)


def _signals(case: "Case") -> Iterator[Problem]:
    signals, table = case.incident.signals, case.table("signals")
    if signals is None or table is None:
        return
    yield from _names(case, signals, table)
    if "time" not in table.columns:
        yield Problem(what="the signals have no column 'time'", place=table.place, hint=near("time", table.columns))
        return
    frame = table.read()
    yield from _moments(case, signals, frame)
    yield from _readings(case, signals, frame)


def _names(case: "Case", signals: Signals, table: Table) -> Iterator[Problem]:
    names = [column for column in table.columns if column != "time"]
    if not names:
        yield Problem(what="the table has no signals", place=table.place)
        return
    for odd in (name for name in names if not all(name.partition("|"))):
        yield Problem(what=f"{show(odd)} is no signal", place=table.place, hint="name it `component|metric`")
    if signals.target is not None and signals.target not in names:
        what = f"{show(signals.target)} is not among the signals"
        yield Problem(what=what, place=case.record.place("signals", "target"), hint=near(signals.target, names))
    metrics = {name.partition("|")[2] for name in names}
    for metric in signals.bad:
        if metric not in metrics:
            what = f"no signal has the metric {show(metric)}"
            yield Problem(what=what, place=case.record.place("signals", "bad", metric), hint=near(metric, metrics))


def _moments(case: "Case", signals: Signals, frame: "pd.DataFrame") -> Iterator[Problem]:
    times = frame["time"]
    if times.isna().any():
        yield Problem(what="a row has no time", place=case.record.place("signals", "path"))
    if times.duplicated().any():
        twice = times[times.duplicated()].iloc[0]
        yield Problem(what=f"the time {twice.isoformat()} comes twice", place=case.record.place("signals", "path"))
    if not times.between(signals.from_, signals.to).any():
        what = f"no row lies in the failing window; the times run from {times.min()} to {times.max()}"
        yield Problem(what=what, place=case.record.place("signals", "from"))
    if not (times < signals.from_).any():
        what = "no row lies before `from`, so nothing says what is normal"
        yield Problem(what=what, place=case.record.place("signals", "from"))


def _readings(case: "Case", signals: Signals, frame: "pd.DataFrame") -> Iterator[Problem]:
    place, readings = case.record.place("signals", "path"), frame.drop(columns="time")
    for name in readings:
        if not _is_number(readings[name]):
            what = f"{show(str(name))} holds {readings[name].dtype}, and numbers were expected"
            yield Problem(what=what, place=place)
    if readings.size and readings.isna().all(axis=None):
        yield Problem(what="every signal is missing in every row", place=place)
    elif signals.target in readings and readings[signals.target].isna().all():
        what = f"the target {show(signals.target)} is missing in every row"
        yield Problem(what=what, place=case.record.place("signals", "target"))


def _model(case: "Case") -> Iterator[Problem]:
    model = case.model
    if model is None:
        return
    for name in WINDOWS:
        table = case.table(name)
        for feature in model.missing(table.columns) if table else ():
            what = f"the model reads {show(feature)}, and the {name} table has no such column"
            hint = near(feature, table.columns if table else ())
            yield Problem(what=what, place=case.record.place("model", "path"), hint=hint)


def _sources(case: "Case") -> Iterator[Problem]:
    """Files in `sources/` that events, whys and reports sent cite, and that are not there."""
    events, sent = case.incident.timeline.events, enumerate(case.incident.notifications)
    cited: list[tuple[Location, str | None]]
    cited = [(("timeline", "events", at, "source"), event.source) for at, event in enumerate(events)]
    cited += [(("notifications", at, "evidence", n), name) for at, one in sent for n, name in enumerate(one.evidence)]
    for at, path in [*cited, *_evidence(case.incident.whys, ("whys",))]:
        if path and PurePosixPath(path).parts[:1] == ("sources",):
            try:
                inside(case.folder, path.partition("#")[0], place=case.record.place(*at))
            except InvalidCase as error:
                yield from error.problems


def _imports(case: "Case") -> Iterator[Problem]:
    """Imported sources that are not there, or no longer what was imported."""
    for at, source in enumerate(case.incident.imports.sources):
        place = case.record.place("imports", "sources", at)
        with inside(case.folder, source.path, place=place).open("rb") as opened_:
            if hashlib.file_digest(opened_, "sha256").hexdigest() != source.sha256:
                what = f"{show(source.path)} is not what was imported; its SHA-256 is another"
                yield Problem(what=what, place=place, hint="put the file back as it was received")


def _every_file(case: "Case") -> Iterator[Problem]:
    """Files of the folder that no report could list among its inputs, though nothing names them."""
    home = case.folder.resolve()
    for file in walk(home):
        name = file.relative_to(home).as_posix()
        if name == ANSWER or not file.is_file():
            continue
        try:
            inside(home, name, place=RECORD)
        except InvalidCase as error:
            yield from (replace(problem, hint="rename it, or take it out") for problem in error.problems)


def _evidence(whys: tuple[Why, ...], at: Location) -> Iterator[tuple[Location, str]]:
    for index, why in enumerate(whys):
        here = (*at, index)
        if why.answer is not None:
            yield from (((*here, "answer", "evidence", n), name) for n, name in enumerate(why.answer.evidence))
        for place, one in enumerate(why.rejected):
            yield from (((*here, "rejected", place, "evidence", n), name) for n, name in enumerate(one.evidence))
        yield from _evidence(why.whys, (*here, "whys"))
