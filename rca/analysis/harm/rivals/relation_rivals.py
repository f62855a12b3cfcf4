"""The world and the model as rival explanations."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from rca.analysis.faults.application import hit
from rca.analysis.faults.column_fault import READINGS, ROWS
from rca.analysis.harm.contribution import Contribution, PartEstimate, contribution, halves
from rca.analysis.harm.evidence.followed_relation import Relation, followed
from rca.analysis.harm.evidence.recorded_outcome import RecordedOutcome, expected_parts, read_outcome
from rca.analysis.harm.rivals.bench import AS_BEFORE, CONCEPT_PART, CONCEPT_Z, GAINED, OTHERWISE, PART, SURELY, Weighing
from rca.analysis.harm.rivals.rival import Rival
from rca.arrays import Floats, Mask, Places
from rca.finding import CauseKind, Fault, Strength
from rca.methods.metric import Parts
from rca.tables.columns import as_numbers

# -- the world ---------------------------------------------------------------------------------------------------------

SCORES = "\0scores"
"""Input that holds the deployed model's scores: no case can have it."""


def world_rivals(
    weighing: Weighing, accepted: Sequence[str], broken: Sequence[str] = (), *, doubted: bool = False
) -> list[Rival]:
    """The outcome follows inputs that stand otherwise: tested without the columns that broke.

    Parameters
    ----------
    weighing : Weighing
    accepted : sequence of str
        Columns that are named as causes.
    broken : sequence of str
        Columns that broke and are none, as far as mending them tells: a fault may go by a wrong name.
    doubted : bool
        Whether the model answers otherwise, so that the change has a cause already.
    """
    read = weighing.outcome
    if read is None or weighing.of_answers:
        return []
    kind, name = _world(weighing)
    relation = weighing.follows(column for column in weighing.standing if column not in accepted)
    assert relation is not None
    whole = bool(weighing.features) and weighing.standing == weighing.features
    scores = _scores(weighing) if whole and not accepted and not doubted else None
    if scores is not None:
        read = with_scores(read, scores)
        relation = followed(read.outcome, (*weighing.inputs, *weighing.clock, SCORES), seed=weighing.seed)
    against = _kept(relation, "outcome", from_=OTHERWISE)
    if not against and doubted and relation.z < SURELY:
        against = f"the model answers otherwise; the outcome follows the inputs nearly as before (z {relation.z:.1f})"
    if not relation.telling:
        return [Rival(kind=kind, name=name, against=against)]
    part = _expected_part(weighing, read, relation, kind=kind, name=name, salt=4)
    if not against and part.value < max(CONCEPT_PART * weighing.harm, CONCEPT_Z * part.error):
        against = "what changed in the relation did little harm"
    without = (
        weighing.follows(name for name in weighing.standing if name not in {*accepted, *broken}) if broken else None
    )
    if not against and without is not None and without.z < AS_BEFORE:
        against = f"without {broken[0]}, which broke, the outcome follows the inputs as before (z {without.z:.1f})"
    untold = _untold(weighing, accepted)
    if not against and untold:
        against = f"{untold[0]} came too late, and what it should have said of these times is not on record"
    sure = relation.z >= SURELY and part.value >= weighing.harm / 2 and not accepted and not broken
    return [_of_relation(part, relation, strength="shown" if sure else "suggested", against=against)]


def _untold(weighing: Weighing, accepted: Sequence[str]) -> list[str]:
    """Columns that are causes and functions of the time: all rows of a time lack what they should have said of it."""
    late = [one for one in map(weighing.faults.get, accepted) if one is not None and one.lag > 0]
    return [one.column for one in late if one.period not in (ROWS, READINGS)]


def _kept(relation: Relation, what: str, *, from_: float) -> str:
    """Why a relation speaks against its rival; empty where it does not."""
    if not relation.telling:
        return f"the inputs never told of the {what}, so nothing can be said"
    return f"the {what} follows the inputs as before (z {relation.z:.1f})" if relation.z < from_ else ""


def _of_relation(part: Contribution, relation: Relation, *, strength: Strength, against: str) -> Rival:
    """A rival that stands where nothing speaks against it."""
    what = "answers follow" if part.kind == "model" else "outcome follows"
    return Rival(
        kind=part.kind,
        name=part.name,
        part=part,
        strength=None if against else strength,
        found=f"in rows that did not teach it the {what} the inputs otherwise (z {relation.z:.1f})" * (not against),
        against=against,
        paired=not against and strength == "shown",
    )


def _scores(weighing: Weighing) -> tuple[Floats, Floats] | None:
    """Scores of one model for both windows, asked again or recorded; None where there are none, or two gave them."""
    windows, asker, column = weighing.windows, weighing.asker, weighing.windows.roles.score
    rows = windows.reference, windows.current
    if asker is not None and asker.fidelity is None:
        return None if asker.classes else (asker.score(rows[0]), asker.score(rows[1]))
    if column is None or not weighing.answers_same:
        return None
    if not all(column in one and pd.api.types.is_numeric_dtype(one[column]) for one in rows):
        return None
    return as_numbers(rows[0][column]), as_numbers(rows[1][column])


def with_scores(read: RecordedOutcome, scores: tuple[Floats, Floats]) -> RecordedOutcome:
    """The outcome with the scores of the deployed model as one more input: it has seen more rows than the reference."""
    seen = [
        np.hstack([inputs, said[at][:, None]])
        for inputs, said, at in zip(read.outcome.inputs, scores, read.places, strict=True)
    ]
    outcome = replace(read.outcome, inputs=(seen[0], seen[1]), columns=(*read.outcome.columns, SCORES))
    return replace(read, outcome=outcome)


def _world(weighing: Weighing) -> tuple[CauseKind, str]:
    windows = weighing.windows
    if windows.meter.needs_label:
        return "concept", windows.label
    return ("model", windows.model_name) if windows.produces else ("concept", str(windows.meter.outcome))


def departure(
    weighing: Weighing, relation: Relation | None, *, kind: CauseKind, name: str, fault: Fault | None = None
) -> Contribution | None:
    """Harm of the outcome not following its recorded inputs as before, whoever is to blame for it."""
    if weighing.outcome is None or relation is None:
        return None
    part = _expected_part(weighing, weighing.outcome, relation, kind=kind, name=name, salt=8)
    return replace(part, fault=fault)


def _expected_part(
    weighing: Weighing, read: RecordedOutcome, relation: Relation, *, kind: CauseKind, name: str, salt: int
) -> Contribution:
    """Metric less the metric expected under the reference's relation, current less reference, paired by row."""
    windows = weighing.windows
    groups = windows.meter.segments(windows.reference, windows.current)
    recorded, expected = expected_parts(windows, read, relation, groups=groups, rng=weighing.rng(salt))
    return contribution(
        kind,
        name,
        _difference(recorded, expected, sign=weighing.sign),
        method="expected",
        assumptions=("what told of the outcome before is on record",),
    )


def _difference(recorded: tuple[Parts, Parts], expected: tuple[Parts, Parts], *, sign: int) -> PartEstimate:
    """How much more the current window differs from what is expected than the reference does."""

    def gap(window: int, rows: Places | None = None) -> float:
        both = [one[window] if rows is None else one[window].take(rows) for one in (recorded, expected)]
        return both[0].value() - both[1].value()

    own = [recorded[i].influence() - expected[i].influence() for i in (0, 1)]
    split = [halves(len(recorded[i])) for i in (0, 1)]
    return PartEstimate(
        value=sign * (gap(1) - gap(0)),
        error=float(np.sqrt(sum((one**2).sum() for one in own))),
        rows=float(min(map(len, recorded))),
        halves=[sign * (gap(1, split[1][j]) - gap(0, split[0][j])) for j in (0, 1)],
    )


def model_rival(weighing: Weighing, part: Contribution) -> Rival:
    """The model asked again on the same rows, as it was or with its threshold as it was."""
    stands = part.interval.low > 0 and part.value >= PART * weighing.harm
    return Rival(
        kind="model",
        name=part.name,
        part=part,
        strength=part.strength if stands else None,
        found="asked again on the same rows, it answers otherwise",
        against="" if stands else "asked again, the answers do as much harm",
        paired=stands,
    )


# -- the answers, where no model is on file ----------------------------------------------------------------------------


def answer_rivals(weighing: Weighing, accepted: Sequence[str]) -> list[Rival]:
    """Answers on record that follow the inputs otherwise, while the outcome follows them as before."""
    windows, name = weighing.windows, weighing.windows.model_name
    column = next((one for one in windows.meter.read if one != windows.roles.label), None)
    if not windows.meter.asks_the_model or windows.model is not None or column is None:
        return []
    if weighing.answers_same:
        return [Rival(kind="model", name=name, against="the answers follow the inputs as before")]
    spared = _spared(weighing)
    part_of = replace(windows, current=windows.current[spared].reset_index(drop=True))
    read = read_outcome(part_of, column, weighing.standing, rng=weighing.rng(5))
    if read is None:
        return []
    relation = followed(read.outcome, weighing.standing, seed=weighing.seed)
    against = _kept(relation, "answers", from_=GAINED).replace("answers follows", "answers follow")
    if not against and accepted and spared.all():
        against = f"the answers follow {accepted[0]}, which broke"
    if against:
        return [Rival(kind="model", name=name, against=against)]
    part = _expected_part(replace(weighing, windows=part_of), read, relation, kind="model", name=name, salt=6)
    if part.value < max(PART * weighing.harm, CONCEPT_Z * part.error):
        against = "what changed in the answers did little harm"
    world = weighing.follows(weighing.features)
    moved = world is not None and world.telling and world.z >= OTHERWISE
    strength = "suggested" if moved else part.strength
    return [_of_relation(part, relation, strength=strength, against=against)]


def _spared(weighing: Weighing) -> Mask:
    """Current rows that no diagnosed fault hit; all where none is left."""
    rows = weighing.windows.current
    wrong = np.zeros(len(rows), dtype=bool)
    for fault in weighing.faults.broken:
        if fault.column in weighing.features:
            wrong |= hit(fault, rows)
    return ~wrong if (~wrong).sum() >= 200 else np.ones(len(rows), dtype=bool)
