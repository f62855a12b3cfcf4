"""What is asked of one column as a cause, and how strongly the answers speak for it."""

from dataclasses import dataclass

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.harm.evidence.column_relations import ColumnRelation
from rca.analysis.harm.evidence.followed_relation import Relation
from rca.analysis.harm.repair_and_rescore import PutBack
from rca.analysis.harm.rivals.bench import AS_BEFORE, GAINED, KEPT_SHARE, LOST, OTHERWISE, PART, SURELY, Weighing
from rca.finding import Strength

LIKELY, SUSPECTED = 2.0, 3.0
"""z from which a column has likely lost its worth, where the relation or a named fault says so too, and where not."""


CONTRARY = 1.64
"""z from which a column tells the contrary of what it told."""


@dataclass(frozen=True, kw_only=True)
class ColumnEvidence:
    """All that is known of one column as a cause."""

    fault: ColumnFault
    moved: bool
    relation: ColumnRelation
    broke: bool
    put: PutBack | None = None
    without: Relation | None = None
    mended: Relation | None = None
    own_effect: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ColumnTests:
    """What was asked of a column: put back it gains; its worth is lost, surely or likely; the others are kept."""

    gained: bool = False
    lost: bool = False
    likely: bool = False
    sieved: bool = False
    changed: bool = False
    surely: bool = False

    @classmethod
    def of(cls, weighing: Weighing, one: ColumnEvidence, *, whole: Relation | None, together: bool) -> "ColumnTests":
        sign, least = weighing.sign, PART * weighing.harm
        changed = whole is not None and whole.z >= OTHERWISE
        still = changed and whole is not None and (together or kept(whole, one.without, one.mended))
        if one.put is None:
            return cls(sieved=still, changed=changed)
        put = one.put
        return cls(
            gained=sign * put.gain >= max(GAINED * put.gain_error, least),
            lost=sign * put.lost >= max(LOST * put.lost_error, least),
            likely=sign * put.lost >= max((LIKELY if still or one.fault.broken else SUSPECTED) * put.lost_error, least),
            sieved=still,
            changed=changed,
            surely=whole is not None and whole.z >= SURELY,
        )


def kept(whole: Relation, *others: Relation | None) -> bool:
    """Whether the outcome follows other columns, or the mended ones, as before."""
    told = [one for one in others if one is not None and one.telling]
    return any(one.z < max(AS_BEFORE, KEPT_SHARE * whole.z) for one in told)


def strength_of(one: ColumnEvidence, tests: ColumnTests) -> Strength | None:
    """How strongly the tests speak for a column; None where they do not."""
    if one.put is None:
        return "suggested" if tests.sieved and (one.broke or one.moved) else None
    if not (one.broke or one.moved):
        return _silent(one, tests)
    if one.broke and (tests.gained or tests.lost) and (tests.sieved or not tests.changed or one.fault.broken):
        return "shown"
    if tests.lost and tests.sieved:
        return "shown" if tests.gained else "suggested"
    if tests.gained or tests.lost:
        return "suggested" if one.broke or not tests.changed else "assumed"
    unspoken = not tests.changed or one.fault.broken
    likely = (tests.surely and tests.sieved) or (tests.likely and (tests.sieved or unspoken))
    return "suggested" if likely and one.broke else None


def _silent(one: ColumnEvidence, tests: ColumnTests) -> Strength | None:
    """A column that did not move: it is sound where it goes with the others, or tells the contrary of what it told."""
    if tests.gained or not tests.lost or one.relation.tied or one.own_effect < -CONTRARY:
        return None
    return "suggested" if tests.sieved else "assumed"


def found_of(one: ColumnEvidence, tests: ColumnTests) -> str:
    """What speaks for a column, in words."""
    said = []
    if tests.gained:
        said.append("put back, the metric is better on the same rows")
    if tests.lost or tests.likely:
        said.append("it is worth less to the model than it was")
    if tests.sieved:
        said.append("the outcome follows the other columns as before")
    if one.broke:
        said.append(one.fault.evidence if one.fault.broken else "its values changed as no drift would change them")
    return "; ".join(said)


def against_of(one: ColumnEvidence, tests: ColumnTests) -> str:
    """What speaks against a column, in words; nothing where its tests passed."""
    if tests.gained or tests.lost or (tests.sieved and one.put is None):
        return "" if tests.sieved or not tests.changed else "the outcome follows the other columns otherwise, too"
    if one.put is not None:
        return "put back, the metric is no better on the same rows"
    return (
        "the outcome follows the other columns otherwise as well"
        if tests.changed
        else "the outcome follows it as before"
    )
