"""What to log first, as questions: time, system, triggering input, impact, first actions. Each can be skipped."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rca.record.files.case_folder import RECORD, names_of
from rca.record.files.validation import take_in
from rca.record.files.whole_file import write_whole
from rca.record.files.yaml_document import document
from rca.record.why_tree.write_back import with_values


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, and what its answer is in a record: top-level key → value, of the record as it is."""

    asks: str
    key: str
    value: Callable[[str, Any], Any]


def _named(answer: str, _: Any) -> list[dict[str, str]]:
    name, _, version = answer.partition(" ")
    return [{"name": name, **({"version": version.strip()} if version.strip() else {})}]


QUESTIONS = (
    Question(asks="What went wrong, in one line?", key="title", value=lambda answer, _: answer),
    Question(
        asks="When was it noticed? (with an offset, such as 2026-05-02T09:10:00Z)",
        key="timeline",
        value=lambda answer, held: {**(held or {}), "detected": answer},
    ),
    Question(asks="Which system is affected, and in which version? (name version)", key="systems", value=_named),
    Question(asks="Which input triggers it, word for word?", key="triggering_inputs", value=lambda answer, _: [answer]),
    Question(
        asks="Whom does it reach, and how many so far?",
        key="impact",
        value=lambda answer, held: {**(held or {}), "text": answer},
    ),
    Question(
        asks="What has been done first?",
        key="postmortem",
        value=lambda answer, held: {**(held or {}), "temporary_fix": answer},
    ),
)
"""In the order in which they are asked."""


def ask_first(folder: Path, ask: Callable[[str], str], tell: Callable[[str], None]) -> int:
    """Ask what to log first, and write each answer into the record as it comes.

    Parameters
    ----------
    folder : Path
        Of a case.
    ask : callable
        Puts a question to a person and returns the answer; an empty one skips the question, `EOFError` the rest.
    tell : callable
        Says why an answer cannot be taken; the question is then asked again.

    Returns
    -------
    int
        How many were answered.
    """
    path, answered = folder / RECORD, 0
    for question in QUESTIONS:
        try:
            for text in _taken(folder, question, ask, tell=tell):
                write_whole(path, text.encode())
                answered += 1
        except EOFError:
            break
    return answered


def _taken(
    folder: Path, question: Question, ask: Callable[[str], str], *, tell: Callable[[str], None]
) -> Iterator[str]:
    """The record with an answer in it; nothing where the question is skipped."""
    text = (folder / RECORD).read_bytes().decode("utf-8")
    held: Mapping[str, Any] = document(text, name=RECORD).value
    while answer := ask(question.asks).strip():
        fresh = with_values(text, {question.key: question.value(answer, held.get(question.key))})
        _, problems = take_in(document(fresh, name=RECORD), names=names_of(folder))
        if not problems:
            yield fresh
            return
        tell(f"{problems[0].what}. {problems[0].hint}".strip())
