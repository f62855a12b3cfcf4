"""Past incidents of a folder of cases, with the causes on record and those of their reports."""

import json
from os import PathLike
from pathlib import Path
from typing import Any

from rca.errors import InvalidCase
from rca.record.case import Case
from rca.record.files.case_folder import RECORD
from rca.record.obligations.recurring import Past, past


def past_incidents(
    folder: "str | PathLike[str]", *, reports: "str | PathLike[str] | None" = None
) -> tuple[list[Past], list[str]]:
    """What the cases of a folder tell of past incidents.

    Parameters
    ----------
    folder : path
        Of case folders.
    reports : path, optional
        Folder of their reports, whose verdicts name causes beside the why-trees.

    Returns
    -------
    incidents : list of Past
    unread : list of str
        Cases that cannot be read, or have no moment.

    Raises
    ------
    InvalidCase
        If there are no cases.
    """
    records = sorted(Path(folder).glob(f"*/{RECORD}"))
    if not records:
        raise InvalidCase.because("there are no cases here", place=str(folder), hint="name a folder of case folders")
    found, unread = [], []
    for record in records:
        try:
            incident = Case.load(record.parent).incident
        except InvalidCase:
            unread.append(record.parent.name)
            continue
        told = Path(reports) / incident.id / "results.json" if reports else None
        one = past(incident, _verdict_causes(told, incident.model_name) if told else ())
        found += [one] if one else []
        unread += [] if one else [incident.id]
    return found, unread


def _verdict_causes(results: Path, system: str) -> list[str]:
    """The first cause of a verdict and every other that is shown, with the system that it broke in."""
    try:
        causes: list[dict[str, Any]] = json.loads(results.read_bytes())["verdict"]["causes"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    named = [one for at, one in enumerate(causes) if one.get("strength") == "shown" or at == 0]
    return [_worded(one, system) for one in named if one.get("strength") != "assumed"]


def _worded(cause: dict[str, Any], system: str) -> str:
    """A cause as text, the same for the same cause.

    >>> _worded({"kind": "feature", "name": "pmms", "fault": "frozen"}, "credit-risk")
    'feature pmms frozen, credit-risk'
    """
    words = (cause.get("kind"), cause.get("name"), cause.get("fault"))
    return f"{' '.join(str(word) for word in words if word)}, {system}"
