"""A case: the record of an incident with its tables, model, graph and signals; load and scaffold."""

import hashlib
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rca.errors import InvalidCase
from rca.record.files.case_folder import ANSWER, RECORD, inside, names_of, opened, walk
from rca.record.files.table_files import Table, table_files
from rca.record.files.validation import NAMING, take_in
from rca.record.files.yaml_document import Document, show
from rca.record.schema.incident import Data, Incident, Window, is_identifier
from rca.result import displayed, table_of

if TYPE_CHECKING:
    import pandas as pd

    from rca.record.files.graph_file import Graph
    from rca.record.model.model import Model


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Roles of the columns of the tables.

    Attributes
    ----------
    time, label, prediction, score, weight, id : str or None
    class_scores : tuple of (str, str)
        Of a model that tells more than two classes apart: each class, and the column of its score; `score` is None.
    entity : str or None
        Whose row it is; one entity has several rows, which are not independent of each other.
    groups, text, ignore, categorical : tuple of str
        `categorical` names columns of numbers that are codes; they are features all the same.
    blocks : tuple of (str, tuple of str)
        Features that are one thing, such as an embedding: its name, and its columns.
    features : tuple of str
        Every column of the reference table without a role that no other key of the record names.
    positive : str, int, float or bool
        Which label and prediction value means yes.
    """

    time: str | None = None
    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    class_scores: tuple[tuple[str, str], ...] = ()
    weight: str | None = None
    id: str | None = None
    entity: str | None = None
    groups: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    blocks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    features: tuple[str, ...] = ()
    positive: str | float | bool = 1

    @classmethod
    def of(cls, columns: Iterable[str], outcome: str | None = None, **named: Any) -> Self:
        """Roles by name, with every other column a feature, except the outcome that the metric averages.

        >>> Roles.of(["age", "paid", "at"], label="paid", time="at").features
        ('age',)
        >>> Roles.of(["age", "kind", "p_a", "p_b"], label="kind", score={"a": "p_a", "b": "p_b"}).features
        ('age',)
        """
        plain: dict[str, Any] = {role: tuple(v) if isinstance(v, list) else v for role, v in named.items()}
        if isinstance(scores := plain.get("score"), Mapping):
            plain |= {"score": None, "class_scores": tuple((str(one), column) for one, column in scores.items())}
        if isinstance(blocks := plain.get("blocks"), Mapping):
            plain["blocks"] = tuple((name, tuple(columns)) for name, columns in blocks.items())
        known = cls(**plain)
        taken = {known.time, known.label, known.prediction, known.score, known.weight, known.id, known.entity, outcome}
        taken |= {*known.groups, *known.text, *known.ignore, *(column for _, column in known.class_scores)}
        return replace(known, features=known.features or tuple(name for name in columns if name not in taken))

    def read_by(self, features: Iterable[str]) -> Self:
        """The roles with the groups that a model reads among the features: they can break as any other can.

        >>> Roles.of(["age", "sex", "paid"], label="paid", groups=["sex"]).read_by(["sex", "age"]).features
        ('age', 'sex')
        """
        read = set(features)
        beside = tuple(name for name in self.groups if name in read and name not in self.features)
        return replace(self, features=(*self.features, *beside))

    def named(self) -> tuple[tuple[str, str], ...]:
        """Every role that a column has, as (key of `data`, column)."""
        single = ("time", "label", "prediction", "score", "weight", "id", "entity")
        many = ("groups", "text", "ignore", "categorical")
        return (
            *((role, column) for role in single if (column := getattr(self, role))),
            *((f"{role}[{at}]", column) for role in many for at, column in enumerate(getattr(self, role))),
            *((f"score.{one}", column) for one, column in self.class_scores),
            *((f"blocks.{name}[{at}]", one) for name, columns in self.blocks for at, one in enumerate(columns)),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One incident: its record, and the other files of its folder, read lazily.

    Attributes
    ----------
    folder : Path
    incident : Incident
    record : Document
        `incident.yaml` as written; it knows the line of every key.
    """

    folder: Path
    incident: Incident = field(repr=False)
    record: Document = field(repr=False)

    def __str__(self) -> str:
        known = self.incident
        return f"{known.id}: {known.title} ({known.severity}, {known.category.replace('_', ' ')}, {known.status})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        tables = ("reference", "current", "recovered", "training", "signals")
        rows: list[dict[str, Any]] = [
            {"table": name, "files": ", ".join(one.name for one in table.files)}
            for name in tables
            if (table := self.table(name)) is not None
        ]
        shown = displayed(self.incident, table_of(rows, str(self)))
        return {**shown, "text/plain": str(self)}

    @classmethod
    def load(cls, path: "str | PathLike[str]") -> Self:
        """Read the record of a case folder; tables, model and graph are read lazily.

        Raises
        ------
        InvalidCase
            With every problem of the record. What is wrong with the other files is found by `check`, or on first use.
        """
        folder, record = opened(path)
        incident, problems = take_in(record, names=names_of(folder))
        if problems or incident is None:
            raise InvalidCase(problems)
        return cls(folder=folder, incident=incident, record=record)

    @property
    def reference(self) -> "pd.DataFrame | None":
        """The rows from before the failure; None where the case has none."""
        return self._frame("reference")

    @property
    def current(self) -> "pd.DataFrame | None":
        """The rows during the failure; None where the case has none."""
        return self._frame("current")

    @property
    def recovered(self) -> "pd.DataFrame | None":
        """The rows after the failure; None where the case has none."""
        return self._frame("recovered")

    @property
    def training(self) -> "pd.DataFrame | None":
        """The rows that the model was trained on; None where the case has none."""
        return self._frame("training")

    @property
    def signals(self) -> "pd.DataFrame | None":
        """A column `time`, and one column a signal, in order of time; rows before and within the failing window."""
        return self._frame("signals")

    def table(self, name: str) -> Table | None:
        """The unread table of a window, or of the signals; None where the case has none.

        Raises
        ------
        InvalidCase
            If there is no such file, or it is no table.
        """
        signals, data = self.incident.signals, self.incident.data
        if name == "signals":
            return self._table(Window(path=signals.path), ("signals", "path"), "time") if signals else None
        window: Window | None = getattr(data, name) if data else None
        return self._table(window, ("data", name), data.time) if data and window else None

    def _table(self, window: Window, at: tuple[str, ...], time: str | None) -> Table:
        place = self.record.place(*at)
        files = tuple(table_files(self.folder, window.path, place=place))
        return Table(files=files, place=place, time=time, start=window.from_, end=window.to)

    @cached_property
    def _frames(self) -> "dict[str, pd.DataFrame | None]":
        return {}

    def _frame(self, name: str) -> "pd.DataFrame | None":
        if name not in self._frames:
            table = self.table(name)
            frame = None if table is None else table.read()
            if frame is not None and name == "signals":
                frame = frame.sort_values("time", kind="stable", ignore_index=True)
            self._frames[name] = frame
        kept = self._frames[name]
        return None if kept is None else kept.copy(deep=False)  # what a caller writes into it stays with the caller

    @cached_property
    def roles(self) -> Roles:
        """Roles of the columns; features are those of the reference, or of the current window without one."""
        data = self.incident.data or Data()
        table = self.table("reference") or self.table("current")
        named = data.model_dump(include=set(Roles.__dataclass_fields__) & set(Data.model_fields))
        outcome = self.incident.metric.column if self.incident.metric else None
        return Roles.of(table.columns if table else (), outcome, **named)

    @cached_property
    def graph(self) -> "Graph | None":
        """The causal or call graph; None where the case has none."""
        if self.incident.graph is None:
            return None
        from rca.record.files.graph_file import read_graph

        path = inside(self.folder, self.incident.graph, place=self.record.place("graph"))
        return read_graph(path, name=self.incident.graph)[0]

    @cached_property
    def model(self) -> "Model | None":
        """The model that failed, for rescoring; None where the case has none."""
        file = self.incident.model
        if file is None:
            return None
        from rca.record.model.model_file import read_model

        place = self.record.place("model", "path")
        path = inside(self.folder, file.path, place=place)
        table = self.table("reference") or self.table("current")
        columns = table.columns if table else ()
        return read_model(path, file.format, place=place, columns=columns, positive=self.roles.positive)

    def inputs(self) -> dict[str, str]:
        """The files of the case and their SHA-256, in order of path: what a report was made from.

        The known answer and hidden files are left out; no analysis reads them.

        Raises
        ------
        InvalidCase
            If a link leads out of the folder, or the name of a file cannot be printed.
        """
        home = self.folder.resolve()
        names = ((file, file.relative_to(home).as_posix()) for file in walk(home))
        files = {name: file for file, name in names if name != ANSWER}
        kept = sorted(name for name, file in files.items() if file.is_file())
        return {name: _sha256(inside(home, name, place=RECORD)) for name in kept}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over `inputs()`, one line a file, as `sha256sum` prints them."""
        lines = "".join(f"{sha256}  {name}\n" for name, sha256 in self.inputs().items())
        return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def load(path: "str | PathLike[str]") -> Case:
    """Load the case in a folder.

    Raises
    ------
    InvalidCase
        With every problem of its record.
    """
    return Case.load(path)


# --- a new case -------------------------------------------------------------------------------------------------------


def scaffold(folder: "str | PathLike[str]", name: str) -> Path:
    """Write a new case folder with a commented record to fill in: `folder/name/incident.yaml`.

    Returns
    -------
    Path
        The new folder; it is there whole or not at all.

    Raises
    ------
    InvalidCase
        If the name cannot be a case's, or something of that name is there.
    """
    parent = Path(folder)
    if not is_identifier(name):
        raise InvalidCase.because(f"{show(name)} is no name for a case", place="id", hint=NAMING)
    target = parent / name
    if target.exists() or target.is_symlink():
        raise InvalidCase.because("is there already; nothing was written", place=str(target), hint="choose another id")
    draft = parent / f".{name}.{secrets.token_hex(4)}"
    try:
        (draft / "sources").mkdir(parents=True)
        (draft / RECORD).write_text(_TEMPLATE.format(id=name), encoding="utf-8")
        draft.rename(target)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise InvalidCase.because(f"cannot be written: {error.strerror}", place=str(target)) from error
    return target


_TEMPLATE = """\
# The record of one incident. What is not known yet stays null or commented out; `rca check` says what is wrong.
# Times are ISO 8601 with an offset: 2026-05-02T09:10:00Z
schema: 1
id: "{id}"                       # the folder's name
title: What went wrong, in one line
summary: ""                      # one paragraph, plain words
severity: sev3                   # sev1 (worst) … sev5
category: other                  # harmful_output | bias | model_drift | data_quality | security | performance |
                                 # cascade | other
status: open                     # open | contained | recovered | closed
systems: []
#  - {{name: credit-risk, kind: model, version: "3.4.1", owner: risk-ml}}
timeline:
  onset: null                    # null: estimated from the data
  detected: null
  aware: null                    # the legal moment of awareness; not the same as detected
  acknowledged: null
  contained: null
  eradicated: null
  recovered: null
  closed: null
  events: []                     # deploy | config | schema | data | alert | human | communication | external | other
#    - {{at: 2026-02-01T02:00:00Z, kind: deploy, system: feature-store, what: schema v12}}
# data:
#   reference: reference.parquet # rows from before the failure; or {{path: log.parquet, from: <time>, to: <time>}}
#   current: current.parquet     # rows during the failure; Parquet, Arrow or CSV, a folder or a glob of them
#   time: decided_at             # a column without a role is a feature
#   label: defaulted
#   positive: 1
#   prediction: declined
#   score: probability           # of more than two classes a column each: {{cat: p_cat, dog: p_dog, eel: p_eel}}
#   id: application_id
#   entity: customer             # whose row it is; one customer's rows are not independent of each other
#   groups: [age_band]           # segments for fairness and slices
#   text: []
#   ignore: []
#   categorical: []              # columns of numbers that are codes
#   personal: []                 # columns that name people or where they are; a report has pseudonyms in their place
#   blocks: {{}}                   # {{embedding: [e00, e01]}}: columns that are one thing; a column of lists is one
# metric:                        # what went wrong, as one number over rows
#   name: error_rate             # error_rate | false_positive_rate | false_negative_rate | log_loss | brier | mae |
#                                # rmse | rate | mean (both of a `column`) | group_gap (`of` a metric)
#   harm: higher                 # higher | lower is worse
# model: {{path: model.txt, format: lightgbm}}    # lightgbm | xgboost | onnx | skops
# graph: graph.yaml              # kind: calls (edges [caller, callee]) or causal ([cause, effect]); edges: [[a, b], …]
# signals:
#   path: signals.parquet        # column `time`, then one column a signal, `component|metric`
#   from: 2026-05-01T10:00:00Z   # the failing window, both ends included: since it can have begun, not since the alarm
#   to: 2026-05-01T10:30:00Z
#   target: "qa-dashboard|false_pass_rate"
#   bad: {{latency: up, availability: down}}
as_of: null                      # the moment "now" is in the report; null: when it closed
impact: {{decisions: null, people: null, money: null, text: ""}}
obligations: {{jurisdictions: [], sector: null, facts: {{}}}}     # `rca obligations` says which facts count
#                                # jurisdictions: [de]; triggers: {{classified_major: <time>}}; zone: Europe/Berlin
# notifications: []              # {{regime: gdpr-33, submitted_at: <time>, by: a role}}; or, where a person decides to
#                                # make none: {{…, not_reportable_because: …, decided_at: <time>, by: a role}}
# class: incident                # hazard | near_miss | incident | serious_incident | disaster
# labels: {{mit_domain: "7"}}      # `rca obligations CASE --taxonomy` says what record and findings suggest
whys: []                         # a report drafts a first tree from the findings
#  - question: Why did …?
#    answer: {{statement: …, role: trigger, evidence: [fault.income], category: data}}   # latent: and its `guard`
#    rejected: [{{statement: …, because: …, evidence: [sources/minutes.md]}}]
#    whys: []
actions: []
#  - {{what: …, owner: a team, due: 2026-07-15, aim: prevent, strength: automate, factors: [], test_of_effect: …}}
# postmortem: {{owner: a team, found_by: monitor, temporary_fix: …, went_well: [], seen_before: [], sign_off: []}}
"""
