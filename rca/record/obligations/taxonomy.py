"""What kind of incident it was, in public vocabularies: suggested from record and findings, decided by a person.

Severity and the duty to report stand apart: each has its own reason, and neither follows from the class.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal

from rca.errors import did_you_mean
from rca.record.obligations.answers import one_line
from rca.record.obligations.duties import duties
from rca.record.obligations.rules import read_data
from rca.record.schema.incident import Impact, Incident, Record
from rca.result import Result

Standing = Literal["decided", "suggested", "open"]

SERIOUS = ("serious_incident", "death", "serious_harm", "critical_infrastructure_disruption", "widespread_infringement")
"""Facts of the law under which an incident is a serious one."""

NOTHING = ("", "none", "no", "nothing", "0")


class Axis(Record):
    """One question of a vocabulary, and the answers it has."""

    scheme: str
    key: str
    confidence: str
    values: dict[str, str]


class Taxonomy(Record):
    """All axes, and what a category of the record suggests on each."""

    version: date
    axes: dict[str, Axis]
    crosswalk: dict[str, dict[str, str]]


@cache
def taxonomy() -> Taxonomy:
    """The vocabularies that ship.

    >>> taxonomy().axes["mit_domain"].values["1"], taxonomy().crosswalk["bias"]
    ('Discrimination & Toxicity', {'mit_domain': '1'})
    """
    return Taxonomy.model_validate(read_data("taxonomy.yaml"))


@dataclass(frozen=True, kw_only=True)
class Label:
    """The answer on one axis.

    Attributes
    ----------
    axis, scheme, key, confidence : str
    standing : str
        `decided` by a person, `suggested`, or `open`.
    value : str or None
    because : str
        What on record, or which finding, speaks for it; of an open one, what would have to be known.
    suggests : str or None
        What record and findings suggest where a person decided otherwise, and why.
    """

    axis: str
    scheme: str
    key: str
    confidence: str
    standing: Standing
    value: str | None
    because: str
    suggests: str | None = None

    @property
    def said(self) -> str:
        """The value with its name."""
        name = taxonomy().axes[self.axis].values.get(self.value or "", "")
        return " ".join(filter(None, ((self.value or "not decided").replace("_", " "), name and f"({name})")))

    def __str__(self) -> str:
        other = f"; record and findings suggest {self.suggests}" if self.suggests else ""
        return f"{self.standing}  {self.scheme}: {self.said}; {self.because}{other} [{self.key}]"


@dataclass(frozen=True, kw_only=True)
class Classification(Result):
    """An incident in public vocabularies.

    Attributes
    ----------
    version : date
        Of the vocabularies.
    labels : tuple of Label
    severity, severity_because : str
    reporting, reporting_because : str
        What the rules of duties say; never that nothing need be reported.
    remarks : tuple of str
    """

    version: date
    labels: tuple[Label, ...]
    severity: str
    severity_because: str
    reporting: str
    reporting_because: str
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from map(str, self.labels)
        yield f"severity: {self.severity}; {self.severity_because} [severity]"
        yield f"duties to report: {self.reporting}; {self.reporting_because} [obligations]"
        yield from (f"remark  {one}" for one in self.remarks)

    def __getitem__(self, axis: str) -> Label:
        return next(one for one in self.labels if one.axis == axis)

    def rows(self) -> list[dict[str, Any]]:
        apart = (
            ("severity", self.severity, self.severity_because, "severity"),
            ("duties to report", self.reporting, self.reporting_because, "obligations"),
        )
        told = [
            {"vocabulary": one.scheme, "value": one.said, "standing": one.standing, "because": one.because,
             "suggested": one.suggests, "key": one.key, "sure": one.confidence}
            for one in self.labels
        ]  # fmt: skip
        beside = [
            {
                "vocabulary": name,
                "value": value,
                "standing": "",
                "because": why,
                "suggested": None,
                "key": key,
                "sure": "",
            }
            for name, value, why, key in apart
        ]
        return [*told, *beside]


Suggestion = tuple[str | None, str]
"""A value, or none, and why."""


def classify(incident: Incident, results: Mapping[str, Any] | None = None) -> Classification:
    """Say what kind of incident it was, with the standing of each answer.

    Parameters
    ----------
    incident : Incident
    results : mapping, optional
        What a run concluded: the content of `results.json`.
    """
    verdict = (results or {}).get("verdict") or {}
    labels = tuple(_label(name, incident, verdict) for name in taxonomy().axes)
    found = duties(incident)
    held = [one for one in found.duties if one.answer in ("late_by", "not_yet_due", "met", "needs_counsel")]
    told = ", ".join(f"{one.rule} {one.answer.replace('_', ' ')}" for one in held)
    asked = f"{len(found.questions)} facts would have to be known first" if found.questions else "no fact is asked for"
    return Classification(
        version=taxonomy().version,
        labels=labels,
        severity=incident.severity,
        severity_because="; ".join(_harm(incident)) or "nothing on record speaks for it or against it",
        reporting=f"rules that hold: {len(held)}" if held else "no rule with a clock matched the facts entered",
        reporting_because=told or asked,
        remarks=tuple(_odd(incident)),
    )


def _label(name: str, incident: Incident, verdict: Mapping[str, Any]) -> Label:
    axis, decided = taxonomy().axes[name], _decided(name, incident)
    value, because = _SUGGEST[name](incident, verdict)
    known = {"axis": name, "scheme": axis.scheme, "key": axis.key, "confidence": axis.confidence}
    if decided is not None:
        why = "set on record" if value is None else f"set on record, and {because}"
        if value in (None, decided):
            return Label(standing="decided", value=decided, because=why, **known)
        other = f"{value.replace('_', ' ')}: {because}"
        return Label(standing="decided", value=decided, because="set on record", suggests=other, **known)
    return Label(standing="suggested" if value else "open", value=value, because=because, **known)


def _decided(name: str, incident: Incident) -> str | None:
    """What a person put on record, where it is a value of the axis; `other` decides no category."""
    if name == "category":
        return None if incident.category == "other" or name in incident.imports.unsaid else incident.category
    said = incident.class_ if name == "class" else incident.labels.get(name)
    return said if said in taxonomy().axes[name].values else None


def _odd(incident: Incident) -> Iterator[str]:
    """Labels on record that no vocabulary knows."""
    asked = {name: axis for name, axis in taxonomy().axes.items() if axis.key.startswith("labels.")}
    for name, value in incident.labels.items():
        known = asked.get(name)
        if known is None:
            yield f"no vocabulary has the axis {one_line(name)!r}; {did_you_mean(name, asked)}"
        elif value not in known.values:
            yield f"labels.{name}: {one_line(value)!r} is none of {', '.join(known.values)}"


# --- suggestions -----------------------------------------------------------------------------------------------------


def _first(verdict: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first cause that is more than assumed."""
    return next((one for one in verdict.get("causes") or () if one.get("strength") != "assumed"), {})


def _category(incident: Incident, verdict: Mapping[str, Any]) -> Suggestion:
    cause = _first(verdict)
    kind, fault = cause.get("kind"), cause.get("fault")
    because = f"the findings name {one_line(str(cause.get('name')))} ({fault or kind})"
    if kind == "component":
        return "cascade", because
    if incident.metric is not None and incident.metric.name == "group_gap":
        return "bias", "the metric is a gap between groups"
    if kind in ("rows", "labels") or (kind == "feature" and fault not in (None, "distribution")):
        return "data_quality", because
    if kind in ("concept", "mechanism") or fault == "distribution":
        return "model_drift", because
    return None, "no finding tells of a kind; a person says which"


def _class(incident: Incident, verdict: Mapping[str, Any]) -> Suggestion:
    serious = [name for name in SERIOUS if incident.obligations.facts.get(name) is True]
    if serious:
        return "serious_incident", f"on record: {', '.join(serious)}"
    if harm := [*_harm(incident)]:
        return "incident", f"harm on record: {'; '.join(harm)}"
    if verdict.get("status") == "no_incident":
        return None, "by the data nothing was wrong; whether it was a hazard a person says"
    if incident.impact.people == 0:
        return "near_miss", "impact.people is 0, and no other harm is on record"
    return None, "whether anybody was harmed is not on record (impact)"


def _harm(incident: Incident) -> Iterator[str]:
    """What of the impact is harm, in words with its key."""
    impact = incident.impact
    for name in ("people", "wrong", "support_cases", "money"):
        much = getattr(impact, name)
        if much and not _is_nothing(much):
            yield f"impact.{name} {one_line(str(much))}"
    for name in ("physical_harm", "data_lost"):
        said = getattr(impact, name)
        if said and not _is_nothing(said):
            yield f"impact.{name} {one_line(said)}"
    yield from _kinds(impact)


def _kinds(impact: Impact) -> Iterator[str]:
    if impact.harm:
        yield f"impact.harm {', '.join(map(one_line, impact.harm))}"


def _is_nothing(said: float | str) -> bool:
    return str(said).strip().rstrip(".").casefold() in NOTHING


def _domain(incident: Incident, _: Mapping[str, Any]) -> Suggestion:
    if incident.obligations.facts.get("personal_data_breach") is True:
        return "2", "a breach of personal data is on record"
    found = taxonomy().crosswalk.get(incident.category, {}).get("mit_domain")
    return found, f"the category is {incident.category.replace('_', ' ')}" if found else "the category is open"


def _entity(incident: Incident, verdict: Mapping[str, Any]) -> Suggestion:
    if incident.category == "security":
        return "human", "the category is security"
    cause = _first(verdict)
    if cause.get("kind") in (None, "event"):
        return None, "no finding tells whether the system or a decision of people brought it about"
    return "ai", f"the findings name {one_line(str(cause.get('name')))}, a part of the system or of its data"


def _intent(incident: Incident, _: Mapping[str, Any]) -> Suggestion:
    if incident.obligations.facts.get("atlas"):
        return "intentional", "techniques of an attack are on record (obligations.facts.atlas)"
    return None, "whether anybody meant it is for a person to say"


def _timing(incident: Incident, _: Mapping[str, Any]) -> Suggestion:
    if (incident.data is not None and incident.data.current is not None) or incident.signals is not None:
        return "post_deployment", "the record has rows or signals of a system in use"
    return None, "whether the system was in use is not on record"


_SUGGEST: Mapping[str, Callable[[Incident, Mapping[str, Any]], Suggestion]] = {
    "category": _category,
    "class": _class,
    "mit_domain": _domain,
    "mit_entity": _entity,
    "mit_intent": _intent,
    "mit_timing": _timing,
}
"""Axis → what record and findings suggest on it."""
