"""Whatever comes in: a sound record without a time that was not given, or a refusal with its place; never a crash."""

import contextlib
import json
import random
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rca.errors import InvalidCase
from rca.importers.fact import Given
from rca.importers.importing import import_files
from rca.importers.payload import documents
from rca.record.case import load, scaffold
from rca.record.check import check
from tests.importers.cases import bytes_of
from tests.importers.simulated import WITH, raw
from tests.importers.test_reading import NONE, SAYS
from tests.statistical.promises import noted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LAW = "whatever a vendor's file holds, it ends in a sound record or in a refusal with its place"

MICROSECOND = timedelta(microseconds=1)

UNITS = {("mlflow", "model versions"): 10**3, ("mlflow", "runs"): 10**3, ("otel", "spans"): 10**9}
"""Forms whose numbers are times, and how many of them a second has."""

TWO_UNITS = {("opsgenie", "webhook"): (10**3, 10**9)}
"""Forms that count in two units."""

SUMS = {("opsgenie", "alerts"): None, ("pagerduty", "analytics of incidents"): 1}
"""Forms that give a moment as a length after another, and how many of its unit a second has, where that is known."""

ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")

TIMES = (
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-05-02T25:61:00Z",
    "2026-05-02T09:10:00", "2026-05-02", "02/05/2026 09:10", "2026-05-02T09:10:00.1234567890123Z",
    "2026-05-02T09:10:00+26:00", "yesterday", "2026-05-02T09:10:60Z", "", "2026-05-02T11:10:00+02:00",
    "2026-05-03T00:00Z", "2026-05-01 23:59:59.5+00:00", "2026-05-04T04:00:00-0330", "1777713000", 1777713000,
    1777713000123, 1777713000123456, 1777713000.5, 0, -1, 10**30, 1e308, "2026-05-02t09:10:00z",
    "２０２６-05-02T09:10:00Z", "2026-10-25T02:30:00", "1969-12-31T23:59:59Z", "?",
)  # fmt: skip
"""What may stand where a time was."""

VALUES = (
    None, True, False, 0, -1, 3.5, 10**40, "", " ", "null", "no", "~", "{", "}", "{0.__class__}", "\x00", "\ud800",
    "ééé", "\u202egnp.exe", '故障: ein "Fall" # kein\nKommentar', "- a\n- b", "a: b", "&a *a !!python/object:x",
    "x" * 100_000, [], {}, [[]], [None], {"id": {}}, ["a", 1], "<script>alert(1)</script>", "=1+1", "../../x",
    "\u2028", "\ufeff",
)  # fmt: skip
"""What may stand anywhere."""


def leaves(node, at=()):
    """Every place of a payload, also those of lists and mappings."""
    if at:
        yield at
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, one in pairs:
        yield from leaves(one, (*at, key))


def put(node, at, value):
    """Put a value at a place; `KeyError` takes it out."""
    *way, last = at
    for key in way:
        node = node[key]
    if value is KeyError:
        del node[last]
    else:
        node[last] = value


def is_time(value):
    return (isinstance(value, str) and bool(ISO.match(value))) or (isinstance(value, int) and value > 10**9)


def mutated(form, rng):
    """A payload with one to four things wrong with it."""
    content = raw(form)
    if content[:1] not in b"[{" or rng.random() < 0.1:
        return broken(content, rng)
    document = json.loads(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(leaves(document))
        if not places:
            break
        at = rng.choice(places)
        times = [one for one in places if is_time(value_at(document, one))]
        if times and rng.random() < 0.35:
            at, value = rng.choice(times), rng.choice([*TIMES, KeyError])
        else:
            value = rng.choice([*VALUES, *TIMES, KeyError, value_at(document, rng.choice(places))])
        try:
            put(document, at, json.loads(json.dumps(value)) if value is not KeyError else value)
        except (KeyError, IndexError, TypeError, ValueError, RecursionError):
            continue
    if isinstance(document, list) and document and rng.random() < 0.2:
        document += [rng.choice(document) for _ in range(rng.randint(1, 20))]
    return json.dumps(document, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def value_at(node, at):
    for key in at:
        node = node[key]
    return node


def broken(content, rng):
    """Bytes cut, doubled, turned or in another encoding."""
    cut = rng.randrange(len(content))
    year = rng.choice([b"0001", b"20260", b"9999", b"1026"])
    return rng.choice([
        content[:cut], content[cut:], content + content, content.replace(b'"', b"'", 1), b"\xff" + content,
        content.decode().encode("utf-16"), content[:cut] + bytes([rng.randrange(256)]) + content[cut + 1 :],
        b"\xef\xbb\xbf" + content, content.replace(b"2026", year), content.replace(b"Z", b""),
        b"[" + content + b"]", content.replace(b",", b";"), content * 40,
    ])  # fmt: skip


# --- what was given, by another reading than the importers' own ------------------------------------------------------


def given_in(content, said, form):
    """Every moment that a payload, and what was said beside it, can be taken to give."""
    texts, numbers = [said.at or ""], []
    held = documents(content, name="f")
    for at in leaves(held):
        value = value_at(held, at)
        texts += [value] if isinstance(value, str) else []
        numbers += [value] if isinstance(value, int | float | str) and not isinstance(value, bool) else []
    found = {at for text in texts for at in of_text(text, zone=said.zone)}
    asked = 10**3 if said.unit else None
    units = TWO_UNITS.get(form, (UNITS.get(form, asked),))
    counted = {length for unit in units for length in lengths_of(numbers, unit)}
    found |= {EPOCH + one for one in counted}
    return found | {at + one for at in found for one in lengths_of(numbers, SUMS.get(form) or asked) if form in SUMS}


def of_text(text, *, zone):
    plain = text.strip().upper().replace(",", ".")
    bare = plain.removesuffix("UTC").strip()
    zone = "UTC" if bare != plain else zone
    forms = (datetime.fromisoformat, *(partial(read_as, form) for form in ("%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M")))
    for read in forms:
        with contextlib.suppress(ValueError, OverflowError):
            at = read(bare)
            if at.tzinfo or zone:
                moment = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
                if 1800 < moment.year < 2300:
                    yield moment


def read_as(form, text):
    return datetime.strptime(text, form)  # noqa: DTZ007  (the zone comes after)


def lengths_of(numbers, per_second):
    found = set()
    for number in numbers if per_second else ():
        with contextlib.suppress(ValueError, OverflowError):
            whole = int(number) if str(number).lstrip("-").isdecimal() else float(number)
            length = timedelta(microseconds=int(whole * 10**6 // per_second))
            found |= {length} if abs(length) < timedelta(days=100_000) else set()
    return found


def times_of(incident):
    """Every time that a record has."""
    yield from (at for _, at in incident.timeline.moments())
    yield from (event.at for event in incident.timeline.events)
    yield from (one.at for one in incident.detections)


def outcome(seed, home):
    """What came of one variant."""
    rng = random.Random(seed)
    form = rng.choice(sorted(SAYS if rng.random() < 0.95 else NONE))
    said = rng.choice(
        [WITH.get(form, Given()), WITH.get(form, Given()), Given(), Given(zone="Europe/Berlin", unit="ms")]
    )
    content, by = mutated(form, rng), rng.choice([form[0], "auto"])
    case, file = scaffold(home, "x"), home / f"f{rng.choice(['.json', '.csv', '', '.exe'])}"
    file.write_bytes(content)
    before = bytes_of(case)
    try:
        import_files(case, [file], by=by, given=said)
    except InvalidCase as error:
        return refusal(error, unchanged=bytes_of(case) == before)
    assert check(case) == []
    named = "Europe/Berlin" if form[1].startswith("analytics") else None  # by the answer itself
    known = given_in(content, replace(said, zone=said.zone or named), form)
    made_up = [at for at in times_of(load(case).incident) if all(abs(at - one) > MICROSECOND for one in known)]
    assert made_up == []
    after = bytes_of(case)
    assert not import_files(case, [file], by=by, given=said).changed
    assert bytes_of(case) == after
    return "imported"


def refusal(error, *, unchanged):
    assert unchanged, "refused, and something was written"
    assert all(problem.place and problem.what for problem in error.problems)
    return "refused"


@pytest.mark.parametrize("draws", [40, pytest.param(4_000, marks=pytest.mark.prove)])
def test_whatever_comes_in_ends_in_a_record_or_a_refusal_and_in_no_time_that_was_not_given(draws):
    seen = Counter()
    for seed in range(draws):
        home = Path(tempfile.mkdtemp())
        try:
            seen[outcome(seed, home)] += 1
        except Exception as error:
            raise AssertionError(f"variant {seed}") from error
        finally:
            shutil.rmtree(home)
    for sort, count in sorted(seen.items()):
        noted(f"{LAW} ({sort})", promised="no crash, no time made up", seen=f"{count:,} payloads", draws=draws)
    assert min(seen["imported"], seen["refused"]) > draws / 8
