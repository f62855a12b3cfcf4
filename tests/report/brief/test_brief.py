"""The brief: every number of it is in `results.json` or the record, it is short, and it says no more than is known."""

import copy
import html
import itertools
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

import rca
from rca.record.durations import duration_in_words
from rca.record.obligations.duties import duties
from rca.record.obligations.frameworks import frameworks
from rca.record.schema.incident import Incident
from rca.record.why_tree.blameless import nameless
from rca.report.brief.board import board
from rca.report.brief.brief import brief
from rca.report.brief.facts import Facts
from rca.report.brief.verdict import badge, four, verdict
from rca.report.brief.words import metric_words, rounded
from rca.report.rendering.document_formats import to_markdown
from tests.conftest import INCIDENTS
from tests.report.brief.test_board import sound

NAMES = ("chatbot-update", "credit-drift", "hiring-bias", "line-cascade", "quiet-quarter")
SEAL = "0" * 64
NUMERAL = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


@pytest.fixture(scope="module", params=NAMES)
def known(request, analysis_of):
    return nameless(rca.load(INCIDENTS / request.param).incident), analysis_of(request.param).results()


@pytest.fixture
def credit(analysis_of):
    return nameless(rca.load(INCIDENTS / "credit-drift").incident), analysis_of("credit-drift").results()


def text_of(incident, results):
    """What a reader sees: without the second drawing, ids, and the scale of the figure."""
    made = brief(incident, results, SEAL)
    made = re.sub(r"<svg class='narrow'.*?</svg>", "", made, flags=re.DOTALL)
    made = re.sub(r"<text[^>]*class='soft'[^>]*>.*?</text>", " ", made)
    return html.unescape(re.sub(r"<[^>]+>", " ", made)).replace("\N{NO-BREAK SPACE}", " ")


# --- every number ----------------------------------------------------------------------------------------------------


def values(part):
    """Numbers and times of plain values."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        return [one for each in part for one in values(each)]
    return [part] if part is not None else []


def written(results, incident):
    """Numerals by which what is known may be told: a value in one of its units, moments, and what lies between two."""
    told = [results[key] for key in ("verdict", "since_onset", "recovery", "near_event", "out_of_range")]
    told = values([{**one, "points": []} if isinstance(one, dict) else one for one in told])
    numbers = [one for one in told if isinstance(one, int | float) and not isinstance(one, bool)]
    sums = [one["contribution"] for one in results["verdict"]["causes"] if one["kind"] == "slice"]
    sized = [
        one["contribution"] for one in results["verdict"]["causes"] if one["kind"] != "slice" and "contribution" in one
    ]
    numbers += [
        sum(sums),
        *((results["verdict"]["metric"] or {"change": 0})["change"] - sum(one) for one in (sums, sized)),
    ]
    said = {form for one in numbers for form in forms(abs(one))}
    moments = {
        datetime.fromisoformat(one) for one in told if isinstance(one, str) and re.match(r"\d{4}-\d\d-\d\dT", one)
    }
    moments |= {at.astimezone(UTC) for _, at in incident.timeline.moments()}
    moments |= {one.at.astimezone(UTC) for one in incident.timeline.events}
    for at in moments:
        said |= {str(at.day), str(at.year), f"{at:%H}", f"{at:%M}"}
    for one, other in itertools.combinations(sorted(moments), 2):
        said |= set(NUMERAL.findall(duration_in_words((other - one).total_seconds())))
        said |= set(NUMERAL.findall(rounded((other - one).total_seconds())))
    groups = [one["outcome"] for one in (results["recovery"] or {"groups": []})["groups"]]
    said |= {str(len(groups)), *(str(groups.count(one)) for one in groups)}
    impact = values(incident.impact.model_dump(mode="json"))
    said |= {form for one in impact if isinstance(one, int | float) for form in forms(one)}
    items = [one for one in frameworks(incident, results=True).evidence if one.parts]
    said |= {str(len(items)), str(sum(not one.lacking for one in items))}  # of the tables of law and frameworks
    record = (
        str(duties(incident))
        + incident.model_dump_json()
        + "".join(one["question"] + one["why"] for one in results["unanswered"])
    )
    record += "".join(str(one.get("would_decide", "")) for one in results["unanswered"]) + str(results["whys"])
    record += "".join(one["against"] for one in results["ruled_out"])
    record += "".join(text for one in results["findings"] for text in (*one["refuters"], *one["assumptions"]))
    return said | set(NUMERAL.findall(record)) | {"95", "100", "0", SEAL}


def forms(value):
    yield from (f"{value:,.0f}", f"{100 * value:.0f}", f"{100 * value:.1f}", f"{value:.1f}", f"{value:.3g}")
    yield from (f"{100 * value:.1g}", f"{value:,.2f}")


def unknown(incident, results, text):
    pool = written(results, incident)
    return sorted({one for one in NUMERAL.findall(text) if one not in pool and one.lstrip("0") not in pool})


def test_every_number_of_a_brief_is_in_the_results_or_the_record(known):
    incident, results = known
    slices = len([one for one in results["verdict"]["causes"] if one["kind"] == "slice"])
    allowed = {str(slices), *(f"{place}" for place in range(1, 1 + len(incident.actions)))}
    assert set(unknown(incident, results, text_of(incident, results))) <= allowed


def test_every_number_of_the_page_for_the_board_is_too(known):
    incident, results = known
    left = {*map(str, range(1 + len(incident.actions))), str(len(duties(incident).questions))}
    sure = results["verdict"].get("confidence") or {"right": 0, "of": 0}
    assert set(unknown(incident, results, to_markdown(board(incident, results)))) <= left | {
        str(sure["right"]),
        str(sure["of"]),
    }


def test_a_number_that_is_not_in_the_results_is_found(credit):
    incident, results = credit
    changed = copy.deepcopy(results)
    changed["since_onset"]["since"]["value"] += 0.0123
    changed["since_onset"]["hits"] += 36
    found = unknown(incident, results, text_of(incident, changed))
    assert f"{100 * changed['since_onset']['since']['value']:.1f}" in found
    assert str(changed["since_onset"]["hits"]) in found


# --- what is said ----------------------------------------------------------------------------------------------------


def test_a_brief_is_short_and_says_nothing_twice(known):
    text = text_of(*known)
    assert len(text.split()) <= 1050
    sentences = [one.strip() for one in re.split(r"\. |\n| {2,}|, because | because ", text) if len(one.split()) > 7]
    assert [one for one in sentences if sentences.count(one) > 1] == []


def test_the_page_for_the_board_is_sound_by_the_results_too(known):
    incident, results = known
    sound(
        board(incident, results), named={"percentile"} if incident.id.startswith("hiring") else set()
    )  # a column's name


def test_nothing_internal_is_printed(known):
    text = text_of(*known)
    assert not re.search(r"\bNone\b|\bNaN\b|\{|\}|and \d+ more|\d\.\d{4}|\bq_value\b|AUC|SHAP|T\d\d:\d\d", text)
    assert "…" not in text


def test_the_headline_is_that_of_the_rows_since_the_onset_beside_the_whole_window(credit):
    text = text_of(*credit)
    told = verdict(Facts(incident=credit[0], results=credit[1]))
    assert told.startswith(
        "From 24 February 2026 or the evening before, 25.4 % of those who then paid were rated high risk"
    )
    assert "instead of the usual 5.4 %" in told
    assert "February to April as a whole: 20.0 %" in text
    assert "no difference beyond chance" in text
    assert len(told.split()) <= 45


def test_an_onset_at_its_bound_is_so_or_before_and_its_durations_are_at_least(credit):
    incident, results = credit
    facts = Facts(incident=incident, results=results)
    assert four(facts)[0][1] == "24 Feb, 07:21 or before"
    assert "After the onset, at least" in text_of(incident, results)
    later = copy.deepcopy(results)
    later["verdict"]["onset"]["latest"] = "2026-02-24T09:00:00Z"
    inside = Facts(incident=incident, results=later)
    assert four(inside)[0][1] == "24 Feb, 07:21"
    assert "at least" not in text_of(incident, later)


def changed(results, **first):
    made = copy.deepcopy(results)
    made["verdict"]["causes"][0].update(first)
    return made


@pytest.mark.parametrize(
    ("first", "key"),
    [
        ({}, "explained"),
        ({"strength": "suggested"}, "likely"),
        ({"contribution": 0.05, "interval": [0.04, 0.06]}, "partly"),
    ],
)
def test_the_badge_goes_by_strength_and_remainder(credit, first, key):
    incident, results = credit
    facts = Facts(incident=incident, results=changed(results, **first))
    assert badge(facts) == key
    assert ("are not explained" in verdict(facts)) == (key == "partly")
    assert ("most likely because" in verdict(facts)) == (key == "likely")


def test_what_cannot_be_told_is_not_told(credit):
    incident, results = credit
    made = copy.deepcopy(results)
    made["verdict"].update(status="cannot_tell", causes=[])
    facts = Facts(incident=incident, results=made)
    assert badge(facts) == "cannot_tell"
    assert verdict(facts).endswith("The record cannot tell why.")


@pytest.mark.parametrize("moments", [(), ("detected",), ("detected", "closed"), ("onset", "closed"), ("closed",)])
def test_a_bare_record_makes_a_brief(moments):
    record = {
        "timeline": {name: f"2026-03-01T0{at}:00:00Z" for at, name in enumerate(moments)},
        "schema": 1,
        "id": "i",
        "title": "t",
        "severity": "sev3",
        "category": "other",
        "status": "open",
    }
    results = {
        "verdict": {"status": "cannot_tell", "summary": "No data.", "metric": None, "causes": [], "onset": None},
        "findings": [], "unanswered": [],
    }  # fmt: skip
    made = brief(Incident.model_validate(record), results, SEAL)
    assert "No data." in made
    assert "id='impact'" not in made
    assert "<figure" not in made


def test_a_metric_is_told_in_the_words_of_the_record_and_else_in_those_of_the_trade(credit):
    incident, _ = credit
    assert metric_words(incident, "").says == "{} of those who then paid were rated high risk"
    plain = incident.model_copy(update={"data": incident.data.model_copy(update={"words": {}})})
    assert metric_words(plain, "").says == "the false positive rate was {}"


# --- what is hostile -------------------------------------------------------------------------------------------------

TAGS = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "</style><style>*{x:y}")
CLOSERS = ("", "'", '"', "'>", '">', "</text>", "</title>", "-->", "]]>", "</script>", "{0.name}{", "%s", "\u202e")
PAYLOADS = [closer + tag for closer in CLOSERS for tag in TAGS]
PAYLOADS += [f"A1{quote} onmouseover={quote}alert(1)" for quote in ("", "'", '"')]
PAYLOADS += ["javascript:alert(1)", "A" * 4000, "x\x1b[31m\x00", "https://evil.example/x.png", "a" + "\u0301" * 400]
PAYLOADS += ["&lt;script&gt;", "\ufffd", "<" * 300, "﷽" * 40, "url(//evil.example)"]
FREE = {
    "what", "title", "summary", "text", "statement", "because", "guard", "owner", "test_of_effect", "say", "system",
    "question", "first_signal", "temporary_fix", "lasting_fix", "money", "mark", "name", "against", "claim",
}  # fmt: skip


def poisoned(part, payload, key=""):
    if isinstance(part, dict):
        return {name: poisoned(one, payload, name) for name, one in part.items()}
    if isinstance(part, list):
        return [poisoned(one, payload, key) for one in part]
    return payload if key in FREE and isinstance(part, str) else part


class Structure(HTMLParser):
    """The tags of a page with the names of their attributes."""

    def __init__(self, page):
        super().__init__()
        self.seen = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.add((tag, *(name for name, _ in attrs)))


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_text_makes_a_tag_or_an_attribute(credit, payload):
    incident, results = credit
    plain = poisoned(incident.model_dump(mode="json", by_alias=True, exclude={"metric"}), payload)
    plain["metric"] = incident.metric.model_dump(mode="json")
    plain["actions"][0]["id"] = payload
    evil = Incident.model_validate(plain)
    made = brief(evil, poisoned(results, payload), SEAL)
    clean = {*Structure(brief(incident, results, SEAL)).seen, ("a", "href"), ("ul",), ("li",)}
    assert Structure(made).seen <= clean
    assert "\x1b" not in made
    assert "\u202e" not in made


@pytest.mark.parametrize("named", ["soon", "2026-02-24T02:00:00", "2026-02-24T02:00:00Z <b>"])
def test_evidence_that_names_no_moment_is_passed_over(credit, named):
    known, results = credit
    told = known.model_dump(mode="json", by_alias=True, exclude_none=True)
    told["whys"][0]["answer"]["evidence"] = [f"timeline.events:{named}"]
    assert "What set it off" in text_of(Incident.model_validate(told), results)
