"""Schema of the record of one incident: `incident.yaml` as frozen types.

The format is version 1 of the case folder. The types here are its only definition: the JSON Schema that editors use
(`json_schema`) is derived from them, and `rca.record.case` reads and checks folders with them.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from rca.record.schema.corrective_action import CorrectiveAction
from rca.record.schema.debrief import Debrief
from rca.record.schema.imported import Detection, Imports
from rca.record.schema.moment import Moment
from rca.record.schema.why_tree import Why

Severity = Literal["sev1", "sev2", "sev3", "sev4", "sev5"]

Category = Literal[
    "harmful_output", "bias", "model_drift", "data_quality", "security", "performance", "cascade", "other"
]

Status = Literal["open", "contained", "recovered", "closed"]

MetricName = Literal[
    "error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier", "mae", "rmse", "rate", "mean",
    "group_gap",
]  # fmt: skip

ModelFormat = Literal["lightgbm", "xgboost", "onnx", "skops"]

HarmClass = Literal["hazard", "near_miss", "incident", "serious_incident", "disaster"]
"""How far an incident went, on the OECD's ladder."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A case's name; it becomes a folder's name, so it cannot leave its folder."""

MOMENTS = (
    "onset", "detected", "alerted", "aware", "acknowledged", "identified", "contained", "mitigated", "eradicated",
    "repair_started", "recovered", "resolved", "closed",
)  # fmt: skip
"""The moments of a timeline, in the order a report prints them."""

SEQUENCE = ("onset", "detected", "contained", "eradicated", "recovered", "closed")
"""The moments that cannot happen in another order."""


class Record(BaseModel):
    """A part of the record: frozen, and closed to unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=False, allow_inf_nan=False
    )


class System(Record):
    """A system that took part: a model, a service, a process."""

    name: str
    kind: str = "system"
    version: str | None = None
    owner: str | None = None
    run_id: str | None = None
    """Of the run in a registry that made the model."""
    training_data: str | None = None
    last_good: str | None = None
    """The last version known to work."""
    intended_use: str | None = None
    oversight: str | None = None
    """How people oversee it."""
    party: Literal["provider", "deployer", "both"] | None = None
    risk_class: str | None = None


class Event(Record):
    """Something that happened: a deploy, a change, an alert, a message."""

    at: Moment
    kind: str
    what: str
    system: str | None = None
    source: str | None = None
    id: str | None = None
    """Where it was imported: vendor and the vendor's own id, by which it is known again."""


class Timeline(Record):
    """The moments of the incident and the events around it; every time carries an offset."""

    onset: Moment | None = None
    detected: Moment | None = None
    alerted: Moment | None = None
    aware: Moment | None = None
    acknowledged: Moment | None = None
    identified: Moment | None = None
    contained: Moment | None = None
    mitigated: Moment | None = None
    eradicated: Moment | None = None
    repair_started: Moment | None = None
    recovered: Moment | None = None
    resolved: Moment | None = None
    closed: Moment | None = None
    events: tuple[Event, ...] = ()
    sources: dict[str, str] = Field(default_factory=dict)
    """Moment → where it is from, if not from whoever wrote the record."""

    @field_validator("sources")
    @classmethod
    def _of_moments(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = next((name for name in value if name not in MOMENTS), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:60]!r} is no moment; known are {', '.join(MOMENTS)}")
        return value

    def moments(self) -> Iterator[tuple[str, Any]]:
        """The moments on record, in the order of `MOMENTS`."""
        return ((name, at) for name in MOMENTS if (at := getattr(self, name)) is not None)


class Window(Record):
    """Rows of a file (Parquet, Arrow or CSV; a folder or a glob of them) between two times, `to` excluded."""

    path: str
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_a_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


def _or_a_path(schema: dict[str, Any]) -> None:
    """Tell editors what the validator of `Window` allows: a path alone."""
    schema["anyOf"].insert(0, {"type": "string"})


class Wording(Record):
    """What people call a column, its unit and its values."""

    say: str | None = None
    unit: str | None = None
    values: dict[str | int | float | bool, str] = Field(default_factory=dict)


class Data(Record):
    """The tables of the case and the roles of their columns; a column without a role is a feature."""

    reference: Window | None = Field(default=None, json_schema_extra=_or_a_path)
    current: Window | None = Field(default=None, json_schema_extra=_or_a_path)
    recovered: Window | None = Field(default=None, json_schema_extra=_or_a_path)
    training: Window | None = Field(default=None, json_schema_extra=_or_a_path)
    """What the model was trained on."""
    time: str | None = None
    label: str | None = None
    positive: str | int | float | bool = 1
    prediction: str | None = None
    score: str | dict[str | int | float | bool, str] | None = None
    """A column, or where more than two classes are told apart a column for each."""
    weight: str | None = None
    id: str | None = None
    entity: str | None = None
    """Whose row it is: a customer, a machine, a session."""
    groups: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    blocks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Columns that are one thing, such as an embedding, by its name."""
    personal: tuple[str, ...] = ()
    """Columns, of any other role or none, whose values stand for a person: names, addresses, numbers of customers."""
    words: dict[str, Wording] = Field(default_factory=dict)


class Metric(Record):
    """What went wrong, as one number over rows."""

    name: MetricName
    column: str | None = None
    of: MetricName | None = None
    threshold: float = 0.5
    harm: Literal["higher", "lower"] = "higher"
    margin: float | None = Field(default=None, gt=0)
    """The largest difference from the reference after the repair that counts as none, in the metric's unit."""

    @model_validator(mode="after")
    def _says_what_it_measures(self) -> Self:
        if self.name in ("rate", "mean") and not self.column:
            raise ValueError(f"a metric named {self.name!r} needs `column`, the outcome it averages")
        if self.name == "group_gap" and self.of in (None, "group_gap"):
            raise ValueError("a `group_gap` needs `of`, the metric whose largest difference between groups is meant")
        if self.name == "group_gap" and self.of in ("rate", "mean") and not self.column:
            raise ValueError(f"a `group_gap` of {self.of!r} needs `column`")
        return self


class ModelFile(Record):
    """The model that failed, in a format that cannot run code when it is loaded."""

    path: str
    format: ModelFormat


class Signals(Record):
    """Time series of the systems involved: a column `time`, then one column a signal, `component|metric`."""

    path: str
    from_: Moment = Field(alias="from")
    to: Moment
    target: str | None = None
    bad: dict[str, Literal["up", "down"]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.to < self.from_:
            raise ValueError("`to` comes before `from`")
        return self


class Impact(Record):
    """Whom it reached, as far as it is known."""

    decisions: int | None = Field(default=None, ge=0)
    people: int | None = Field(default=None, ge=0)
    money: float | str | None = None
    money_interval: tuple[float, float] | None = None
    penalties: float | str | None = None
    """What authorities or contracts may ask for."""
    penalties_interval: tuple[float, float] | None = None
    harm: tuple[str, ...] = ()
    """Kinds of harm that were done."""
    text: str = ""
    wrong: int | None = Field(default=None, ge=0)
    """Decisions that were wrong because of it."""
    wrong_interval: tuple[int, int] | None = None
    support_cases: int | None = Field(default=None, ge=0)
    slo: str | None = None
    """What it took of the budget of a service level objective."""
    data_lost: str | None = None
    physical_harm: str | None = None


class Obligations(Record):
    """Facts that reporting duties hang on."""

    jurisdictions: tuple[str, ...] = ()
    sector: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)
    triggers: dict[str, Moment] = Field(default_factory=dict)
    """Stamps that the clock of a duty starts at, beside those of the timeline."""
    zone: str | None = None
    """Time zone in which the days of a limit are counted, such as Europe/Berlin; default the authority's."""

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError("no time zone goes by that name; one that does is Europe/Berlin") from None


class Notification(Record):
    """A report to an authority or to people concerned, or the decision to make none."""

    regime: str
    report_type: str | None = None
    submitted_at: Moment | None = None
    next_report_at: Moment | None = None
    also_reported_under: tuple[str, ...] = ()
    not_reportable_because: str = ""
    decided_at: Moment | None = None
    """When it was decided to make none."""
    risk_assessment_reviewed: Moment | bool | None = None
    by: str | None = None
    """The role that decided."""
    evidence: tuple[str, ...] = ()
    """What shows that it was sent: documents in `sources/`, events of the timeline."""


class Incident(Record):
    """One incident, as `incident.yaml` records it."""

    schema_: Literal[1] = Field(alias="schema")
    id: Identifier
    title: str = Field(min_length=1)
    summary: str = ""
    severity: Severity
    category: Category
    status: Status
    systems: tuple[System, ...] = ()
    timeline: Timeline = Timeline()
    data: Data | None = None
    metric: Metric | None = None
    model: ModelFile | None = None
    as_of: Moment | None = None
    graph: str | None = None
    signals: Signals | None = None
    impact: Impact = Impact()
    triggering_inputs: tuple[str, ...] = ()
    """Inputs that bring it about, as they were typed or sent."""
    class_: HarmClass | None = Field(default=None, alias="class")
    """How far it went, apart from its severity."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Axis of a public vocabulary → the value that a person decided on, such as `{mit_domain: "7"}`."""
    obligations: Obligations = Obligations()
    notifications: tuple[Notification, ...] = ()
    whys: tuple[Why, ...] = ()
    actions: tuple[CorrectiveAction, ...] = ()
    postmortem: Debrief = Debrief()
    detections: tuple[Detection, ...] = ()
    """What drift detectors of other makers said."""
    imports: Imports = Imports()

    @property
    def now(self) -> Any:
        """What "now" is in this report: `as_of`, else closure, else the last moment on record; None without any."""
        if self.as_of or self.timeline.closed:
            return self.as_of or self.timeline.closed
        moments = [at for _, at in self.timeline.moments()] + [event.at for event in self.timeline.events]
        return max(moments, default=None)

    @property
    def model_name(self) -> str:
        """The name of the system that is a model, else of the first system, else `model`."""
        named = [system.name for system in self.systems if system.kind == "model"]
        return (named or [system.name for system in self.systems] or ["model"])[0]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `incident.yaml`, so that editors can complete and check it."""
    schema = Incident.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def is_identifier(text: str) -> bool:
    """Whether a text can be a case's name.

    >>> is_identifier("credit-drift"), is_identifier("../credit-drift")
    (True, False)
    """
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text) is not None
