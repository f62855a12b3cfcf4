"""Promises that are kept over repeated draws, and the ledger of what was seen.

Counts are judged with a Monte Carlo margin: a rate that holds its promise fails in about one run of 30,000, and seeds
are fixed, so that a run that passes once passes always. `make prove` writes the ledger to `tests/PROVEN.md`.
"""

import math
from dataclasses import asdict, dataclass

import pytest

MARGIN = 4.0
"""Monte Carlo standard errors by which a rate may miss."""

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


def long_and_short(short, long):
    """How many draws: a few in every run, many under `make prove`."""
    return pytest.mark.parametrize("draws", [short, pytest.param(long, marks=pytest.mark.prove)])


def at_most(hits, draws, rate, *, of=""):
    """A rate that may not be exceeded: of false alarms, say."""
    noted(of, promised=f"at most {rate:.1%}", seen=_share(hits, draws), draws=draws)
    assert hits / draws <= rate + _margin(rate, draws), f"{hits} of {draws}, promised {rate}"


def at_least(hits, draws, rate, *, of=""):
    """A rate that may not be missed: of causes found, say."""
    noted(of, promised=f"at least {rate:.1%}", seen=_share(hits, draws), draws=draws)
    assert hits / draws >= rate - _margin(rate, draws), f"{hits} of {draws}, promised {rate}"


def within(hits, draws, rates, *, of=""):
    """A rate between two: the coverage of an interval, which may be neither short nor wasteful."""
    low, high = rates
    noted(of, promised=f"{low:.1%} to {high:.1%}", seen=_share(hits, draws), draws=draws)
    assert low - _margin(low, draws) <= hits / draws <= high + _margin(high, draws), f"{hits} of {draws}: {rates}"


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
