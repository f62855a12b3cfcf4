"""What every rival explanation is asked with: the windows with their clock, the model, and the relations kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from rca.analysis.drift.univariate import Drift
from rca.analysis.faults.diagnosis import Faults, is_plain
from rca.analysis.harm.evidence.column_relations import CLOCK, with_clock
from rca.analysis.harm.evidence.followed_relation import Relation, followed
from rca.analysis.harm.evidence.recorded_outcome import RecordedOutcome, read_outcome
from rca.analysis.harm.rescoring import Scorer
from rca.analysis.inputs.windows import Windows
from rca.analysis.slices.slices import Slices
from rca.methods.metric import Measured
from rca.tables.discretisation import discretise

AS_BEFORE, OTHERWISE, SURELY = 2.5, 3.0, 5.0
"""z up to which a relation counts as kept, from which as changed, and from which as surely changed."""

KEPT_SHARE = 0.35
"""Share of the evidence against the whole relation up to which the relation without a column counts as kept."""

GAINED, LOST = 4.0, 4.0
"""z from which a column put back gains, or has lost its worth."""

PART = 0.15
"""Share of the harm below which a rival is too small to be named."""

CONCEPT_PART, CONCEPT_Z = 0.2, 2.0
"""Share of the harm, and z of it, that the changed relation has to account for."""

MIX_PART, MIX_Z, MIX_ROWS = 0.4, 4.0, 100
"""Share of the harm, z, and effective rows, from which another mix of a column's values is named."""

HEEDED = 0.01
"""Share of the gain, or of the answers' variance, up to which the model does not heed a column."""

HEED_ROWS = 2500
"""Reference rows that a column is permuted in."""

OVERLAP = 0.2
"""Share that the laws of a column's two windows have in common, from which it still stands."""

MOST = 10
"""Most columns that are put back, the likeliest first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighing:
    """The windows, and what every rival is asked with.

    Attributes
    ----------
    windows : Windows
        With the clock's columns beside.
    asker : Scorer or None
        The deployed model, or its faithful surrogate.
    gains : mapping of str to float
        Gain of each column in the deployed model; empty where that is not known.
    stand_in : Scorer or None
        A surrogate, however faithful: which columns it heeds at all.
    slices : Slices or None
        Where the change sits.
    answers_same : bool
        Whether the recorded answers follow the inputs as before, as the model's file or its surrogate shows.
    """

    windows: Windows
    drift: Drift
    faults: Faults
    measured: Measured
    asker: Scorer | None
    gains: Mapping[str, float]
    stand_in: Scorer | None = None
    slices: Slices | None = None
    answers_same: bool = False
    seed: int = 0
    _kept: dict[tuple[str, ...], Relation] = field(init=False, default_factory=dict)

    # -- what can be asked ---------------------------------------------------------------------------------------------

    @property
    def sign(self) -> int:
        """+1 where a higher metric is worse, -1 where a lower one is."""
        return self.measured.sign

    @property
    def harm(self) -> float:
        """Size that a rival's part is compared with."""
        return abs(self.measured.worse)

    def rng(self, salt: int = 0) -> np.random.Generator:
        """Every test draws anew, so that it does not depend on which others were made."""
        return np.random.default_rng([self.seed, salt])

    @property
    def of_answers(self) -> bool:
        """Whether the metric is one of the model's answers alone, with no outcome to compare them with."""
        return self.windows.meter.asks_the_model and not self.windows.meter.needs_label

    @cached_property
    def timed(self) -> Windows:
        """The windows with the columns of the clock."""
        time = self.windows.roles.time
        rows = self.windows.reference, self.windows.current
        return replace(self.windows, reference=with_clock(rows[0], time), current=with_clock(rows[1], time))

    @cached_property
    def clock(self) -> tuple[str, ...]:
        """Columns of the clock: an outcome may follow hour and weekday, too."""
        return tuple(name for name in CLOCK if name in self.timed.reference and name in self.timed.current)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Columns that can be causes, and inputs of the relation."""
        rows = self.windows.reference, self.windows.current
        return tuple(name for name in self.windows.roles.features if all(is_plain(one[name]) for one in rows))

    @cached_property
    def block_of(self) -> dict[str, str]:
        """The block of each column that is a part of one."""
        return {column: name for name, columns in self.windows.roles.blocks for column in columns}

    def columns_of(self, names: Iterable[str]) -> list[str]:
        """Columns by their names, and those of a block by the block's."""
        blocks = dict(self.windows.roles.blocks)
        return [column for name in names for column in blocks.get(name, (name,))]

    @cached_property
    def read(self) -> tuple[str, ...]:
        """Columns that the deployed model reads; all where there is none."""
        if self.asker is None:
            return self.features
        return tuple(name for name in self.features if name in self.asker.features)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Inputs of the relation: without columns that moved loudly while the model does not heed them.

        A relation leans on such a column once others are taken out of it, and then seems to have changed.
        """
        moved = set(self.drift.moved())
        return tuple(name for name in self.features if name not in moved or self.heeded(name))

    def heeded(self, name: str) -> bool:
        """Whether permuting a column in the reference changes the model's answers."""
        if self.gains and self.windows.model is not None:
            return self.gains.get(name, 0.0) > HEEDED * sum(self.gains.values())
        reader = self.asker or self.stand_in
        if reader is None or name not in reader.features:
            return reader is None
        rows = self.windows.reference.iloc[:HEED_ROWS]
        turned = rows.assign(**{name: np.roll(rows[name].to_numpy(), len(rows) // 2)})
        said, otherwise = reader.score(rows), reader.score(turned)
        if reader.classes:
            return float((said != otherwise).mean()) > HEEDED
        return float(((said - otherwise) ** 2).mean()) > HEEDED * float(said.var())

    @cached_property
    def standing(self) -> tuple[str, ...]:
        """Features whose windows overlap: of the others nothing learned on the reference speaks in the current rows."""
        moved, coded = set(self.drift.moved()), self.windows.roles.categorical
        rows = self.windows.reference, self.windows.current

        def overlaps(name: str) -> bool:
            return discretise(rows[0][name], rows[1][name], coded=name in coded).overlap() >= OVERLAP

        return tuple(name for name in self.features if name not in moved or overlaps(name))

    @cached_property
    def outcome(self) -> RecordedOutcome | None:
        """What the metric is about: the label, or the column that is averaged."""
        column = self.windows.meter.outcome or self.windows.roles.label
        number = self.windows.meter.base in ("mae", "rmse", "mean")
        if column is None:
            return None
        return read_outcome(self.timed, column, (*self.features, *self.clock), rng=self.rng(1), number=number)

    def follows(self, columns: Iterable[str]) -> Relation | None:
        """Whether the outcome follows some columns as before."""
        if self.outcome is None or (self.of_answers and self.answers_same):
            return None
        given = set(columns)
        asked = (*(name for name in self.inputs if name in given), *self.clock)
        if asked not in self._kept:
            self._kept[asked] = followed(self.outcome.outcome, asked, seed=self.seed)
        return self._kept[asked]
