import pytest

from rca.practice.grammar import families
from rca.practice.grammar.causes import OTHERS
from rca.practice.grammar.column_faults import FAULTS


def test_the_judging_part_is_what_was_committed():
    assert families.FIRST_JUDGED == 1_000_000
    assert families.JUDGED_FAMILIES == ("interactions", "factor", "heavy_tails", "additive", "affairs", "diabetes")
    assert len(families.JUDGED_PAIRS) == len(families.PAIRS) // 3
    assert families.JUDGED_PAIRS[:3] == (
        ("frozen", "missing"), ("frozen", "recoded"), ("frozen", "permuted")
    )  # fmt: skip


def test_no_family_that_is_judged_is_tried():
    tried = {name for kind in families.KINDS if kind != "pair" for name in families.families((kind,), "trying")}
    assert not tried & set(families.JUDGED_FAMILIES)
    assert tried | set(families.JUDGED_FAMILIES) == set(families.TASKS)


@pytest.mark.parametrize("part", families.PARTS)
def test_every_kind_and_pair_has_a_family_in_both_parts(part):
    for kinds in [(kind,) for kind in (*families.KINDS, *families.ALONE)] + list(families.PAIRS):
        assert families.families(kinds, part), kinds


def test_shares_of_the_groups_add_up():
    assert sum(share for share, _ in families.GROUPS.values()) == pytest.approx(1)


def test_every_kind_can_be_made():
    made = {*FAULTS, *OTHERS, "pair", "quiet", "innocents", "season"}
    assert made == {*families.KINDS, *families.ALONE}
    assert set(families.PAIRED) <= made
