"""Subgroup discovery of where the metric got worse (slices), and group fairness gaps."""

from typing import TYPE_CHECKING, Any, Unpack

from rca.analysis.inputs.arguments import Comparison, seeded, spelled_out
from rca.analysis.inputs.windows import Windows, measured_of, windows_asked
from rca.analysis.slices.group_gaps import Gaps, group_gaps
from rca.analysis.slices.slices import Slices, find_slices
from rca.methods.boosted_trees import on_one_thread
from rca.methods.metric import Measured

if TYPE_CHECKING:
    from rca.record.case import Case


def slices_of(windows: Windows, measured: Measured, *, seed: int = 0, alpha: float = 0.05) -> Slices | None:
    """Subgroup discovery of the harm (slices); None where the metric did not get materially worse."""
    if not measured.material:
        return None
    return find_slices(windows, measured, rng=seeded(seed), alpha=alpha)


def gaps_of(windows: Windows, *, alpha: float = 0.05) -> Gaps | None:
    """Group fairness gaps in both windows; None where the case names no groups."""
    return group_gaps(windows, alpha=alpha) if windows.roles.groups else None


@spelled_out(Comparison)
@on_one_thread
def slices(case: "Case | Any", current: Any = None, *, seed: int = 0, **asked: Unpack[Comparison]) -> Slices:
    """Subgroups (slices) in which the metric got worse by more than elsewhere; arguments as for `harm`."""
    windows = windows_asked(case, current, asked)
    return find_slices(windows, measured_of(windows, seed=seed), rng=seeded(seed))


@spelled_out(Comparison)
def gaps(case: "Case | Any", current: Any = None, **asked: Unpack[Comparison]) -> Gaps:
    """Group fairness gaps in both windows, of a case or of two tables; arguments as for `harm`."""
    return group_gaps(windows_asked(case, current, asked))
