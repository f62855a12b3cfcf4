"""Who is told what, and how surely: lines of `audiences.yaml`, filled from the facts of a record."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from rca.report.first_response.known import CERTAINTIES, STATES, Fact
from rca.report.rendering.document import Line
from rca.report.rendering.plain_text import capital

PHASES = ("detect", "triage", "contain", "communicate")

Split = tuple[Mapping[str, str], list[Fact], list[str]]

_NAME = re.compile(r"\{(\w+)\}")


@cache
def told() -> Mapping[str, Any]:
    """The content of `audiences.yaml`: `questions`, `audiences` and `command`."""
    import yaml

    text = files(__package__).joinpath("audiences.yaml").read_text(encoding="utf-8")
    held: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  (is safe)
    return held


def audiences() -> tuple[str, ...]:
    """The audiences, in the order in which a brief has them.

    >>> audiences()[:3]
    ('report', 'manager', 'ml_operations')
    """
    return tuple(told()["audiences"])


@dataclass(kw_only=True)
class Teller:
    """Fills lines from facts; a question is put in full once, and by its number from then on."""

    known: Mapping[str, Fact]
    asked: list[str] = field(default_factory=list)

    def ask(self, question: str) -> str:
        """A question with its number, or the number of one that was put already."""
        if question in self.asked:
            return f"Q{self.asked.index(question) + 1}"
        self.asked.append(question)
        return f"Q{len(self.asked)}: {question}"

    def knows(self, audience: str) -> bool:
        """Whether anything is on record that an audience could be told."""
        lines = told()["audiences"][audience]["lines"]
        return any(there for _, there, _ in map(self._split, lines))

    def _lacks(self, name: str) -> str:
        return self.ask(told()["questions"][name])

    def report(self, phase: str) -> Iterator[Line]:
        """The lines of the report in one phase."""
        form = told()["audiences"]["report"]
        for line in form["lines"]:
            fact = self.known.get(_NAME.findall(line["says"])[0])
            if fact is not None and line["in"] == phase:
                said = form["words"][fact.certainty] + fact.text
                yield Line(label=line["as"], text=said, keys=fact.keys)
            elif line["in"] == phase and "if" not in line:
                yield Line(label=line["as"], text=self._lacks(*_NAME.findall(line["says"])))

    def message(self, audience: str) -> Iterator[Line]:
        """What an audience is told, in the order of the phases, and what has to be found out before it is sent."""
        form = told()["audiences"][audience]
        lines = [self._split(line) for line in form["lines"] if self._now(line)]
        for line, there, lacking in lines if self.knows(audience) else ():
            yield from self._line(line, form, there=there, whole=bool(there) or not lacking)
        open_ = [name for line, there, lacking in lines if not there and "if" not in line for name in lacking]
        asked = [self._lacks(name) for name in dict.fromkeys(open_)]
        asked += [self.ask(f"Sources differ; which is right? {keys}") for keys in self._apart(lines, form)]
        if asked:
            yield Line(label="To find out before it is sent", text="; ".join(dict.fromkeys(asked)))

    def _now(self, line: Mapping[str, str]) -> bool:
        """Whether a line is to be told by now: some are only while the incident is in one state, or after it."""
        status = self.known.get("status")
        first = status is None or status.text == STATES["open"]
        return first if line.get("while") else not (first and "after" in line)

    def _apart(self, lines: Iterable[Split], form: Mapping[str, Any]) -> Iterator[str]:
        """Keys of disputed facts that an audience is not told."""
        if form["words"]["disputed"] is None:
            disputed = (fact for _, there, _ in lines for fact in there if fact.certainty == "disputed")
            yield from dict.fromkeys(fact.keys[0] for fact in disputed)

    def _split(self, line: Mapping[str, str]) -> Split:
        """A line, the facts that it tells, and the names of those that the record lacks."""
        names = _NAME.findall(line["says"])
        lacking = [name for name in names if name not in self.known]
        return line, [self.known[name] for name in names if name in self.known], lacking

    def _line(
        self, line: Mapping[str, str], form: Mapping[str, Any], *, there: Iterable[Fact], whole: bool
    ) -> Iterator[Line]:
        facts = [*there]
        certainty = max((one.certainty for one in facts), key=CERTAINTIES.index, default="fact")
        before, label = form["words"][certainty], capital(line["in"]) if form.get("keys") else ""
        if whole and before is not None:
            text = _NAME.sub(lambda name: self._put(name[1]), line["says"])
            keys = tuple(dict.fromkeys(key for one in facts for key in one.keys)) if form.get("keys") else ()
            yield Line(label=label, text=before * bool(facts) + text, keys=keys)
        elif "otherwise" in line:
            yield Line(label=label, text=line["otherwise"])

    def _put(self, name: str) -> str:
        return self.known[name].text if name in self.known else f"({self._lacks(name)})"
