"""The first-response brief: a report, measures of containment, and a message for each audience, from the record alone.

It says what the record says and asks for what it lacks; it analyses nothing, and reads no file but `incident.yaml` and
a team's playbooks.
"""

import json
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Literal

from rca.errors import InvalidCase, Problem, did_you_mean
from rca.record.files.case_folder import names_of, opened
from rca.record.files.validation import take_in
from rca.record.schema.corrective_action import UNFINISHED
from rca.record.schema.incident import Incident
from rca.record.why_tree.blameless import nameless
from rca.report.first_response.audiences import PHASES, Teller, audiences, told
from rca.report.first_response.containment import Playbook, playbook
from rca.report.first_response.known import ENDED, facts
from rca.report.rendering.document import Block, Document, Grid, Heading, Line, Note, Verbatim
from rca.report.rendering.document_formats import to_html, to_markdown, to_slack
from rca.report.rendering.docx_writer import to_docx
from rca.report.rendering.plain_text import capital, moment

WORST = "sev1"
"""The severity that gets a command structure."""

MOST_INPUTS = 3

STEPS = 2
"""Next steps of the investigation."""


def brief(
    case: "str | PathLike[str]", *, audience: str | None = None, playbooks: Path | None = None
) -> tuple[Document, list[Problem]]:
    """What to do and whom to tell first, from the record of a case in whatever state it is.

    Parameters
    ----------
    case : path
        Folder of a case, or its record.
    audience : str, optional
        One of `audiences()`; default all of them.
    playbooks : Path, optional
        A team's playbooks.

    Returns
    -------
    document : Document
    problems : list of Problem
        What of the record cannot be read, and is left out.

    Raises
    ------
    InvalidCase
        If there is no such case, audience or playbook, or nothing of the record can be read.
    """
    audience = audience and audience.replace("-", "_")
    if audience is not None and audience not in audiences():
        hint = did_you_mean(audience, audiences())
        raise InvalidCase.because(f"there is no audience {audience!r}", place="--audience", hint=hint)
    folder, record = opened(case)
    incident, problems = take_in(record, names=names_of(folder))
    if incident is None:
        raise InvalidCase(problems)
    known = nameless(incident)
    how = playbook(known.category, folder, playbooks)
    return Document(title=_title(known), blocks=tuple(_blocks(known, how, audience, left=len(problems)))), problems


def written(document: Document, form: Literal["markdown", "html", "docx", "slack"]) -> bytes:
    """A document in one of the formats; for Slack, a message a line."""
    if form == "docx":
        return to_docx(document)
    if form == "slack":
        return "".join(f"{json.dumps(one)}\n" for one in to_slack(document)).encode()
    return (to_html if form == "html" else to_markdown)(document).encode()


def _title(incident: Incident) -> str:
    return f"First response: {incident.id}"


def _blocks(incident: Incident, how: Playbook, audience: str | None, *, left: int) -> Iterator[Block]:
    teller = Teller(known=facts(incident))
    now = f" as of {moment(incident.now)}" if incident.now else ""
    yield Note(text=f"Draft from the record alone{now}; nothing was analysed, and nothing was sent.")
    if left:
        yield Note(text=f"Problems of the record: {left}; what they touch is left out. rca check says which.")
    names = {name: told()["audiences"][name]["called"] for name in audiences()}
    shown = [one for one in names if one == audience or (audience is None and (one == "report" or teller.knows(one)))]
    for one in shown:
        yield Heading(text=names[one])
        yield from _report(incident, how, teller) if one == "report" else teller.message(one)
    silent = [called for one, called in names.items() if audience is None and one not in shown]
    if silent:
        yield Heading(text="Nothing to tell yet")
        yield Note(text=f"{', '.join(silent)}. What each of them waits for: rca brief CASE --audience A")


def _report(incident: Incident, how: Playbook, teller: Teller) -> Iterator[Block]:
    beside = {
        "detect": lambda: _inputs(incident),
        "triage": lambda: _command(incident, teller),
        "contain": lambda: _containment(incident, how, teller),
        "communicate": lambda: _parallel(how),
    }
    for phase in PHASES:
        yield Heading(text=capital(phase), level=3)
        yield from teller.report(phase)
        yield from beside[phase]()
    yield Heading(text="Next two steps", level=3)
    yield from (Line(text=step) for step in _next_steps(incident, how, teller)[:STEPS])


def _inputs(incident: Incident) -> Iterator[Block]:
    """The first triggering inputs, letter by letter, but for what identifies people."""
    yield from (Verbatim(text=one) for one in incident.triggering_inputs[:MOST_INPUTS])
    if incident.triggering_inputs:
        yield Note(text="Personal data and what is not seen are left out above; the record has every letter.")


def _command(incident: Incident, teller: Teller) -> Iterator[Block]:
    """Parallel workstreams, where it is as bad as it can be."""
    if incident.severity != WORST:
        return
    known = teller.known
    product = known["product"].text if "product" in known else "the system"
    rows = []
    for one in told()["command"]:
        owner = known.get(one["owner"])
        who = owner.text if owner else teller.ask(one["asks"])
        rows.append((one["role"], one["does"].format(product=product), who))
    yield Note(text="Command structure, all at the same time; owners are those that the record shows at such work.")
    yield Grid(head=("Workstream", "Does", "Owner"), rows=tuple(rows))


def _containment(incident: Incident, how: Playbook, teller: Teller) -> Iterator[Block]:
    if not incident.systems and "category" not in teller.known:
        yield Note(text="Ways to contain it follow from its kind and its systems, once they are known.")
        return
    rows = tuple(
        (one.called, ", ".join(one.on(incident)) or "–", one.costs, one.leaves) for one in how.fitting(incident)
    )
    if rows:
        known = "" if "category" in teller.known else " of any kind (its own is not on record)"
        over = "It has been contained. For the next one: ways" if incident.status in ENDED else "Ways"
        yield Note(text=f"{over} to contain an incident{known}, the first one first; a person decides.")
        yield Grid(head=("Measure", "On", "Costs", "Leaves running"), rows=rows)


def _parallel(how: Playbook) -> Iterator[Block]:
    names = ", ".join(told()["audiences"][one]["called"] for one in how.notify)
    yield Line(label="At once, in parallel", text=names)


def _next_steps(incident: Incident, how: Playbook, teller: Teller) -> list[str]:
    """What to do next, the first thing first."""
    if incident.status in ENDED:
        held = [one for one in incident.actions if one.state_at(incident.now) in UNFINISHED]
        due = sorted(held, key=lambda one: one.due or "9999")
        done = [
            f"{one.what.rstrip('.')} (owner {one.owner or 'not named'}, due {one.due or 'not dated'})" for one in due
        ]
        return done or ["No action is open on record: rca run CASE writes the post-mortem"]
    freeze = "Keep what a repair will overwrite: rca freeze CASE model=FILE prompt=FILE --role ROLE"
    find = "Find one exact input that triggers it, and note it word for word in triggering_inputs"
    first = [freeze] * ("evidence" not in teller.known) + [find] * ("inputs" not in teller.known)
    return [*first, *how.investigate]
