"""Chart of a drill: points by area, beside those of a good team."""

from rca.record.schema.drill import Drill, Played
from rca.report.rendering.chart import CALM, QUIET, Chart, height, named_rows


def grades(drill: Drill) -> Chart:
    """Share of the points of each area that the team has, and the reference."""
    areas = [*dict.fromkeys(one.area for one in drill.team.points)]
    of = {who: [played.of_area(area) for area in areas] for who, played in _both(drill)}
    told = "; ".join(f"{area} {points:g} of {most:g}" for area, (points, most) in zip(areas, of["team"], strict=True))
    least = -1.05 if drill.team.of_area("cause")[0] < 0 else 0
    return Chart(
        title=f"{drill.team.total:g} of 100 points; a good team {drill.reference.total:g}",
        alt=f"Bars: points of the team by area, as a share of the most, beside those of a good team. {told}.",
        rows=tuple(
            {"area": area, **{who: rows[at][0] for who, rows in of.items()}, "of": of["team"][at][1]}
            for at, area in enumerate(areas)
        ),
        data=tuple(
            {
                "type": "bar", "orientation": "h", "name": who, "marker": {"color": CALM if who == "team" else QUIET},
                "y": [*range(len(areas))], "x": [points / most if most else 0 for points, most in rows],
            }
            for who, rows in of.items()
        ),
        layout={
            "barmode": "group", "height": height(len(areas), per_row=44), "yaxis": named_rows(areas),
            "xaxis": {"title": "share of the points", "tickformat": ".0%", "range": [least, 1.05]},
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        },
    )  # fmt: skip


def _both(drill: Drill) -> tuple[tuple[str, Played], ...]:
    return ("team", drill.team), ("a good team", drill.reference)
