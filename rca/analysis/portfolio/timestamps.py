"""Parse timestamps to microseconds in UTC; those without an offset need a zone, or are refused."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rca.arrays import Mask
from rca.errors import InvalidCase
from rca.record.files.yaml_document import show
from rca.record.schema.moment import FIRST, LAST
from rca.tables.columns import encodable

Ticks = npt.NDArray[np.int64]

Codes = npt.NDArray[np.int64]

UNKNOWN = int(np.iinfo(np.int64).min)
"""Missing timestamp, among microseconds since 1970."""

TICKS = 1_000_000
"""Microseconds of a second."""

OFFSET = "write times in ISO 8601 with an offset, such as 2026-05-02T09:10:00Z"

_OFFSET = re.compile(r"\d[T ]\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$", re.IGNORECASE)

_NAIVE = re.compile(r"\d{4}-?\d\d-?\d\d(?:[T ]\d\d.*)?")


def when(ticks: int) -> datetime | None:
    """Convert microseconds since 1970 to a datetime in UTC; None where missing.

    >>> when(0)
    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    if ticks in (UNKNOWN, np.iinfo(np.int64).max):
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(ticks))


def moment_of(given: datetime | str | None, *, place: str) -> int:
    """Parse one timestamp to microseconds since 1970; `UNKNOWN` for None.

    Raises
    ------
    InvalidCase
        If it is no time, or has no offset.

    Examples
    --------
    >>> moment_of("1970-01-01T01:00:00+01:00", place="as_of"), moment_of(None, place="as_of") == UNKNOWN
    (0, True)
    """
    if given is None:
        return UNKNOWN
    what = f"{show(str(given))} is no time with an offset"
    try:
        at = pd.Timestamp(given)
    except (ValueError, TypeError) as error:
        raise InvalidCase.because(what, place=place, hint=OFFSET) from error
    if at.tzinfo is None:  # nor has NaT one
        raise InvalidCase.because(what, place=place, hint=OFFSET)
    return int(at.tz_convert("UTC").as_unit("us").asm8.astype(np.int64))


def is_number(values: "pd.Series[Any]") -> bool:
    """Whether a column holds numbers, which are not read as timestamps.

    >>> is_number(pd.Series([1, 2])), is_number(pd.Series([None, None], dtype=float))
    (True, False)
    """
    return bool(pd.api.types.is_numeric_dtype(values)) and bool(values.notna().any())


def ticks_of(values: "pd.Series[Any]", name: str, *, zone: str | None = None) -> tuple[Ticks, Mask, Mask]:
    """Parse a column of timestamps to microseconds since 1970 in UTC.

    Parameters
    ----------
    values : pandas.Series of shape (n,)
        Times with an offset: as such, or as text in ISO 8601; those without one are read in the `zone`.
    name : str
        What errors call it.
    zone : str, optional

    Returns
    -------
    ticks : ndarray of int64, shape (n,)
    lost, slip : ndarray of bool, shape (n,)
        Where something stands that is no time, or whose year is a placeholder; both are `UNKNOWN`.

    Raises
    ------
    InvalidCase
        If there are times without an offset and no zone, numbers, or nothing that can be read.

    Examples
    --------
    >>> [each.tolist() for each in ticks_of(pd.Series(["1970-01-01T00:00:01Z", "soon"]), "onset")]
    [[1000000, -9223372036854775808], [False, True], [False, False]]
    """
    known = values.notna().to_numpy(bool)
    kept = _times(values, name, zone=zone).dt.tz_convert("UTC")
    lost = known & kept.isna().to_numpy(bool)
    if known.any() and lost[known].all():
        first = show(str(values[known].iloc[0]))
        raise InvalidCase.because(f"no time can be read: the first is {first}", place=f"log, {name}", hint=OFFSET)
    year = kept.dt.year.to_numpy(float, na_value=np.nan)
    slip = (year < FIRST) | (year > LAST)
    ticks = kept.dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    return np.where(slip, UNKNOWN, ticks), lost, slip


def _times(values: "pd.Series[Any]", name: str, *, zone: str | None) -> "pd.Series[Any]":
    """Parse a column to zone-aware timestamps; NaT where one cannot be read."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.astype(pd.DatetimeTZDtype("us", values.dtype.tz))
    if not values.notna().any():
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[us, UTC]")
    if pd.api.types.is_datetime64_any_dtype(values):
        return _in_zone(values.astype("datetime64[us]"), name, zone, first=values.dropna())
    if is_number(values):
        raise InvalidCase.because("holds numbers, and times were expected", place=f"log, {name}", hint=OFFSET)
    words = values.dropna().map(_written).astype(str).str.strip().str.replace(r" ?UTC$", "Z", regex=True)
    zoned = words.str.contains(_OFFSET)
    naive = words[~zoned & words.str.fullmatch(_NAIVE)]
    times = pd.to_datetime(words[zoned], utc=True, format="ISO8601", errors="coerce").astype("datetime64[us, UTC]")
    if len(naive):
        local = _in_zone(pd.to_datetime(naive, format="ISO8601", errors="coerce"), name, zone, first=naive)
        times = pd.concat([times, local.dt.tz_convert("UTC")])
    return times.reindex(values.index)


def _written(value: object) -> str:
    return encodable(str(value))


def _in_zone(local: "pd.Series[Any]", name: str, zone: str | None, *, first: "pd.Series[Any]") -> "pd.Series[Any]":
    """Localise naive timestamps in a zone; ambiguous and non-existent ones (clock changes) become NaT."""
    if zone is None:
        example = f"row {first.index[0] + 1} says {show(str(first.iloc[0]))}, a time"
        hint = f"{OFFSET}; or say in which zone they are: `zone`, such as Europe/Berlin"
        raise InvalidCase.because(f"{example} without an offset", place=f"log, {name}", hint=hint)
    try:
        return local.astype("datetime64[us]").dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    except (LookupError, ValueError, OSError) as error:
        hint = "give a name of the tz database, such as Europe/Berlin"
        raise InvalidCase.because(f"no zone is called {show(zone)}", place="zone", hint=hint) from error
