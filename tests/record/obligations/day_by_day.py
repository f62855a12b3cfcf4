"""A second opinion on the clocks: it counts hours and days one by one, and shares no code and no data with the engine.

Its limits, calendars, starts and public holidays are typed in from the laws; holidays are those of Germany, France,
Poland and the United States, from their own acts and an algorithm of Easter.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ONE = timedelta(days=1)

ART_73 = {"bites": {"annex_iii": date(2027, 12, 2), "annex_i": date(2028, 8, 2)}}

CLOCKS = {
    # rule: number, unit, way of counting, what starts it, law from, what reports discharge it
    "euaia-73-2": (15, "d", "1182", "aware", "2026-08-02", "euaia-73"),
    "euaia-73-3": (2, "d", "1182", "aware", "2026-08-02", "euaia-73"),
    "euaia-73-4": (10, "d", "1182", "aware", "2026-08-02", "euaia-73"),
    "euaia-55-code-2d": (2, "d", "plain", "aware", "2025-08-02", "gpai-initial"),
    "euaia-55-code-5d": (5, "d", "plain", "aware", "2025-08-02", "gpai-initial"),
    "euaia-55-code-10d": (10, "d", "plain", "aware", "2025-08-02", "gpai-initial"),
    "euaia-55-code-15d": (15, "d", "plain", "aware", "2025-08-02", "gpai-initial"),
    "euaia-55-code-final": (60, "d", "plain", "resolved", "2025-08-02", "gpai-final"),
    "gdpr-33": (72, "h", "clock", "aware", "2018-05-25", "gdpr"),
    "nis2-23-ew": (24, "h", "clock", "aware", "2024-10-18", "nis2-early_warning"),
    "nis2-23-in": (72, "h", "clock", "aware", "2024-10-18", "nis2-notification"),
    "nis2-23-fr": (1, "m", "1182", "sent nis2-notification", "2024-10-18", "nis2-final"),
    "dora-init-4h": (4, "h", "noon", "classified_major", "2025-01-17", "dora-initial"),
    "dora-init-24h": (24, "h", "noon", "aware", "2025-01-17", "dora-initial"),
    "dora-inter": (72, "h", "noon", "sent dora-initial", "2025-01-17", "dora-intermediate"),
    "dora-final": (1, "m", "noon", "sent dora-intermediate", "2025-01-17", "dora-final"),
    "cra-14-24h": (24, "h", "clock", "aware", "2026-09-11", "cra-early_warning"),
    "cra-14-72h": (72, "h", "clock", "aware", "2026-09-11", "cra-notification"),
    "cra-14-final-vuln": (14, "d", "1182", "fix_available", "2026-09-11", "cra-final"),
    "cra-14-final-inc": (1, "m", "1182", "sent cra-notification", "2026-09-11", "cra-final"),
    "mdr-87-15d": (15, "d", "1182", "aware", "2021-05-26", "mdr-87-15d"),
    "osha-fatality": (8, "h", "clock", "employer_learned", "2015-01-01", "osha"),
    "osha-injury": (24, "h", "clock", "employer_learned", "2015-01-01", "osha"),
    "fda-mdr-30": (30, "d", "plain", "aware", None, "fda-mdr"),
    "fda-mdr-5": (5, "d", "work", "aware", None, "fda-mdr-5day"),
    "fda-mdr-suppl": (30, "d", "plain", "information_received", None, "fda-mdr-suppl"),
    "fda-mdr-user": (10, "d", "work", "aware", None, "fda-mdr-user"),
    "fda-806": (10, "d", "work", "action_taken", None, "fda-806"),
    "cpsc-15b": (24, "h", "clock", "reportable_information", None, "cpsc-15b"),
    "nhtsa-sgo": (5, "d", "plain", "notice", "2025-06-16", "nhtsa-sgo"),
    "regb-30": (30, "d", "plain", "application_complete_or_action", None, "regb-30"),
    "sec-8k-105": (4, "d", "work", "materiality", None, "sec-8k-105"),
    "ca-sb53-15d": (15, "d", "plain", "discovered", "2026-01-01", "ca-sb53-15d"),
    "ca-sb53-24h": (24, "h", "clock", "discovered", "2026-01-01", "ca-sb53-24h"),
    "ny-raise-72h": (72, "h", "clock", "determined_or_reasonable_belief", "2027-01-01", "ny-raise-72h"),
    "ny-raise-24h": (24, "h", "clock", "discovered", "2027-01-01", "ny-raise-24h"),
    "il-sb315-72h": (72, "h", "clock", "determined_or_reasonable_belief", "2027-01-01", "il-sb315-72h"),
    "co-sb26-189": (30, "d", "plain", "decision", "2027-01-01", "co-sb26-189"),
    "nydfs-500-17": (72, "h", "clock", "determined", None, "nydfs-500-17"),
    "uk-gdpr-33": (72, "h", "clock", "aware", None, "uk-gdpr"),
    "uk-fca-op": (24, "h", "clock", "threshold_determined", "2027-03-18", "uk-fca-op"),
}

AT_HOME = {
    "de": "Europe/Berlin", "fr": "Europe/Paris", "pl": "Europe/Warsaw", "eu": "Europe/Brussels", "uk": "Europe/London",
    "us": "America/New_York", "us-ca": "America/Los_Angeles", "us-ny": "America/New_York", "us-il": "America/Chicago",
    "us-co": "America/Denver",
}  # fmt: skip


def easter(year):
    """Sunday of Easter, by Butcher's algorithm."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * i - k - h + m + 32) % 7
    month = (h - m + r + 90) // 25
    return date(year, month, (h - m + r + month + 19) % 32)


def holidays(country, year):
    sunday = easter(year)
    moving = {"de": (-2, 1, 39, 50), "fr": (1, 39, 50), "pl": (0, 1, 49, 60)}
    fixed = {
        "de": "1-1 5-1 10-3 12-25 12-26",
        "fr": "1-1 5-1 5-8 7-14 8-15 11-1 11-11 12-25",
        "pl": "1-1 1-6 5-1 5-3 8-15 11-1 11-11 12-25 12-26" + (" 12-24" if year >= 2025 else ""),
    }
    if country in fixed:
        days = {date(year, *map(int, one.split("-"))) for one in fixed[country].split()}
        return days | {sunday + away * ONE for away in moving[country]}
    return federal(year) if country == "us" else set()


def federal(year):
    """5 U.S.C. 6103: fixed days move to Friday from Saturday and to Monday from Sunday."""
    days = set()
    for month, day, at in ((1, 1, year), (6, 19, year), (7, 4, year), (11, 11, year), (12, 25, year), (1, 1, year + 1)):
        one = date(at, month, day)
        days |= {one, one - ONE if one.weekday() == 5 else one + ONE if one.weekday() == 6 else one}
    for month, weekday, nth in ((1, 0, 3), (2, 0, 3), (9, 0, 1), (10, 0, 2), (11, 3, 4)):
        days.add([one for one in month_of(year, month) if one.weekday() == weekday][nth - 1])
    days.add([one for one in month_of(year, 5) if one.weekday() == 0][-1])
    return days


def month_of(year, month):
    one, days = date(year, month, 1), []
    while one.month == month:
        days.append(one)
        one += ONE
    return days


def open_(day, country):
    return day.weekday() not in (5, 6) and day not in holidays(country, day.year)


def counted(rule, start, country, zone):
    """The last second of the limit of a rule."""
    number, unit, way, *_ = CLOCKS[rule]
    home, at = ZoneInfo(zone), start.astimezone(UTC)
    first = at.astimezone(home).date()
    if unit == "h":
        for _ in range(number):
            at += timedelta(hours=1)
        day = at.astimezone(home).date()
    else:
        day = stepped(first, number, "work" if way == "work" else unit)
    if way == "noon" and not open_(day, country):
        while not open_(day, country):
            day += ONE
        return datetime(day.year, day.month, day.day, 12, tzinfo=home)
    while way == "1182" and (not open_(day, country) or worked(first, day, country) < 2):
        day += ONE
    return at if unit == "h" else datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=home)


def stepped(first, number, unit):
    """The day some days, working days of the United States, or one month after another."""
    day = first
    if unit == "m":
        day += ONE
        while day.day != first.day and not (day.month != first.month and (day + ONE).day == 1):
            day += ONE
        return day
    while number:
        day += ONE
        number -= open_(day, "us") if unit == "work" else 1
    return day


def worked(first, last, country):
    day, count = first, 0
    while day < last:
        day += ONE
        count += open_(day, country)
    return count


def answer(rule, told):
    """(answer, deadline) of a situation in which the facts of the rule hold; deadline None where none is given."""
    _, _, way, stamp, since, name = CLOCKS[rule]
    report = stamp.removeprefix("sent ") if stamp.startswith("sent ") else None
    dated = sorted(at for kind, at in told["sent"] if kind == report and at <= told["now"])
    start = told["stamps"].get(stamp) if report is None else (dated or [None])[-1 if rule == "dora-final" else 0]
    start = start if start and start <= told["now"] else None
    zone = told["zone"] or AT_HOME[told["place"]]
    known = [at for at in (*told["stamps"].values(),) if at <= told["now"]] or [told["now"]]
    law = (start or min(known)).astimezone(ZoneInfo(zone)).date()
    if since and law < date.fromisoformat(since):
        return "not_yet_applicable", None
    if rule.startswith("euaia-73"):
        bites = ART_73["bites"]
        if law < date(2028, 8, 2) and told["class"] is None:
            return "cannot_tell", None
        if told["class"] and law < bites[told["class"]]:
            return "needs_counsel", None
    if start is None or (way in ("1182", "noon") and told["place"] == "eu"):
        return "cannot_tell", None
    due = counted(rule, start, told["place"], zone)
    done = sorted(at for kind, at in told["sent"] if kind == name and at <= told["now"])
    if done:
        return ("met" if done[0].replace(microsecond=0) <= due else "late_by"), due
    return ("not_yet_due" if told["now"].replace(microsecond=0) <= due else "late_by"), due
