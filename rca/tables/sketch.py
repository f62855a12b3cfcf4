"""One-pass mergeable sketches of tables: histograms and category counts on fixed bins, which add up."""

import base64
import json
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

import numpy as np

from rca.arrays import Floats
from rca.errors import InvalidCase, Unanswerable
from rca.result import Result, Row
from rca.tables.arrow_arrays import Array, is_time, label_counts, lengths, numbers
from rca.tables.bin_counts import CategoryCount, NumberCount
from rca.tables.bin_edges import BinEdges, fit_grid
from rca.tables.engines import Batch, Source, Work
from rca.tables.frames import open_table, require

SAMPLE = 8_192
"""Rows of the sample that bins are fitted on."""

Span = Literal["hour", "day", "week"]

LENGTHS: dict[Span, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}

MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
"""Where periods are counted from, so that weeks begin on Mondays."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sketch(Result):
    """Mergeable summary of a table, sufficient for drift tests; sketches on the same bins add up, in any order.

    Attributes
    ----------
    grid : BinEdges
    n : int
        Rows.
    numeric, lengths : dict of str to NumberCount
        Of numbers and times; of the lengths of texts.
    categories : dict of str to CategoryCount
    """

    grid: BinEdges
    n: int
    numeric: dict[str, NumberCount]
    lengths: dict[str, NumberCount]
    categories: dict[str, CategoryCount]

    @classmethod
    def empty(cls, grid: BinEdges) -> "Sketch":
        """The sketch of no rows, neutral under addition."""
        return cls(
            grid=grid,
            n=0,
            numeric={name: NumberCount.empty(scale) for name, scale in grid.numeric.items()},
            lengths={name: NumberCount.empty(scale) for name, scale in grid.lengths.items()},
            categories={name: CategoryCount.empty(labels) for name, labels in grid.categories.items()},
        )

    def __add__(self, other: "Sketch") -> "Sketch":
        if not isinstance(other, Sketch):
            return NotImplemented
        if self.grid is not other.grid and self.grid != other.grid:
            hint = "take every sketch `like` the same reference"
            raise InvalidCase.because("they are counted on two grids", place="sketches", hint=hint)
        return Sketch(
            grid=self.grid,
            n=self.n + other.n,
            numeric={name: count + other.numeric[name] for name, count in self.numeric.items()},
            lengths={name: count + other.lengths[name] for name, count in self.lengths.items()},
            categories={name: count + other.categories[name] for name, count in self.categories.items()},
        )

    def __radd__(self, other: Literal[0]) -> "Sketch":
        """Let `sum` begin at 0."""
        return self

    def __getitem__(self, column: str) -> NumberCount | CategoryCount:
        for part in (self.numeric, self.lengths, self.categories):
            if column in part:
                return part[column]
        raise KeyError(column)

    def __str__(self) -> str:
        cut = sum(count.rest > 0 for count in self.categories.values())
        more = f"; {cut} with more categories than are kept apart" if cut else ""
        return f"sketch of {self.n:,} rows, {len(self.grid.columns)} columns{more}"

    def rows(self) -> list[Row]:
        return [{"column": name, "rows": self.n, **self[name].summary()} for name in self.grid.columns]

    def to_dict(self) -> dict[str, Any]:
        return {
            "grid": self.grid.to_dict(),
            "n": self.n,
            **{
                part: {name: count.to_dict() for name, count in getattr(self, part).items()}
                for part in ("numeric", "lengths", "categories")
            },
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Sketch":
        grid = BinEdges.from_dict(plain["grid"])
        return cls(
            grid=grid,
            n=plain["n"],
            numeric={k: NumberCount.from_dict(grid.numeric[k], v) for k, v in plain["numeric"].items()},
            lengths={k: NumberCount.from_dict(grid.lengths[k], v) for k, v in plain["lengths"].items()},
            categories={k: CategoryCount.from_dict(grid.categories[k], v) for k, v in plain["categories"].items()},
        )


def sketch(
    table: Any,
    like: Any = None,
    *,
    features: Iterable[str] | None = None,
    categorical: Collection[str] = (),
    text: Collection[str] = (),
) -> Sketch:
    """Sketch a table of any engine in one pass: histograms, category counts and moments, computed where the rows are.

    Parameters
    ----------
    table : frame of pandas, polars, Arrow, DuckDB, Dask or PySpark, or path of Parquet files
    like : Sketch, BinEdges or table, optional
        What the bins are laid by; the table itself where left out. A table is sampled for it.
    features : iterable of str, optional
        Columns to count; all of `like`'s where left out.
    categorical : collection of str
        Numeric columns that are codes. Not asked for if `like` is a sketch or a grid.
    text : collection of str
        Columns of free text, of which only the length is counted. Likewise.

    Returns
    -------
    Sketch
        Counts are the same whatever the engine, the partitions and the order of rows; moments agree to rounding.

    Raises
    ------
    InvalidCase
        If it is no table, or lacks a column.

    References
    ----------
    Chan, Golub, LeVeque (1983), Am. Stat. 37(3), eq. (2.1), for the sum of moments.

    Examples
    --------
    >>> import pandas as pd
    >>> before, after = pd.DataFrame({"a": [1.0, 2.0, None]}), pd.DataFrame({"a": [3.0]})
    >>> first = sketch(before)
    >>> both = first + sketch(after, first)
    >>> both.n, both["a"].missing, both["a"].moments.mean
    (4, 1, 2.0)
    """
    source = open_table(table, coded=True)
    grid = _grid(source, like, features=features, categorical=categorical, text=text)
    require(source, grid.columns)
    work = Work(run=partial(_counted, grid), pack=pack, unpack=unpack)
    return sum(source.each(grid.columns, work), start=Sketch.empty(grid))


def sketches(
    table: Any,
    like: Any = None,
    *,
    time: str,
    every: Span = "day",
    features: Iterable[str] | None = None,
    categorical: Collection[str] = (),
    text: Collection[str] = (),
) -> dict[datetime, Sketch]:
    """Sketch every hour, day or week of a table in one pass; the sketch of a window is the `sum` of its periods'.

    Parameters
    ----------
    table, like, features, categorical, text
        As for `sketch`; `time` itself is counted only if it is among the features.
    time : str
        Column of times.
    every : {'hour', 'day', 'week'}
        In UTC; weeks begin on Mondays.

    Returns
    -------
    dict of datetime to Sketch
        Start of a period → its sketch, in order of time. Rows without a time are in none.

    Raises
    ------
    InvalidCase
        If `time` is no column of times.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"at": pd.date_range("2024-01-01", periods=48, freq="h"), "a": range(48)})
    >>> daily = sketches(rows, time="at", features=["a"])
    >>> [(day.isoformat(), part["a"].moments.mean) for day, part in daily.items()]
    [('2024-01-01T00:00:00+00:00', 11.5), ('2024-01-02T00:00:00+00:00', 35.5)]
    """
    source = open_table(table, coded=True)
    wanted = [name for name in source.names() if name != time] if features is None and like is None else features
    grid = _grid(source, like, features=wanted, categorical=categorical, text=text)
    if time in grid.columns and wanted is None:
        grid = grid.only(name for name in grid.columns if name != time)
    columns = require(source, [*grid.columns, time])
    work = Work(run=partial(_dated, grid, time=time, every=every), pack=_pack_all, unpack=_unpack_all)
    found: dict[datetime, Sketch] = {}
    for part in source.each(columns, work):
        for start, counted in part.items():
            found[start] = found[start] + counted if start in found else counted
    return dict(sorted(found.items()))


def _grid(
    source: Source,
    like: Any,
    *,
    features: Iterable[str] | None,
    categorical: Collection[str],
    text: Collection[str],
) -> BinEdges:
    if isinstance(like, Sketch):
        like = like.grid
    if isinstance(like, BinEdges):
        return like if features is None else like.only(features)
    model = source if like is None else open_table(like, coded=True)
    names = require(model, model.names() if features is None else features)
    if not names:
        raise Unanswerable("what the table holds", "it has no columns")
    return fit_grid(model.sample(names, SAMPLE), categorical=categorical, text=text)


# --- one pass --------------------------------------------------------------------------------------------------------


def _counted(grid: BinEdges, batches: Iterable[Batch]) -> Sketch:
    found = Sketch.empty(grid)
    for batch in batches:
        found = found + _of_batch(grid, batch)
    return found


def _of_batch(grid: BinEdges, batch: Batch) -> Sketch:
    return Sketch(
        grid=grid,
        n=batch.num_rows,
        numeric={name: _numbers(batch.column(name), NumberCount.empty(at)) for name, at in grid.numeric.items()},
        lengths={name: _lengths(batch.column(name), NumberCount.empty(at)) for name, at in grid.lengths.items()},
        categories={name: _labels(batch.column(name), known) for name, known in grid.categories.items()},
    )


def _chunks(column: Array) -> list[Array]:
    chunks: list[Array] = column.chunks if hasattr(column, "chunks") else [column]
    return chunks


def _numbers(column: Array, count: NumberCount) -> NumberCount:
    for chunk in _chunks(column):
        count = count + NumberCount.of(count.scale, numbers(chunk))
    return count


def _lengths(column: Array, count: NumberCount) -> NumberCount:
    for chunk in _chunks(column):
        count = count + NumberCount.of(count.scale, lengths(chunk))
    return count


def _labels(column: Array, known: tuple[str, ...]) -> CategoryCount:
    count = CategoryCount.empty(known)
    for chunk in _chunks(column):
        count = count + CategoryCount.of(known, *label_counts(chunk))
    return count


def _dated(grid: BinEdges, batches: Iterable[Batch], *, time: str, every: Span) -> dict[datetime, Sketch]:
    found: dict[datetime, Sketch] = {}
    for batch in batches:
        for start, rows in _periods(batch, time, every):
            counted = _of_batch(grid, rows)
            found[start] = found[start] + counted if start in found else counted
    return found


def _periods(batch: Batch, time: str, every: Span) -> list[tuple[datetime, Batch]]:
    """Split a batch by period, without a copy if its rows are in time order."""
    length = LENGTHS[every]
    period = np.floor((_seconds(batch.column(time), time) - MONDAY.timestamp()) / length.total_seconds())
    known = np.flatnonzero(~np.isnan(period))
    if len(known) < len(period) or (np.diff(period) < 0).any():
        order = known[np.argsort(period[known], kind="stable")]
        batch, period = batch.take(order), period[order]
    starts = np.flatnonzero(np.diff(period, prepend=np.nan) != 0)
    ends = np.append(starts, len(period))[1:]
    return [
        (MONDAY + int(period[start]) * length, batch.slice(start, end - start))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _seconds(column: Array, name: str) -> Floats:
    if not is_time(column.type):
        hint = "give a column of timestamps or dates"
        raise InvalidCase.because(f"column {name!r} holds {column.type}, no times", place="table", hint=hint)
    array = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    seconds = np.full(len(array), np.nan)
    seconds[array.is_valid().to_numpy(zero_copy_only=False)] = numbers(array).values
    return seconds


# --- as text ---------------------------------------------------------------------------------------------------------


def pack(counted: Sketch) -> str:
    """Serialise a sketch to ASCII text."""
    plain = json.dumps(counted.to_dict(), separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(plain, 1)).decode()


def unpack(text: str) -> Sketch:
    """Inverse of `pack`, bit for bit."""
    return Sketch.from_dict(json.loads(zlib.decompress(base64.b64decode(text))))


def _pack_all(found: dict[datetime, Sketch]) -> str:
    return json.dumps({start.isoformat(): pack(counted) for start, counted in found.items()})


def _unpack_all(text: str) -> dict[datetime, Sketch]:
    return {datetime.fromisoformat(start): unpack(counted) for start, counted in json.loads(text).items()}
