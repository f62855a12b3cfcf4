"""Configuration of the service: one TOML file; secrets lie in the environment or in files, never in it."""

import os
import tomllib
from ipaddress import ip_address
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from rca.errors import InvalidCase, Problem
from rca.record.files.yaml_document import plain, read_yaml

Vendor = Literal[
    "pagerduty", "opsgenie", "jira_service_management", "incident_io", "alertmanager", "grafana", "mlflow", "generic"
]

NAME = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]

ENDED = {"closure": ("recovered", "closed"), "containment": ("contained", "recovered", "closed")}
"""Setting `on` → states of an incident at which its report is written."""


FOLLOWS = {"jira_service_management": "opsgenie"}
"""Vendors whose webhooks are as another's."""


def _home(value: Path, info: ValidationInfo) -> Path:
    """A path from the folder of the file."""
    return (info.context or Path()) / value


def _place(value: str, info: ValidationInfo) -> str:
    """A folder from the folder of the file; a URL as it is."""
    return value if "://" in value else str(_home(Path(value), info))


def _keys(value: dict[str, Any] | Path, info: ValidationInfo) -> dict[str, Any]:
    """Keys of a record, read from their file where they lie in one."""
    if isinstance(value, dict):
        return value
    try:
        return dict(read_yaml(_home(value, info), name=str(value)).value)
    except (OSError, InvalidCase) as error:
        raise ValueError(f"cannot be read: {error}") from error


Place = Annotated[Path, AfterValidator(_home)]
"""A file or folder, meant from the folder of the configuration where it is not absolute."""


class Part(BaseModel):
    """A part of the configuration: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


class Secret(Part):
    """Where a secret lies: a variable of the environment, or a file; what ends a line at its end is no part of it."""

    env: str | None = None
    file: Place | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret is either {env = 'NAME'} or {file = 'PATH'}")
        return self

    def read(self) -> str:
        """The secret.

        Raises
        ------
        InvalidCase
            If it is not there, or empty.
        """
        place = f"${self.env}" if self.env else str(self.file)
        try:
            said = os.environ.get(self.env, "") if self.env else Path(str(self.file)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidCase.because(f"the secret cannot be read: {error}", place=place) from error
        if not (told := said.rstrip("\r\n")):
            raise InvalidCase.because("the secret is empty, or not there", place=place)
        return told


Several = Annotated[tuple[Secret, ...], BeforeValidator(lambda value: (value,) if isinstance(value, dict) else value)]
"""One secret, or several while one is being changed for another."""


class Hook(Part):
    """A place that a vendor posts to: `/hooks/<name>`."""

    name: NAME
    vendor: Vendor
    secret: Several = ()
    """The vendor's signing secret, or the token or `user:password` that it sends; none only on loopback."""
    header: str = "x-grafana-alerting-signature"
    """Of Grafana: which header carries the signature."""
    stamp: str | None = None
    """Of Grafana: which header carries the time that is signed along; none: the body alone is signed."""
    map: Place | None = None
    """Of `generic`: a map of your own, as `rca import` takes."""
    priority: int = 0
    """Work of a higher one goes first."""

    @property
    def by(self) -> str:
        """By which map its deliveries are read: a file, or a vendor that ships."""
        return str(self.map) if self.map else FOLLOWS.get(self.vendor, self.vendor)


class Limits(Part):
    """What a sender, an incident and a run may take."""

    body: int = Field(5_000_000, ge=1_000)
    """Bytes of a delivery; more is 413."""
    rate: float = Field(200.0, gt=0)
    """Deliveries a second and hook in the long run; more is 429."""
    burst: int = Field(2_000, ge=1)
    """Deliveries of a hook that may come at once."""
    waiting: int = Field(100_000, ge=1)
    """Incidents that may wait; from there on nothing is accepted: 503."""
    read: float = Field(10.0, gt=0)
    """Seconds for a request to be there whole; who is slower is cut."""
    window: float = Field(300.0, gt=0)
    """Seconds by which a signed time may differ from the clock."""
    seconds: float = Field(1_800.0, gt=0)
    """Of one run."""
    memory: int = Field(8_000_000_000, ge=1_000_000_000)
    """Bytes of address space of each process of a run."""
    attempts: int = Field(3, ge=1)
    """Runs that may fail before an incident is given up, with the reason."""
    silent: float = Field(20.0, ge=2.0)
    """Seconds without a sign of life after which a worker is lost, and its work given out again."""
    backoff: float = Field(30.0, ge=0)
    """Seconds after the first failed run; twice as long after each further one, an hour at most."""


class Source(Part):
    """Data that belongs to an incident, by the systems it names: files, or the answer of a query."""

    systems: tuple[str, ...] = ()
    """Systems of which one has to be named; none: every incident."""
    files: Annotated[str, AfterValidator(_place)] | None = None
    """Folder, or fsspec URL, whose files become the case's; `{case}` in it is the case's id."""
    record: Annotated[dict[str, Any] | Path, AfterValidator(_keys)] = {}
    """Keys of `incident.yaml` that the case gets where it has none: `data`, `metric`, `model`; or a file of them."""
    query: str | None = None
    """SQL with `$from` and `$to`, asked once a window; its answer becomes reference.parquet and current.parquet."""
    database: Place | None = None
    """DuckDB file that the query is asked of, read only; none: of files that it names itself."""
    reference: tuple[float, float] = (-336.0, -24.0)
    """Hours from detection at which the reference begins and ends."""
    current: tuple[float, float | None] = (-24.0, None)
    """Hours from detection at which the current window begins and ends; null: when the incident ended."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.files or self.query or self.record):
            raise ValueError("a source has files, a query or a record")
        return self


class Run(Part):
    """How reports are made."""

    only: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    seed: int = 0
    prefix: tuple[str, ...] = ()
    """What is put before the command of a run: `nice`, a sandbox, a container."""


class Store(Part):
    """Where reports go, and for how long."""

    url: str | None = None
    """fsspec URL, such as s3://bucket/reports, to which reports are copied; how to reach it: from the environment."""
    link: str | None = None
    """Where readers find a report, for notices: https://reports.example/{case}/report.html."""
    public: Place | None = None
    """Public incidents among which those alike are looked for: JSON, a list with `title`, `text`, `url`."""
    days: int | None = Field(None, ge=1)
    """After which a report is taken away; none: never."""
    hold: tuple[str, ...] = ()
    """Cases whose reports stay whatever their age."""


class Notice(Part):
    """Whom to tell of a report."""

    kind: Literal["webhook", "slack", "smtp"]
    url: Secret | str | None = None
    """Of a webhook or Slack; Slack's is a secret itself."""
    secret: Secret | None = None
    """What a webhook is signed with, as Standard Webhooks says; or the password of the mail server."""
    server: str = "localhost"
    port: int = 25
    user: str | None = None
    starttls: bool = True
    sender: str | None = None
    to: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "smtp" and not (self.sender and self.to):
            raise ValueError("smtp needs a sender and to")
        if self.kind != "smtp" and self.url is None:
            raise ValueError(f"{self.kind} needs a url")
        return self


class Configuration(Part):
    """Everything that can be set. A path that is not absolute is meant from the folder of the file."""

    folder: Place = Path("rca-service")
    """What the service writes: ledger, queue, cases, reports."""
    bind: str = "127.0.0.1"
    port: int = Field(8377, ge=0, le=65_535)
    token: Secret | None = None
    """What readers send as a bearer token; needed wherever `bind` is no loopback address."""
    hosts: tuple[str, ...] = ()
    """Names under which it is called, beside loopback ones and `bind`."""
    on: Literal["closure", "containment"] = "closure"
    settle: float = Field(30.0, ge=0)
    """Seconds to wait after a delivery for another of the incident."""
    workers: int = Field(2, ge=0)
    redis: Secret | str | None = None
    """URL of a Redis through which workers of several machines take work; none: SQLite."""
    context: float = Field(14.0, ge=0)
    """Days before detection from which deliveries of registries are taken into a case."""
    limits: Limits = Limits()
    hooks: tuple[Hook, ...] = ()
    sources: tuple[Source, ...] = ()
    run: Run = Run()
    store: Store = Store()
    notices: tuple[Notice, ...] = ()

    @model_validator(mode="after")
    def _safe(self) -> Self:
        names = [hook.name for hook in self.hooks]
        if len(set(names)) < len(names):
            raise ValueError("two hooks have one name")
        if not self.loopback and self.token is None:
            raise ValueError(f"bind {self.bind} can be reached by others: it needs a token")
        if bare := [hook.name for hook in self.hooks if not hook.secret and not self.loopback]:
            raise ValueError(f"bind {self.bind} can be reached by others: hook {bare[0]} needs a secret")
        if bare := [hook.name for hook in self.hooks if hook.vendor == "generic" and hook.map and not hook.map.suffix]:
            raise ValueError(f"the map of hook {bare[0]} is no .yaml file")
        return self

    @property
    def loopback(self) -> bool:
        """Whether nobody but this machine can reach it."""
        try:
            return self.bind == "localhost" or ip_address(self.bind).is_loopback
        except ValueError:
            return False

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret that is named."""
        named = [self.token, self.redis, *(one for hook in self.hooks for one in hook.secret)]
        named += [one for notice in self.notices for one in (notice.url, notice.secret)]
        return tuple(one for one in named if isinstance(one, Secret))

    def environment(self) -> dict[str, str]:
        """The environment for a run: this process's without what is secret."""
        hidden = {one.env for one in self.secrets() if one.env}
        return {name: value for name, value in os.environ.items() if name not in hidden}


def told(value: Secret | str | None) -> str | None:
    """A setting that may be a secret, as text."""
    return value.read() if isinstance(value, Secret) else value


def read(path: "str | PathLike[str]") -> Configuration:
    """The configuration of a file, with its paths made absolute.

    Raises
    ------
    InvalidCase
        With every problem at once.
    """
    file = Path(path)
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        hint = "rca serve --schema says what can be set"
        raise InvalidCase.because(f"cannot be read: {plain(str(error))}", place=str(path), hint=hint) from error
    try:
        return Configuration.model_validate(said, context=file.absolute().parent)
    except ValidationError as error:
        raise InvalidCase(_problem(one, file.name) for one in error.errors(include_input=False)) from None


def _problem(error: Any, name: str) -> Problem:
    where = ".".join(str(part) for part in error["loc"]) or "the file"
    what = error["msg"].removeprefix("Value error, ")
    return Problem(what=plain(what), place=f"{name}, {where}", hint="rca serve --schema says what can be set")


def json_schema() -> dict[str, Any]:
    """JSON Schema of the file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Configuration.model_json_schema()}
