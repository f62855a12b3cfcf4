"""Rows and outcomes as rival explanations: who comes, how often, and whose outcome is known."""

from collections.abc import Sequence
from dataclasses import replace

from rca.analysis.harm.contribution import PartEstimate, contribution
from rca.analysis.harm.evidence.column_mix import ColumnMix, column_mix
from rca.analysis.harm.evidence.copied_rows import CopiedRows
from rca.analysis.harm.evidence.few_rows import few_rows
from rca.analysis.harm.evidence.followed_relation import Relation
from rca.analysis.harm.evidence.known_outcomes import known_outcomes
from rca.analysis.harm.evidence.season import season
from rca.analysis.harm.rivals.bench import AS_BEFORE, MIX_PART, MIX_ROWS, MIX_Z, PART, Weighing
from rca.analysis.harm.rivals.rival import Rival

COPIED_PART, COPIED_Z = 0.5, 3.0
"""Share of the harm, and z, that counting every row once has to take away."""

STOPPED = 0.02
"""Share of the reference's rows whose values no longer come, from which a source has stopped."""

SEASON_PART = 0.5
"""Share of the harm from which weekdays and hours are what explains it."""

CHANCE = 1.96
"""Standard errors within which what is left is chance."""

BORNE_OUT = 2.0
"""Times the metric's own change that a mix may have done: more is what others made up for, and no harm was done."""


# -- who comes ---------------------------------------------------------------------------------------------------------


def mix_rivals(weighing: Weighing, accepted: Sequence[str]) -> list[Rival]:
    """Columns whose other mix of values explains the change, everybody being as before."""
    windows = weighing.windows
    moved = [name for name in weighing.drift.moved() if name in weighing.features]
    names = dict.fromkeys((*moved, *windows.roles.groups))
    groups = windows.meter.segments(windows.reference, windows.current)
    asked = [name for name in names if name not in accepted and name not in weighing.block_of]  # no part moves alone
    mixes = [column_mix(windows, name, groups=groups) for name in asked]
    rivals = [_mix_rival(weighing, mix) for mix in mixes if mix is not None]
    return [one for one in rivals if one is not None]


def _mix_rival(weighing: Weighing, mix: ColumnMix) -> Rival | None:
    """One column's mix; None where it explains next to nothing."""
    estimate = PartEstimate(
        value=weighing.sign * mix.value,
        error=mix.error,
        rows=mix.n_effective,
        halves=[weighing.sign * half for half in mix.halves],
    )
    found = contribution("feature", mix.column, estimate, method="reweighted", fault="distribution")
    part = replace(found, strength="suggested")  # an association
    against = ""
    if mix.n_effective < MIX_ROWS:
        against = "too few rows overlap"
    elif part.value < max(MIX_PART * weighing.harm, MIX_Z * mix.error):
        against = "the mix of its values explains too little"
    if against and part.value <= PART * weighing.harm:
        return None
    stopped = mix.vanished >= STOPPED and mix.covered > 1 - STOPPED
    why = "values that no longer come explain it" if stopped else "the reference with today's mix is as bad"
    return Rival(
        kind="feature",
        name=mix.column,
        fault="distribution",
        part=part,
        strength=None if against else "suggested",
        found="" if against else why,
        against=against,
        paired=not against and part.value <= BORNE_OUT * weighing.measured.worse,
    )


# -- rows written more than once ---------------------------------------------------------------------------------------


def copies_rival(weighing: Weighing, copied: CopiedRows | None) -> list[Rival]:
    """Rows that were written more than once, and the harm that is gone where each counts once."""
    if copied is None:
        return []
    estimate = PartEstimate(
        value=weighing.sign * copied.taken, error=copied.error, rows=float(copied.keep.sum()), halves=()
    )
    part = replace(
        contribution("rows", "duplicates", estimate, method="counted once"),
        strength="shown",
        refuters=("the same rows, each counted once",),
    )
    stands = part.value >= max(COPIED_PART * weighing.harm, COPIED_Z * copied.error)
    where = f", nearly all with {copied.where}" if copied.where is not None else ""
    return [
        Rival(
            kind="rows",
            name="duplicates",
            part=part,
            strength="shown" if stands else None,
            found=f"{copied.share:.1%} of the rows are copies of others, {copied.reference_share:.1%} before{where}",
            against="" if stands else "counted once, the harm is the same",
            paired=True,
        )
    ]


# -- outcomes ----------------------------------------------------------------------------------------------------------


def outcome_rivals(weighing: Weighing, relation: Relation | None) -> list[Rival]:
    """Outcomes that are missing and not by chance, where those that are not known could give the reference's metric.

    Parameters
    ----------
    weighing : Weighing
    relation : Relation or None
        Of the outcome to the inputs that did not break: where it kept, and knowing does not depend on these, the known
        outcomes are no biased sample.
    """
    known = known_outcomes(weighing.windows)
    if known is None or not known.fell:
        return []
    lacking = f"{1 - known.known.current:.0%} of the rows have no outcome, {1 - known.known.reference:.0%} before"
    against = ""
    if known.as_always:
        against = "rows as recent lacked their outcomes as often before"
    elif known.at_random:
        against = "which outcomes are known depends on nothing that is on record"
    elif not known.holds_reference:
        against = "even in the worst case they leave the metric worse than before"
    elif not known.knowing.selective and relation is not None and relation.telling and relation.z < AS_BEFORE:
        against = "the outcomes that are known follow the inputs as before"
    return [
        Rival(
            kind="labels", name=known.column, strength=None if against else "suggested", found=lacking, against=against
        )
    ]


# -- times and single rows ---------------------------------------------------------------------------------------------


def season_rival(weighing: Weighing) -> "tuple[list[Rival], bool]":
    """Weekdays and hours at which it was always so; and whether what they leave is chance."""
    found = season(weighing.windows) if weighing.windows.roles.time is not None else None
    if found is None or found.expected is None or found.share < SEASON_PART:
        return [], False
    estimate = PartEstimate(
        value=weighing.sign * found.explained, error=found.explained_error, rows=float(weighing.measured.n_reference)
    )
    name = f"hours and weekdays ({found.clock})"
    part = contribution("slice", name, estimate, method="reweighted")
    rival = Rival(
        kind="slice",
        name=name,
        part=part,
        found=f"at the same {found.clock} the reference was at {weighing.measured.say(found.expected)}",
        against="it was always so, and is no fault",
    )
    return [rival], weighing.sign * found.left < CHANCE * found.left_error


def few_rows_rival(weighing: Weighing) -> list[Rival]:
    """A handful of rows that carry it all."""
    windows = weighing.windows
    groups = windows.meter.segments(windows.reference, windows.current)
    parts = [windows.meter.parts(rows, groups=groups) for rows in (windows.reference, windows.current)]
    found = few_rows(windows, parts[0], parts[1])
    if found is None or not found.few:
        return []
    return [
        Rival(
            kind="rows",
            name="outliers",
            found=f"without {len(found.rows)} of the {len(windows.current)} rows the change is within chance",
            against="so few rows show no pattern",
        )
    ]
