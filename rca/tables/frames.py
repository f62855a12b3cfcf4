"""Open tables of any engine: pandas, polars, Arrow, Parquet, DuckDB, Dask, PySpark, and what narwhals reads."""

import glob
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from rca.errors import InvalidCase, did_you_mean
from rca.tables.columns import column_name
from rca.tables.engines import (
    BATCH_ROWS,
    Batch,
    Dask,
    Files,
    Pandas,
    Source,
    Spark,
    Streamed,
    Work,
    collected,
    packed_table,
    stride,
    unpacked_table,
)


def open_table(table: Any, *, coded: bool = False) -> Source:
    """Open a table of any engine as a `Source`.

    Parameters
    ----------
    table : frame of any engine, or path
    coded : bool
        Whether texts may come dictionary-encoded where that is quicker.

    Raises
    ------
    InvalidCase
        If it is no table.

    Examples
    --------
    >>> open_table(pd.DataFrame({"a": [1, 2]})).names()
    ['a']
    >>> open_table([1, 2])
    Traceback (most recent call last):
    rca.errors.InvalidCase: table: list is no table. Hint: give a frame of pandas, polars, Arrow, DuckDB, Dask or \
PySpark, or a Parquet path
    """
    if isinstance(table, str | Path):
        return Files(dataset=_dataset(str(table)), coded=coded)
    if isinstance(table, pd.DataFrame):
        return Pandas(rows=_named(table))
    package = type(table).__module__.partition(".")[0]
    source = _OPENERS.get(package, _foreign)(table)
    return replace(source, coded=coded) if isinstance(source, Files) else source


def is_lazy(table: Any) -> bool:
    """Whether a table is lazily evaluated: rows are read only on demand.

    >>> is_lazy(pd.DataFrame({"a": [1]}))
    False
    """
    return open_table(table).lazy


def column_names(table: Any) -> list[str]:
    """Names of the columns of a table of any engine.

    >>> column_names(pd.DataFrame({"a": [1], "b": [2]}))
    ['a', 'b']
    """
    return open_table(table).names()


def as_pandas(
    table: Any, columns: Iterable[str] | None = None, *, limit: int | None = None, place: str = "table"
) -> pd.DataFrame:
    """Convert a table of any engine to a new pandas frame: all rows, or a systematic sample.

    Parameters
    ----------
    table : frame of any engine, or path
    columns : iterable of str, optional
        All where left out.
    limit : int, optional
        Rows at most; they are spread evenly over the table, and the same every time.
    place : str
        What the table is called in errors.

    Returns
    -------
    pandas.DataFrame
        Columns are named by text, each by one of its own, and have types of pandas' own.

    Raises
    ------
    InvalidCase
        If it is no table, has no such column, or has one twice.

    Examples
    --------
    >>> as_pandas(pd.DataFrame({"a": range(100), "b": 0}), ["a"], limit=4)["a"].tolist()
    [0, 25, 50, 75]
    """
    source = open_table(table)
    names = require(source, source.names() if columns is None else columns, place=place)
    if isinstance(source, Pandas):
        step = 1 if limit is None else stride(len(table), limit)
        rows = source.rows.loc[:, names].iloc[::step].head(limit if limit is not None else len(table))
        return _in_own_types(rows.copy())
    if limit is not None:
        drawn = _to_pandas(source.sample(names, limit))
        return drawn.iloc[:: stride(len(drawn), limit)].reset_index(drop=True)
    import pyarrow as pa

    parts = list(source.each(names, Work(run=collected, pack=packed_table, unpack=unpacked_table)))
    return _to_pandas(pa.concat_tables(parts, promote_options="permissive"))


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """The frame with column names as text."""
    names = [column_name(name) for name in rows.columns]
    return rows if names == list(rows.columns) else rows.set_axis(pd.Index(names), axis=1)


def _in_own_types(rows: pd.DataFrame) -> pd.DataFrame:
    """The frame with Arrow-backed dtypes converted to NumPy's or pandas' own, which support more operations."""
    for name, stored in rows.dtypes.items():
        if isinstance(stored, pd.ArrowDtype):
            rows[name] = rows[name].array.__arrow_array__().to_pandas().set_axis(rows.index)
    return rows


def require(source: Source, columns: Iterable[str], *, place: str = "table") -> list[str]:
    """Validate that a table has each of the columns once.

    Raises
    ------
    InvalidCase
        If there is no such column, or if one comes twice.
    """
    known, wanted = Counter(source.names()), list(dict.fromkeys(columns))
    for name in wanted:
        if name not in known:
            hint = did_you_mean(str(name), map(str, known))
            raise InvalidCase.because(f"no column {name!r}", place=place, hint=hint)
        if known[name] > 1:
            hint = "give each column a name of its own"
            raise InvalidCase.because(f"there are {known[name]} columns {name!r}", place=place, hint=hint)
    return wanted


def _to_pandas(table: Batch) -> pd.DataFrame:
    """Convert to pandas; a column with values that Python cannot represent becomes text."""
    try:
        frame: pd.DataFrame = table.to_pandas()
    except ValueError:
        columns = {name: _or_written(table.column(name)) for name in table.column_names}
        return pd.DataFrame(columns)
    return frame


def _or_written(column: Any) -> Any:
    import pyarrow as pa

    try:
        return column.to_pandas()
    except ValueError:  # of Arrow, or of Python's own dates
        return column.cast(pa.large_string()).to_pandas()


# --- which class opens what ------------------------------------------------------------------------------------------


def _dataset(path: str) -> Any:
    import pyarrow as pa
    from pyarrow import dataset

    found = sorted(glob.glob(path)) or [path]  # noqa: PTH207 -- a pattern may be absolute
    hint = "give a Parquet file, a folder of them, or a pattern such as 'data/*.parquet'"
    try:
        if len(found) == 1:
            return dataset.dataset(found[0], format="parquet", partitioning="hive")
        return dataset.dataset(found, format="parquet")
    except FileNotFoundError:
        raise InvalidCase.because("no such file", place=path, hint=hint) from None
    except (pa.ArrowException, OSError) as error:
        raise InvalidCase.because(f"cannot be read: {str(error).splitlines()[0]}", place=path, hint=hint) from error


def _arrow_rows(table: Any) -> Source:
    """Open a Table, RecordBatch, RecordBatchReader or Dataset of pyarrow."""
    if hasattr(table, "get_fragments"):
        return Files(dataset=table)
    if hasattr(table, "read_next_batch"):
        return Streamed(known=tuple(table.schema.names), read=partial(_once, table), size=_uncounted)
    return _in_memory(_plain(table)) if hasattr(table, "column_names") else _foreign(table)


def _plain(table: Any) -> Any:
    """An in-memory table without the encodings (run-end, string view) from which Arrow cannot take rows."""
    import pyarrow as pa
    from pyarrow import compute, types

    table = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table
    for at, one in enumerate(table.schema):
        column = table.column(at)
        if types.is_run_end_encoded(one.type):
            column = pa.chunked_array(map(compute.run_end_decode, column.chunks), type=one.type.value_type)
        if types.is_string_view(column.type):
            column = column.cast(pa.large_string())
        table = table if column.type == one.type else table.set_column(at, one.name, column)
    return table


def _in_memory(table: Any, *, lazy: bool = False) -> Source:
    return Streamed(
        known=tuple(table.column_names),
        read=lambda columns: [table.select(list(columns))],
        size=lambda: table.num_rows,
        lazy=lazy,
    )


def _once(reader: Any, columns: Sequence[str]) -> Iterator[Batch]:
    return (batch.select(list(columns)) for batch in reader)


def _uncounted() -> int:
    hint = "give `like`, a grid or a sketch, so that one pass is enough"
    raise InvalidCase.because("a reader can be read only once", place="table", hint=hint)


def _polars(table: Any) -> Source:
    if hasattr(table, "cast") and hasattr(table, "select"):
        table = table.cast(dict.fromkeys(_beyond_arrow(), float))
    if hasattr(table, "iter_slices") and hasattr(table, "columns"):
        return Streamed(
            known=tuple(table.columns),
            read=lambda columns: (part.to_arrow() for part in table.select(list(columns)).iter_slices(BATCH_ROWS)),
            size=lambda: int(table.height),
            lazy=False,
        )
    if hasattr(table, "collect_batches"):
        return Streamed(
            known=tuple(table.collect_schema().names()),
            read=lambda columns: _polars_batches(table.select(list(columns))),
            size=partial(_counted, table),
        )
    return _foreign(table)


def _beyond_arrow() -> list[Any]:
    """Polars dtypes without an Arrow equivalent."""
    import polars as pl

    return [getattr(pl, name) for name in ("Int128", "UInt128") if hasattr(pl, name)]


def _polars_batches(lazy: Any) -> Iterator[Batch]:
    """Batches of a polars LazyFrame, from its streaming engine."""
    for part in lazy.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"):
        yield part.to_arrow()


def _duckdb(table: Any) -> Source:
    if not hasattr(table, "to_arrow_reader"):
        return _foreign(table)
    return Streamed(
        known=tuple(table.columns),
        read=lambda columns: table.project(", ".join(map(_quoted, columns))).to_arrow_reader(BATCH_ROWS),
        size=lambda: int(table.aggregate("count(*)").fetchall()[0][0]),
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _dask(table: Any) -> Source:
    return Dask(rows=table) if hasattr(table, "map_partitions") and hasattr(table, "columns") else _foreign(table)


def _spark(table: Any) -> Source:
    return Spark(rows=table) if hasattr(table, "mapInArrow") else _foreign(table)


def _narwhals(table: Any) -> Source:
    return open_table(table.to_native()) if hasattr(table, "to_native") else _foreign(table)


def _counted(table: Any) -> int:
    """Row count of a lazy frame, by its own engine."""
    import narwhals as nw

    return int(nw.from_native(table).select(nw.len()).collect().item())


def _foreign(table: Any) -> Source:
    """Open whatever else narwhals reads."""
    import narwhals as nw

    try:
        frame: Any = nw.from_native(table)
    except TypeError:
        hint = "give a frame of pandas, polars, Arrow, DuckDB, Dask or PySpark, or a Parquet path"
        raise InvalidCase.because(f"{type(table).__name__} is no table", place="table", hint=hint) from None
    if isinstance(frame, nw.DataFrame):
        return _in_memory(frame.to_arrow())
    return Streamed(
        known=tuple(frame.collect_schema().names()),
        read=lambda columns: [frame.select(*columns).collect("pyarrow").to_native()],
        size=partial(_counted, table),
    )


_OPENERS: dict[str, Callable[[Any], Source]] = {
    "pyarrow": _arrow_rows,
    "polars": _polars,
    "duckdb": _duckdb,
    "_duckdb": _duckdb,
    "dask": _dask,
    "pyspark": _spark,
    "narwhals": _narwhals,
}
