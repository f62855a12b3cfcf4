"""Cells of notebooks 6 and 7, the post-mortem and its duties."""

from typing import TYPE_CHECKING

from rca.record.why_tree.views import fishbone
from rca.report.cells.output import absent, figure, html
from rca.report.parts.why_tree import charts as why_tree_charts
from rca.report.plot import chart
from rca.report.postmortem import context, duties

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.record.case import Case
    from rca.report.postmortem.context import PostmortemContext

# --- the post-mortem -------------------------------------------------------------------------------------------------


def postmortem(case: "Case", analysis: "Analysis") -> "PostmortemContext":
    """Context of the post-mortem: the record and the findings, names of people replaced by roles."""
    return context.context_of(case, analysis)


def part(name: str, post: "PostmortemContext") -> None:
    """One part of a post-mortem by its name, such as `identity`, `impact` or `actions`."""
    from rca.report.postmortem.what_happened import PARTS

    claims = post.analysis.recovery.findings() if name == "response" and post.analysis.recovery else ()
    html(PARTS[name](post), said=f"Post-mortem: {name.replace('_', ' ')}", claims=claims)


def why_tree(post: "PostmortemContext") -> None:
    """The why-tree as a figure, then as nested questions with their evidence."""
    if post.whys:
        figure(why_tree_charts.outline(post.whys))
    part("why_tree", post)


def factors(post: "PostmortemContext") -> None:
    """The factors as a fishbone, then with the guards that were missing and what together was enough."""
    if post.whys:
        figure(chart(fishbone(post.whys, post.incident.title)))
    part("factors", post)


def drafts(post: "PostmortemContext") -> None:
    """A draft of every report whose duty holds, in the order of its form."""
    found = duties.drafts(post)
    for one in found:
        html(duties.draft_section(one), said=str(one).partition("\n")[0])
    if not found:
        absent("No duty that has a form holds by the facts on record.")
