"""Adapters, one an engine, that run a job on Arrow batches where the rows are: pandas, Arrow, Parquet, Dask, Spark.

Only the outcome of the job is returned, never the rows (but for samples).
"""

import base64
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd

from rca.tables.arrow_arrays import from_pandas, is_text

Batch = Any
"""A pyarrow Table or RecordBatch; pyarrow publishes no types."""

BATCH_ROWS = 65_536
"""Rows of a batch: a few megabytes, whatever the table's size."""

SPREAD = 8
"""Most row groups that a sample of Parquet files is taken from."""

THREADS = 4
"""Row groups read at a time, at most; each takes a batch's memory."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Work(Generic[T]):
    """A job on batches, with the serialisation of its outcome.

    Attributes
    ----------
    run : callable
        From batches to an outcome. It must not keep batches.
    pack, unpack : callable
        From an outcome to ASCII text, and back. Needed only where rows are on other machines.
    """

    run: Callable[[Iterable[Batch]], T]
    pack: Callable[[T], str]
    unpack: Callable[[str], T]


class Source(Protocol):
    """Protocol of a table on which jobs can be run."""

    @property
    def lazy(self) -> bool:
        """Whether rows are read only when they are asked for."""

    def names(self) -> list[str]:
        """Names of the columns."""

    def count(self) -> int:
        """Number of rows."""

    def each(self, columns: Sequence[str], work: Work[T]) -> Iterator[T]:
        """Outcomes of the job by partition, in a reproducible order."""

    def sample(self, columns: Sequence[str], rows: int) -> Batch:
        """Systematic sample of at most about `rows` rows as a pyarrow Table; never random."""


# --- work that comes up with every engine ----------------------------------------------------------------------------


def stride(rows: int, wanted: int) -> int:
    """Step of a systematic sample that keeps at most the wanted number of rows.

    >>> stride(100, 30), stride(5, 30)
    (4, 1)
    """
    return max(1, -(-rows // max(wanted, 1)))


def collected(batches: Iterable[Batch]) -> Batch:
    """Concatenate batches to one table."""
    import pyarrow as pa

    tables = [each if isinstance(each, pa.Table) else pa.Table.from_batches([each]) for each in batches]
    return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})


def _thinned(step: int, batches: Iterable[Batch]) -> Batch:
    """Systematic sample: every `step`-th row of a stream."""
    return collected(_strided(step, batches))


def _strided(step: int, batches: Iterable[Batch]) -> Iterator[Batch]:
    first = 0
    for batch in batches:
        yield batch.take(np.arange(first, batch.num_rows, step))
        first = (first - batch.num_rows) % step


def packed_table(table: Batch) -> str:
    """Serialise a table to ASCII text, as an Arrow IPC stream in base 64."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return base64.b64encode(sink.getvalue()).decode()


def unpacked_table(text: str) -> Batch:
    """Inverse of `packed_table`."""
    import pyarrow as pa

    return pa.ipc.open_stream(base64.b64decode(text)).read_all()


# --- one class an engine ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Pandas:
    """Adapter of a pandas frame."""

    rows: pd.DataFrame
    lazy: bool = False

    def names(self) -> list[str]:
        return list(self.rows.columns)

    def count(self) -> int:
        return len(self.rows)

    def each(self, columns: Sequence[str], work: Work[T]) -> Iterator[T]:
        yield work.run([_arrow(self.rows, columns)])

    def sample(self, columns: Sequence[str], rows: int) -> Batch:
        return _arrow(self.rows.iloc[:: stride(len(self.rows), rows)], columns)


def _arrow(rows: pd.DataFrame, columns: Sequence[str]) -> Batch:
    import pyarrow as pa

    return pa.table({str(name): from_pandas(rows[name]) for name in columns})


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """Adapter of any reader that yields Arrow batches in one process.

    Attributes
    ----------
    known : tuple of str
    read : callable
        From columns to batches, from the first row.
    size : callable
    """

    known: tuple[str, ...]
    read: Callable[[Sequence[str]], Iterable[Batch]]
    size: Callable[[], int]
    lazy: bool = True

    def names(self) -> list[str]:
        return list(self.known)

    def count(self) -> int:
        return self.size()

    def each(self, columns: Sequence[str], work: Work[T]) -> Iterator[T]:
        yield work.run(self.read(columns))

    def sample(self, columns: Sequence[str], rows: int) -> Batch:
        return _thinned(stride(self.count(), rows), self.read(columns))


@dataclass(frozen=True, kw_only=True)
class Files:
    """Adapter of an Arrow dataset (Parquet and others), a few row groups at a time.

    Attributes
    ----------
    dataset : pyarrow.dataset.Dataset
    coded : bool
        Whether texts of Parquet files are read dictionary-encoded: quicker to read and to count.
    """

    dataset: Any
    coded: bool = False
    lazy: bool = True

    def names(self) -> list[str]:
        return list(self.dataset.schema.names)

    def count(self) -> int:
        return int(self.dataset.count_rows())

    def each(self, columns: Sequence[str], work: Work[T]) -> Iterator[T]:
        parts = self._parts()
        with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
            yield from pool.map(lambda part: work.run(self._read(part, columns)), parts)

    def sample(self, columns: Sequence[str], rows: int) -> Batch:
        parts = self._parts()
        chosen = sorted({round(i * (len(parts) - 1) / (SPREAD - 1)) for i in range(SPREAD)}) if parts else []
        step = stride(sum(_size(parts[i]) for i in chosen), rows)
        thinned = [_thinned(step, self._read(parts[i], columns)) for i in chosen]
        return collected(thinned) if thinned else self.dataset.schema.empty_table().select(list(columns))

    def _parts(self) -> list[Any]:
        parts: list[Any] = []
        for fragment in self.dataset.get_fragments():
            if hasattr(fragment, "split_by_row_group"):
                parts += (self._in_codes(fragment) if self.coded else fragment).split_by_row_group()
            else:
                parts.append(fragment)
        return parts

    def _in_codes(self, fragment: Any) -> Any:
        """A Parquet fragment whose texts are read dictionary-encoded."""
        from pyarrow.dataset import ParquetFileFormat

        form = ParquetFileFormat(dictionary_columns=_texts(fragment.physical_schema))
        return form.make_fragment(fragment.path, fragment.filesystem, fragment.partition_expression)

    def _read(self, part: Any, columns: Sequence[str]) -> Iterator[Batch]:
        schema = _as_codes(self.dataset.schema) if self.coded else self.dataset.schema
        batches: Iterator[Batch] = part.to_batches(
            columns=list(columns), schema=schema, batch_size=BATCH_ROWS, batch_readahead=1, use_threads=False
        )
        return batches


def _size(part: Any) -> int:
    """Rows of a part; a row group counts those of its whole file if it is asked itself."""
    return sum(group.num_rows for group in part.row_groups) if hasattr(part, "row_groups") else int(part.count_rows())


def _texts(schema: Any) -> list[str]:
    return [each.name for each in schema if is_text(each.type)]


def _as_codes(schema: Any) -> Any:
    import pyarrow as pa

    for at, each in enumerate(schema):
        if is_text(each.type) and not pa.types.is_dictionary(each.type):
            schema = schema.set(at, pa.field(each.name, pa.dictionary(pa.int32(), each.type)))
    return schema


@dataclass(frozen=True, kw_only=True)
class Dask:
    """Adapter of a Dask frame; jobs run by partition."""

    rows: Any
    lazy: bool = True

    def names(self) -> list[str]:
        return list(self.rows.columns)

    def count(self) -> int:
        return len(self.rows)

    def each(self, columns: Sequence[str], work: Work[T]) -> Iterator[T]:
        meta = pd.DataFrame({"packed": pd.Series([], dtype="str")})
        packed = self.rows[list(columns)].map_partitions(_in_partition, work, meta=meta).compute()
        yield from map(work.unpack, packed["packed"])

    def sample(self, columns: Sequence[str], rows: int) -> Batch:
        return _thinned_there(self, columns, rows)


def _in_partition(rows: pd.DataFrame, work: Work[T]) -> pd.DataFrame:
    return pd.DataFrame({"packed": pd.Series([work.pack(work.run([_arrow(rows, list(rows.columns))]))], dtype="str")})


@dataclass(frozen=True, kw_only=True)
class Spark:
    """Adapter of a Spark frame; `rca` has to be installed on its workers."""

    rows: Any
    lazy: bool = True

    def names(self) -> list[str]:
        return list(self.rows.columns)

    def count(self) -> int:
        return int(self.rows.count())

    def each(self, columns: Sequence[str], work: Work[T]) -> Iterator[T]:
        places = [f"c{self.names().index(name)}" for name in columns]  # no name needs quotes then
        with warnings.catch_warnings():
            # Spark warns of pandas 3 whatever it is asked; no pandas frame is made here.
            warnings.simplefilter("ignore", FutureWarning)
            rows = self.rows.toDF(*(f"c{at}" for at in range(len(self.names())))).select(*places)
            found = rows.mapInArrow(partial(_in_worker, work, list(columns)), "packed string").collect()
        yield from (work.unpack(row[0]) for row in found)

    def sample(self, columns: Sequence[str], rows: int) -> Batch:
        return _thinned_there(self, columns, rows)


def _in_worker(work: Work[T], names: list[str], batches: Iterator[Batch]) -> Iterator[Batch]:
    import pyarrow as pa

    packed = work.pack(work.run(batch.rename_columns(names) for batch in batches))
    yield pa.RecordBatch.from_pydict({"packed": [packed]})


def _thinned_there(source: Source, columns: Sequence[str], rows: int) -> Batch:
    """Systematic sample of each partition, taken where it is."""
    step = stride(source.count(), rows)
    return collected(source.each(columns, Work(run=partial(_thinned, step), pack=packed_table, unpack=unpacked_table)))
