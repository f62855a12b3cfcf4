"""Moments: times with an offset, written in ISO 8601."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

FIRST, LAST = 1900, 2200
"""Years between which an incident can lie; a year outside them is a placeholder (year 1) or a slip."""


def _in_words(value: Any) -> Any:
    """Refuse what pydantic would take for seconds since 1970, or for midnight."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d", value):
        raise ValueError("a time in ISO 8601 was expected, with date, hour and offset, such as 2026-05-02T09:10:00Z")
    return value


def _in_living_memory(value: datetime) -> datetime:
    if not FIRST <= value.year <= LAST:
        raise ValueError(f"the year {value.year} is a placeholder or a slip; where a time is not known, write null")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_in_words), AfterValidator(_in_living_memory)]
"""A time with an offset, in a year that an incident can lie in."""
