"""Detectors of personal data and of offensive words in text: by form, and by check digits where a form has them."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

KINDS = {
    "email": "e-mail address",
    "iban": "bank account (IBAN)",
    "card": "payment card",
    "identity": "national identity number",
    "ip": "IP address",
    "phone": "telephone number",
    "number": "long number",
    "word": "offensive word",
}
"""What is detected, and what people call it."""


@dataclass(frozen=True)
class Found:
    """A part of a text that was detected: which letters of it, and what it is."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class _Detector:
    kind: str
    form: re.Pattern[str]
    length: Callable[[str], int] = len
    """Letters of what has the form that are meant; 0 where check digits say that it is something else."""


# --- check digits -----------------------------------------------------------------------------------------------------


def _digits(text: str) -> list[int]:
    return [int(letter) for letter in text if letter.isdigit()]


def luhn(text: str) -> int:
    """The length of a text whose digits pass ISO/IEC 7812-1, annex B; else 0.

    >>> luhn("4111 1111 1111 1111"), luhn("4111 1111 1111 1112")
    (19, 0)
    """
    doubled = [sum(divmod(2 * digit, 10)) if at % 2 else digit for at, digit in enumerate(_digits(text)[::-1])]
    return 0 if sum(doubled) % 10 else len(text)


def iban(text: str) -> int:
    """Length of the IBAN (ISO 13616) that a text begins with, by its check digits (ISO 7064, MOD 97-10); else 0.

    >>> iban("DE89 3704 0044 0532 0130 00"), iban("BE68 5390 0754 7034 PAID"), iban("DE88 3704 0044 0532 0130 00")
    (27, 19, 0)
    """
    for end in [len(text), *(at for at in range(len(text) - 1, 0, -1) if text[at] == " ")]:
        packed = text[:end].replace(" ", "").upper()
        if 15 <= len(packed) <= 34 and int("".join(str(int(one, 36)) for one in packed[4:] + packed[:4])) % 97 == 1:
            return end
    return 0


def _spanish(text: str) -> int:
    packed = text.replace("-", "").upper()
    number = packed[:-1].translate(str.maketrans("XYZ", "012"))
    return len(text) if packed[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] else 0


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17,
    19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23], strict=True))  # fmt: skip
"""What a letter in an odd place counts in an Italian tax code (D.M. 23 December 1976, art. 11)."""


def _italian(text: str) -> int:
    upper = text.upper()
    odd, even = (sum(map(count, upper[at:15:2])) for at, count in ((0, _ODD.__getitem__), (1, _even)))
    return len(text) if chr(ord("A") + (odd + even) % 26) == upper[15] else 0


def _even(letter: str) -> int:
    return int(letter) if letter.isdigit() else ord(letter) - ord("A")


def _french(text: str) -> int:
    packed = re.sub(r"\W", "", text).upper().replace("2A", "19").replace("2B", "18")
    return len(text) if 97 - int(packed[:13]) % 97 == int(packed[13:]) else 0


def _finnish(text: str) -> int:
    number = int(text[:6] + text[7:10])
    return len(text) if text[10].upper() == "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] else 0


def _brazilian(text: str) -> int:
    own = _digits(text)
    expected = [10 * sum((end + 1 - at) * own[at] for at in range(end)) % 11 % 10 for end in (9, 10)]
    return len(text) if own[9:] == expected else 0


def _swedish(text: str) -> int:
    return luhn(text[-11:]) and len(text)


def _address(text: str) -> int:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return 0
    return len(text)


def _telephone(text: str) -> int:
    """Without a bracket at the end that the sentence has opened."""
    return len(text) - (text.endswith(")") and text.count("(") < text.count(")"))


def _no_digest(text: str) -> int:
    """Of an account, a passport; a digest has letters among its digits."""
    return len(text) if text.isdigit() else 0


# --- forms ------------------------------------------------------------------------------------------------------------


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE | re.IGNORECASE)


_START, _END = r"(?<![\w.+-])", r"(?![\w-]|\.\d)"

_OFFENSIVE = r"""
    arsehole\w* arschl[oö]ch\w* assholes? bastards? bitch(?:es|y)? bullshit cocksuck\w* connards? cunts? darkies?
    dickheads? dumbass faggots? fotzen? fuck\w* gooks? gypp?os? halfwits? hijo.de.puta hurens[oö]hn\w*
    idiot(?:s|ic|en)? imbeciles? kikes? mierda moron(?:s|ic)? motherfuck\w* nigg(?:er|a)s? pakis? piss.off
    poofters? putas? ragheads? retarded retards salopes? schei(?:ß|ss)e? schlampen? scumbags?
    shit(?:s|ty|head|heads)? sluts? slutty towelheads? trann(?:y|ies) twats? wank(?:er|ers|ing) wetbacks? whores?
    wichser\w*
""".split()  # noqa: SIM905 - as a list it would be five times as long
"""Insults and slurs that are no other word; a short list of our own, in a few languages."""

_DETECTORS = (
    _Detector("email", _form(r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+")),
    _Detector(
        "iban", _form(rf"{_START}[A-Z]{{2}}\d{{2}}(?:\ ?[A-Z0-9]{{4}}){{2,7}}(?:\ ?[A-Z0-9]{{1,3}})?{_END}"), iban
    ),
    _Detector("identity", _form(rf"{_START}(?:\d{{8}}|[XYZ]\d{{7}})-?[A-Z]{_END}"), _spanish),
    _Detector("identity", _form(rf"{_START}[A-Z]{{6}}\d\d[A-EHLMPRST]\d\d[A-Z]\d{{3}}[A-Z]{_END}"), _italian),
    _Detector("identity", _form(rf"{_START}[12]\ ?\d\d\ ?\d\d\ ?\d[\dAB]\ ?\d{{3}}\ ?\d{{3}}\ ?\d\d{_END}"), _french),
    _Detector("identity", _form(rf"{_START}\d{{6}}[-+A]\d{{3}}[0-9A-FHJ-NPR-Y]{_END}"), _finnish),
    _Detector("identity", _form(rf"{_START}\d{{3}}\.\d{{3}}\.\d{{3}}-\d\d{_END}"), _brazilian),
    _Detector("identity", _form(rf"{_START}(?:\d\d)?\d{{6}}[-+]\d{{4}}{_END}"), _swedish),
    _Detector("identity", _form(rf"{_START}(?!000|666|9)\d{{3}}-(?!00)\d\d-(?!0000)\d{{4}}{_END}")),  # United States
    _Detector("card", _form(rf"{_START}\d(?:[\ -]?\d){{12,18}}{_END}"), luhn),
    _Detector("ip", _form(rf"(?<!v)(?<!version\ )(?<!release\ ){_START}\d{{1,3}}(?:\.\d{{1,3}}){{3}}{_END}"), _address),
    _Detector("ip", _form(r"(?<![\w:.])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){1,5}(?!\w|:\w)"), _address),
    _Detector("phone", _form(r"(?<![\w.])\+[1-9]\d{0,2}(?:[\ -]?\(?\d{2,5}\)?){2,}"), _telephone),  # with a country
    _Detector("phone", _form(r"(?<![\w.])\+[1-9]\d{0,2}(?:\.\d{2,4}){3,}")),  # likewise, with dots
    _Detector("phone", _form(r"(?<![\w.-])\(?0\d{2,4}\)?[\ /.-]\d{3,}(?:[\ /-]?\d+)*")),  # with an area code
    _Detector("phone", _form(r"(?<![\w.-])\(?\d{3}\)?[\ .-]\d{3}[.-]\d{4}(?![\w.-])")),  # North America
    _Detector("number", _form(r"(?<![\w.-])\d{4}(?:[\ -]\d{4}){2,4}(?![\w.-])")),  # in fours, as on a card
    _Detector("number", _form(r"(?<![0-9a-z])[0-9a-f]{32,}(?![0-9a-z])|(?<![\d.])\d{9,}(?![\d.])"), _no_digest),
)
"""In order: what one has taken is no part of what a later one finds."""

_WORDS = _Detector("word", re.compile(rf"(?<![^\W_])(?:{'|'.join(_OFFENSIVE)})(?![^\W_])", re.IGNORECASE))

_HINT = re.compile(r"[@\d:]")
"""No text without any of these holds personal data that has a form."""


def found_in(text: str) -> list[Found]:
    """The personal data and offensive words of a text, in order; none overlaps another.

    >>> [(one.kind, one.start) for one in found_in("jo@example.org from 192.0.2.7: pay DE89 3704 0044 0532 0130 00")]
    [('email', 0), ('ip', 20), ('iban', 35)]
    """
    found: list[Found] = []
    taken = bytearray(len(text))
    for one in (*(_DETECTORS if _HINT.search(text) else ()), _WORDS):
        for hit in _hits(one, text):
            if not any(taken[hit.start : hit.end]):
                taken[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
                found.append(hit)
    return sorted(found, key=lambda hit: hit.start)


def _hits(detector: _Detector, text: str) -> Iterator[Found]:
    for hit in detector.form.finditer(text):
        if length := detector.length(hit[0]):
            yield Found(hit.start(), hit.start() + length, detector.kind)


def replaced(text: str, by: Callable[[str, str], str]) -> str:
    """The text with each thing that is found in it replaced by what a function of its kind and its text says.

    >>> replaced("write to jo@example.org", lambda kind, _: f"[{kind}]")
    'write to [email]'
    """
    at, kept = 0, []
    for one in found_in(text):
        kept += [text[at : one.start], by(one.kind, text[one.start : one.end])]
        at = one.end
    return "".join([*kept, text[at:]])
