"""What a brief is written from: the record, and `results.json`; every number of a brief is in one of the two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from rca.analysis.conclusion.verdict import Cause, in_a_clause
from rca.methods.metric import SHARES
from rca.record.obligations.duties import Duties, duties
from rca.record.schema.incident import Incident
from rca.record.schema.why_tree import Factor, Why
from rca.record.why_tree.views import distinct, steps
from rca.report.brief.words import MetricWords, clause, column_words, metric_words, points, system, value
from rca.report.rendering.plain_text import utc

ONE_DAY = 86_400.0
"""Seconds up to which the moments of an incident are told by the hour alone."""

KEY_MOMENTS = ("onset", "detected", "contained", "recovered")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The record of an incident, names of people replaced, and the content of its `results.json`."""

    incident: Incident
    results: Mapping[str, Any]

    @property
    def verdict(self) -> Mapping[str, Any]:
        """The verdict."""
        verdict: Mapping[str, Any] = self.results["verdict"]
        return verdict

    @property
    def metric(self) -> Mapping[str, Any] | None:
        """The metric in both whole windows."""
        return self.verdict.get("metric")

    @property
    def now(self) -> Mapping[str, Any]:
        """What is known of the rows since the onset; empty where nothing is."""
        return self.results.get("since_onset") or {}

    @property
    def causes(self) -> Sequence[Mapping[str, Any]]:
        """Causes of the verdict."""
        causes: Sequence[Mapping[str, Any]] = self.verdict["causes"]
        return causes

    @property
    def first(self) -> Mapping[str, Any] | None:
        """The first cause, where the verdict names one."""
        return next(iter(self.causes), None) if self.verdict["status"] == "explained" else None

    @property
    def is_cascade(self) -> bool:
        """Whether it is about systems that failed one after another, and not about rows."""
        return self.incident.metric is None and self.incident.signals is not None

    @property
    def is_share(self) -> bool:
        """Whether the metric is read in per cent."""
        return bool(self.now.get("is_share", self.metric is not None and self.metric["name"] in SHARES))

    @cached_property
    def measure(self) -> MetricWords:
        """The metric in words."""
        return metric_words(self.incident, str(self.now.get("what", self.metric["name"] if self.metric else "")))

    def value(self, of: float) -> str:
        """A value of the metric with its unit; a gap between shares is told in points."""
        return points(of, share=self.is_share) if self.measure.is_gap else value(of, share=self.is_share)

    def finding(self, name: str) -> Mapping[str, Any] | None:
        """A finding by its id."""
        return next((one for one in self.results["findings"] if one["id"] == name), None)

    # -- moments -----------------------------------------------------------------------------------------------------

    @cached_property
    def moments(self) -> dict[str, datetime]:
        """The moments on record, and the onset as dated where the record has none."""
        known = {name: utc(at) for name, at in self.incident.timeline.moments()}
        onset = self.verdict.get("onset")
        return known if "onset" in known or onset is None else {"onset": utc(onset["at"]), **known}

    @property
    def dated(self) -> Mapping[str, Any] | None:
        """The estimate of the onset, where the record has none."""
        return None if self.incident.timeline.onset is not None else self.verdict.get("onset")

    @property
    def at_bound(self) -> bool:
        """Whether the onset is the latest that it can have been: then it was then or before."""
        dated = self.dated
        return dated is not None and (dated.get("censored", False) or utc(dated["at"]) >= utc(dated["latest"]))

    @property
    def or_before(self) -> str:
        """What goes wherever such an onset goes."""
        return " or before" if self.at_bound else ""

    @property
    def of_a_day(self) -> bool:
        """Whether the hour tells every moment: from the onset to the recovery less than a day."""
        known = [self.moments[name] for name in KEY_MOMENTS if name in self.moments]
        return bool(known) and known[0].date() == known[-1].date()

    def by_the_hour(self, at: datetime) -> bool:
        """Whether the hour tells this moment: all is of one day, and so is it."""
        days = {self.moments[name].date() for name in KEY_MOMENTS if name in self.moments}
        return self.of_a_day and at.date() in days

    def between(self, first: str, second: str) -> float | None:
        """Seconds from one moment to another; None where one is not known, or they are the other way round."""
        if first not in self.moments or second not in self.moments:
            return None
        seconds = (self.moments[second] - self.moments[first]).total_seconds()
        return seconds if seconds >= 0 else None

    # -- why ---------------------------------------------------------------------------------------------------------

    @cached_property
    def whys(self) -> tuple[Why, ...]:
        """The why-tree: the one on record, else the draft."""
        return self.incident.whys or tuple(Why.model_validate(one) for one in self.results.get("whys", ()))

    @property
    def on_record(self) -> bool:
        """Whether people have worked on the why-tree."""
        return bool(self.incident.whys)

    @cached_property
    def duties(self) -> Duties:
        """Duties to report, from the record and the rules of law."""
        return duties(self.incident)

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The factors of the tree, each once."""
        return tuple(distinct(self.whys))

    @cached_property
    def trigger(self) -> Factor | None:
        """The factor that set it off, where it stands on what the verdict names."""
        cited = {name for cause in self.causes for name in cause.get("findings", ())}
        if not self.on_record or self.verdict["status"] != "explained":
            return None
        return next((one for one in self.factors if one.role == "trigger" and cited & set(one.evidence)), None)

    @property
    def because(self) -> str:
        """The first cause as a clause, in the words of the record where they stand on the same findings."""
        if self.trigger is not None:
            return clause(self.trigger.statement)
        first = self.first
        return "" if first is None else self.said(first)

    def said(self, cause: Mapping[str, Any]) -> str:
        """A cause as a clause."""
        if cause["kind"] == "component":
            return f"{system(cause['name'])} left its normal range first"
        name = column_words(self.incident, cause["name"])
        made = Cause(kind=cause["kind"], name=name, fault=cause.get("fault"), strength=cause["strength"], findings=())
        return in_a_clause(made)

    def under(self, above: Factor) -> Iterator[Factor]:
        """The factors right under one."""
        for step in steps(self.whys):
            if step.above and step.above[-1].answer is above and step.why.answer is not None:
                yield step.why.answer

    def addressed(self, factor: Factor) -> list[str]:
        """Ids of the actions that are about a factor."""
        return [action.id for action in self.incident.actions if action.id and action.addresses(factor.names)]
