"""What comes in while a drill runs: alerts, noise, a colleague with a theory, a journalist, a regulator."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rca.practice.drill.hidden import Hidden

NOISE = (
    "disk of the reporting database at 81 %, above its warning of 80 %",
    "a certificate of the test environment ends in 20 days",
    "three runs of the nightly backup took longer than usual",
    "the intranet's search answers slowly",
)

ASKING = {"manager": 120, "journalist": 75, "regulator": 180}
"""Who asks for words, and about when, in minutes after the first alert."""


@dataclass(frozen=True, kw_only=True)
class Inject:
    """Something that comes in at a minute, from somebody, and what the facilitator watches for."""

    minute: int
    who: str
    text: str
    watch: str


@lru_cache(maxsize=8)
def injects(hidden: Hidden) -> tuple[Inject, ...]:
    """What comes in during a drill, in order; noise from the second level on."""
    rng, lead, bait = np.random.default_rng([hidden.seed, 11]), hidden.lead, hidden.bait

    def soon(minute: int) -> int:
        return int(minute * rng.uniform(0.8, 1.2))

    found = [
        Inject(minute=0, who="monitor", text=f"{hidden.incident.title}.", watch="Does the team look before it speaks?"),
        Inject(minute=soon(20), who="colleague", text=f"I have seen {lead} move since yesterday. It must be that; we "
               "should go back to the last version and say that it is fixed.", watch="A wrong lead: is it tested?"),
        Inject(minute=soon(35), who="colleague", text=f"The last change was made by {bait}, by the way.",
               watch="Does a name enter what the team writes?"),
        Inject(minute=soon(ASKING["journalist"]), who="journalist", text=f"Is it true that {hidden.asks}? How many "
               "people, and since when? We print this evening.", watch="Says the answer only what is known?"),
        Inject(minute=soon(ASKING["manager"]), who="manager", text="How bad is it, and what do we do about it? Two "
               "sentences, please.", watch="Is what is not known named as such?"),
        Inject(minute=soon(ASKING["regulator"]), who="regulator", text="We have a complaint about your system. What "
               "happened, how many are concerned, and what have you done?", watch="Who answers, and by when?"),
    ]  # fmt: skip
    if hidden.level >= 2:
        said = rng.permutation(NOISE)[:3]
        found += [Inject(minute=soon(at), who="monitor", text=f"{text}.", watch="Noise: nothing is to be done.")
                  for at, text in zip((10, 55, 150), said, strict=True)]  # fmt: skip
    if hidden.level >= 3:
        found.append(Inject(minute=soon(240), who="colleague", text="The model has grown old, I have always said so. "
                            "Nobody tests these things.", watch="A second theory without evidence."))  # fmt: skip
    return tuple(sorted(found, key=lambda one: one.minute))
