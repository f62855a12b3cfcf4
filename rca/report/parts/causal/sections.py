"""Causal results as HTML: every text escaped."""

from collections.abc import Sequence
from typing import Any

from rca.analysis.causal.graph_falsification import CausalGraph
from rca.analysis.causal.mechanism_change import Causes
from rca.analysis.causal.outlier_attribution import Odd
from rca.analysis.conclusion.causal_answers import DividedTwice
from rca.analysis.counterfactual.what_if import WhatIf
from rca.methods.metric import SHARES
from rca.report.rendering.html import bullets, element, escape, paragraph, table
from rca.report.rendering.plain_text import capital, count, number, plain, span

MOST_TESTS = 12
"""Independences that are listed."""

MOST_ODD = 8
"""Odd rows that are listed."""


def graph(result: CausalGraph) -> str:
    """Implied independences of a graph, and whether the reference falsifies it; of a sketch, the text to edit."""
    said = paragraph(f"{capital(str(result))}.")
    blind = bullets(f"{one.question}: {one.why}" for one in result.unanswered) if result.unanswered else ""
    if result.sketch:
        pairs = [f"{one} and {other}" for one, other in result.together]
        told = (
            paragraph("Pairs that go together, in a direction that nobody knows yet:") + bullets(pairs) if pairs else ""
        )
        return said + element("pre", element("code", _lines(result.to_yaml()))) + told
    rows = [_independence(row) for row in result.rows()[:MOST_TESTS]] if result.independences else []
    left = len(result.independences) - len(rows)
    more = paragraph(f"Left out, as they are borne out more clearly: {left}.", "rca-note") if left > 0 else ""
    tested = f"What missing arrows say, the least sure first, on {count(result.rows_seen, 'complete reference row')}"
    return said + blind + (table(rows, tested) + more if rows else "")


def _lines(text: str) -> str:
    """A text of several lines, each made safe."""
    return "\n".join(escape(line) if line.strip() else "" for line in text.splitlines())


def _independence(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "of": row["node"],
        "nothing to do with": row["and"],
        "once these are known": row["given"],
        "p": row["p-value"],
        "borne out": row["borne out"],
    }


def mechanisms(result: Causes) -> str:
    """Every mechanism upstream of the target: whether it changed, and its contribution."""
    scale, unit = (100.0, "points") if result.target.replace(" ", "_") in SHARES else (1.0, "its unit")
    rows = [
        {
            "mechanism": one.node,
            "given": ", ".join(one.parents) or "nothing",
            "changed": one.moved,
            "q": one.q_value,
            f"did ({unit})": scale * one.contribution if one.told else None,
            "95% interval": span(scale * one.interval.low, scale * one.interval.high, sign=True)
            if one.told
            else "not identifiable: too few rows of one window look like the other's",
            "rests on": "extrapolation" if one.extrapolated else "rows of both windows" if one.told else None,
            "same in each half": one.steady,
        }
        for one in result.mechanisms
    ]
    rest = (
        f"Unexplained: {number(scale * result.unexplained, sign=True)} of {number(scale * result.change, sign=True)}."
    )
    assumed = f"Under the assumptions that {'; '.join(result.assumptions)}."
    caption = f"What each mechanism did to {plain(result.target, 60)}"
    return table(rows, caption) + paragraph(f"{rest} {assumed}", "rca-note")


def compared(result: DividedTwice) -> str:
    """Mechanism attribution of a mean change by this package and by dowhy."""
    theirs = dict(zip(result.theirs.players, result.theirs.contributions, strict=True))
    rows = [
        {
            "mechanism": one.node,
            "here": one.contribution if one.told else None,
            "95% interval": span(one.interval.low, one.interval.high, sign=True),
            "dowhy": theirs.get(one.node),
        }
        for one in result.ours.mechanisms
    ]
    note = "dowhy draws from linear mechanisms, and does not tell how far its draws are off."
    return table(rows, f"The change of {plain(result.ours.target, 60)}, divided twice") + paragraph(note, "rca-note")


def imagined(results: Sequence[WhatIf]) -> str:
    """Every intervention: changed decisions, metric, outcome model, and assumptions."""
    rows = [
        {
            "had": one.said,
            "met with it": one.touched,
            "would have been otherwise": round(one.changed.value),
            "interval": span(one.changed.interval.low, one.changed.interval.high),
            "people": round(one.people.value),
            f"{one.metric}{_percent(one)}": None if one.would_be is None else _scale(one) * one.would_be.value,
            "assumes": "; ".join(one.assumptions),
        }
        for one in results
    ]
    return table(rows, f"Of {count(results[0].decisions, 'decision')}, with 95% intervals")


def what_if(result: WhatIf) -> str:
    """One counterfactual number by number, with what each interval covers."""
    scale = _scale(result)
    rows = [{"decisions": "met with it", "how many": result.touched, "95% interval": None}]
    rows += [
        {"decisions": name, "how many": round(one.value), "95% interval": span(one.interval.low, one.interval.high)}
        for name, one in result.counts()
    ]
    rows += [
        {
            "decisions": name + (_percent(result) if one is result.would_be else _points(result)),
            "how many": scale * one.value,
            "95% interval": span(scale * one.interval.low, scale * one.interval.high),
        }
        for name, one in result.values()
    ]
    covers = f"Intervals of counts cover {result.counts_cover}. Those of the metric cover {result.metric_covers}."
    asked = f"Asked was {result.by}."
    return table(rows, f"Had {plain(result.said, 110)}") + paragraph(f"{covers} {asked}", "rca-note")


def _scale(result: WhatIf) -> float:
    return 100.0 if result.is_share else 1.0


def _percent(result: WhatIf) -> str:
    return " (%)" if result.is_share else ""


def _points(result: WhatIf) -> str:
    return " (points)" if result.is_share else ""


def odd(result: Odd) -> str:
    """The most anomalous rows, and the node that contributes most to each."""
    rows = result.rows()[:MOST_ODD]
    left = f"; {count(result.left_out, 'row')} with a missing value left out" if result.left_out else ""
    how = "every coalition of nodes was played" if result.exact else "orders of joining were drawn"
    note = f"The score is in nats: 3 is one in twenty. Monte Carlo error about {number(result.error)}; {how}{left}."
    return table(rows, f"Rows odd in {plain(result.target, 60)}, the oddest first") + paragraph(note, "rca-note")
