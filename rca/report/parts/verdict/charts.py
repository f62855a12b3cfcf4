"""Chart of the causes with their contributions."""

from rca.analysis.conclusion.verdict import Cause, Verdict
from rca.methods.metric import Measured
from rca.report.rendering.chart import (
    HARM,
    HELP,
    MOST_PARTS,
    Chart,
    Spec,
    bars_of,
    chart,
    height,
    interval_of,
    named_rows,
    scaled,
)
from rca.report.rendering.plain_text import alike, change_unit, words


@chart.register
def _verdict(result: Verdict) -> Chart:
    drawn = [cause for cause in result.causes if cause.contribution is not None][:MOST_PARTS]
    scale, unit = (result.metric.scale, change_unit(result.metric)) if result.metric else (1.0, "share of the failure")
    values = [scale * (cause.contribution or 0.0) for cause in drawn]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(drawn))),
        "width": 0.55,
        "marker": {"color": [HARM if value > 0 else HELP for value in values]},
        "error_x": bars_of(values, [scaled(cause.interval, scale) for cause in drawn]),
        "hovertemplate": "%{x:.3g}<extra></extra>",
    }
    layout = {
        "height": height(len(drawn), per_row=38),
        "xaxis": {"title": f"harm done ({unit})", "rangemode": "tozero"},
        "yaxis": named_rows([cause.name for cause in drawn], said=alike(*values, sign=True)),
    }
    return Chart(
        title=result.summary,
        alt=f"Bars with intervals, the surest first: {', '.join(cause.name for cause in drawn) or 'none'}.",
        rows=tuple(cause_row(cause, result.metric) for cause in result.causes),
        data=(trace,),
        layout=layout,
    )


def cause_row(cause: Cause, metric: Measured | None) -> Spec:
    """A cause as a table shows it, its harm in the unit that the metric is read in."""
    scale = metric.scale if metric else 1.0
    harm = f"harm ({change_unit(metric)})" if metric else "harm"
    return {
        "cause": cause.name,
        "kind": cause.kind,
        "fault": words(cause.fault) if cause.fault else None,
        harm: None if cause.contribution is None else scale * cause.contribution,
        "interval": interval_of(scaled(cause.interval, scale)),
        "strength": cause.strength,
        "findings": ", ".join(cause.findings),
    }
