"""The commands on duties: what is owed, to whom, and what a board has to decide."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rca.cli import options
from rca.cli.command import DONE, NEEDS_A_PERSON, Arguments, Command
from rca.cli.telling import answer, print_json, put, tell
from rca.errors import InvalidCase
from rca.record.files.whole_file import write_whole

if TYPE_CHECKING:
    from rca.report.rendering.document import Document


def _obligations(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.record.obligations.duties import duties
    from rca.record.obligations.frameworks import frameworks
    from rca.record.obligations.ics import calendar_text
    from rca.record.obligations.taxonomy import classify
    from rca.record.past import past_incidents

    incident, known = load(arguments.case).incident, None
    if arguments.results and not (arguments.frameworks or arguments.taxonomy):
        raise InvalidCase.because("clocks follow from the record alone", place="--results", hint="add --taxonomy")
    results = _results(arguments, incident.id)
    if arguments.frameworks:
        answer(frameworks(incident, results=results is not None), as_json=arguments.json)
        return DONE
    if arguments.taxonomy:
        answer(classify(incident, results), as_json=arguments.json)
        return DONE
    if arguments.among:
        known, unread = past_incidents(arguments.among, reports=arguments.reports)
        for name in unread:
            tell(f"Left out: {name}, which cannot be read or has no moment.")
    found = duties(incident, arguments.as_of, past_incidents=known)
    if arguments.ics:
        write_whole(arguments.ics, calendar_text(found, incident.id).encode())
    answer(found, as_json=arguments.json)
    return NEEDS_A_PERSON if found.overdue else DONE


def _notify(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.record.obligations.drafts import draft, read_draft
    from rca.report.postmortem.duties import draft_document

    incident = load(arguments.case).incident
    earlier = read_draft(arguments.earlier) if arguments.earlier else None
    found = draft(incident, arguments.form, results=_results(arguments, incident.id), earlier=earlier)
    if arguments.json:
        print_json(found.to_dict())
        return DONE
    return _written(arguments, str(found), lambda: draft_document(found))


def _export(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.report.postmortem.export import export

    incident = load(arguments.case).incident
    results = _results(arguments, incident.id)
    found = export(incident, arguments.schema, results=results, confidential=arguments.confidential)
    put("json", arguments.out, f"{json.dumps(found.to_dict(), indent=2)}\n".encode)
    for line in str(found).splitlines():
        tell(line)
    return NEEDS_A_PERSON if found.missing_mandatory else DONE


def _board(arguments: Arguments) -> int:
    from rca.record.case import load
    from rca.report.brief.board import board
    from rca.report.rendering.document_formats import to_markdown

    incident = load(arguments.case).incident
    page = board(incident, _results(arguments, incident.id))
    return _written(arguments, to_markdown(page), lambda: page)


def _results(arguments: Arguments, incident: str) -> "Mapping[str, Any] | None":
    from rca.record.obligations.drafts import read_results

    return read_results(arguments.results, incident) if arguments.results else None


def _written(arguments: Arguments, text: str, document: "Callable[[], Document]") -> int:
    """Say a text, or write it or its document to a file."""
    from rca.report.rendering.document_formats import to_html
    from rca.report.rendering.docx_writer import to_docx
    from rca.report.run.pdf import to_pdf

    formats = {
        "docx": lambda: to_docx(document()),
        "html": lambda: to_html(document()).encode(),
        "pdf": lambda: to_pdf(to_html(document()).encode()),
    }
    put(arguments.format, arguments.out, formats.get(arguments.format, text.encode))
    return DONE


COMMANDS = (
    Command(
        name="obligations",
        says="which reporting duties run, until when, and what would have to be known?",
        takes=options.obligations,
        does=_obligations,
    ),
    Command(
        name="notify",
        says="draft a report in the order of a regulator's form; what is missing is marked, and nothing is sent",
        takes=options.notify,
        does=_notify,
    ),
    Command(
        name="export",
        says="a record for a public collection, by OECD's or AIID's fields; what is missing is listed and never filled",
        takes=options.export,
        does=_export,
    ),
    Command(
        name="board",
        says="one page for a board: situation, task, action, result, risk, and what it is asked to decide",
        takes=options.board,
        does=_board,
    ),
)
