"""Promises that are kept over repeated draws, and the ledger of what was seen.

Counts are judged with a Monte Carlo margin: a rate that holds its promise fails in about one run of 30,000, and seeds
are fixed, so that a run that passes once passes always. A promise that no outcome would break is refused: at a margin
this wide, a rate of 80 % takes five draws. `make prove` writes the ledger to `tests/PROVEN.md`.
"""

import math
from dataclasses import asdict, dataclass

import pytest

MARGIN = 4.0
"""Monte Carlo standard errors by which a rate may miss."""

ROUNDED = 1e-12
"""A rate that is a margin off exactly is not off."""

LEDGER: list[dict[str, str]] = []
"""What was seen, in this process."""

CURRENT = {"law": "", "examples": ()}
"""The law that is under test, and its examples but for the number of draws."""


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: a promise, and what was seen of it."""

    claim: str
    promised: str
    seen: str
    draws: str


@dataclass(frozen=True)
class Promise:
    """A rate over repeated draws that lies between two, and how it is told."""

    low: float
    high: float
    told: str

    def kept(self, hits, draws):
        """Whether so many hits are as promised, but for chance."""
        low, high = self.low - _margin(self.low, draws), self.high + _margin(self.high, draws)
        return low - ROUNDED <= hits / draws <= high + ROUNDED

    def refuse(self, draws):
        """Of so few draws that the promise is kept whatever comes out, it would test nothing."""
        if draws < 1 or (self.kept(0, draws) and self.kept(draws, draws)):
            raise ValueError(f"no outcome of {draws} draws breaks a promise of {self.told}: draw more often")


KINDS = {
    "at_least": lambda rate: Promise(rate, 1.0, f"at least {rate:.1%}"),
    "at_most": lambda rate: Promise(0.0, rate, f"at most {rate:.1%}"),
    "within": lambda rates: Promise(*rates, f"{rates[0]:.1%} to {rates[1]:.1%}"),
}


def long_and_short(short, long, *, each=1, **rates):
    """How many draws: a few in every run, many under `make prove`; as few as cannot fail are refused on collection.

    Of several rates of a kind, of one law or of its examples, the one that is hardest to break is stated: of `at_least`
    the lowest, of `at_most` the highest. Where one draw counts several times, or several count once, `each` says it.
    """
    several = [enough(draws, each=each, **rates) for draws in (short, long)]
    return pytest.mark.parametrize("draws", [several[0], pytest.param(several[1], marks=pytest.mark.prove)])


def of_some_and_all(some, every, draws, *, each=1, **rates):
    """Examples and how many draws: a few of some in every run, many of every one under `make prove`.

    For examples of one law that take the same way through the code, or each of which another test asks as well.
    """
    few, many = (enough(count, each=each, **rates) for count in draws)
    some, every = ([one if isinstance(one, tuple) else (one,) for one in several] for several in (some, every))
    return [*((*one, few) for one in some), *(pytest.param(*one, many, marks=pytest.mark.prove) for one in every)]


def enough(draws, *, each=1, **rates):
    """So many draws, where each promised rate can be broken in them."""
    if not rates:
        raise ValueError("a law over repeated draws says what rate it promises")
    for kind, rate in rates.items():
        KINDS[kind](rate).refuse(int(each * draws))
    return draws


def at_most(hits, draws, rate, *, of=""):
    """A rate that may not be exceeded: of false alarms, say."""
    _judge("at_most", rate, hits, draws, of)


def at_least(hits, draws, rate, *, of=""):
    """A rate that may not be missed: of causes found, say."""
    _judge("at_least", rate, hits, draws, of)


def within(hits, draws, rates, *, of=""):
    """A rate between two: the coverage of an interval, which may be neither short nor wasteful."""
    _judge("within", rates, hits, draws, of)


def _judge(kind, rate, hits, draws, of):
    promise = KINDS[kind](rate)
    promise.refuse(draws)
    noted(of, promised=promise.told, seen=_share(hits, draws), draws=draws)
    assert promise.kept(hits, draws), f"{hits} of {draws}, promised {promise.told}"


def noted(of, *, promised="", seen, draws=""):
    """Write a line that nothing is asserted of, the width of an interval say."""
    LEDGER.append(asdict(Entry(claim=_claim(of), promised=promised, seen=str(seen), draws=str(draws))))


def _margin(rate, draws):
    return MARGIN * math.sqrt(rate * (1 - rate) / draws)


def _share(hits, draws):
    error = math.sqrt(max(hits * (draws - hits), 0) / draws) / draws
    return f"{hits / draws:.1%} ± {1.96 * error:.1%}"


def _claim(of):
    """The law under test, as its name says it, and of what."""
    law, examples = CURRENT["law"], CURRENT["examples"]
    what = ", ".join(filter(None, (*examples, str(of))))
    return law + (f" ({what})" if what else "")


def told(value):
    """An example as the table names it."""
    return getattr(value, "__name__", str(value)).replace("_", " ").replace("|", "/")
