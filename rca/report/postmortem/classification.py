"""What kind of incident it was, for a person to decide: vocabularies, severity and duties, each with its reason."""

from rca.record.obligations.taxonomy import classify
from rca.report.postmortem.context import PostmortemContext
from rca.report.rendering.html import bullets, table


def classification(one: PostmortemContext) -> str:
    """The incident in public vocabularies, with what is decided, suggested and open."""
    found = classify(one.incident, one.analysis.results())
    return table(found.rows(), "In public vocabularies; a person decides") + bullets(found.remarks)
