"""The tables of a case: Parquet, Arrow or CSV files inside its folder, cut to a window and read as pandas frames.

Times come out as UTC datetimes. A table whose times have no offset, or a path that leaves the folder, is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rca.errors import InvalidCase
from rca.record.files.case_folder import REFUSED, hold_inside, inside, walk, wrong_path
from rca.record.files.yaml_document import near, plain, show

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMATS = {
    ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow",
    ".csv": "csv", ".gz": "csv",
}  # fmt: skip
"""Ending of a file → how it is read; `.gz` is `.csv.gz`."""

PICKLED = (
    *(bytes((0x80, protocol)) for protocol in range(2, 6)),
    b"(lp", b"(dp", b"(i", b"ccopy_reg", b"c__builtin__", b"cbuiltins", b"cos\n", b"cposix\n",
    b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"BZh", b"\xfd7zXZ", b"\x5d\x00\x00", b"\x04\x22\x4d\x18",
)  # fmt: skip
"""How pickles begin, bare or as joblib compresses them, whatever their file is called."""


def table_files(folder: Path, path: str, *, place: str) -> list[Path]:
    """The files a table consists of: one, those of a folder, or those a glob finds, in order of name.

    Raises
    ------
    InvalidCase
        If there are none, they are of several formats or of an unknown one, or one of them lies outside the folder.
    """
    if any(sign in path for sign in "*?["):
        files = _found(folder, path, place)
    elif (whole := inside(folder, path, place=place)).is_dir():
        files = [file for file in walk(whole) if file.suffix.lower() in FORMATS]
    else:
        files = [whole]
    if not files:
        raise InvalidCase.because(
            f"{show(path)} holds no table", place=place, hint="tables are .parquet, .arrow, .feather or .csv files"
        )
    for file in files:
        hold_inside(folder.resolve(), file, path=file.name, place=place)
        if not file.is_file():
            raise InvalidCase.because(f"{show(file.name)} is not a regular file", place=place)
    return files


def _found(folder: Path, pattern: str, place: str) -> list[Path]:
    if wrong := wrong_path(pattern):
        raise InvalidCase.because(wrong[0], place=place, hint=wrong[1])
    home = folder.resolve()
    try:
        found = sorted(home.glob(pattern))
    except (ValueError, NotImplementedError) as error:
        raise InvalidCase.because(f"{show(pattern)} is no pattern of file names", place=place) from error
    names = ((file, file.relative_to(home).as_posix()) for file in found if not file.is_dir())
    return [file for file, name in names if not wrong_path(name)]


# --- tables -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows of some files between two times, read lazily.

    Attributes
    ----------
    files : tuple of Path
        All of one format; read in this order.
    place : str
        Where the record names them; messages cite it.
    time : str or None
        The column of times.
    start, end : datetime or None
        Rows from `start` on and before `end`.
    """

    files: tuple[Path, ...]
    place: str
    time: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    @cached_property
    def format(self) -> str:
        """How the files are read: parquet, arrow or csv."""
        for file in self.files:
            with file.open("rb") as opened:
                if opened.read(16).startswith(PICKLED):
                    raise InvalidCase.because(f"{show(file.name)} {REFUSED}", place=self.place)
        formats = {FORMATS.get(file.suffix.lower(), file.suffix) for file in self.files}
        if len(formats) == 1 and formats <= set(FORMATS.values()):
            return formats.pop()
        many = f"files of several formats ({', '.join(map(show, sorted(formats)))})"
        what = many if len(formats) > 1 else f"{show(self.files[0].name)} is no table that can be read"
        raise InvalidCase.because(what, place=self.place, hint="tables are .parquet, .arrow, .feather or .csv files")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, without reading a row of Parquet or Arrow."""
        with _readable(self):
            names = _same_names(self, _headers(self) if self.format == "csv" else self._schemas())
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidCase.because(f"the column {show(twice[0])} comes twice", place=self.place)
        return tuple(name for name in names if not _is_row_number(name))

    def read(self) -> "pd.DataFrame":
        """The rows as a new frame, times in UTC.

        Raises
        ------
        InvalidCase
            If the files cannot be read, or the times are none or have no offset.
        """
        columns = list(self.columns)
        if self.time is not None and self.time not in columns:
            what = f"the table has no column {show(self.time)} (data.time)"
            raise InvalidCase.because(what, place=self.place, hint=near(self.time, columns))
        with _readable(self):
            frame = _csv(self) if self.format == "csv" else _frame(self._dataset.to_table(columns, filter=_cut(self)))
        return frame if self.time is None else self._timed(frame)

    @cached_property
    def _dataset(self) -> Any:
        """The files as one Arrow dataset; a column of several numeric types is read in the widest."""
        import pyarrow as pa
        import pyarrow.dataset as ds

        paths, sort = [str(file) for file in self.files], "feather" if self.format == "arrow" else "parquet"
        found = ds.dataset(paths, format=sort)
        schemas = [fragment.physical_schema.remove_metadata() for fragment in found.get_fragments()]
        return ds.dataset(paths, format=sort, schema=pa.unify_schemas(schemas, promote_options="permissive"))

    def _schemas(self) -> list[list[str]]:
        return [fragment.physical_schema.names for fragment in self._dataset.get_fragments()]

    def _timed(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        assert self.time is not None
        times = in_utc(frame[self.time], place=f"{self.place}, column {show(self.time)}")
        frame = frame.assign(**{self.time: times})
        keep = times.notna() if self.start or self.end else times.index == times.index
        if self.start:
            keep &= times >= self.start
        if self.end:
            keep &= times < self.end
        return frame if keep.all() else frame[keep].reset_index(drop=True)


class _readable:  # noqa: N801 - it reads as a word: with _readable(table)
    """Turns what readers raise about a bad file into `InvalidCase`."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def __enter__(self) -> None:
        pass

    def __exit__(self, sort: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        import pyarrow as pa

        if isinstance(error, OSError | ValueError | pa.ArrowException):
            said = str(error).splitlines() or [type(error).__name__]
            short = said[0].replace(str(self.table.files[0].parent), "…")
            what = f"{show(self.table.files[0].name)} cannot be read as {self.table.format}: {plain(short)}"
            raise InvalidCase.because(what, place=self.table.place) from error


def _is_row_number(name: str) -> bool:
    """Whether pandas stored its index under this name when it wrote the file; it says nothing about a row."""
    return name == "" or (name.startswith("__index_level_") and name.endswith("__"))


def _cut(table: Table) -> Any:
    """The window as a filter for predicate pushdown; None where the times have to be parsed first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if table.time is None or not (table.start or table.end):
        return None
    sort = table._dataset.schema.field(table.time).type  # noqa: SLF001 - one module
    if not (pa.types.is_timestamp(sort) and sort.tz and sort.unit in ("us", "ns")):
        return None  # a coarser column would round the bounds
    field, bounds = pc.field(table.time), []
    if table.start:
        bounds.append(field >= pa.scalar(table.start, type=pa.timestamp("us", tz="UTC")).cast(sort))
    if table.end:
        bounds.append(field < pa.scalar(table.end, type=pa.timestamp("us", tz="UTC")).cast(sort))
    return reduce(and_, bounds)


def _frame(table: "pa.Table") -> "pd.DataFrame":
    """An Arrow table as a frame of plain numpy types: decimals, and truth values with gaps, become floats."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        gaps = pa.types.is_boolean(field.type) and table.column(at).null_count
        if pa.types.is_decimal(field.type) or gaps:
            small = table.column(at).cast(pa.int8()) if gaps else table.column(at)
            table = table.set_column(at, field.name, small.cast(pa.float64()))
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame


def _headers(table: Table) -> list[list[str]]:
    return [_header_of(file) for file in table.files]


def _header_of(file: Path) -> list[str]:
    """Names of the columns as they stand in the file; a column of row numbers has none.

    Raises
    ------
    InvalidCase
        If the first row has more fields than the header: then every value would belong to another column.
    """
    import pandas as pd

    try:
        first = pd.read_csv(file, nrows=2, header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except pd.errors.ParserError as error:
        if "Expected" not in str(error):  # "Expected 2 fields in line 2, saw 3"; whatever else it is, it is no table
            raise
        raise InvalidCase.because(
            f"the rows of {show(file.name)} have more fields than its header has names",
            place=file.name,
            hint="is there a comma too many?",
        ) from error
    return [str(name) for name in first.iloc[0]]


def _same_names(table: Table, names: list[list[str]]) -> list[str]:
    """The names of the first file, which those of the others have to be too."""
    odd = next((file for file, other in zip(table.files, names, strict=True) if set(other) != set(names[0])), None)
    if odd:
        raise InvalidCase.because(
            f"{show(odd.name)} has other columns than {show(table.files[0].name)}", place=table.place
        )
    return names[0]


def _csv(table: Table) -> "pd.DataFrame":
    import pandas as pd

    kinds = {table.time: str} if table.time else None
    options: dict[str, Any] = {"header": 0, "index_col": False, "low_memory": False, "encoding": "utf-8-sig"}
    parts = [pd.read_csv(file, names=_header_of(file), dtype=kinds, **options) for file in table.files]
    frame: pd.DataFrame = pd.concat(parts, ignore_index=True)[list(table.columns)]
    return frame


def in_utc(times: "pd.Series[Any]", *, place: str) -> "pd.Series[Any]":
    """Times of a table as UTC datetimes.

    Raises
    ------
    InvalidCase
        If one of them has no offset, or is no time.
    """
    import pandas as pd

    if isinstance(times.dtype, pd.DatetimeTZDtype):
        return cast("pd.Series[Any]", times.dt.tz_convert("UTC"))
    if pd.api.types.is_datetime64_any_dtype(times):
        raise InvalidCase.because("the times have no offset", place=place, hint=_OFFSET)
    if not (pd.api.types.is_string_dtype(times) or times.isna().all()):
        raise InvalidCase.because(f"holds {times.dtype}, and times were expected", place=place, hint=_OFFSET)
    return _parsed(times, place=place)


_OFFSET = "write times in ISO 8601 with an offset, such as 2026-05-02T09:10:00Z"


def _parsed(times: "pd.Series[Any]", *, place: str) -> "pd.Series[Any]":
    import pandas as pd

    words = times.dropna().astype(str)
    naive = words[~words.str.contains(r"\d[T ]\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)\s*$", case=False)]
    if len(naive):
        what = f"row {naive.index[0] + 1} says {show(naive.iloc[0])}, a time without an offset"
        raise InvalidCase.because(what, place=place, hint=_OFFSET)
    parsed = pd.to_datetime(words, utc=True, format="ISO8601", errors="coerce")
    if len(bad := words[parsed.isna()]):
        what = f"row {bad.index[0] + 1} says {show(bad.iloc[0])}, no time"
        raise InvalidCase.because(what, place=place, hint=_OFFSET)
    return parsed.reindex(times.index).astype("datetime64[us, UTC]")
