"""A team's own past incident as a drill: who and when are changed, and the cause that the analysis found is hidden.

There is no second world without the fault. Harm is counted otherwise: what the metric lost, spread evenly over the rows
since it began; rows that come after containment are rows of the reference window, drawn at random. Columns keep their
names, texts and groups their words: a team that was there may know its incident again.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from rca.analysis.conclusion.analyse import analyse
from rca.analysis.conclusion.verdict import Verdict
from rca.analysis.inputs.windows import both_windows, windows_of
from rca.errors import InvalidCase
from rca.practice.drill.briefings import BRIEFINGS, Briefing, record
from rca.practice.drill.hidden import HOURS, Hidden
from rca.practice.drill.incidents import BAITS
from rca.practice.drill.looks import hurt
from rca.record.case import Case
from rca.record.schema.incident import Incident

SIMILAR = {"bias": "hiring", "harmful_output": "chatbot", "security": "injection"}
"""Category → the kind of drill whose measures fit; credit's for all others."""

SEEN = 0.5
"""Share of the rows since the onset that have come when the drill begins."""

ROLES = ("label", "positive", "prediction", "score", "weight", "id", "groups", "text", "ignore", "categorical")


def of_case(case: Case, *, seed: int, level: int = 2) -> Hidden:
    """A drill made of a case with tables of both windows, whose cause its analysis names.

    Raises
    ------
    InvalidCase
        If there are no tables with a time, or no cause is found that could be hidden.
    """
    data, incident = case.incident.data, case.incident
    if data is None or data.time is None or case.reference is None or case.current is None:
        what, hint = (
            "has no tables of both windows with a column of times",
            "lines of systems can be drilled with --kind line",
        )
        raise InvalidCase.because(what, place=incident.id, hint=hint)
    found = analyse(case).verdict
    if not found.causes or found.causes[0].strength == "assumed":
        raise InvalidCase.because("has no cause that could be hidden: its analysis names none", place=incident.id)
    rng = np.random.default_rng([seed, level, 7])
    begins = pd.Timestamp("2027-01-04T08:00:00Z").as_unit("s") + pd.Timedelta(days=int(rng.integers(0, 360)))
    reference, current, since = _moved(case, found, begins)
    kind = SIMILAR.get(incident.category, "credit")
    story = _story(case, BRIEFINGS[kind])
    clean = reference.sample(len(current), replace=True, random_state=int(rng.integers(2**31)))
    clean = clean.assign(**{data.time: current[data.time].to_numpy()}).set_axis(current.index)
    windows = windows_of(case)
    lost = abs(hurt(current[current[data.time] >= since], windows) - hurt(reference, windows))
    asked = {name: said for name in ROLES if (said := getattr(data, name)) not in (None, ())}
    fault = f" ({found.causes[0].fault})" if found.causes[0].fault else ""
    told = f"{found.causes[0].name}{fault}, as the analysis of the case has it"
    return Hidden(
        kind=kind, place=story.place, level=level, seed=seed, begins=begins,
        incident=_record(record(story, begins, rng, kind=kind), incident), reference=reference, clean=clean,
        broken=current,
        harmed=np.where((current[data.time] >= since).to_numpy(), min(lost, 1.0), 0.0), harm=story.harm,
        draws=rng.random(len(current)), time=data.time, label=data.label,
        asked={"metric": incident.metric, "model": case.model, "time": data.time, **asked},
        answers=tuple(one.name for one in found.causes if one.strength == found.causes[0].strength),
        truth=told, lead=_lead(found, case), asks=story.asks, bait=str(rng.choice(BAITS)), measures=story.measures,
    )  # fmt: skip


def _story(case: Case, like: Briefing) -> Briefing:
    """The briefing of a similar drill, with the systems of the case under other names."""
    systems = tuple(f"system-{at}" for at, _ in enumerate(case.incident.systems, start=1)) or ("system-1",)
    return replace(
        like, place="a system like one of yours", harm="cases beyond what is usual", systems=systems, events=(),
        alert="the metric of the system is above its band", asks="your system does harm", perhaps=(),
        category=case.incident.category,
    )  # fmt: skip


def _record(made: Incident, own: Incident) -> Incident:
    """The record of the drill, under the facts that the case has."""
    return made.model_copy(update={"obligations": own.obligations.model_copy(update={"triggers": {}})})


def _moved(case: Case, found: Verdict, begins: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp]:
    """Both windows with other times and ids, and the onset: what lies ahead of the first alert fills the drill."""
    data = case.incident.data
    if data is None or data.time is None:
        raise InvalidCase.because("has no column of times", place=case.incident.id)
    time = data.time
    rows = [frame.assign(**{time: pd.to_datetime(frame[time], utc=True)}) for frame in both_windows(case)]
    current = rows[1].sort_values(time, kind="stable").reset_index(drop=True)
    began = case.incident.timeline.onset or (found.onset.at if found.onset is not None else None)
    onset = pd.Timestamp(began) if began is not None else current[time].iloc[0]
    first = int((current[time] < onset).sum())
    alert = current[time].iloc[min(first + int(SEEN * (len(current) - first)), len(current) - 2)]
    scale = pd.Timedelta(hours=HOURS) / max(current[time].iloc[-1] - alert, pd.Timedelta(seconds=1))
    hidden = [name for name in (data.id, data.entity) if name]

    def other(frame: pd.DataFrame) -> pd.DataFrame:
        at = begins + (frame[time] - alert) * scale
        codes = {name: pd.factorize(frame[name])[0] for name in hidden}
        return frame.assign(**{time: at.dt.floor("s"), **codes})

    return other(rows[0]), other(current), begins + (onset - alert) * scale


def _lead(found: Verdict, case: Case) -> str:
    """An input that is not to blame, for the colleague's theory."""
    named = {one.name for one in found.causes}
    return next((name for name in case.roles.features if name not in named), "the load")
