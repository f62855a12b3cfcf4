"""Durations of an incident (time to detect, to recover, …), each with both of its moments by name."""

from dataclasses import dataclass
from datetime import datetime

from rca.record.schema.incident import Timeline

MEASURES = {
    "time_to_detect": ("onset", "detected"),
    "time_to_acknowledge": ("alerted", "acknowledged"),
    "time_to_identify": ("detected", "identified"),
    "time_to_contain": ("detected", "contained"),
    "time_to_mitigate": ("detected", "mitigated"),
    "time_to_eradicate": ("detected", "eradicated"),
    "time_to_repair": ("repair_started", "recovered"),
    "time_to_recover": ("onset", "recovered"),
    "time_to_resolve": ("onset", "resolved"),
    "time_to_respond": ("alerted", "recovered"),
    "exposure": ("onset", "contained"),
}
"""Name of a duration → the moments it runs between."""


UNITS = {86_400: "d", 3600: "h", 60: "min", 1: "s"}
"""Seconds of each unit, and its name."""


@dataclass(frozen=True, kw_only=True)
class Duration:
    """The time between two moments of one incident.

    Attributes
    ----------
    name : str
        A key of `MEASURES`.
    seconds : float
        Negative where the record has the moments the other way round; never silently put in order.
    start, end : str
        Names of the moments.
    earliest, latest : float or None
        Seconds, where a moment is an estimate: the interval that its uncertainty leaves.
    estimated : bool
        Whether one of the moments was estimated from the data.
    """

    name: str
    seconds: float
    start: str
    end: str
    earliest: float | None = None
    latest: float | None = None
    estimated: bool = False


def durations(
    timeline: Timeline, onset: datetime | None = None, *, between: tuple[datetime, datetime] | None = None
) -> tuple[Duration, ...]:
    """Every duration that the moments on record allow.

    Parameters
    ----------
    timeline : Timeline
    onset : datetime, optional
        An estimate; used where the record has no onset.
    between : (datetime, datetime), optional
        Earliest and latest that the estimated onset may be.
    """
    moments = dict(timeline.moments())
    estimated = "onset" not in moments and onset is not None
    if estimated:
        moments["onset"] = onset
    rows = []
    for name, (start, end) in MEASURES.items():
        if start in moments and end in moments:
            guessed = estimated and start == "onset"
            rows.append(_duration(name, moments, spread=between if guessed else None, estimated=guessed))
    return tuple(rows)


def _duration(
    name: str, moments: dict[str, datetime], *, spread: tuple[datetime, datetime] | None, estimated: bool
) -> Duration:
    start, end = MEASURES[name]
    return Duration(
        name=name,
        seconds=(moments[end] - moments[start]).total_seconds(),
        start=start,
        end=end,
        earliest=(moments[end] - spread[1]).total_seconds() if spread else None,
        latest=(moments[end] - spread[0]).total_seconds() if spread else None,
        estimated=estimated,
    )


def duration_in_words(seconds: float) -> str:
    """A duration rounded to the smaller of its two largest units.

    >>> duration_in_words(7808400), duration_in_words(75), duration_in_words(-60), duration_in_words(86399)
    ('90 d 9 h', '1 min 15 s', '-1 min', '1 d')
    """
    sign, left = "-" if seconds < 0 else "", abs(seconds)
    size = next((one for one in UNITS if left >= one), 1)
    finest = {86_400: 3600, 3600: 60}.get(size, 1)
    left = round(left / finest) * finest
    parts = []
    for one, unit in UNITS.items():
        count, left = divmod(left, one)
        parts += [f"{count} {unit}"] if count else []
    return sign + " ".join(parts or ["0 s"])


def span_in_words(seconds: float) -> str:
    """A length of time in its largest whole unit.

    >>> span_in_words(86400.0), span_in_words(21600.0), span_in_words(90.0)
    ('one day', '6 hours', '90 seconds')
    """
    for unit, name in ((7 * 86_400, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit and seconds % unit == 0:
            count = int(seconds // unit)
            return f"one {name}" if count == 1 else f"{count} {name}s"
    return "one second" if seconds == 1 else f"{seconds:g} seconds"
