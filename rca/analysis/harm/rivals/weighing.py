"""Rival explanations on equal terms: which of them predicts what the windows show, and what kills the others.

Each rival says which relation still holds: a column that broke leaves the outcome following the *other* columns as
before; another concept leaves the columns as they were; another model leaves the outcome as it was. Each is looked
for in some rows and tested in others, and paired on the same rows where something can be put back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rca.analysis.harm.contribution import Contribution
from rca.analysis.harm.evidence.copied_rows import CopiedRows
from rca.analysis.harm.rivals.bench import Weighing
from rca.analysis.harm.rivals.column_rivals import column_rivals, slice_columns
from rca.analysis.harm.rivals.relation_rivals import answer_rivals, model_rival, world_rivals
from rca.analysis.harm.rivals.rival import RANK, Rival
from rca.analysis.harm.rivals.row_rivals import copies_rival, few_rows_rival, mix_rivals, outcome_rivals, season_rival

LIKELIEST_PART, LIKELIEST_Z = 0.3, 2.5
"""Share of the harm, and z, from which a column is suggested where nothing is named."""


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """Rivals in order: those that stand by strength and harm, then the rejected.

    Attributes
    ----------
    rivals : tuple of Rival
    undecided : str
        Why nothing can be told, where that is known; then what stands is no cause.
    always : bool
        Whether it was always so at these weekdays and hours.
    """

    rivals: tuple[Rival, ...]
    undecided: str = ""
    always: bool = False

    @property
    def standing(self) -> tuple[Rival, ...]:
        """Those that were not rejected."""
        return tuple(one for one in self.rivals if not one.rejected)


def weigh(weighing: Weighing, models: Sequence[Contribution] = (), copied: CopiedRows | None = None) -> Weighed:
    """Ask every rival, and rank those that stand by strength, then by harm.

    Parameters
    ----------
    weighing : Weighing
    models : sequence of Contribution
        The model asked again, where it answers otherwise.
    copied : CopiedRows, optional
        Rows that `weighing` counts once.
    """
    columns = column_rivals(weighing)
    inside = slice_columns(weighing, [one.name for one in columns if not one.rejected])
    columns = [one for one in columns if one.name not in {other.name for other in inside}] + inside
    accepted = weighing.columns_of(one.name for one in columns if one.strength in ("shown", "suggested"))
    broken = [
        one.name
        for one in columns
        if one.fault not in (None, "distribution") and one.name not in accepted and one.name in weighing.inputs
    ]
    sound = [name for name in weighing.features if name not in accepted]
    outcomes = outcome_rivals(weighing, weighing.follows(sound))
    times, always = season_rival(weighing)
    few = few_rows_rival(weighing)
    answers = [model_rival(weighing, part) for part in models] or answer_rivals(weighing, accepted)
    doubted = any(not one.rejected for one in answers)
    others = [
        *copies_rival(weighing, copied),
        *answers,
        *(_out_of_season(one, times) for one in world_rivals(weighing, accepted, broken, doubted=doubted)),
        *mix_rivals(weighing, accepted),
    ]
    sure = any(one.strength == "shown" for one in columns)
    undecided = ""
    if few and not sure:
        undecided = few[0].found
    elif any(not one.rejected for one in outcomes) and not sure:
        undecided = outcomes[0].found
    rivals = ranked([*columns, *outcomes, *few, *times, *others])
    if not _named(rivals) and not undecided and not always and weighing.measured.material:
        rivals = ranked(likeliest(rivals, least=LIKELIEST_PART * weighing.harm))
    return Weighed(rivals=rivals, undecided=undecided, always=always and not _named(rivals))


def _named(rivals: Sequence[Rival]) -> bool:
    return any(one.strength in ("shown", "suggested") for one in rivals)


def likeliest(rivals: Sequence[Rival], *, least: float) -> list[Rival]:
    """The rivals, the surest column suggested although no test of its own names it: nothing else explains the harm."""

    def sure(one: Rival) -> float:
        fits = one.kind == "feature" and one.part is not None and one.part.value >= least
        return one.part.value / max(one.part.error, 1e-12) if fits and one.part is not None else 0.0

    best = max(rivals, key=sure, default=None)
    if best is None or sure(best) < LIKELIEST_Z:
        return list(rivals)
    found = f"nothing else that was asked explains more, though {best.against}" if best.against else best.found
    return [replace(one, strength="suggested", found=found, against="") if one is best else one for one in rivals]


def _out_of_season(one: Rival, times: Sequence[Rival]) -> Rival:
    """A change of the world does not stand where weekdays and hours explain most of the harm."""
    return replace(one, strength=None, against=f"{times[0].found}, so it was always so") if times else one


def _told_by(one: Rival) -> int:
    if one.kind != "feature" or one.part is None or one.part.method == "reweighted":
        return 1
    return 0 if one.broke else 2


def ranked(rivals: Iterable[Rival]) -> tuple[Rival, ...]:
    """Those that stand by strength, then by what speaks for them, then by harm; then the rejected.

    Of what is only suggested, a column whose values show a fault, by themselves or beside the others, stands before a
    relation that changed, and that before a column that only moved.
    """

    def order(one: Rival) -> tuple[int, int, float]:
        size = one.part.value if one.part is not None else 0.0
        strength = RANK[one.strength] if one.strength is not None else len(RANK)
        return (strength, _told_by(one) if one.strength == "suggested" else 0, -size)

    return tuple(sorted(rivals, key=order))
