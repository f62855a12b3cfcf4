"""The table of groups: every group with its rows, and the gap between those farthest apart."""

from dataclasses import replace

from rca.analysis.slices.group_gaps import Gap, Gaps, GroupRate
from rca.finding import Interval
from rca.report.parts.slices.sections import gaps

SURE = Interval(low=0.1, high=0.3)


def test_every_group_has_its_row_below_the_gap_between_those_farthest_apart(hostile):
    one = GroupRate(
        group="north", reference=0.1, current=0.2, reference_interval=SURE, current_interval=SURE, rows_reference=1234,
        rows_current=900, compared=True,
    )  # fmt: skip
    groups = (one, replace(one, group=hostile, compared=False))
    gap = Gap(column="region", measure="false_negative_rate", current=0.2, reference=0.0, change=0.2, interval=SURE,
              groups=groups)  # fmt: skip
    head, first, second = gaps(Gaps(gaps=(gap,))).split("<tr>")[2:]
    assert "largest gap" in head
    assert "false negative rate" in first
    assert "1,234" in first
    assert "&lt;script" in second
    assert "<script" not in second
