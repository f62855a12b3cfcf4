"""Why-trees as nested lists."""

from collections.abc import Iterable

from rca.record.schema.why_tree import Factor, Why
from rca.report.rendering.html import element, escape, paragraph


def whys(trees: Iterable[Why]) -> str:
    """Why-trees as nested lists, each answer with its strength and evidence."""
    told = "".join(_why(tree) for tree in trees)
    return (
        element("ul", told) if told else paragraph("No why-path is on record, and the data suggest none.", "rca-note")
    )


def _why(node: Why) -> str:
    below = element("ul", "".join(map(_why, node.whys))) if node.whys else ""
    question = element("strong", escape(node.question))
    return element("li", question + _answer(node) + below, "rca-why")


def _answer(node: Why) -> str:
    answer = node.answer
    if answer is None:
        asked = f" To be answered by {node.ask}." if node.ask else ""
        return paragraph(f"Open.{asked}") + "".join(_candidate(one) for one in node.candidates)
    evidence = f"{answer.strength}; evidence: {', '.join(answer.evidence) or 'none on record'}"
    return paragraph(answer.statement) + paragraph(evidence, "rca-note")


def _candidate(factor: Factor) -> str:
    evidence = f" (evidence: {', '.join(factor.evidence)})" if factor.evidence else ""
    return paragraph(f"Not established; the record suggests: {factor.statement}{evidence}", "rca-note")
