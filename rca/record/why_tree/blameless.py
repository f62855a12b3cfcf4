"""Blameless language: names of people, and blaming phrases, detected and replaced."""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rca.record.schema.incident import Incident

HUMAN_ERROR = re.compile(
    r"\b(human|operator|user|pilot|engineer|developer|staff|manual|personnel|employee)('s|s')? "
    r"(error|mistake|slip|failure|fault)s?\b"
    r"|\b(careless|negligen|inattenti|incompeten|sloppi|complacen|thoughtless|lazi|lazy)\w*"
    r"|\b(did not|didn't|failed to|forgot to|neglected to) "
    r"(pay attention|be careful|follow (the )?(procedure|process|rules?)|think|concentrate)\b"
    r"|\black of (attention|care|diligence|discipline|awareness)\b"
    r"|\b(mis-?typed|fat[- ]finger\w*|typo)\b",
    re.IGNORECASE,
)
"""Answers that stop at a person: they say who, not what made it easy."""

BLAME = re.compile(
    r"\b(should(n't| not)? have|ought to have|could have known|forgot|neglected|at fault|to blame|guilty)\b",
    re.IGNORECASE,
)
"""Words of hindsight and guilt, anywhere in an answer."""

ONE_ROOT = re.compile(
    r"\b(the|sole|single|only|one) (true |real |actual )?root cause\b|\bthe only cause\b", re.IGNORECASE
)

GIVEN = frozenset({
    "ahmed", "aisha", "alan", "alexander", "alice", "amit", "amy", "andrea", "andrew", "angela", "ann",
    "anna", "anne", "anthony", "antonio", "arjun", "barbara", "ben", "benjamin", "beth", "brian", "carlos",
    "carol", "caroline", "catherine", "charles", "chen", "christian", "christine", "christopher", "claire",
    "daniel", "david", "deborah", "diego", "dmitri", "donald", "dorothy", "edward", "elena", "elizabeth",
    "emily", "emma", "eric", "erik", "eva", "fatima", "fernando", "frank", "gabriel", "gary", "george", "giulia",
    "gregory", "hannah", "hans", "heather", "helen", "henry", "hiroshi", "ibrahim", "igor", "ines", "ingrid",
    "irina", "ivan", "jacob", "james", "jan", "jane", "jason", "jean", "jennifer", "jessica", "joan", "johan",
    "john", "jonathan", "jorge", "jose", "joseph", "joshua", "juan", "julia", "julie", "karen", "katherine",
    "kevin", "kumar", "laura", "lars", "lena", "leila", "linda", "lisa", "louis", "lucas", "lucia", "luis",
    "maria", "marie", "mario", "martin", "mary", "matthew", "mehmet", "mei", "michael", "michelle", "miguel",
    "mohamed", "mohammed", "monica", "nancy", "natalia", "nicholas", "nicole", "nikolai", "olga", "olivia",
    "omar", "pablo", "pamela", "patricia", "patrick", "paul", "pedro", "peter", "philip", "pierre", "priya",
    "rachel", "rajesh", "ralph", "raymond", "rebecca", "ricardo", "richard", "robert", "roberto", "ronald",
    "ryan", "samantha", "samuel", "sandra", "sanjay", "sara", "sarah", "scott", "sergei", "sharon", "sofia",
    "sophie", "stefan", "stephanie", "stephen", "steven", "susan", "svetlana", "thomas", "timothy", "tomas",
    "vincent", "vladimir", "walter", "wei", "wendy", "william", "xavier", "yuki", "yusuf",
    "zoe",
})  # fmt: skip
"""Given names that are no other word; a short list: a record does better to name its people, in `postmortem.people`."""

ROLE = "a person"
"""What stands for a name whose role nobody gave."""

_NAME = r"[A-ZÀ-ÖØ-Þ][\w'’-]+"

_TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herr|Frau|Mme|Sr|Sra)\b\.?(?: {_NAME}){{1,3}}")

_CAPITALS = re.compile(rf"\b{_NAME}(?: {_NAME}){{0,5}}")

_HANDLE = re.compile(r"(?<![\w./])@[A-Za-z][\w.-]{1,38}\b|[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+")

SAINTS = frozenset({"San", "Santa", "Saint", "St", "Sant"})
"""Before a given name, these make a place of it."""


def _given(words: list[str]) -> str:
    """The name of a person within words with capitals: a given name, and what follows it."""
    plain = [word.removesuffix("'s").removesuffix("’s") for word in words]
    for at, word in enumerate(plain):
        if word.casefold() in GIVEN and (at == 0 or plain[at - 1] not in SAINTS):
            ended = next((end for end in range(at, len(words)) if words[end] != plain[end]), at + 2)
            return " ".join(plain[at : min(ended, at + 2) + 1])
    return ""


def people_in(text: str, people: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Names of people in a text: those on record, with a title, as an address or handle, or by a common given name.

    >>> people_in("Dr. Chen asked Maria Lopez and @ops-lead; the model failed")
    ('Dr. Chen', 'Maria Lopez', '@ops-lead')
    >>> people_in("A mark on the will of may; Grace period over")
    ()
    """
    found: dict[str, int] = {}
    for name in people or ():
        if (at := text.find(name)) >= 0:
            found[name] = at
    for pattern in (_TITLED, _HANDLE):
        found |= {hit[0]: hit.start() for hit in pattern.finditer(text)}
    for hit in _CAPITALS.finditer(text):
        name = _given(hit[0].split(" "))
        if name and not any(name in told for told in found):
            found[name] = text.find(name, hit.start())
    return tuple(sorted(found, key=lambda name: found[name]))


def blameless(value: Any, people: Mapping[str, str] | None = None, *, keep: Collection[str] = ()) -> Any:
    """The value with every name of a person replaced by a role, in texts and whatever holds texts.

    Parameters
    ----------
    value : str, mapping, list or tuple, or anything else
        Mappings keep their keys; of anything else, nothing is changed.
    people : mapping of str to str, optional
        Name → role. Names without one become `a person`.
    keep : collection of str
        Names that look like those of people and are not: a chatbot's, a product's.

    Examples
    --------
    >>> blameless(["Maria Lopez paged risk"], {"Maria Lopez": "the on-call engineer"})
    ['the on-call engineer paged risk']
    """
    if isinstance(value, str):
        return _without_names(value, people or {}, keep)
    if isinstance(value, Mapping):
        return {key: blameless(one, people, keep=keep) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(blameless(one, people, keep=keep) for one in value)
    return value


def _without_names(text: str, people: Mapping[str, str], keep: Collection[str]) -> str:
    found = [name for name in people_in(text, people) if name not in keep]
    for name in sorted(found, key=len, reverse=True):
        text = text.replace(name, people.get(name, ROLE))
    return text


# --- of a whole record -----------------------------------------------------------------------------------------------

KEPT_WORDS = frozenset({"id", "graph", "path", "format", "source", "sources", "evidence", "where", "factors", "at"})
"""Keys whose values are names of things; they are not read for names of people."""


def nameless(incident: "Incident") -> "Incident":
    """The record with every name of a person replaced by a role; names of systems stay."""
    from rca.record.schema.incident import Incident

    plain = incident.model_dump(mode="json", by_alias=True)
    plain["postmortem"].pop("people")
    return Incident.model_validate(without_people(plain, incident))


def without_people(value: Any, incident: "Incident") -> Any:
    """Plain values of an incident with every name of a person replaced by a role, but under keys that name things."""
    if isinstance(value, dict):
        return {key: one if key in KEPT_WORDS else without_people(one, incident) for key, one in value.items()}
    if isinstance(value, list):
        return [without_people(one, incident) for one in value]
    return blameless(value, incident.postmortem.people, keep={system.name for system in incident.systems})
