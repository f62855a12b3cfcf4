"""Charts of why-trees: an outline that reads on a phone, and the fishbone (Ishikawa) diagram by category."""

import textwrap
from collections.abc import Iterable, Sequence

from rca.record.schema.why_tree import CATEGORIES, Factor, Why
from rca.record.why_tree.views import UNSORTED, Edge, Fishbone, steps
from rca.report.rendering.chart import CALM, HARM, HELP, QUIET, Chart, Spec, chart, height, label
from rca.report.rendering.plain_text import count, plain

MOST_WHYS = 40
"""Whys drawn; the table under the figure has them all."""

LINE = 40
"""Letters of a line beside a node."""

COLORS = {"trigger": HARM, "contributing": CALM, "latent": HELP}
"""Colour of a factor by its role."""

SYMBOLS = {"shown": "circle", "suggested": "circle-dot", "assumed": "circle-open"}
"""Symbol of an answer by how sure it is."""

MOST_ON_A_BONE = 3


@chart.register
def _tree(tree: Why) -> Chart:
    return outline((tree,))


def outline(trees: Iterable[Why]) -> Chart:
    """Why-trees as an outline: one row a why, further right the deeper, each joined to the answer it asks about."""
    found = list(steps(tuple(trees)))
    drawn = found[:MOST_WHYS]
    deepest = max((step.depth for step in drawn), default=0)
    layout = {
        "height": height(len(drawn), per_row=72, around=70),
        "xaxis": {"visible": False, "range": [-0.3, deepest + 9.0]},
        "yaxis": {"visible": False, "range": [len(drawn) - 0.3, -0.7]},
        "annotations": [_beside(step, row) for row, step in enumerate(drawn)],
    }
    return Chart(
        title=_title(found),
        alt=_alt(found, len(drawn)),
        rows=tuple(map(_row, found)),
        data=(_edges(drawn), _nodes(drawn)),
        layout=layout,
    )


def _title(found: Sequence[Edge]) -> str:
    open_ = sum(step.why.answer is None for step in found)
    if not found:
        return "No why is on record, and the data suggest none"
    return f"{count(len(found), 'why')}, {open_} of them open" if open_ else f"{count(len(found), 'why')}, all answered"


def _alt(found: Sequence[Edge], drawn: int) -> str:
    more = f" The first {drawn} of {len(found)} are drawn." if len(found) > drawn else ""
    told = "; ".join(f"{'under it: ' if step.depth else ''}{_answered(step.why)}" for step in found[:6])
    return (
        "An outline, one row a why, deeper ones further right. Orange set it off, green lay there before, blue "
        f"contributed, grey is open; a full circle is shown, an empty one assumed. {told}.{more}"
    )


def _answered(tree: Why) -> str:
    return tree.answer.statement if tree.answer else f"open: {tree.question}"


def _row(step: Edge) -> Spec:
    answer = step.why.answer
    return {
        "depth": step.depth + 1,
        "question": step.why.question,
        "answer": _answered(step.why) if answer else "open",
        "role": answer.role if answer else "",
        "category": (answer.category or "") if answer else "",
        "strength": answer.strength if answer else "",
        "evidence": ", ".join(answer.evidence) if answer else "",
        "enough by itself": step.above[-1].join == "or" if step.above else False,
    }


def _beside(step: Edge, row: int) -> Spec:
    """Question and answer at the right of a node."""
    question = "<br>".join(label(line, LINE) for line in _wrapped(step.why.question, 1))
    answer = "<br>".join(label(line, LINE) for line in _wrapped(_said(step.why), 3))
    place = {"x": step.depth, "y": row, "xref": "x", "yref": "y", "xanchor": "left", "xshift": 12, "align": "left"}
    return {"text": f"<i>{question}</i><br>{answer}", "font": {"size": 12}, "showarrow": False, **place}


def _said(tree: Why) -> str:
    if tree.answer is None:
        return f"open{f', to be answered by {tree.ask}' if tree.ask else ''}"
    return tree.answer.statement


def _wrapped(text: str, lines: int) -> list[str]:
    return textwrap.wrap(plain(text, 300), LINE - 2, max_lines=lines, placeholder=" …") or ["–"]


def _nodes(drawn: Sequence[Edge]) -> Spec:
    answers = [step.why.answer for step in drawn]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [step.depth for step in drawn],
        "y": list(range(len(drawn))),
        "marker": {
            "size": 13,
            "color": [COLORS[one.role] if one else QUIET for one in answers],
            "symbol": [SYMBOLS[one.strength] if one else "square-open" for one in answers],
        },
        "text": [label(_evidence(one), 160) for one in answers],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _evidence(answer: Factor | None) -> str:
    return (
        "open"
        if answer is None
        else f"{answer.role}, {answer.strength}; evidence: {', '.join(answer.evidence) or 'none'}"
    )


def _edges(drawn: Sequence[Edge]) -> Spec:
    """A line from each why down from the one above and over to itself."""
    rows = {step.place: row for row, step in enumerate(drawn)}
    xs: list[float | None] = []
    ys: list[float | None] = []
    for row, step in enumerate(drawn):
        if step.depth:
            over = rows[step.place.rpartition(".whys[")[0]]
            xs += [step.depth - 1, step.depth - 1, step.depth, None]
            ys += [over, row, row, None]
    line = {"color": QUIET, "width": 1.5}
    return {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": line, "hoverinfo": "skip"}


# --- the fishbone ----------------------------------------------------------------------------------------------------


@chart.register
def _fishbone(fish: Fishbone) -> Chart:
    """A spine that leads to the effect, a bone for each category, factors beside their bone."""
    total = sum(map(len, fish.bones.values()))
    names = [name for name in (*CATEGORIES, UNSORTED) if name != UNSORTED or UNSORTED in fish.bones]
    places = {name: (2.4 * (at // 2), 1 if at % 2 == 0 else -1) for at, name in enumerate(names)}
    reach = 2.4 * ((len(names) + 1) // 2)
    bare = f"; none under {', '.join(fish.empty)}" if fish.empty else ""
    return Chart(
        title=f"{count(total, 'factor')} by where they lie{bare}",
        alt=_fish_alt(fish),
        rows=tuple(
            {"category": name, "factor": one.statement, "role": one.role, "strength": one.strength}
            for name, held in fish.bones.items()
            for one in held
        ),
        data=(_bones(places, reach),),
        layout={
            "height": 460,
            "xaxis": {"visible": False, "range": [-0.4, reach + 1.6]},
            "yaxis": {"visible": False, "range": [-4.6, 4.6]},
            "annotations": [
                _head(fish.effect, reach),
                *(_category(name, place, bare=name not in fish.bones) for name, place in places.items()),
                *(
                    _factor(one, places[name], at)
                    for name, held in fish.bones.items()
                    for at, one in enumerate(held[:MOST_ON_A_BONE])
                ),
            ],
        },
    )


def _fish_alt(fish: Fishbone) -> str:
    told = "; ".join(f"{name}: {', '.join(one.statement for one in held)}" for name, held in fish.bones.items())
    return f"A fishbone: a spine to the effect, a bone for each category, factors beside their bone. {told or 'None'}."


def _bones(places: dict[str, tuple[float, int]], reach: float) -> Spec:
    xs: list[float | None] = [-0.3, reach, None]
    ys: list[float | None] = [0, 0, None]
    for at, side in places.values():
        xs += [at, at + 1.2, None]
        ys += [4.0 * side, 0, None]
    line = {"color": QUIET, "width": 2}
    return {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": line, "hoverinfo": "skip"}


def _head(effect: str, reach: float) -> Spec:
    text = "<br>".join(label(line, 22) for line in textwrap.wrap(plain(effect, 90), 18, max_lines=4, placeholder=" …"))
    return {"text": f"<b>{text}</b>", "x": reach, "y": 0, "xanchor": "left", **_PLACED}


def _category(name: str, place: tuple[float, int], *, bare: bool) -> Spec:
    font = {"size": 13, "color": QUIET if bare else CALM}
    return {"text": f"<b>{label(name)}</b>", "x": place[0], "y": 4.35 * place[1], "font": font, **_PLACED}


def _factor(one: Factor, place: tuple[float, int], at: int) -> Spec:
    x, side = place
    down = 3.3 - 1.15 * at
    text = "<br>".join(
        label(line, 28) for line in textwrap.wrap(plain(one.statement, 120), 24, max_lines=2, placeholder=" …")
    )
    font = {"size": 11, "color": COLORS[one.role]}
    where = {"x": x + 1.2 * (1 - down / 4.0) + 0.06, "y": down * side, "xanchor": "left", "align": "left"}
    return {"text": text, "font": font, **where, **_PLACED}


_PLACED: Spec = {"xref": "x", "yref": "y", "showarrow": False}
