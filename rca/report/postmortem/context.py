"""Context that a post-mortem is written from, names of people replaced by roles; fields that name what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rca.record.schema.incident import Incident
from rca.record.schema.why_tree import Why
from rca.record.why_tree.blameless import nameless, without_people
from rca.record.why_tree.evidence import Known
from rca.record.why_tree.lint import Flaw, lint
from rca.report.rendering.html import paragraph, shown, table

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.record.case import Case
    from rca.record.schema.debrief import Debrief


@dataclass(frozen=True, kw_only=True)
class PostmortemContext:
    """Context that a post-mortem is written from: record, analysis, and flaws.

    Attributes
    ----------
    incident : Incident
        Without names of people.
    whys : tuple of Why
        Likewise.
    analysis : Analysis
    inputs : dict of str to str
        Files of the case and their digests.
    """

    incident: Incident
    whys: tuple[Why, ...]
    analysis: "Analysis"
    inputs: Mapping[str, str]

    @property
    def debrief(self) -> "Debrief":
        """The parts that only people can fill in."""
        return self.incident.postmortem

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """Linter's flaws of the why-tree and the plan."""
        known = Known.of(self.incident, self.analysis.findings(), self.inputs)
        return lint(
            self.whys,
            self.incident.actions,
            known=known,
            severity=self.incident.severity,
            noticed=self.incident.timeline.detected,
        )


def context_of(case: "Case", analysis: "Analysis") -> PostmortemContext:
    """Context of the post-mortem of a case, names of people replaced by roles."""
    plain = without_people([one.model_dump(mode="json") for one in analysis.whys], case.incident)
    whys = tuple(Why.model_validate(one) for one in plain)
    return PostmortemContext(incident=nameless(case.incident), whys=whys, analysis=analysis, inputs=case.inputs())


# --- fields and what they lack ---------------------------------------------------------------------------------------

Field = tuple[str, Any, str]
"""A field's name, what is on record, and the key that would fill it."""


def fields(caption: str, *rows: Field) -> str:
    """Fields with what is on record; a missing one says so, and where to put it."""
    filled = [{"field": name, "on record": _said(value)} for name, value, _ in rows if not _is_empty(value)]
    missing = [f"{name} ({key})" for name, value, key in rows if _is_empty(value)]
    return (table(filled, caption) if filled else "") + absent(missing)


def absent(missing: Sequence[str]) -> str:
    """A missing field, with the key of `incident.yaml` that would fill it."""
    return paragraph(f"Not on record: {'; '.join(missing)}.", "rca-missing") if missing else ""


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", (), [], {})


def _said(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else shown(value)
