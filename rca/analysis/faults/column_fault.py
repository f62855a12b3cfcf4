"""One column's fault: what is known of it."""

from dataclasses import dataclass

from rca.finding import Fault
from rca.tables.condition import Condition, conjunction

ROWS, READINGS = "rows", "readings"
"""Units of a lag besides spans of time: rows of the table, and readings of one entity."""


@dataclass(frozen=True, kw_only=True)
class ColumnFault:
    """How one column broke.

    Attributes
    ----------
    column : str
    fault : Fault
    share : float
        Of the current rows, those it hit.
    evidence : str
        What says so.
    value : str or None
        The value a stuck column holds.
    factor, offset : float
        ``current = factor * true + offset`` for `scaled` and `shifted`; for `swapped` the sign of `offset` says on
        which side of `cut` the partner's values lie.
    growing : bool
        Whether `factor` is that of the last row, and grew in a line from one at `since` on.
    ring : (float, float) or None
        Lowest value and span of a column that goes round, as (0, 24) of hours, for `shifted`.
    edge : float or None
        For `clipped`: the value beyond which none lies any more.
    capped : bool
        Whether `edge` is the highest value and not the lowest.
    step : float or None
        For `truncated`: the grid to which values are rounded down.
    noise : float
        For a `distribution` that spread: standard deviation of what was added to every value, could noise have done it.
    usual : tuple of float
        Quantiles of the values before it was.
    cut : float or None
        Number between the values of rows that `scaled`, `shifted` or `swapped` hit, and those of the others; for a
        `ring` that follows the time `by`, how far ahead of the clock `period` rows are that were not hit.
    scattered : bool
        Whether `cut` alone tells which rows were hit; else all of them were, from `since` and under `where`.
    partner : str or None
        The column whose values this one holds, for `swapped`.
    holder : str or None
        The column that holds the values of this one, where that is another than `partner`.
    recoding : tuple of (str, str)
        For `recoded`: a value as it is now, and as it was.
    names : tuple of str
        Values that only rows that were hit hold, for `new_values` and `recoded`.
    lag : int
        For `stale`: how many of `period` too late; 0 where values are those of other rows, and nothing tells which.
    period : str
        `rows`, `readings` (of the entity `by`), or a span of the time `by`, as pandas spells it.
    late_values : tuple of (int or str, str)
        For `stale` in some of a period's rows, or of an entity's: the period's number, or the entity, and the value
        that those rows hold in it.
    by : str or None
        Column of the time or of the entity along which a stale column lags.
    where : tuple of Condition
        Only rows that fulfil all of them were hit.
    since : int
        Position, in time order, of the first current row that is hit.
    since_interval : tuple of int, or None
        95 % interval of `since`; None where rows have no order.
    """

    column: str
    fault: Fault
    share: float
    evidence: str
    value: str | None = None
    factor: float = 1.0
    offset: float = 0.0
    growing: bool = False
    ring: tuple[float, float] | None = None
    edge: float | None = None
    capped: bool = True
    step: float | None = None
    noise: float = 0.0
    usual: tuple[float, ...] = ()
    cut: float | None = None
    scattered: bool = False
    partner: str | None = None
    holder: str | None = None
    recoding: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    lag: int = 0
    period: str = ROWS
    late_values: tuple[tuple[int | str, str], ...] = ()
    by: str | None = None
    where: tuple[Condition, ...] = ()
    since: int = 0
    since_interval: tuple[int, int] | None = None

    @property
    def broken(self) -> bool:
        """Whether it is a fault in the pipe, and not only a distribution that moved."""
        return self.fault != "distribution"

    @property
    def invertible(self) -> bool:
        """Whether the true values follow from the wrong ones; of a stale column as far as they arrived later."""
        numbers = self.factor != 1 or self.offset != 0 or self.step is not None or self.fault == "retyped"
        numbers = numbers or self.noise > 0
        return numbers or self.partner is not None or bool(self.recoding) or self.lag > 0

    @property
    def mispaired(self) -> bool:
        """Whether the other columns alone told of it, of which one may be at fault instead."""
        return self.fault == "stale" and not self.lag and not self.late_values

    @property
    def visible(self) -> bool:
        """Whether a row's own value shows, for itself, whether it was hit."""
        told = self.value is not None or bool(self.names) or bool(self.late_values) or self.cut is not None
        told = told or (self.step is not None and self.scattered)
        return told or self.fault in ("missing", "retyped")

    def __str__(self) -> str:
        place = f" where {conjunction(self.where)}" if self.where else ""
        return f"{self.column}: {self.fault.replace('_', ' ')}{place} ({self.evidence})"
