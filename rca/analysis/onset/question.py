"""Onset of an incident: the change point of the metric, or of the column that did the harm."""

from typing import TYPE_CHECKING, Any, Unpack

from rca.analysis.drift.question import drift_of
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.column_screening import screened
from rca.analysis.harm.harm import Harm
from rca.analysis.harm.question import harm_of
from rca.analysis.inputs.arguments import Comparison, spelled_out
from rca.analysis.inputs.windows import Windows, measured_of, windows_asked
from rca.analysis.onset.incident_onset import Since, incident_onset
from rca.analysis.slices.question import slices_of
from rca.analysis.slices.slices import Slices
from rca.methods.boosted_trees import on_one_thread
from rca.methods.changepoint.dating import Onset
from rca.result import Asking

if TYPE_CHECKING:
    from rca.record.case import Case


def onset_of(windows: Windows, harm: Harm, *, faults: Faults, slices: Slices | None) -> Since | None:
    """Onset of the incident; slices to which the harm is local are dated too."""
    local = [one.conditions for one in slices.slices] if slices is not None and slices.local else []
    return incident_onset(windows, harm, faults, slices=local)


@spelled_out(Comparison)
@on_one_thread
def onset(case: "Case | Any", current: Any = None, *, seed: int = 0, **asked: Unpack[Comparison]) -> Onset | None:
    """Change point of the metric, or of the column that did the harm; None where nothing is dated."""
    windows, ask = windows_asked(case, current, asked), Asking()
    drift = ask(lambda: drift_of(windows))
    if drift is None:
        return None
    faults = faults_of(windows, drift)
    windows = screened(windows, drift, faults)
    measured = ask(lambda: measured_of(windows, seed=seed))
    if measured is None:
        return None
    slices = ask(lambda: slices_of(windows, measured, seed=seed))
    harm = harm_of(windows, drift, faults, slices=slices, seed=seed)
    found = ask(lambda: onset_of(windows, harm, faults=faults, slices=slices))
    return found.onset if found is not None else None
