"""The grades of a drill: proper for how sure one is, fair to what was known, and hard on words that blame."""

from dataclasses import replace

import numpy as np
import pytest

from rca.practice.drill.engine import Entry, begun, stepped
from rca.practice.drill.grading import AREAS, blaming, by_area, grade, proper, total, unknown_claims
from rca.practice.drill.incidents import drawn
from rca.practice.drill.looks import Answer, owed
from rca.practice.drill.teams import TEAMS, play


@pytest.fixture(scope="module")
def hidden():
    return drawn(4, kind="line")


@pytest.fixture(scope="module")
def after(hidden):
    return {team: grade(hidden, play(hidden, team)) for team in TEAMS}


def graded(hidden, *typed):
    state = begun(hidden)
    for text in typed:
        state = stepped(hidden, state, text)
    return by_area(grade(hidden, stepped(hidden, state, "end")))


def test_each_team_loses_where_it_fails(after):
    areas = {team: by_area(points) for team, points in after.items()}
    assert areas["good"]["containment"] > areas["slow"]["containment"] > areas["passive"]["containment"]
    assert areas["blaming"]["blame"][0] == 0 < areas["good"]["blame"][0]
    assert areas["over-sure"]["cause"][0] < -15
    assert areas["over-sure"]["messages"][0] < areas["good"]["messages"][0]
    assert total(after["passive"]) == 0


def test_every_point_has_its_reason_and_an_area_has_no_more_than_its_most(after):
    for points in after.values():
        assert all(one.because for one in points)
        for got, most in by_area(points).values():
            assert got <= most + 0.05
        assert {one.area for one in points} == set(AREAS)
    assert sum(AREAS.values()) == 100


@pytest.mark.parametrize("belief", [0.1, 0.35, 0.5, 0.8])
def test_to_say_what_one_believes_is_best(belief):
    said = np.linspace(0, 1, 101)
    expected = [belief * proper(p, right=True) + (1 - belief) * proper(p, right=False) for p in said]
    assert said[int(np.argmax(expected))] == pytest.approx(belief)


def test_a_cause_that_is_not_named_earns_nothing_and_a_bluff_costs(hidden):
    wrong = next(name for name in ("robot-arm-1", "inventory") if name not in hidden.answers)
    right = hidden.answers[0]
    got = [
        graded(hidden, f"cause {name} {sure}")["cause"][0]
        for name, sure in ((right, 1), (right, 0), (wrong, 0), (wrong, 1))
    ]
    assert got == [20, 0, 0, -20]


def test_a_number_a_cause_or_an_end_that_nothing_had_shown_is_a_claim(hidden):
    state = begun(hidden)
    seen = Answer(text="about 43 cases a day more", names=("inventory",), sure=0.85)
    state = replace(state, log=(*state.log, Entry(minute=5, who="analyst", kind="answer", text=seen.text, answer=seen)))

    def claims(text, minute=10):
        return [
            *unknown_claims(
                hidden, state, Entry(minute=minute, who="writer", kind="tell", about="users", text=text, started=minute)
            )
        ]

    assert claims("About 43 cases a day more. The cause is not known yet.") == []
    assert claims("It was the inventory. It may be the compressor.") == []
    assert len(claims("It failed because of the compressor. 17 people. It is solved.")) == 3
    assert len(claims("About 43 cases a day more.", minute=2)) == 1


def test_words_that_blame_and_names_are_found():
    assert blaming("The register changed its format, and no check looked at it.") == []
    assert blaming("This was human error: Jan Novak should have checked.") == [
        "human error",
        "should have",
        "Jan Novak",
    ]


def test_duties_that_run_have_to_be_decided_in_time_and_others_left():
    busy = next(one for seed in range(20) if owed(one := drawn(seed, kind="line")))
    calm = next(one for seed in range(20) if not owed(one := drawn(seed, kind="line")))
    assert graded(busy, *(f"decide {rule} report" for rule in owed(busy)))["duties"][0] == 10
    assert graded(busy, "decide none")["duties"][0] == 0
    assert graded(calm, "decide none")["duties"][0] == 10
    assert graded(calm, "decide gdpr-33 report")["duties"][0] == 5


def test_a_measure_that_costs_the_whole_service_is_worth_less_than_a_light_one_that_does_as_much():
    hidden = drawn(3, kind="injection")
    assert (
        graded(hidden, "contain disable")["containment"][0] == graded(hidden, "contain isolate")["containment"][0] - 4
    )


def test_a_severity_is_right_by_what_was_seen_or_by_what_is_true(hidden):
    right, wrong = graded(hidden, f"severity {hidden.severity}"), graded(hidden, "severity sev5")
    assert right["triage"][0] == 15 > wrong["triage"][0] == 5
