"""Scripted teams that fail in one way each, graded on simulated incidents whose cause is hidden."""

from itertools import pairwise

import pytest

from rca.practice.drill.grading import grade, total
from rca.practice.drill.incidents import drawn
from rca.practice.drill.teams import TEAMS, play
from tests.statistical.promises import at_least

QUICK = ("line", "injection", "chatbot")


@pytest.mark.parametrize("draws", [3, pytest.param(100, marks=pytest.mark.prove)])
def test_good_slow_blaming_over_sure_and_passive_teams_are_graded_in_that_order(draws):
    right, wrong = 0, []
    for seed in range(draws):
        hidden = drawn(seed, level=1 + seed % 3, kind=QUICK[seed] if draws <= len(QUICK) else None)
        totals = {team: total(grade(hidden, play(hidden, team))) for team in TEAMS}
        ordered = [*totals.values()]
        if all(better > worse for better, worse in pairwise(ordered)):
            right += 1
        else:
            wrong.append((seed, hidden.kind, totals))
    assert right >= 0.95 * draws, wrong
    if draws > len(QUICK):
        at_least(right, draws, 0.95)
