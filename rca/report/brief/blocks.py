"""The blocks of a brief under its head: each says what it has to say in so many words, or is not there."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rca.analysis.conclusion.lifecycle import SIGNS
from rca.record.durations import duration_in_words
from rca.record.log import cited_at
from rca.record.schema.corrective_action import CorrectiveAction
from rca.record.schema.why_tree import Factor
from rca.report.brief.facts import Facts
from rca.report.brief.verdict import held, interval_of_onset
from rca.report.brief.words import (
    FEWEST_TRIALS,
    STRENGTHS,
    clause,
    column_words,
    counted,
    day,
    days,
    points,
    reach,
    sentence,
    value,
    when,
)
from rca.report.parts.harm.sections import EXPLAINED
from rca.report.rendering.html import escape
from rca.report.rendering.plain_text import plain, utc, words

MOST_TILES, MOST_NOTES, MOST_GROUPS = 4, 3, 4

MOST_LINES = 2
"""Sentences on a rung of the cause."""

MOST_MOMENTS = 9

MOST_OPEN = 4

MOST_RULED_OUT = 4

MOST_CARDS = 6

TOLD = {"onset": "Onset", "detected": "Detected", "contained": "Contained", "recovered": "Recovered"}
"""The moments that a timeline always has."""

ALSO_TOLD = {"identified": "Cause found", "mitigated": "Mitigated"}

Line = tuple[str, str]


def section(anchor: str, title: str, body: str) -> str:
    """A block with its heading in the rail; nothing where it has nothing to say."""
    if not body:
        return ""
    return f"<section aria-labelledby='{anchor}'><h2 id='{anchor}'>{title}</h2><div class='body'>{body}</div></section>"


# --- impact ----------------------------------------------------------------------------------------------------------


def impact(facts: Facts) -> str:
    """Tiles, the worst first; how counts relate; notes."""
    told = [*_tiles(facts)][:MOST_TILES]
    harm = facts.verdict["status"] != "no_incident"
    worst = next((one for one in told if harm and one[0] != "0"), None)
    tiles = "".join(
        f"<div{' class=worst' if one is worst else ''}><dt>{escape(one[1])}</dt><dd>{escape(one[0])}</dd></div>"
        for one in told
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in [*_notes(facts)][:MOST_NOTES])
    table = _counts(facts)
    return (f"<dl class='tiles'>{tiles}</dl>" if tiles else "") + (
        f"<div class='{'relate' if table else 'notes'}'>{table}<div>{notes}</div></div>" if table or notes else ""
    )


def _tiles(facts: Facts) -> Iterator[Line]:
    known, now, measure = facts.incident.impact, facts.now, facts.measure
    if facts.is_cascade and known.people is not None:
        yield counted(known.people), "people hurt"
    if now.get("above") is not None:
        yield counted(now["above"]), f"above the usual number: {measure.hits}"
    elif known.people:
        yield counted(known.people), "people concerned"
    otherwise = now.get("otherwise")
    if otherwise:
        mended = ", ".join(column_words(facts.incident, one) for one in otherwise["columns"])
        between = " to ".join(counted(end) for end in otherwise["interval"])
        yield counted(otherwise["rows"]), f"decisions would have been others with the {mended} whole ({between})"
    decisions = now.get("decisions") or known.decisions
    if decisions:
        yield counted(decisions), "decisions since the onset" if now.get("decisions") else "decisions concerned"
    if known.support_cases:
        yield counted(known.support_cases), "complaints or support cases"
    if known.money:
        yield money(known.money)
    unnoticed = facts.between("onset", "detected")
    if unnoticed:
        yield duration_in_words(unnoticed), f"unnoticed{facts.at_bound * ', at least'}"
    harm = facts.between("onset", "contained")
    if harm:
        yield duration_in_words(harm), f"from onset to containment{facts.at_bound * ', at least'}"


def money(said: float | str) -> Line:
    """A sum, and what it was for."""
    if not isinstance(said, str):
        return f"{said:,.0f}", "lost, as far as it is known (the record gives no currency)"
    amount, sign, rest = said.partition(" for ")
    about = amount.startswith("about ")
    told = f"for {rest}" if sign else "lost, as far as it is known"
    return amount.removeprefix("about "), f"{'about, ' * about}{told}"


def _counts(facts: Facts) -> str:
    """How counts relate, with bars to one scale."""
    now, measure = facts.now, facts.measure
    if now.get("counted") is None or not now.get("since"):
        return ""
    rate, usual = (value(one, share=True) for one in (now["since"]["value"], now["usual"]))
    rows = [("Decisions", now["decisions"], 0), (f"of them {measure.counted}", now["counted"], 1)]
    rows = rows[:1] if now["decisions"] == now["counted"] else rows
    rows += [(f"{measure.hits}: {rate}", now["hits"], 2), (f"above the usual {usual}", now["above"], 3)]
    rows = [row for row in rows if row[1] >= 0]
    body = "".join(
        f"<tr><th scope='row' class='in{depth}'>{escape(said)}</th><td class='number'>{counted(of)}</td>"
        f"<td><i class='{'harm' if depth > 1 else ''}' style='width:{100 * of / rows[0][1]:.1f}%'></i></td></tr>"
        for said, of, depth in rows
    )
    span = days(now["from"], now["to"])
    head = "<tr class='unseen'><th scope='col'>rows</th><th scope='col'>count</th><th scope='col'>to scale</th></tr>"
    caption = f"How the counts relate, {escape(span)}"
    return f"<table class='counts'><caption>{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def _notes(facts: Facts) -> Iterator[str]:
    now, metric, share = facts.now, facts.metric, facts.is_share
    if metric and now.get("since") and abs(now["since"]["value"] - metric["current"]) > 0.05 * abs(metric["change"]):
        up = "up" if metric["change"] > 0 else "down"
        ends = sorted(abs(end) for end in metric["interval"])
        change = f"{up} {points(abs(metric['change']), share=share)} ({reach(ends, share=share)})"
        yield f"{sentence(days(*now['window']), '')} as a whole: {facts.value(metric['current'])}, {change}."
    yield from _of_groups(facts)
    if now.get("otherwise") and now["otherwise"]["righted"]:
        one = now["otherwise"]
        yield (
            f"Of the {counted(one['rows'])}, {counted(one['righted'])} were wrong and would have been right, and "
            f"{counted(one['wronged'] or 0)} the other way round."
        )
    told = [one for one in facts.incident.postmortem.messages if one.to in ("affected", "external", "regulator")]
    if told:
        yield sentence("; ".join(f"{one.what.rstrip('.')} on {day(one.at)}" for one in told))
    if facts.incident.impact.text and not now.get("hits"):
        yield facts.incident.impact.text


def _of_groups(facts: Facts) -> Iterator[str]:
    """The groups of the column with the fewest, since the onset."""
    now = facts.now
    by = {one: [each for each in now["groups"] if each["column"] == one] for one in now.get("compared", ())}
    few = {column: groups for column, groups in by.items() if 2 <= len(groups) <= MOST_GROUPS}
    for column, groups in [*few.items()][:1]:
        told = sorted(groups, key=lambda one: -one["value"])
        said = ", ".join(f"{plain(one['name'])} {value(one['value'], share=facts.is_share)}" for one in told)
        beyond = "" if column in now["apart"] else "; no difference beyond chance"
        yield f"Since the onset, by {column_words(facts.incident, column)}: {said}{beyond}."


# --- cause -----------------------------------------------------------------------------------------------------------


def cause(facts: Facts) -> str:
    """What set it off, why it was possible, which guard was missing."""
    if facts.verdict["status"] == "no_incident":
        return ""
    rungs = [
        ("set", "What set it off", _set_off(facts)),
        ("possible", "Why it was possible", _possible(facts)),
        ("guard", "Which guard was missing", _guards(facts)),
    ]
    return "".join(_rung(kind, name, lines[:MOST_LINES]) for kind, name, lines in rungs if lines)


Rung = tuple[str, str, list[str]]
"""A sentence, its strength, and the actions about it."""


def _rung(kind: str, name: str, lines: Iterable[Rung]) -> str:
    said = "".join(
        f"<p>{escape(sentence(text))}</p><p class='small strength {strength}'>{STRENGTHS[strength]}"
        f"{''.join(map(_to, actions))}</p>"
        for text, strength, actions in lines
    )
    return f"<div class='rung {kind}'><h3 id='cause-{kind}'>{name}</h3><div>{said}</div></div>"


def _to(action: str) -> str:
    """A link to the card of an action."""
    return f" · <a href='#{escape(action)}'>{escape(action)}</a>"


def _of(facts: Facts, factor: Factor) -> Rung:
    return factor.statement, factor.strength, facts.addressed(factor)


def _set_off(facts: Facts) -> list[Rung]:
    if facts.trigger is not None:
        below = [one for one in facts.under(facts.trigger) if one.role == "contributing"]
        return [_of(facts, one) for one in (facts.trigger, *below)]
    named = facts.causes if facts.verdict["status"] == "explained" else ()
    solid = [one for one in named if one["kind"] not in ("slice", "event")]
    lines: list[Rung] = [(facts.said(one), one["strength"], []) for one in solid[:1]]
    event = next((one for one in named if one["kind"] == "event"), None)
    return lines + ([(f"Near the onset: {event['name']}", event["strength"], [])] if event else [])


def _possible(facts: Facts) -> list[Rung]:
    if not facts.on_record:
        return []
    latent = [one for one in facts.factors if one.role == "latent"]
    under = [one for one in facts.under(facts.trigger) if one.role == "latent"] if facts.trigger is not None else []
    return [_of(facts, one) for one in under or latent]


def _guards(facts: Facts) -> list[Rung]:
    return [(one.guard, one.strength, facts.addressed(one)) for one in facts.factors if one.guard and facts.on_record]


def explanation_words(facts: Facts, one: Mapping[str, Any]) -> str:
    """What a rival accuses, in words."""
    broken = f" ({words(one['fault'])})" if one["fault"] and one["fault"] != "distribution" else ""
    name = column_words(facts.incident, one["name"])
    return EXPLAINED.get(one["name"] if one["kind"] == "rows" else one["kind"], "{name}").format(name=name) + broken


def ruled_out(facts: Facts) -> str:
    """Rivals that somebody held, then those that the analysis raised; each with what killed it."""
    held_ = [
        (words(one.statement), words(one.because)) for why in facts.whys for each in why.walk() for one in each.rejected
    ]
    raised = [(explanation_words(facts, one), one["against"]) for one in facts.results.get("ruled_out", ())]
    alike: dict[str, str] = {}
    for said, against in held_ or raised:
        alike[said] = "; ".join(filter(None, [alike.get(said, ""), against.rstrip(".")]))
    lines = [(said, against) for said, against in alike.items() if against][:MOST_RULED_OUT]
    told = "".join(f"<dt>{escape(sentence(said, ''))}</dt><dd>{escape(sentence(why))}</dd>" for said, why in lines)
    return f"<dl class='not'>{told}</dl>" if told else ""


# --- timeline --------------------------------------------------------------------------------------------------------


def timeline(facts: Facts) -> str:
    """When, what, and how long after the onset."""
    rows = _moments(facts)
    if not rows:
        return ""
    onset, span = facts.moments.get("onset"), f", at least{''}" if facts.at_bound else ""
    body = ""
    for at, said, is_key in rows:
        late = _after((at - onset).total_seconds()) if onset is not None else ""
        before = facts.or_before if onset is not None and at == onset else ""
        body += (
            f"<tr{' class=key' if is_key else ''}><th scope='row'>{_at(facts, at)}{before}</th>"
            f"<td>{escape(said)}</td>{f'<td class=number>{late}</td>' if onset is not None else ''}</tr>"
        )
    last = f"<th scope='col' class='number'>After the onset{span}</th>" if onset is not None else ""
    head = f"<tr><th scope='col'>When</th><th scope='col'>What</th>{last}</tr>"
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>{_uncertain(facts)}"


def _at(facts: Facts, at: datetime) -> str:
    return when(at, of_a_day=facts.by_the_hour(at))


def _after(seconds: float) -> str:
    if seconds == 0:
        return "0"
    return duration_in_words(abs(seconds)) + (" before" if seconds < 0 else "")


def _uncertain(facts: Facts) -> str:
    dated = facts.dated
    if dated is None:
        return ""
    wide = (utc(dated["latest"]) - utc(dated["earliest"])).total_seconds()
    if wide < 60:
        return ""
    known = duration_in_words(wide)
    said = (
        f"Up to {known} more, as the onset may be earlier."
        if facts.at_bound
        else f"The onset is known to within {known}; each duration may differ by as much."
    )
    return f"<p class='small'>{said}</p>"


Moment = tuple[Any, str, bool]


def _moments(facts: Facts) -> list[Moment]:
    """The key moments, what led up to the onset, signals that were missed, and what people did."""
    rows: list[Moment] = [
        (at, _called(facts, name), name in TOLD)
        for name, at in facts.moments.items()
        if name in TOLD or name in ALSO_TOLD
    ]
    events = sorted(_events(facts), key=lambda one: one[0])
    room = MOST_MOMENTS - len(rows)
    chosen = [(at, said, False) for _, at, said in events[: max(room, 0)]]
    return sorted([*rows, *chosen], key=lambda one: (one[0], not one[2]))


def _called(facts: Facts, name: str) -> str:
    said = {**TOLD, **ALSO_TOLD}[name]
    debrief = facts.incident.postmortem
    if name == "onset" and facts.because:
        return f"{said}: {facts.because}" if len(facts.because) < 60 else said
    if name in ("identified", "contained") and (late := facts.between("detected", name)) is not None:
        return f"{said}, {duration_in_words(late)} after detection"
    if name == "detected" and debrief.first_signal and len(debrief.first_signal) < 70 and facts.is_cascade:
        return f"{said}: {clause(debrief.first_signal)}"
    if name == "mitigated" and debrief.temporary_fix:
        return f"{said}: {clause(debrief.temporary_fix.partition(';')[0])}"
    if name == "recovered" and debrief.lasting_fix:
        return f"{said}: {clause(debrief.lasting_fix)}"
    return said


def _events(facts: Facts) -> Iterator[tuple[int, Any, str]]:
    """Events that explain something, with their rank: what set it off, missed signals, what people did, rivals."""
    onset, detected = facts.moments.get("onset"), facts.moments.get("detected")
    near = [one for tree in facts.whys for why in tree.walk() for one in why.candidates]
    cited = {name for factor in (*facts.factors, *near) for name in factor.evidence}
    close = set(facts.moments.values())
    named = {one["name"] for one in facts.causes if one["kind"] == "event"}
    for event in facts.incident.timeline.events:
        at = utc(event.at)
        said = sentence(event.what, "")
        missed = event.kind in SIGNS and onset is not None and detected is not None and onset <= at < detected
        if any(event.what in one for one in named) or (event.kind not in SIGNS and _cites(cited, at)):
            yield 0, at, said
        elif missed:
            yield 1, at, f"Missed signal: {event.what}"
        elif event.kind == "human" and detected is not None and at >= detected and at not in close:
            yield 2, at, said


def _cites(cited: set[str], at: Any) -> bool:
    return any(cited_at(name) == at for name in cited)


# --- what follows ----------------------------------------------------------------------------------------------------


def actions(facts: Facts) -> str:
    """What is done, by whom, until when, and how one will know."""
    kept = [one for one in facts.incident.actions if one.state != "dropped"]
    now = facts.incident.now
    cards = "".join(_card(one.id or f"A{place}", one, now) for place, one in enumerate(kept[:MOST_CARDS], 1))
    more = "".join(f"<li>{escape(f'{one.what}: {_owner(one)}')}</li>" for one in kept[MOST_CARDS:])
    return (f"<ol class='cards'>{cards}</ol>" if cards else "") + (f"<ul>{more}</ul>" if more else "")


def _card(name: str, one: CorrectiveAction, now: datetime | None) -> str:
    name, state = escape(name), "overdue" if one.is_overdue(now) else one.state_at(now)
    told = " · ".join(filter(None, [name, one.aims_to, state if state != "open" else ""]))
    by = day(f"{one.due_on}T00:00:00+00:00", long=True) if one.due_on else "no date yet"
    test = escape(one.test_of_effect or "")
    return (
        f"<li id='{name}'><p>{told}</p><h3 id='{name}-what'>{escape(one.what)}</h3><dl><dt>Who</dt>"
        f"<dd>{escape(_owner(one))}</dd><dt>By</dt><dd>{by}</dd></dl>"
        f"{f'<p><small>We will know it works when</small> {test}</p>' if test else ''}</li>"
    )


def _owner(one: CorrectiveAction) -> str:
    return words(one.owner or "nobody yet")


def unknown(facts: Facts) -> str:
    """What cannot be told, what stands against it, and what would decide."""
    lines = [*unknown_lines(facts)][:MOST_OPEN]
    listed = "".join(f"<dt>{escape(sentence(asks, '?'))}</dt><dd>{escape(says)}</dd>" for asks, says in lines)
    return f"<dl class='open'>{listed}</dl>" if listed else ""


def unknown_lines(facts: Facts) -> Iterator[Line]:
    """What is not known, as a question, and what would decide it."""
    yield from _decidable(facts)
    yield from _event(facts)
    yield from _recovery(facts)
    status = facts.verdict["status"]
    if status != "no_incident" and not facts.incident.impact.money and facts.incident.impact.decisions:
        yield "What did it cost?", "No money is on record."
    if not facts.on_record and status != "no_incident":
        open_ = [why for tree in facts.whys for why in tree.walk() if why.answer is None]
        for why in open_[:2]:
            yield words(why.question), f"Only people can say{f'; {why.ask} is asked' if why.ask else ''}."
    for one in facts.results["unanswered"]:
        if not one.get("would_decide") and status == "cannot_tell":
            yield words(one["question"]), sentence(words(one["why"]))


def _decidable(facts: Facts) -> Iterator[Line]:
    for one in facts.results["unanswered"]:
        if told := one.get("would_decide"):
            yield words(one["question"]), f"{sentence(one['why'])} To decide: {words(told['what'])}."


def _event(facts: Facts) -> Iterator[Line]:
    """How near the event lies that may have set it off, and what chance does."""
    named = next((one for one in facts.causes if one["kind"] == "event"), None)
    near = facts.results.get("near_event")
    if named is None or near is None:
        return
    lag = duration_in_words(abs(near["lag"]))
    where = f"{lag} {'before' if near['lag'] >= 0 else 'after'} the onset"
    chance = f"by chance an event lies so near in {100 * near['p_value']:.0f} of 100 timelines"
    told = next((one.what for one in facts.incident.timeline.events if utc(one.at) == utc(near["at"])), near["name"])
    says = f"Likely: it came {where}; {chance}. A trial without it would decide."
    yield f"Did this set it off: {told.partition(': ')[0]}?", says


def _recovery(facts: Facts) -> Iterator[Line]:
    known = facts.results.get("recovery")
    if known is None or not known["groups"]:
        return
    groups, after = known["groups"], facts.now.get("recovered")
    few = sum(one["outcome"] == "cannot_tell" for one in groups)
    worse = [one["where"] for one in groups if one["outcome"] in ("perhaps_worse", "not_recovered")]
    if not few and not worse:
        return
    now = f" ({facts.value(after['value'])})" if after else ""
    whole = {"recovered": "Overall yes", "no_worse": "Overall no worse"}.get(known["outcome"], "Not shown overall")
    told = [f"{whole}{now}"] + ([f"for {few} of {len(groups)} groups there are too few rows"] if few else [])
    told += [f"perhaps worse for {', '.join(column_words(facts.incident, one) for one in worse[:3])}"] if worse else []
    yield "Is every group back where it was?", f"{'; '.join(told)}. Later rows would decide."


def sureness(facts: Facts) -> str:
    """The strength, what held, what is assumed, and how often such verdicts were right."""
    said = [*_sure(facts)]
    return f"<p>{escape(' '.join(said))}</p>" if said else ""


def _sure(facts: Facts) -> Iterator[str]:
    first, now, share = facts.first, facts.now, facts.is_share
    if first is not None:
        yield f"{STRENGTHS[first['strength']]}."
    would = now.get("otherwise")
    if would and would.get("would_be") is not None and would.get("would_be_interval"):
        low, high = (100 * end if share else end for end in would["would_be_interval"])
        after = now.get("recovered")
        back = f"; after the repair it was {facts.value(after['value'])}" if after else ""
        mended = ", ".join(column_words(facts.incident, one) for one in would["columns"])
        yield (
            f"With the {mended} mended and the model asked again, it would have been "
            f"{facts.value(would['would_be'])} ({low:.1f} to {high:.1f}){back}."
        )
    if kept := held(facts):
        yield f"It survived: {'; '.join(kept[:3])}."
    known = [facts.finding(name) for name in (first or {}).get("findings", ())]
    assumed = [text for one in known if one is not None for text in one["assumptions"]]
    if assumed:
        yield f"It assumes that {assumed[0]}."
    sure = facts.verdict.get("confidence")
    if sure and sure["of"] < FEWEST_TRIALS:
        yield "How often verdicts like this one are right is not known: too few were tried."
    elif sure:
        yield f"Verdicts like this one were right in {sure['right']} of {sure['of']} {sure['on'].partition(' ')[2]}."


__all__ = ["actions", "cause", "impact", "interval_of_onset", "ruled_out", "section", "sureness", "timeline", "unknown"]
