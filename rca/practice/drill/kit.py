"""The facilitator's kit: a script of what comes in, and an answer sheet, to be printed, from one seed."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from rca.practice.drill.debrief import reference_of
from rca.practice.drill.engine import ROLES
from rca.practice.drill.grading import AREAS
from rca.practice.drill.hidden import LEVELS, Hidden
from rca.practice.drill.injects import injects
from rca.practice.drill.looks import owed
from rca.practice.drill.terminal import briefing, helped
from rca.record.files.whole_file import write_whole
from rca.report.rendering.document import Block, Document, Grid, Heading, Line, Note
from rca.report.rendering.document_formats import to_html, to_markdown
from rca.report.rendering.plain_text import number

AFTER = (
    "What did you expect to see that you did not see?",
    "Which message would you write otherwise today, knowing only what you knew then?",
    "When were you surer than what you had seen?",
    "Which decision waited for somebody, and for whom?",
    "What would have had to be in place for this to be seen hours sooner?",
)
"""Questions for the talk afterwards; none asks who."""


def write_kit(hidden: Hidden, folder: Path, start: str) -> tuple[Path, ...]:
    """Write the script and the answer sheet, each as Markdown and as a page to print.

    Parameters
    ----------
    hidden : Hidden
    folder : Path
    start : str
        How the drill is started.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, document in (("script", script(hidden)), ("answers", answers(hidden, start))):
        for ending, text in (("md", to_markdown(document)), ("html", to_html(document))):
            write_whole(path := folder / f"{name}.{ending}", text.encode())
            made.append(path)
    return tuple(made)


def script(hidden: Hidden) -> Document:
    """What the facilitator reads out and watches for, minute by minute; the cause is not in it."""
    return Document(title=f"Drill: {hidden.place}", blocks=(
        Note(text="An exercise. Say so before it begins, and that it grades the response and no person."),
        Line(label="Level", text=f"{hidden.level}: {LEVELS[hidden.level]}"),
        Heading(text="Read out"), *(Note(text=line.strip()) for line in briefing(hidden, 1)),
        Heading(text="What comes in"),
        Grid(head=("minute", "at", "from", "text", "watch for"), rows=tuple(
            (str(one.minute), f"{hidden.begins + pd.Timedelta(minutes=one.minute):%a %H:%M}", one.who, one.text,
             one.watch)
            for one in injects(hidden)
        )),
        Heading(text="Roles"), *(Line(label=role, text=does) for role, does in ROLES.items()),
        Heading(text="What can be typed"), *(Note(text=line.strip()) for line in helped(hidden)),
    ))  # fmt: skip


def answers(hidden: Hidden, start: str) -> Document:
    """The answer sheet, with how the drill is started: not for the team before the end."""
    blocks = (Note(text="Not for the team before the end."), Line(label="Start it with", text=start), *_answers(hidden))
    return Document(title=f"Answers: {hidden.place}, seed {hidden.seed}", blocks=blocks)


def _answers(hidden: Hidden) -> Iterator[Block]:
    played, points = reference_of(hidden)
    stopped, possible = hidden.harms(played.contained)
    yield Line(label="Hidden cause", text=hidden.truth)
    yield Line(label="Right to name", text=", ".join(hidden.answers))
    yield Line(label="Wrong lead", text=f"{hidden.lead} moves and does nothing")
    yield Line(
        label="Severity by the house rule", text=f"{hidden.severity}: {number(hidden.a_day)} {hidden.harm} a day"
    )
    yield Line(label="Harm possible", text=f"{number(possible)}; a good team stops {number(stopped)}")
    run = [f"{rule}, due {until:%a %d %b %H:%M}" for rule, until in owed(hidden).items()]
    yield Line(label="Duties that run", text="; ".join(run) or "none, on the facts on record")
    yield Heading(text="What each measure does")
    yield Grid(head=("measure", "stops of new harm", "costs of the service"), rows=tuple(
        (name, f"{one.stops:.0%}", f"{one.costs:.0%}") for name, one in hidden.measures.items()
    ))  # fmt: skip
    yield Heading(text="What a good team would have done")
    yield Note(text="One way, played by fixed rules with nothing but the screen.")
    yield Grid(head=("minute", "who", "what", "text"), rows=tuple(
        (str(one.minute), one.who, f"{'look' if one.kind == 'answer' else one.kind} {one.about}".strip(), one.text)
        for one in played.log if one.kind not in ("inject", "wait")
    ))  # fmt: skip
    yield Heading(text="Points")
    yield Grid(head=("area", "most", "a good team", "because"), rows=tuple(
        (one.area, f"{one.of:g}", f"{one.points:g}", one.because) for one in points
    ))  # fmt: skip
    yield Note(text="A cause named with p earns 1-(1-p)² of its points where it is right, and loses p² where not; "
               f"the areas have {', '.join(f'{area} {most}' for area, most in AREAS.items())}.")  # fmt: skip
    yield Heading(text="To talk about afterwards")
    yield from (Line(text=one) for one in AFTER)
