"""What the notebooks show: one verb per part of a report.

An output holds the same bytes for the same result: no object addresses, no random ids, no clock. Beside the picture or
the table, an output carries the findings it stands on, so that an executed notebook holds its own evidence.
"""

from rca.report.cells.cascade import blast, cascade, signals, systems, way
from rca.report.cells.common import causes, findings, results, unanswered, verdict, verification
from rca.report.cells.drift import columns, dates, drift, faults, gaps, harm, joint, labels, onset, rivals, slices
from rca.report.cells.explanation import (
    cohorts,
    curves,
    exemplars,
    explanation,
    method,
    reasons,
    swarm,
    together,
    turned,
)
from rca.report.cells.postmortem import drafts, factors, part, postmortem, why_tree
from rca.report.cells.timeline import durations, events, facts, lifecycle, summary, timeline

__all__ = [
    "blast",
    "cascade",
    "causes",
    "cohorts",
    "columns",
    "curves",
    "dates",
    "drafts",
    "drift",
    "durations",
    "events",
    "exemplars",
    "explanation",
    "factors",
    "facts",
    "faults",
    "findings",
    "gaps",
    "harm",
    "joint",
    "labels",
    "lifecycle",
    "method",
    "onset",
    "part",
    "postmortem",
    "reasons",
    "results",
    "rivals",
    "signals",
    "slices",
    "summary",
    "swarm",
    "systems",
    "timeline",
    "together",
    "turned",
    "unanswered",
    "verdict",
    "verification",
    "way",
    "why_tree",
]
