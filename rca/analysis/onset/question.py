"""Since when the incident lasts."""

from typing import TYPE_CHECKING, Any

from rca.analysis.drift.question import drift_of
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.harm import Harm, attribute_harm
from rca.analysis.inputs.arguments import seeded
from rca.analysis.inputs.windows import Windows, windows_asked
from rca.analysis.onset.incident_onset import Since, incident_onset
from rca.analysis.slices.question import slices_of
from rca.analysis.slices.slices import Slices
from rca.errors import Unanswerable
from rca.methods.changepoint.dating import Onset

if TYPE_CHECKING:
    from rca.record.case import Case


def onset_of(windows: Windows, done: Harm, broke: Faults, *, where: Slices | None) -> Since | None:
    """Since when; a slice that carries the harm is dated too."""
    local = [one.conditions for one in where.slices] if where is not None and where.local else []
    return incident_onset(windows, done, broke, slices=local)


def onset(case: "Case | Any", current: Any = None, *, seed: int = 0, **asked: Any) -> Onset | None:
    """Since when the metric, or the column that did the harm, differs; None where nothing is dated."""
    windows = windows_asked(case, current, asked)
    try:
        moved = drift_of(windows)
        broke = faults_of(windows, moved)
        done = attribute_harm(windows, moved, broke, rng=seeded(seed))
        found = onset_of(windows, done, broke, where=_harmed(windows, done, seed=seed))
    except Unanswerable:
        return None
    return found.onset if found is not None else None


def _harmed(windows: Windows, done: Harm, *, seed: int) -> Slices | None:
    """The slices that carry the harm, as far as they can be told."""
    try:
        return slices_of(windows, done, seed=seed)
    except Unanswerable:
        return None
