"""A drill that is over, as a record: the team's play and the reference's, their points, the truth, and a why-tree."""

from collections.abc import Iterator
from datetime import datetime

from rca.practice.drill.engine import State, plain
from rca.practice.drill.grading import Point, grade
from rca.practice.drill.hidden import Hidden
from rca.practice.drill.teams import play
from rca.record.schema.drill import Drill
from rca.record.schema.why_tree import Why, why
from rca.report.rendering.plain_text import number


def reference_of(hidden: Hidden) -> tuple[State, tuple[Point, ...]]:
    """What a good team would have done, and its points."""
    state = play(hidden)
    return state, grade(hidden, state)


def debrief(hidden: Hidden, state: State, held: datetime) -> Drill:
    """The record of a drill that is over."""
    return Drill.model_validate({
        "id": f"drill-{hidden.kind}-{hidden.level}-{hidden.seed}", "held": held.isoformat(), "kind": hidden.kind,
        "level": hidden.level, "seed": hidden.seed, "people": state.people, "place": hidden.place,
        "truth": hidden.truth, "answers": hidden.answers, "harm": hidden.harm,
        "possible": round(hidden.harms(())[1], 1), "severity": hidden.severity, "script": state.typed,
        "team": _played(hidden, state), "reference": _played(hidden, reference_of(hidden)[0]),
        "whys": [one.model_dump(mode="json") for one in _whys(hidden, state)],
    })  # fmt: skip


def _played(hidden: Hidden, state: State) -> dict[str, object]:
    points = [vars(one) for one in grade(hidden, state)]
    return {"log": plain(state), "points": points, "stopped": round(hidden.harms(state.contained)[0], 1)}


def _whys(hidden: Hidden, state: State) -> Iterator[Why]:
    """Why there was harm, and why it went on: known where the drill knows, open where the team has to say."""
    stopped, possible = hidden.harms(state.contained)
    helped = [(minute, name) for minute, name in state.contained if hidden.measures[name].stops > 0]
    began = f"It began before the first alert: {hidden.truth}"
    yield why(f"Why were there {hidden.harm}?").because(
        began,
        why("Why did nobody see it when it began?"),
        why("Why could it reach those who were harmed?"),
        evidence="truth of the drill",
        strength="shown",
    )
    ended = (
        f"{helped[0][1]}, in minute {helped[0][0]}, was the first measure that helped; "
        f"{number(stopped)} of {number(possible)} were stopped"
        if helped else f"Nothing that was done helped; none of {number(possible)} was stopped"
    )  # fmt: skip
    yield why("Why did it go on after the first alert?").because(
        ended, why("Why was it not sooner?"), evidence="timeline of the drill", strength="shown"
    )
