"""What the lines of a run say: shares of right answers with Wilson intervals, by kind, strength and place."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import Any

Line = dict[str, Any]
"""One incident, what is right of it and what was said."""

EXPLAINED = ("column", "pair", "concept", "model", "rows", "mix")
"""Groups of kinds in which a cause has to be named."""


def wilson(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share (Wilson 1927).

    >>> low, high = wilson(8, 10)
    >>> f"{low:.3f} {high:.3f}"
    '0.490 0.943'
    """
    if of == 0:
        return 0.0, 1.0
    z, p = 1.959963984540054, right / of
    middle, half = p + z * z / (2 * of), z * sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max((middle - half) / (1 + z * z / of), 0.0), (middle + half) / (1 + z * z / of)


def share(lines: Iterable[Line], holds: Callable[[Line], Any]) -> str:
    """A share in words: `8 of 10 = .80 (.49 to .94)`.

    >>> share([{"right": True}, {"right": False}], lambda line: line["right"])
    '1 of 2 = .50 (.09 to .91)'
    """
    told = [bool(holds(line)) for line in lines]
    low, high = wilson(sum(told), len(told))
    if not told:
        return "none"
    return f"{sum(told)} of {len(told)} = {_short(sum(told) / len(told))} ({_short(low)} to {_short(high)})"


def _short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def said(line: Line) -> str:
    """What a verdict says in a word: the kind of its first cause, else its status."""
    return str(line["causes"][0]["kind"]) if line["status"] == "explained" and line["causes"] else str(line["status"])


def _status(name: str) -> Callable[[Line], bool]:
    return lambda line: bool(line["status"] == name)


def _right(line: Line) -> bool:
    return bool(line["right"])


def summary(lines: Sequence[Line]) -> str:
    """The whole summary as text."""
    asked = [line for line in lines if line["group"] in EXPLAINED and not line["weak"]]
    parts = [
        *_overall(lines, asked),
        *_by("found first by kind (effect > 4 se)", asked, _kind),
        *_by("found first by family", asked, lambda line: line["family"]),
        *_by("found first by metric", asked, lambda line: line["metric"]["name"]),
        *_by("found first by model handed over", asked, lambda line: "model" if "model" in line["has"] else "no model"),
        *_strengths(lines),
        *_others(lines),
        *_apart(asked),
        *_baselines(asked),
        *_confusion(lines),
        *_errors(lines),
    ]
    return "\n".join(parts)


def _kind(line: Line) -> str:
    return "pair" if line["group"] == "pair" else str(line["kind"])


def _overall(lines: Sequence[Line], asked: Sequence[Line]) -> list[str]:
    weak = [line for line in lines if line["group"] in EXPLAINED and line["weak"]]
    abstained = ("cannot_tell", "no_incident")
    return [
        f"{len(lines)} incidents, {sum(line['seconds'] for line in lines):.0f} CPU s of the product",
        f"found first where the effect exceeds 4 se: {share(asked, _right)}",
        f"right among the first three: {share(asked, lambda line: line['right_3'])}",
        f"abstained there: {share(asked, lambda line: line['status'] in abstained)}",
        *(f"  {status}: {share(asked, _status(status))}" for status in abstained),
        f"decoy first: {share([line for line in lines if line['decoys']], lambda line: line['decoy'])}",
        f"weak ones found first: {share(weak, _right)}",
        f"fault right, of columns with a known one: {share(_with_fault(asked), lambda line: line['fault_right'])}",
    ]


def _with_fault(asked: Sequence[Line]) -> list[Line]:
    return [line for line in asked if line["faults"] and line["group"] == "column"]


def _by(title: str, lines: Sequence[Line], key: Callable[[Line], str]) -> list[str]:
    names = sorted({key(line) for line in lines})
    rows = [f"  {name:18s} {share([line for line in lines if key(line) == name], _right)}" for name in names]
    return ["", f"{title}:", *rows]


def _strengths(lines: Sequence[Line]) -> list[str]:
    """Whether the first cause is right, by the strength with which it is named, over all incidents."""
    named = [line for line in lines if line["status"] == "explained" and line["causes"]]
    rows = [
        f"  {strength:10s} {share([one for one in named if one['causes'][0]['strength'] == strength], _right)}"
        for strength in ("shown", "suggested", "assumed")
    ]
    return ["", "right by strength of the first cause:", *rows]


def _others(lines: Sequence[Line]) -> list[str]:
    def of(group: str) -> list[Line]:
        return [line for line in lines if line["group"] == group and not line["weak"]]

    concept = [line for line in lines if line["group"] == "concept" and not line["weak"]]
    elsewhere = [line for line in lines if not _is_concept(line)]
    quiet = [
        f"  {kind:18s} {share([line for line in of('quiet') if line['kind'] == kind], _status('explained'))}"
        for kind in sorted({line["kind"] for line in of("quiet")})
    ]
    return [
        "",
        f"false alarms where nothing is wrong: {share(of('quiet'), _status('explained'))}",
        *quiet,
        f"hidden cause answered cannot_tell: {share(of('hidden'), _status('cannot_tell'))}",
        f"season right: {share(of('season'), _right)}",
        f"few wild rows right: {share(of('few_rows'), _right)}",
        f"labels right: {share(of('labels'), _right)}",
        f"concept recognised: {share(concept, lambda line: said(line) == 'concept')}",
        f"concept said where it is not: {share(elsewhere, lambda line: said(line) == 'concept')}",
    ]


def _is_concept(line: Line) -> bool:
    return any(kind == "concept" for kind, _ in line["answers"])


def _apart(asked: Sequence[Line]) -> list[str]:
    columns = [line for line in asked if line["group"] == "column"]
    few = [line for line in columns if line["hit"] < 0.1]
    inside = [line for line in columns if line["place"] == "slice"]
    unseen = [line for line in asked if line["unpaired_z"] < 2]
    rows = [("in < 10 % of the rows", few), ("inside a slice", inside), ("unseen by two windows (z < 2)", unseen)]
    told = [f"  {name:30s} {share(some, _right)}; {_beside(some)}" for name, some in rows]
    return ["", "faults apart:", *told]


def _beside(lines: Sequence[Line]) -> str:
    names = list(lines[0]["baselines"]) if lines else []
    return ", ".join(f"{name} {sum(bool(line['baselines'][name][1]) for line in lines)}" for name in names)


def _baselines(asked: Sequence[Line]) -> list[str]:
    """Each baseline beside the verdicts, on the incidents in which it names a column: overall, and by kind."""
    told = ["", "baselines where they name a column (the verdicts on the same):"]
    for name in asked[0]["baselines"] if asked else ():
        able = [line for line in asked if line["baselines"][name][0] is not None]
        told.append(f"  {name}: {share(able, _told_by(name))}; verdicts {share(able, _right)}")
        told += [
            f"    {kind:18s} {sum(map(_told_by(name), same)):3d} | {sum(map(_right, same)):3d} of {len(same)}"
            + ("   BELOW" if sum(map(_told_by(name), same)) > sum(map(_right, same)) else "")
            for kind in sorted({_kind(line) for line in able})
            if (same := [line for line in able if _kind(line) == kind])
        ]
    return told


def _told_by(name: str) -> Callable[[Line], bool]:
    return lambda line: bool(line["baselines"][name][1])


def _confusion(lines: Sequence[Line]) -> list[str]:
    """Truth by kind against what was said, of incidents that are not weak."""
    strong = [line for line in lines if not line["weak"]]
    heads = sorted({said(line) for line in strong})
    counts = Counter((_kind(line), said(line)) for line in strong)
    rows = [
        f"  {kind:18s}" + "".join(f"{counts[kind, head] or '.':>12}" for head in heads)
        for kind in sorted({_kind(line) for line in strong})
    ]
    return ["", "truth × said:", f"  {'':18s}" + "".join(f"{head:>12}" for head in heads), *rows]


def _errors(lines: Sequence[Line]) -> list[str]:
    failed = Counter(line["error"][:120] for line in lines if line.get("error"))
    return (
        ["", "errors of the product:", *(f"  {count} × {text}" for text, count in failed.most_common())]
        if failed
        else []
    )
