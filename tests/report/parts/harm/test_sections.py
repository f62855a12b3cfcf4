"""What the rows without a label leave open, as a table: bounds without an assumption, estimates with theirs."""

from rca.analysis.harm.label_free_bounds import Unlabelled
from rca.finding import Interval
from rca.report.parts.harm.sections import unlabelled

BOUNDS = Interval(low=0.08, high=0.38)


def test_bounds_stand_without_an_assumption_and_an_estimate_with_its_own(hostile):
    alone = unlabelled(Unlabelled(labelled=0.7, reference=0.1, bounds=BOUNDS, assumes=("nothing overlaps",)))
    assert "70% of the current rows have a label" in alone
    assert ("0.08 to 0.38" in alone, "reweighted" in alone) == (True, False)
    known = Unlabelled(
        labelled=0.7, reference=0.1, bounds=BOUNDS, reweighted=0.2, reweighted_interval=Interval(low=0.15, high=0.25),
        assumes=("labels lack by chance", hostile),
    )  # fmt: skip
    told = unlabelled(known)
    assert "0.15 to 0.25" in told
    assert "&lt;script" in told
    assert "<script" not in told
