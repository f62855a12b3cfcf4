"""Result of all analyses of one case."""

from dataclasses import dataclass
from typing import Any

from rca.analysis.cascade.results import Cascade
from rca.analysis.conclusion.lifecycle import Lifecycle
from rca.analysis.conclusion.observation import Observation
from rca.analysis.conclusion.recovery import Recovery
from rca.analysis.conclusion.results_json import results_json, since_json
from rca.analysis.conclusion.verdict import Verdict
from rca.analysis.drift.classifier_two_sample import Joint
from rca.analysis.drift.detector_claims import DetectorClaims
from rca.analysis.drift.univariate import Drift
from rca.analysis.explanation.results import ExplanationShift
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.harm import Harm
from rca.analysis.harm.label_free_bounds import Unlabelled
from rca.analysis.onset.event_proximity import EventProximity
from rca.analysis.onset.incident_onset import Since
from rca.analysis.onset.since_onset import SinceOnset
from rca.analysis.slices.group_gaps import Gaps
from rca.analysis.slices.slices import Slices
from rca.finding import Finding, Unanswered
from rca.methods.changepoint.dating import Onset
from rca.record.durations import Duration
from rca.record.schema.why_tree import Why
from rca.result import Result, Row


@dataclass(frozen=True, kw_only=True)
class Analysis(Result):
    """Results of all analyses of one case.

    Attributes
    ----------
    incident : str
    seed : int
    alpha : float
    verdict : Verdict
    drift, joint, faults, harm, slices, gaps, since, events, explanation, unlabelled, cascade, recovery, claims
        None where the case does not have what they need, `unanswered` says so; or where there is nothing to tell.
    lifecycle : Lifecycle or None
        Moments with their sources, what these contradict, and the exposure.
    since_onset : SinceOnset or None
        The metric of the rows since the onset, its counts and its course.
    durations : tuple of Duration
    whys : tuple of Why
        The tree on record; where it has none a first one, from the symptom to the cause and to what is open.
    decisive : tuple of Observation
        What would decide what is open.
    unanswered : tuple of Unanswered
    """

    incident: str
    seed: int
    alpha: float
    verdict: Verdict
    drift: Drift | None = None
    joint: Joint | None = None
    faults: Faults | None = None
    harm: Harm | None = None
    slices: Slices | None = None
    gaps: Gaps | None = None
    since: Since | None = None
    events: EventProximity | None = None
    explanation: ExplanationShift | None = None
    unlabelled: Unlabelled | None = None
    cascade: Cascade | None = None
    recovery: Recovery | None = None
    claims: DetectorClaims | None = None
    lifecycle: Lifecycle | None = None
    since_onset: SinceOnset | None = None
    durations: tuple[Duration, ...] = ()
    whys: tuple[Why, ...] = ()
    decisive: tuple[Observation, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()

    def __str__(self) -> str:
        return f"{self.incident}: {self.verdict}"

    def rows(self) -> list[Row]:
        return self.verdict.rows()

    @property
    def onset(self) -> Onset | None:
        """Onset of the failure; None where nothing is dated."""
        return self.since.onset if self.since is not None else None

    def findings(self) -> tuple[Finding, ...]:
        """Findings of all analyses."""
        parts: tuple[Result | None, ...] = (
            self.harm and self.harm.measured, self.harm, self.slices, self.faults, self.drift, self.joint,
            self.gaps, self.since, self.events, self.explanation, self.unlabelled, self.cascade, self.recovery,
            self.claims,
        )  # fmt: skip
        return tuple(finding for part in parts if part is not None for finding in part.findings())

    def results(self) -> dict[str, Any]:
        """The content of `results.json`."""
        told = results_json(
            incident=self.incident,
            verdict=self.verdict,
            durations=self.durations,
            findings=self.findings(),
            whys=self.whys,
            unanswered=self.unanswered,
            decisive=self.decisive,
        )
        beside = since_json(
            since_onset=self.since_onset,
            recovery=self.recovery,
            harm=self.harm,
            events=self.events,
            cascade=self.cascade,
        )
        return {**told, **beside}
