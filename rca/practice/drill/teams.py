"""Scripted teams that see the screen alone: a good one, the reference, and others that fail in one way each."""

from collections.abc import Callable
from dataclasses import dataclass

from rca.practice.drill.engine import State, begun, stepped
from rca.practice.drill.hidden import END, Hidden, severe
from rca.practice.drill.looks import Answer

LIGHT = ("isolate", "revoke", "fallback", "review", "manual", "halt", "disable")
"""Measures that help whatever the cause, the lightest first."""

AGAIN = 120
"""Minutes after which the good team looks again where nothing could be said."""


ENOUGH = 0.8
"""How sure it wants to be before it looks no further."""


@dataclass(kw_only=True)
class Player:
    """A team of one at the fast clock; it is shown what the screen shows."""

    hidden: Hidden
    state: State
    pause: int = 0

    def do(self, text: str) -> Answer | None:
        """Type a line, and wait until it is done; what a look says, where it was one."""
        if self.pause and not self.state.over:
            self.state = stepped(self.hidden, self.state, f"wait {self.pause}")
        if not self.state.over:
            self.state = stepped(self.hidden, self.state, text)
        return next((one.answer for one in self.state.log[::-1] if one.answer), None)

    def asked_by(self, who: str) -> str:
        """What somebody has written, waited for where it has not come yet."""
        while not self.state.over:
            heard = [one.text for one in self.state.did("inject") if one.who == who]
            if heard:
                return heard[-1]
            self.state = stepped(self.hidden, self.state, "wait 15")
        return ""

    @property
    def why(self) -> str:
        """The question that tells who or what did it."""
        return "cascade" if self.hidden.line else "harm"

    def measure(self, *wanted: str) -> str:
        """The first measure that this system has."""
        return next(name for name in (*wanted, *LIGHT) if name in self.hidden.measures)


def good(it: Player) -> None:
    """Look, decide, contain before the cause is known, tell what is known, then ask why, and say how sure."""
    seen = it.do("look metric")
    it.do(f"severity {severe(seen.excess if seen else 0)}")
    it.do(f"contain {it.measure()}")
    it.do("tell manager The metric has got worse. We have contained it and do not know the cause yet.")
    found = it.do(f"look {it.why}")
    if found is None or found.sure < ENOUGH:
        it.do(f"wait {AGAIN}")
        found = it.do(f"look {it.why}")
    if found is not None and found.names:
        it.do(f"cause {found.names[0]} {found.sure}")
    it.do("tell users Some answers were wrong. We have taken measures, and tell you more when it is known.")
    duties = it.do("look duties")
    for rule in duties.names if duties else ():
        it.do(f"decide {rule} report")
    if duties and not duties.names:
        it.do("decide none")
    it.asked_by("regulator")
    it.do("tell regulator We found the failure and have contained it. The cause is being checked; numbers follow.")


def blaming(it: Player) -> None:
    """Look once, find out who, and ask no further."""
    seen = it.do("look metric")
    it.do(f"severity {severe(seen.excess if seen else 0)}")
    who = it.asked_by("colleague") and it.hidden.bait
    it.do("wait 60")
    it.do(f"tell manager This was human error: {who} should have checked the change and forgot to.")
    it.do(f"contain {it.measure('rollback', 'throttle')}")
    it.do("tell users A careless change by one of our staff is to blame.")
    it.do("decide none")


def over_sure(it: Player) -> None:
    """Take the first theory for the cause, undo what changed last, and tell everybody that it is fixed."""
    it.do("look metric")
    it.asked_by("colleague")
    it.do(f"cause {it.hidden.lead} 0.97")
    it.do(f"contain {it.measure('rollback', 'throttle')}")
    it.do("severity sev4")
    it.do(f"tell manager It is fixed. It was {it.hidden.lead}, and 7 people were concerned.")
    it.do(f"tell users The problem is solved. It was {it.hidden.lead}; nobody was harmed.")
    it.do("decide none")


def passive(_: Player) -> None:
    """Do nothing."""


TEAMS: dict[str, tuple[Callable[[Player], None], int]] = {
    "good": (good, 0), "slow": (good, 75), "blaming": (blaming, 0), "over-sure": (over_sure, 0),
    "passive": (passive, 0),
}  # fmt: skip
"""How each team plays, and the minutes before each of its acts, in the order of the grades that they are to get."""


def play(hidden: Hidden, team: str = "good") -> State:
    """A drill as a scripted team plays it, to the end of time; the good one is the reference."""
    moves, pause = TEAMS[team]
    player = Player(hidden=hidden, state=begun(hidden), pause=pause)
    moves(player)
    return player.state if player.state.over else stepped(hidden, player.state, f"wait {END}")
