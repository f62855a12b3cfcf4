"""What would decide: where explanations stand level, or nothing can be told, the cheapest next observation.

Each open question has an observation that its two explanations predict otherwise: a column at its source, an outcome
that is missing, the reference's version of the model, a measurement made again, more rows. Its size, its rule and how
often it decides rightly come from simulating both explanations as they were fitted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rca.analysis.conclusion.observation import Asked, Observation, far_out, name_of, rows_of
from rca.analysis.conclusion.verdict import Verdict, weigh_windows
from rca.analysis.faults.application import hit
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.evidence.few_rows import few_rows
from rca.analysis.harm.evidence.outcome_bounds import is_known, outcome_column
from rca.analysis.harm.evidence.paired_parts import both_parts, standard_error
from rca.analysis.harm.harm import SAME, Harm
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.harm.rivals.rival_fits import by_answer, share_moved, share_wrong
from rca.analysis.inputs.windows import Windows
from rca.arrays import Floats
from rca.methods.decision_power import Pool, Simulate, cheapest, counted, evenly, made_up_for, rarely
from rca.methods.metric import Parts

BEYOND = 3.0
"""Standard errors from which a change is seen, and up to which one is only just beyond chance."""

LONGEST = 4
"""Times as many rows as there are that are waited for, at most."""

MOST_COLUMNS = 2
"""Columns that are looked up, the likeliest first."""

OTHERWISE = "the outcome follows the inputs otherwise"


def would_decide(
    windows: Windows, harm: Harm, *, faults: Faults | None = None, seed: int = 0
) -> tuple[Observation, ...]:
    """Propose the cheapest observations that would decide what is open; none where the first cause is shown.

    Parameters
    ----------
    windows : Windows
    harm : Harm
        Of these windows.
    faults : Faults, optional
        How columns broke, which says where to look one up.
    seed : int

    Returns
    -------
    tuple of Observation
        One a question; first the one that the verdict turns on.

    Examples
    --------
    Columns that tell nothing of the outcome leave open why there are more positives.

    >>> import pandas as pd
    >>> from rca.analysis.harm.harm import Harm
    >>> from rca.analysis.inputs.windows import measured_of, windows_from
    >>> rng = np.random.default_rng(0)
    >>> before, after = (pd.DataFrame({"y": 1.0 * (rng.random(900) < rate)}) for rate in (0.1, 0.3))
    >>> windows = windows_from(before, after, metric={"name": "rate", "column": "y"})
    >>> measured = measured_of(windows)
    >>> (found,) = would_decide(windows, Harm(measured=measured, contributions=(), unexplained=measured.worse))
    >>> found.kind, found.rows, found.power > 0.9, found.decide(0.3)
    ('again', 20, True, 'the world changed, or a cause that is not on record')
    """
    verdict = weigh_windows(harm)
    first = verdict.causes[0] if verdict.causes else None
    if verdict.status == "no_incident" or (first is not None and first.strength == "shown"):
        return ()
    asked = _Open(windows=windows, harm=harm, faults=faults or Faults(columns=()), verdict=verdict, seed=seed)
    return tuple(one for one in asked.observations() if one is not None)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Open:
    """What is open, and what it is asked of."""

    windows: Windows
    harm: Harm
    faults: Faults
    verdict: Verdict
    seed: int

    def rng(self, salt: int) -> np.random.Generator:
        """Every observation draws anew, so that it does not depend on which others are proposed."""
        return np.random.default_rng([self.seed, salt])

    def standing(self, kind: str) -> list[Rival]:
        """Explanations of a kind that were not rejected."""
        return [one for one in self.harm.rivals if one.kind == kind and not one.rejected]

    def observations(self) -> Iterator[Observation | None]:
        """In the order in which the verdict turns on them."""
        undecided = self.harm.undecided
        if undecided and any(one.kind == "rows" and one.found == undecided for one in self.harm.rivals):
            yield self.rows_as_far_out()
        elif undecided:
            yield self.missing_outcomes()
        else:
            yield from self.causes()
            yield self.more_rows()

    def causes(self) -> Iterator[Observation | None]:
        """Of the explanations that stand, or where none does."""
        told, meter = bool(self.verdict.causes), self.windows.meter
        of_answers = meter.asks_the_model and not meter.needs_label
        if self.standing("labels"):
            yield self.missing_outcomes()
        models = self.standing("model")
        if models or (of_answers and not told):
            yield self.replay(models[0].name if models else self.windows.model_name)
        for at, one in enumerate(self.standing("feature")[:MOST_COLUMNS]):
            yield self.source_of(one, salt=10 + at)
        if not told and not of_answers:
            yield self.measured_again()

    # -- rows that differ ----------------------------------------------------------------------------------------------

    def source_of(self, one: Rival, *, salt: int) -> Observation | None:
        """A column at its source, against the outcome following it otherwise."""
        column, rows, rng = one.name, self.windows.current, self.rng(salt)
        if column not in self.windows.reference or column not in rows:
            return None
        fault = self.faults.get(column)
        of_hit = fault is not None and fault.broken and fault.visible
        most = int(hit(fault, rows).sum()) if fault is not None and of_hit else len(rows)
        wrong = share_wrong(self.windows, column, fault, rng=rng)
        name, (question, other) = name_of(column), self.instead_of(one)
        among = "that it seems wrong in" if of_hit else "of the current window, drawn at random"
        asked = Asked(
            kind="column",
            columns=(column,),
            question=question,
            what=lambda size: f"look up {name} at its source for {rows_of(size)} {among}",
            first=f"{name} is wrong in the table",
            second=other,
            seen="differ",
            of_hit=of_hit,
        )
        return asked.by_count(cheapest(lambda size: counted(rng, size, wrong=wrong), most))

    def instead_of(self, one: Rival) -> tuple[str, str]:
        """The question that a column leaves open, and the explanation against it."""
        name = name_of(one.name)
        if one.part is not None and one.part.method == "reweighted":
            return f"is {name} wrong, or do other rows come than before", "other rows come than before"
        if self.standing("concept"):
            return f"is {name} wrong, or does the outcome follow it otherwise", OTHERWISE
        return f"is {name} wrong, or is the cause another", f"{name} is right, and the cause is another"

    def replay(self, model: str) -> Observation | None:
        """Rows through the version that served the reference, where its file is not at hand."""
        roles, agrees = self.windows.roles, self.harm.model_agrees
        at_hand = self.windows.model is not None and (agrees is None or agrees[0] >= SAME)
        there = set(self.windows.reference) & set(self.windows.current)
        columns = tuple(
            one for one in dict.fromkeys((roles.prediction, roles.score)) if one in there and one is not None
        )
        if at_hand or not columns:
            return None
        rng, name, concept = self.rng(1), name_of(model), bool(self.standing("concept"))
        moved = share_moved(self.windows, columns, rng=rng)
        other = "does the outcome follow the inputs otherwise" if concept else "is the cause another"
        asked = Asked(
            kind="answers",
            columns=columns,
            question=f"does {name} answer otherwise, or {other}",
            what=lambda size: (
                f"replay {rows_of(size)} of the current window, drawn at random, through the version of "
                f"{name} that served the reference, and compare its answers with those on record"
            ),
            first=f"{name} answers otherwise than it did",
            second=OTHERWISE if concept else f"{name} answers as it did, and the cause is another",
            seen="differ",
        )
        return asked.by_count(cheapest(lambda size: counted(rng, size, wrong=moved), len(self.windows.current)))

    def rows_as_far_out(self) -> Observation | None:
        """More rows, where a few carry it all: whether rows as far out keep coming."""
        before, after = both_parts(self.windows)
        found = few_rows(self.windows, before, after)
        if found is None or not found.few:
            return None
        few, rng = len(found.rows), self.rng(2)
        reach = float(far_out(self.windows, after)[found.rows].min())
        rare = int((far_out(self.windows, before) >= reach).sum())
        asked = Asked(
            kind="more",
            question=f"do the {rows_of(few)} that carry the change stand for more",
            what=lambda size: f"wait for {rows_of(size, 'more row')}",
            first="rows like these keep coming",
            second="they were single rows",
            seen="are as far out as these",
            reach=reach,
        )
        of = (few, len(after)), (rare, len(before))
        return asked.by_count(cheapest(lambda size: rarely(rng, size, of=of), LONGEST * len(after)))

    # -- the metric of more rows ---------------------------------------------------------------------------------------

    def missing_outcomes(self) -> Observation | None:
        """Outcomes of rows that lack one, drawn at random: as the known ones, or so that all is as in the reference."""
        windows, column = self.windows, outcome_column(self.windows)
        if column is None:
            return None
        before, known, missing = self.with_outcomes()
        if not missing or not len(known) or not len(before):
            return None
        errors, share = [_error(one) for one in (before, known)], len(known) / (len(known) + missing)
        chances = [by_answer(windows, rows, column) for rows in (windows.reference, windows.current)]
        same = Pool(
            parts=before,
            chances=made_up_for(before, chances[0], known, missing=missing),
            beside=known,
            standing_for=missing,
            error=float(np.hypot(errors[0], np.sqrt(share) * errors[1])),
        )
        changed = Pool(
            parts=known, chances=chances[1], beside=known, standing_for=missing, error=(1 - share) * errors[1]
        )
        asked = Asked(
            kind="outcomes",
            columns=(column,),
            question=f"did the {self.harm.measured.label} change, or only whose outcome is known",
            what=lambda size: (
                f"obtain {name_of(column)} of {rows_of(size)}, drawn at random from the {missing:,} that lack it"
            ),
            seen=f"the {self.harm.measured.label}, these weighed in for all that lack it,",
            first="it changed as the outcomes that are known say",
            second="it is as in the reference, and only whose outcome is known changed",
        )
        return asked.by_metric(cheapest(self.drawn(changed, same, self.rng(3)), missing), self.harm.measured)

    def with_outcomes(self) -> tuple[Parts, Parts, int]:
        """Parts of the rows of both windows whose outcome is known, and how many current rows lack it."""
        windows, (before, after) = self.windows, both_parts(self.windows)
        there = is_known(windows, windows.reference), is_known(windows, windows.current)
        return before.take(there[0]), after.take(there[1]), int((~there[1]).sum())

    def measured_again(self) -> Observation | None:
        """Outcomes measured again by the reference's procedure: the measurement, or the world."""
        column = outcome_column(self.windows)
        if column is None:
            return None
        before, after, _ = self.with_outcomes()
        if not len(before) or not len(after):
            return None
        same = Pool(parts=before, chances=evenly(before), error=_error(before))
        changed = Pool(parts=after, chances=evenly(after))
        asked = Asked(
            kind="again",
            columns=(column,),
            question="did the world change, or how the outcome is measured",
            what=lambda size: (
                f"measure {name_of(column)} of {rows_of(size)} of the current window, drawn at random, again "
                "by the reference's procedure (the same raters, rules or instrument)"
            ),
            seen=f"the {self.harm.measured.label} of these",
            first="the world changed, or a cause that is not on record",
            second="how the outcome is measured changed",
        )
        return asked.by_metric(cheapest(self.drawn(changed, same, self.rng(4)), len(after)), self.harm.measured)

    def more_rows(self) -> Observation | None:
        """More rows, where the change is only just beyond chance."""
        measured, (before, after) = self.harm.measured, both_parts(self.windows)
        own, spread = _error(before), _error(after)
        if not measured.material or measured.worse >= BEYOND * np.hypot(own, spread):
            return None
        same = Pool(parts=before, chances=evenly(before), error=own)
        changed = Pool(parts=after, chances=evenly(after))
        asked = Asked(
            kind="more",
            question=f"did the {measured.label} change, or is it chance",
            what=lambda size: f"wait for {rows_of(size, 'more row')}",
            seen=f"the {measured.label} of these",
            first=f"it changed, by more than {BEYOND:.0f} standard errors",
            second="it was chance",
        )

        def threshold(size: int) -> float:
            far = BEYOND * float(np.hypot(own, spread * np.sqrt(len(after) / size)))
            return measured.reference + measured.sign * far

        design = cheapest(self.drawn(changed, same, self.rng(5)), LONGEST * len(after), threshold=threshold)
        return asked.by_metric(design, measured)

    def drawn(self, changed: Pool, same: Pool, rng: np.random.Generator) -> Simulate:
        """The metric under both explanations, the one with the higher metric first."""

        def simulate(size: int) -> tuple[Floats, Floats]:
            both = changed.draws(size, rng), same.draws(size, rng)
            return both if self.harm.measured.sign > 0 else (both[1], both[0])

        return simulate


def _error(parts: Parts) -> float:
    """Standard error of a metric."""
    return standard_error(np.nan_to_num(parts.influence()))
