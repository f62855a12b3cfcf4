"""Drills: one seed is one drill, time is kept, nobody may do what is not theirs, and the cause stays hidden."""

import io
import pickle
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rca.errors import InvalidCase
from rca.practice.drill import engine, incidents
from rca.practice.drill.commands import parsed
from rca.practice.drill.debrief import debrief
from rca.practice.drill.engine import act, advance, begun, replayed, stepped
from rca.practice.drill.hidden import END, LATE, severe
from rca.practice.drill.incidents import KINDS, drawn
from rca.practice.drill.injects import injects
from rca.practice.drill.looks import known_names, look
from rca.practice.drill.terminal import Screen, briefing, helped, played, read_script, script_of, shown
from rca.practice.planted import Trained
from rca.record.files.drill_file import read_drill

ROOT = Path(__file__).parents[3]

SCRIPT = [
    "look metric",
    "severity sev2",
    "look cascade",
    "contain isolate",
    "tell users Some parts were faulty.",
    "end",
]


@pytest.fixture(scope="module")
def line():
    return drawn(4, kind="line", level=2)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_same_seed_is_the_same_drill_and_another_is_another(kind):
    one, again, other = drawn(7, kind=kind, level=3), drawn(7, kind=kind, level=3), drawn(8, kind=kind, level=3)
    assert one.broken.equals(again.broken)
    assert one.incident == again.incident
    assert [vars(inject) for inject in injects(one)] == [vars(inject) for inject in injects(again)]
    assert (one.truth, one.answers, one.bait) == (again.truth, again.answers, again.bait)
    assert not one.broken.equals(other.broken)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_seeds_of_a_kind_have_several_causes_and_every_one_does_harm(kind):
    made = [drawn(seed, kind=kind) for seed in range(5)]
    assert len({one.answers for one in made}) > 1
    assert all(one.harms(())[1] > 5 for one in made)


def test_what_is_not_drawn_is_refused():
    with pytest.raises(InvalidCase, match="did you mean 'credit'"):
        drawn(1, kind="credits")
    with pytest.raises(InvalidCase, match="level 4"):
        drawn(1, level=4)
    with pytest.raises(InvalidCase, match="from 1 to 6"):
        begun(drawn(1, kind="line"), 7)


def test_only_rows_that_have_come_are_seen_and_late_labels_are_not_there():
    hidden = drawn(2, kind="credit", level=3)
    for minute in (0, 300):
        now = hidden.begins + pd.Timedelta(minutes=minute)
        assert hidden.seen(minute)[hidden.time].max() <= now - LATE
    early = replace(hidden, level=1).seen(0)
    assert (early[hidden.time] <= hidden.begins).all()
    assert len(early) > len(hidden.seen(0))


def test_harm_is_stopped_from_the_measure_on_and_the_data_show_it():
    hidden = drawn(3, kind="injection")
    stopped, possible = hidden.harms([(0, "disable")])
    assert stopped == possible > 0
    assert hidden.harms([(END, "disable")])[0] == hidden.harms([(0, "rollback")])[0] == 0
    later = hidden.harms([(600, "disable")])[0]
    assert 0 < later < possible
    assert hidden.harms([(600, "disable"), (600, "throttle")])[0] == later
    assert hidden.seen(END, [(0, "disable")])["leaked"].sum() < hidden.seen(END)["leaked"].sum()


# --- the engine ------------------------------------------------------------------------------------------------------


def test_time_goes_by_what_is_done_and_what_is_refused_costs_nothing(line):
    state = stepped(line, begun(line), "severity sev2")
    assert state.minute == 5
    for wrong in (
        "look everything",
        "cause compressor 2",
        "contain prayer",
        "tell users",
        "jump",
        "legal: contain halt",
    ):
        state = stepped(line, state, wrong)
        assert state.log[-1].kind == "refused"
    assert state.minute == 5
    assert [text for _, text in state.typed] == ["severity sev2"]


def test_an_answer_is_of_the_data_at_the_moment_of_the_question(line):
    state = stepped(line, begun(line), "look metric")
    assert state.log[-1].answer == look(line, "metric", minute=0, contained=())
    assert state.log[-1].minute == 10


def test_people_work_at_once_and_one_alone_does_not(line):
    one, two = begun(line, 1), begun(line, 2)
    for text in ("look cascade", "contain isolate"):  # the analyst is the second of two, the operator the first
        one, two = act(line, one, text), act(line, two, text)
    done = {
        people: {entry.kind: entry.minute for entry in advance(line, state, 60).log}
        for people, state in ((1, one), (2, two))
    }
    assert (done[1]["contain"], done[2]["contain"]) == (50, 20)


def test_every_role_is_somebodys(line):
    for people in range(1, engine.MOST + 1):
        assert {engine.person(role, people) for role in engine.ROLES} == set(range(people))


def test_a_script_of_what_was_typed_plays_the_same_drill(line):
    state = begun(line)
    for text in SCRIPT:
        state = stepped(line, state, text)
    assert state.over
    again = replayed(line, read_script(script_of(state)))
    assert again.log == state.log
    with pytest.raises(ValueError, match="line 2"):
        read_script("5 look metric\n3 end\n")


def test_a_drill_ends_with_the_day_and_nothing_is_done_after(line):
    state = advance(line, begun(line), END + 100)
    assert (state.over, state.minute) == (True, END)
    assert {one.who for one in state.log} == {"monitor", "colleague", "manager", "journalist", "regulator"}
    assert advance(line, act(line, state, "contain halt"), END).did("contain") == []


def test_noise_comes_from_the_second_level_on():
    counts = [len(injects(drawn(1, kind="line", level=level))) for level in (1, 2, 3)]
    assert counts[0] < counts[1] < counts[2]


def test_the_house_rule_is_a_ladder():
    assert [severe(a_day) for a_day in (500, 80, 79, 8, 2, 0, None)] == [
        "sev1", "sev1", "sev2", "sev3", "sev4", "sev5", "sev5",
    ]  # fmt: skip


# --- as a cheat would ------------------------------------------------------------------------------------------------


def test_the_cause_is_in_no_file_and_on_no_screen_before_the_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    hidden, said, kept = drawn(11, kind="injection"), [], tmp_path / "kept.txt"

    def keep(state):
        kept.write_text(script_of(state))
        assert [path.name for path in tmp_path.rglob("*")] == ["kept.txt"]
        assert not any(secret in kept.read_text() for secret in (hidden.truth, *hidden.answers, str(hidden.seed)))

    screen = Screen(hidden=hidden, say=said.append)
    state = played(hidden, io.StringIO("help\nlook metric\nlook drift\ncontain rollback\nend\n"), screen, keep=keep)
    assert state.over
    assert len(state.did("answer")) == 2
    text = "\n".join([*said, *briefing(hidden, 3), *helped(hidden)])
    assert hidden.truth not in text
    assert not any(answer in text for answer in hidden.answers)


def test_printing_or_pickling_the_incident_tells_nothing():
    hidden = drawn(11, kind="credit")
    for told in (repr(hidden), str(hidden), f"{hidden!r}", repr([hidden]), repr({"a": hidden})):
        assert not any(secret in told for secret in (*hidden.answers, hidden.truth, str(hidden.seed)))
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(hidden)
    assert hidden.truth not in repr(begun(hidden))


@pytest.mark.parametrize("kind", ["credit", "hiring"])
def test_every_cause_takes_as_much_work_to_make_so_that_time_tells_nothing(kind, monkeypatch):
    counts, real = [], Trained.scored
    drawn(0, kind=kind)

    def scored(self, frame, names, **more):
        counts[-1] += 1
        return real(self, frame, names, **more)

    monkeypatch.setattr(Trained, "scored", scored)
    causes = set()
    for seed in range(4):
        counts.append(0)
        causes.add(drawn(seed, kind=kind).answers)
    assert len(causes) > 1
    assert len(set(counts)) == 1


def test_a_right_and_a_wrong_guess_get_the_same_reply(line):
    replies = {parsed(f"cause {name} 0.5", line).minutes for name in known_names(line)}
    assert len(replies) == 1
    assert set(line.answers) <= {*known_names(line)}
    for kind in KINDS:
        hidden = drawn(3, kind=kind)
        done = {name: stepped(hidden, begun(hidden), f"contain {name}").log[-1] for name in hidden.measures}
        assert {(one.kind, one.text, one.minute) for one in done.values() if one.kind == "contain"} == {
            ("contain", "", 20)
        }


def test_what_is_shown_of_an_entry_is_its_time_and_its_text(line):
    state = stepped(line, begun(line), "look metric")
    assert [*shown(line, state.log[0])] == [f"[{line.begins:%a %H:%M}] MONITOR: {line.incident.title}."]
    assert "\n".join(shown(line, state.log[-1])).count("metric, asked at") == 1


def test_candidates_that_do_too_little_harm_are_not_taken():
    hidden = drawn(5, kind="credit")
    assert hidden.a_day >= incidents.ENOUGH


def test_the_drill_that_ships_is_what_its_script_and_seed_give_today():
    shipped = read_drill(ROOT / "data/drills/chatbot.json")
    hidden = drawn(shipped.seed, kind=shipped.kind, level=shipped.level)
    again = debrief(hidden, replayed(hidden, [(minute, text) for minute, text in shipped.script]), shipped.held)
    assert again == shipped
