"""The head of a brief: badge, verdict in one sentence, and four facts."""

from collections.abc import Iterator, Mapping
from typing import Any

from rca.report.brief.facts import Facts
from rca.report.brief.words import (
    BADGES,
    STRENGTHS,
    clause,
    column_words,
    day,
    days,
    points,
    reach,
    sentence,
    system,
    value,
    when,
)
from rca.report.rendering.html import escape
from rca.report.rendering.plain_text import utc, words

Fact = tuple[str, str, str]
"""What a fact is about, the fact, and what stands small under it."""

BECAUSE = {"shown": "because", "suggested": "most likely because", "assumed": "perhaps because"}

SHORT = 9
"""Words of a refuter that stand under a fact."""

MOST_PLACES = 3
"""Conditions that a fact names."""


def badge(facts: Facts) -> str:
    """Key of the badge, by status, strength, and whether a remainder lies outside of what the causes may have done."""
    status, first = facts.verdict["status"], facts.first
    if first is None:
        return "no_incident" if status == "no_incident" else "cannot_tell"
    if first["strength"] != "shown":
        return "likely"
    return "partly" if remainder(facts) > 0 else "explained"


def remainder(facts: Facts) -> float:
    """The part of the harm beyond the upper ends of what its causes did; zero where they may have done it all."""
    sized = [one for one in facts.causes if "contribution" in one and one["strength"] != "assumed"]
    whole = [one for one in sized if one["kind"] != "slice"] or sized
    if facts.metric is None or not whole:
        return 0.0
    done = sum(one["contribution"] for one in whole)
    wide = sum((one.get("interval", [0, one["contribution"]])[1] - one["contribution"]) ** 2 for one in whole) ** 0.5
    worse = abs(facts.metric["change"])
    return worse - done if done + wide < worse else 0.0


def head(facts: Facts) -> str:
    """Title, badge, verdict and facts."""
    key, known = badge(facts), facts.incident
    line = ["Post-mortem", f"severity {known.severity.removeprefix('sev')}", words(known.category)]
    line += [f"closed {day(known.timeline.closed, long=True)}"] if known.timeline.closed else [known.status]
    told = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(fact)}</dd><dd class='small'>{escape(small)}</dd></div>"
        for name, fact, small in four(facts)
    )
    return (
        f"<p class='small'>{escape(' · '.join([*line, 'all times in UTC']))}</p><h1>{escape(known.title)}</h1>"
        f"<p class='badge {key}'>{BADGES[key]}</p><p class='verdict'>{escape(verdict(facts))}</p>"
        + (f"<dl class='facts'>{told}</dl>" if told else "")
    )


# --- the sentence ----------------------------------------------------------------------------------------------------


def verdict(facts: Facts) -> str:
    """The verdict in one sentence."""
    key = badge(facts)
    if key == "no_incident":
        return _quiet(facts)
    if facts.metric is None and not facts.now:
        return str(facts.verdict["summary"])
    if key == "cannot_tell":
        return f"{_from(facts)}. The record cannot tell why."
    because = f"{BECAUSE[facts.first['strength']]} {facts.because}" if facts.first else ""
    if facts.first and facts.first["kind"] == "slice" and facts.trigger is None:
        return f"{_from(facts)}; these data say where, not why: {_where(facts)[0][1]}."
    left = remainder(facts)
    rest = f"; {points(left, share=facts.is_share)} are not explained" if left else ""
    return f"{_from(facts)}, {because}{rest}."


def _from(facts: Facts) -> str:
    """Since when, and what: "From 24 February 2026 on, 25.4 % were …, instead of the usual 5.4 %"."""
    before, now = _usual(facts)
    said = facts.measure.says.format(now)
    return sentence(f"{_since(facts)}{said}, instead of the usual {before}", "")


def _since(facts: Facts) -> str:
    if "onset" not in facts.moments:
        return ""
    at, dated = facts.moments["onset"], facts.dated
    before = ""
    if facts.at_bound and dated is not None and utc(dated["earliest"]).date() != at.date():
        early = (at.date() - utc(dated["earliest"]).date()).days
        before = " or the evening before" if early == 1 and utc(dated["earliest"]).hour >= 17 else " or before"
    return f"from {day(at, long=True)}{before}, "


def _usual(facts: Facts) -> tuple[str, str]:
    """The metric before, and since the onset; over the whole window where nothing says since when."""
    since, metric = facts.now.get("since"), facts.metric
    before = facts.now["usual"] if facts.now else metric["reference"] if metric else 0.0
    now = since["value"] if since else metric["current"] if metric else before
    return facts.value(before), facts.value(now)


def _quiet(facts: Facts) -> str:
    metric, share = facts.metric, facts.is_share
    if metric is None:
        return str(facts.verdict["summary"])
    low, high = metric["interval"]
    before, now = facts.value(metric["reference"]), facts.value(metric["current"])
    if low <= 0 <= high:
        most = max(abs(low), abs(high))
        stayed = f"{facts.measure.says.format(now)}, as before ({before}): a difference of"
        return sentence(f"{stayed} {points(most, share=share)} or less") + _harmless(facts)
    return sentence(f"{facts.measure.says.format(now)}, and {before} before: {clause(_last(facts))}")


def _harmless(facts: Facts) -> str:
    """Columns that moved and did no harm."""
    drift = [one for one in facts.results["findings"] if one["id"].startswith("drift.") and one["cause"]]
    named = dict.fromkeys(column_words(facts.incident, one["cause"]["name"]) for one in drift)
    return f" What moved, {', '.join([*named][:MOST_PLACES])}, did no harm." if named else ""


def _last(facts: Facts) -> str:
    """What the verdict says after the numbers."""
    return str(facts.verdict["summary"]).partition(": ")[2] or str(facts.verdict["summary"])


# --- four facts ------------------------------------------------------------------------------------------------------


def four(facts: Facts) -> list[Fact]:
    """Since when, where, what this cause did, how surely."""
    return [*_when(facts), *_where(facts), *_did(facts), *_strength(facts)]


def _when(facts: Facts) -> Iterator[Fact]:
    if "onset" not in facts.moments:
        return
    said = when(facts.moments["onset"], of_a_day=facts.of_a_day) + facts.or_before
    yield "Since", said, interval_of_onset(facts)


def interval_of_onset(facts: Facts) -> str:
    """How well the onset is known."""
    dated = facts.dated
    if dated is None:
        return "on record"
    level = "" if facts.is_cascade else f" ({dated['level']:.0%})".replace("%", " %")
    early, late = (utc(dated[key]) for key in ("earliest", "latest"))
    same = early.date() == late.date()
    if facts.at_bound:
        return f"not before {when(early, of_a_day=facts.of_a_day or same)}{level}"
    return f"{when(early, of_a_day=same)} to {when(late, of_a_day=same)}{level}"


def _where(facts: Facts) -> list[Fact]:
    """The condition or the slices that carry it; that no group differs; of a cascade, from where to where."""
    first = facts.first
    if first is None:
        return []
    if first["kind"] == "component":
        return _way(facts, first)
    slices = [one for one in facts.causes if one["kind"] == "slice"]
    if first.get("where") or slices:
        named = [first["where"]["condition"]] if first.get("where") else [one["name"] for one in slices]
        return [_places(facts, named)]
    compared, apart = facts.now.get("compared", []), facts.now.get("apart", [])
    if compared and not apart:
        every = " and ".join(column_words(facts.incident, one) for one in compared[:2][::-1])
        return [("Where", f"Every {every}", "no group differs beyond chance")]
    if apart:
        highest = max((one for one in facts.now["groups"] if one["column"] == apart[0]), key=lambda one: one["value"])
        said = column_words(facts.incident, f"{highest['column']}={highest['name']}")
        return [("Where most", sentence(said, ""), value(highest["value"], share=facts.is_share))]
    return []


def _places(facts: Facts, named: list[str]) -> Fact:
    """One condition; of several words in one column, which; of other parts, how many."""
    said = [column_words(facts.incident, one) for one in named[:MOST_PLACES]]
    if len(said) == 1:
        return "Where", sentence(said[0], ""), ""
    columns = {one.partition("~")[0] for one in named}
    if len(columns) == 1 and all("~" in one for one in named):
        text = sentence(column_words(facts.incident, columns.pop()), "")
        return "Where", f"{text} with one of {len(named)} words", ", ".join(one.partition("~")[2] for one in named)
    return "Where", f"{len(named)} parts of the rows", "; ".join(said)


def _way(facts: Facts, first: Mapping[str, Any]) -> list[Fact]:
    target = (facts.incident.signals.target or "").partition("|")[0] if facts.incident.signals else ""
    out = [system(one["component"]) for one in facts.results.get("out_of_range", [])]
    between = [one for one in out if one not in (system(first["name"]), system(target))]
    if not target or system(target) not in out:
        return []
    said = f"{sentence(words(first['name']), '')} to {system(target)}"
    return [("Where", said, f"also out of range: {', '.join(between[:MOST_PLACES])}" if between else "")]


def _did(facts: Facts) -> Iterator[Fact]:
    sized = [one for one in facts.causes if "contribution" in one]
    if facts.metric is not None and sized and facts.first is not None:
        first, share = sized[0], facts.is_share
        parts = [one for one in sized if one["kind"] == "slice"] if first["kind"] == "slice" else [first]
        did = points(sum(one["contribution"] for one in parts), share=share, unit=False)
        of = points(abs(facts.metric["change"]), share=share)
        sure = f"{reach(first['interval'], share=share)} (95 %)" if first.get("interval") and len(parts) == 1 else ""
        window, name = facts.now.get("window"), "This cause did" if first["kind"] != "slice" else "These rows carry"
        yield name, f"{did} of the {of}", ", ".join(filter(None, [sure, days(*window) if window else ""]))
    elif facts.is_cascade and facts.first is not None:
        score = next((one["score"] for one in facts.results["out_of_range"]), None)
        if score is not None:
            yield "Out of range first", sentence(system(facts.first["name"]), ""), f"{score:.1f} deviations from normal"


def _strength(facts: Facts) -> Iterator[Fact]:
    if facts.first is not None:
        short = [one for one in held(facts) if len(one.split()) <= SHORT]
        yield "Strength", STRENGTHS[facts.first["strength"]], next(iter(short), "")


def held(facts: Facts) -> list[str]:
    """Refuters that the first cause survived, in short."""
    known = [facts.finding(name) for name in (facts.first or {}).get("findings", ())]
    return [said for one in known if one is not None for said in one["refuters"]]
