"""Columns as rival explanations."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.drift.question import drift_of
from rca.analysis.faults.application import mend
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.contribution import Contribution, PartEstimate, Where, contribution
from rca.analysis.harm.evidence.column_relations import ColumnRelation, column_relations
from rca.analysis.harm.evidence.followed_relation import Relation, followed, own_effect
from rca.analysis.harm.evidence.odd_values import is_unlike, odd_values
from rca.analysis.harm.fault_injection import injected_harm
from rca.analysis.harm.repair_and_rescore import PutBack, lost_worth, mended_harm, put_back
from rca.analysis.harm.rivals.bench import (
    GAINED,
    MOST,
    OTHERWISE,
    PART,
    Weighing,
)
from rca.analysis.harm.rivals.column_tests import (
    LIKELY,
    ColumnEvidence,
    ColumnTests,
    against_of,
    found_of,
    kept,
    strength_of,
)
from rca.analysis.harm.rivals.recoded_columns import recoded_columns
from rca.analysis.harm.rivals.relation_rivals import departure
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.harm.rivals.rows_hit import harm_of_rows_hit
from rca.analysis.inputs.windows import measured_of
from rca.arrays import Mask
from rca.errors import Unanswerable
from rca.methods.two_sample_tests import Z
from rca.tables.columns import kind_of
from rca.tables.condition import Condition, all_hold, conjunction

DONE = 2.5
"""z from which a named fault, done to the reference's rows, makes the metric worse."""

JOINTLY = 5
"""Most columns that are looked at together."""

DRIFTING = 2
"""Most columns that can have broken without a name; where more changed so, the world did."""

JUDGED = 150
"""Most columns whose relation to the others is judged: those that moved or broke, and those of the largest gain."""

SILENT = 2
"""Columns that did not move, and are put back all the same: those that lost most of their worth."""

SLICE_ROWS = 100
"""Rows of a slice, in each window, below which no column is judged inside of it."""

INSTEAD = {
    "injected": "; done to the reference's rows, it makes the metric worse on the same rows",
    "alone": "; the rows that show it fare worse than their like did, and others do not",
}
"""What is found where a fault costs much that cannot be put back, or where no model is there to be asked."""


def column_rivals(weighing: Weighing) -> list[Rival]:
    """Judge each column that moved, broke, or no longer goes with the others; if none stands, the silent ones too."""
    suspects = _Suspects.of(weighing)
    found = [suspects.evidence(name) for name in suspects.once(suspects.loud)[:MOST]]
    together = _together(weighing, [one.fault.column for one in found])
    judged = [judged_column(weighing, one, together=together) for one in found]
    if all(one.rejected for one in judged) and weighing.measured.material and weighing.asker is not None:
        silent = [suspects.evidence(name) for name in suspects.once(suspects.quietest())[:SILENT]]
        found += silent
        judged += [judged_column(weighing, one) for one in silent]
    return _shared_harm(weighing, {one.fault.column: one.fault for one in found}, judged)


def _together(weighing: Weighing, loud: Sequence[str]) -> frozenset[str]:
    """Columns that are at fault together: without them all the outcome is followed as before, with one it is not."""
    asked = [name for name in loud if name in weighing.inputs][:JOINTLY]
    whole = weighing.follows(weighing.features)
    if whole is None or whole.z < OTHERWISE or len(asked) < 2:
        return frozenset()
    sound = [name for name in weighing.features if name not in asked]
    if not kept(whole, weighing.follows(sound)):
        return frozenset()
    return frozenset(name for name in asked if not kept(whole, weighing.follows([*sound, name])))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Suspects:
    """Columns that can be the cause: the loud ones moved, the silent ones only matter to the model."""

    weighing: Weighing
    relations: Mapping[str, ColumnRelation]
    moved: Collection[str]
    loud: Sequence[str]
    silent: Sequence[str]
    recoded: Mapping[str, ColumnFault]

    @classmethod
    def of(cls, weighing: Weighing) -> "_Suspects":
        """The columns that the model reads, those it gains most by first."""
        read, rows = weighing.read, weighing.timed
        moved = [name for name in weighing.drift.moved() if name in read]
        broken = [fault.column for fault in weighing.faults.columns if fault.broken and fault.column in read]
        told = [fault.column for fault in weighing.faults.columns if fault.broken and not fault.mispaired]
        order = sorted(read, key=lambda name: -weighing.gains.get(name, 0.0))
        asked = set(sorted(order, key=lambda name: name not in moved and name not in broken)[:JUDGED])
        others = {*weighing.drift.moved(), *asked}
        alone = {name: ColumnRelation(column=name, given_others=1.0, others_given=1.0) for name in read}
        relations = alone | column_relations(
            rows.reference,
            rows.current,
            [name for name in read if name in asked],
            beside=(*weighing.clock, *(name for name in weighing.features if name not in others)),
            without={*moved, *told} & asked,
            seed=weighing.seed,
        )
        odd = [name for name in read if relations[name].moved(len(read))]
        odd += [name for name in read if _retyped(weighing.windows.reference[name], weighing.windows.current[name])]
        recoded = recoded_columns(weighing, [name for name in read if name not in broken])
        loud = {*moved, *broken, *odd, *recoded}
        return cls(
            weighing=weighing,
            relations=relations,
            moved=moved,
            loud=[name for name in order if name in loud],
            silent=[name for name in order if name not in loud],
            recoded=recoded,
        )

    @cached_property
    def odd(self) -> frozenset[str]:
        """Columns that changed as no drift would; none where so many did that the world must have changed."""
        odd = [name for name in self.loud if self.relations[name].broke(len(self.relations)) or self._unlike(name)]
        return frozenset(name for name in odd if len(odd) <= DRIFTING or self._retyped(name))

    def _retyped(self, name: str) -> bool:
        return _retyped(self.weighing.windows.reference[name], self.weighing.windows.current[name])

    def _unlike(self, name: str) -> bool:
        windows = self.weighing.windows
        coded = name in windows.roles.categorical
        before, after = windows.reference[name], windows.current[name]
        return _retyped(before, after) or (name in self.moved and is_unlike(before, after, coded=coded))

    def quietest(self) -> list[str]:
        """Silent columns that are worth less to the model than they were, the surest first."""
        weighing = self.weighing
        assert weighing.asker is not None
        worth = {name: lost_worth(weighing.windows, weighing.asker, name, rng=weighing.rng(7)) for name in self.silent}
        return sorted((name for name in worth if weighing.sign * worth[name] > 2), key=lambda name: -abs(worth[name]))

    def once(self, names: Sequence[str]) -> list[str]:
        """Columns, of those of a block the first alone, as they are one thing."""
        blocks = self.weighing.block_of
        first = {blocks.get(name, name): name for name in reversed(names)}
        return [name for name in names if first[blocks.get(name, name)] == name]

    def _fault(self, name: str) -> ColumnFault:
        known = self.recoded.get(name) or self.weighing.faults.get(name)
        return known or ColumnFault(column=name, fault="distribution", share=1.0, evidence="")

    def evidence(self, name: str) -> ColumnEvidence:
        """All that is asked of one column, or of the block that it is a part of."""
        weighing, relation, fault = self.weighing, self.relations[name], self._fault(name)
        block = weighing.block_of.get(name)
        fellows = [other for other in self.loud if other != name and block and weighing.block_of.get(other) == block]
        ring = (fault, *(map(self._fault, fellows) if fellows else _ring(weighing.faults, fault)))
        taken = {one.column for one in ring} | {one for one, of in weighing.block_of.items() if block and of == block}
        sound = [other for other in self.silent if other not in taken]
        put = _put_back(weighing, *ring, sound=sound)
        if put is not None and weighing.sign * put.gain < _doubtful(fault) * put.gain_error:
            plain = replace(fault, noise=0.0, usual=(), recoding=())  # by donors, as of a column that moved somehow
            ring, put = (plain, *ring[1:]), _put_back(weighing, plain, *ring[1:], sound=sound)
        without = weighing.follows(other for other in weighing.features if other not in taken)
        return ColumnEvidence(
            fault=ring[0],
            moved=name in self.moved,
            relation=relation,
            broke=fault.broken or ring[0].noise > 0 or name in self.odd,
            put=put,
            without=without,
            own_effect=own_effect(weighing.outcome.outcome, without, name) if weighing.outcome and without else 0.0,
            mended=_when_mended(weighing, ring),
        )


def _doubtful(fault: ColumnFault) -> float:
    """Up to which z of its gain the way a column is put back is not believed: of noise all but a sure gain is."""
    if fault.noise:
        return GAINED
    return -LIKELY if fault.fault == "recoded" and fault.recoding else -np.inf


def _ring(faults: Faults, fault: ColumnFault) -> list[ColumnFault]:
    """The other columns with which one has exchanged its values."""
    others: list[ColumnFault] = []
    while (at := others[-1] if others else fault).partner not in (None, fault.column):
        following = faults.get(str(at.partner))
        if following is None or following in others:
            return []
        others.append(following)
    return others


def _retyped(before: "pd.Series[Any]", after: "pd.Series[Any]") -> bool:
    """Whether numbers became words, or words numbers."""
    return kind_of(before) != kind_of(after) and bool(after.notna().any())


def slice_columns(weighing: Weighing, accepted: Collection[str]) -> list[Rival]:
    """Columns that broke inside the slice that carries the harm, where on average nothing moved.

    Parameters
    ----------
    weighing : Weighing
        With its slices.
    accepted : collection of str
        Columns that stand already.
    """
    slices = weighing.slices
    if slices is None or not slices.local or not slices.slices:
        return []
    where = slices.slices[0].conditions
    inside = _inside(weighing, where)
    if inside is None:
        return []
    found = []
    suspects = _Suspects.of(inside)
    for one in map(suspects.evidence, suspects.once(suspects.loud)[:MOST]):
        judged = judged_column(inside, one)
        if judged.rejected or judged.strength == "assumed" or judged.name in accepted:
            continue
        fault = replace(one.fault, where=one.fault.where or where)
        put = _put_back(weighing, fault, sound=[name for name in weighing.read if name != judged.name])
        part = _of_put_back(put, fault, weighing) if put is not None else judged.part
        found.append(replace(judged, part=part, found=f"where {conjunction(where)}: {judged.found}"))
    return found


def _inside(weighing: Weighing, where: Sequence[Condition]) -> Weighing | None:
    """The same question of the rows under some conditions; None where they are few, or not worse."""
    windows = weighing.windows
    rows = [one[all_hold(where, one)].reset_index(drop=True) for one in (windows.reference, windows.current)]
    if min(map(len, rows)) < SLICE_ROWS:
        return None
    part = replace(windows, reference=rows[0], current=rows[1])
    try:
        measured = measured_of(part, seed=weighing.seed)
    except Unanswerable:
        return None
    return (
        replace(weighing, windows=part, drift=drift_of(part), faults=Faults(columns=()), measured=measured, slices=None)
        if measured.material
        else None
    )


def _put_back(weighing: Weighing, fault: ColumnFault, *beside: ColumnFault, sound: Sequence[str]) -> PutBack | None:
    """The column put back and the model asked again; None where no model can be asked."""
    if weighing.asker is None or not weighing.windows.meter.asks_the_model:
        return None
    return put_back(
        weighing.timed.reference,
        weighing.timed.current,
        (fault, *beside),
        meter=weighing.windows.meter,
        ask=weighing.asker,
        features=[*sound, *weighing.clock],
        wrong=_marked(weighing, fault),
        rng=weighing.rng(2),
    )


def _marked(weighing: Weighing, fault: ColumnFault) -> Mask | None:
    """Rows whose value shows that they were hit, where no fault says which were."""
    if fault.broken or fault.where or fault.noise:
        return None
    coded = fault.column in weighing.windows.roles.categorical
    rows = weighing.windows.reference[fault.column], weighing.windows.current[fault.column]
    return odd_values(*rows, coded=coded)


def _of_put_back(put: PutBack, fault: ColumnFault, weighing: Weighing) -> Contribution:
    sign = weighing.sign
    estimate = PartEstimate(
        value=sign * put.lost, error=put.lost_error, rows=float(put.rows), halves=[sign * half for half in put.halves]
    )
    return _column_part(weighing, fault, estimate)


def _column_part(weighing: Weighing, fault: ColumnFault, estimate: PartEstimate) -> Contribution:
    """Contribution of a column; a stand-in for the model can only suggest it."""
    part = contribution(
        "feature",
        fault.column,
        estimate,
        method="mended",
        fault=fault.fault,
        assumptions=() if fault.invertible else ("donors that look alike elsewhere would have had alike values",),
    )
    part = replace(part, where=_where(weighing, fault.where))
    asker = weighing.asker
    if asker is None or asker.fidelity is None:
        return part
    what = "of unseen answers beyond the commonest" if asker.classes else "of the variance of unseen answers"
    stand_in = f"a stand-in answers as the model does (it repeats {asker.fidelity:.1%} {what})"
    return replace(part, strength="suggested", assumptions=(*part.assumptions, stand_in))


def _all_of_it(weighing: Weighing, fault: ColumnFault) -> Contribution:
    """The whole change, of a column that alone broke while the outcome follows all others as before."""
    measured = weighing.measured
    estimate = PartEstimate(
        value=measured.worse,
        error=(measured.worse_interval.high - measured.worse_interval.low) / (2 * Z),
        rows=float(min(measured.n_reference, measured.n_current)),
    )
    kept = "nothing else changed that is not on record"
    part = contribution("feature", fault.column, estimate, method="alone", fault=fault.fault, assumptions=(kept,))
    return replace(part, strength="suggested")


def _where(weighing: Weighing, conditions: Sequence[Condition]) -> Where | None:
    """The condition under which a column broke, with the metric there."""
    if not conditions:
        return None
    windows = weighing.windows
    rows = [one[all_hold(conditions, one)] for one in (windows.reference, windows.current)]
    groups = windows.meter.segments(windows.reference, windows.current)
    values = [windows.meter.parts(one, groups=groups).value() for one in rows]
    known = [value if np.isfinite(value) else None for value in values]
    return Where(condition=conjunction(conditions), reference=known[0], current=known[1])


def _when_mended(weighing: Weighing, faults: Sequence[ColumnFault]) -> Relation | None:
    """The relation with the column, and those it has exchanged its values with, undone exactly, where that can be."""
    if weighing.outcome is None or not all((one.broken or one.noise) and one.invertible for one in faults):
        return None
    windows, mended = weighing.windows, weighing.outcome
    for one in faults:
        mended = mended.but(one.column, mend(one, windows.current), known=windows.reference[one.column])
    return followed(mended.outcome, (*weighing.inputs, *weighing.clock), seed=weighing.seed)


def judged_column(weighing: Weighing, one: ColumnEvidence, *, together: Collection[str] = ()) -> Rival:
    """Whether a column stands as a cause, by three tests: it gains when put back, its worth is lost, the rest keeps."""
    whole = weighing.follows(weighing.features)
    tests = ColumnTests.of(weighing, one, whole=whole, together=one.fault.column in together)
    strength = strength_of(one, tests)
    if strength == "shown" and weighing.asker is not None and weighing.asker.fidelity is not None:
        strength = "suggested"  # a stand-in answered
    part = _of_put_back(one.put, one.fault, weighing) if one.put is not None else None
    instead = None
    if strength is None:
        instead = (_injected if one.put is not None else harm_of_rows_hit)(weighing, one.fault)
    if instead is not None:
        strength, part = instead.strength, instead
    if strength is not None and (part is None or part.interval.low <= 0):
        part = departure(weighing, whole, kind="feature", name=one.fault.column, fault=one.fault.fault)
        if one.fault.broken and tests.sieved and (part is None or part.interval.low <= 0):
            part = _all_of_it(weighing, one.fault)
    return Rival(
        kind="feature",
        name=(name := weighing.block_of.get(one.fault.column, one.fault.column)),
        fault=one.fault.fault,
        part=replace(part, name=name) if part is not None else None,
        strength=strength,
        found=found_of(one, tests) + (INSTEAD[instead.method] if instead is not None else ""),
        against=against_of(one, tests) if instead is None else "",
        paired=tests.gained or tests.lost or (one.fault.broken and tests.likely) or instead is not None,
        broke=one.broke,
    )


def _injected(weighing: Weighing, fault: ColumnFault) -> Contribution | None:
    """What a named fault costs where it is done to the reference's rows; None where that is not surely much."""
    if not fault.broken or weighing.asker is None:
        return None
    estimate = injected_harm(weighing.windows, fault, ask=weighing.asker, rng=weighing.rng(9))
    if estimate is None:
        return None
    worse = weighing.sign * estimate.value
    if worse < max(DONE * estimate.error, PART * weighing.harm):
        return None
    estimate = replace(estimate, value=worse, halves=[weighing.sign * half for half in estimate.halves])
    part = contribution(
        "feature", fault.column, estimate, method="injected", fault=fault.fault,
        assumptions=("rows of today suffer from the fault as those of the reference would",),
    )  # fmt: skip
    return replace(part, strength="suggested", where=_where(weighing, fault.where))


def _shared_harm(weighing: Weighing, faults: Mapping[str, ColumnFault], judged: Sequence[Rival]) -> list[Rival]:
    """The accepted columns with their Shapley values, repaired together; alone they keep what was found."""
    names = [one.name for one in judged if not one.rejected and one.part is not None and one.part.method != "injected"]
    if weighing.asker is None or not weighing.windows.meter.asks_the_model or len(names) < 2:
        return list(judged)
    if not faults.keys() >= set(names):  # a block is put back as a whole
        return list(judged)
    windows = weighing.timed
    sound = [name for name in weighing.read if name not in faults]
    done = mended_harm(
        windows.reference,
        windows.current,
        [faults[name] for name in names],
        meter=windows.meter,
        ask=weighing.asker,
        features=[*sound, *names, *weighing.clock],
        rng=weighing.rng(3),
    )
    parts = {}
    for i, name in enumerate(done.columns):
        estimate = PartEstimate(
            value=weighing.sign * float(done.contributions[i]),
            error=float(done.errors[i]),
            rows=float(min(done.rows)),
            halves=[weighing.sign * float(half[i]) for half in done.halves],
        )
        parts[name] = _column_part(weighing, faults[name], estimate)
    return [replace(one, part=parts.get(one.name, one.part)) for one in judged]
