"""What would decide: proposed where a question is open, with a rule that decides, and nowhere else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from rca.analysis.conclusion.observation import Observation, as_rows, differing, with_what_decides
from rca.analysis.conclusion.results_json import results_json
from rca.analysis.conclusion.verdict import weigh_windows
from rca.analysis.conclusion.window_answers import window_answers
from rca.analysis.conclusion.would_decide import would_decide
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.diagnosis import Faults
from rca.analysis.harm.contribution import Contribution
from rca.analysis.harm.harm import Harm
from rca.analysis.harm.rivals.rival import Rival
from rca.analysis.harm.rivals.rival_fits import coincidence, share_wrong
from rca.analysis.inputs.windows import measured_of, windows_from
from rca.finding import Interval, Unanswered

ROLES = {"metric": "error_rate", "label": "y", "prediction": "said"}


def tables(rows=500, *, wrong=0.25, seed=0, name="x"):
    """A column that tells of the outcome, and answers that are wrong more often now."""
    rng = np.random.default_rng(seed)
    both = []
    for rate in (0.1, wrong):
        x = rng.normal(size=rows)
        y = 1.0 * (x > 0)
        both.append(pd.DataFrame({name: x, "y": y, "said": np.where(rng.random(rows) < rate, 1 - y, y)}))
    return both


def windows_of(*both, **options):
    return windows_from(*both, **{**ROLES, **options})


def rival(measured, kind="feature", name="x", strength="suggested", method="expected"):
    part = Contribution(
        kind=kind, name=name, value=measured.worse, interval=Interval(low=measured.worse / 2, high=2 * measured.worse),
        method=method, n_effective=500.0, strength=strength,
    )  # fmt: skip
    return Rival(kind=kind, name=name, strength=strength, part=part)


def harm_with(windows, *rivals, **options):
    measured = measured_of(windows)
    made = tuple(rival(measured, *one) for one in rivals)
    parts = tuple(one.part for one in made)
    return Harm(measured=measured, contributions=parts, unexplained=0.0, rivals=made, **options)


def asked(*rivals, **options):
    windows = windows_of(*tables(**options))
    return would_decide(windows, harm_with(windows, *rivals))


LEVEL = ("feature", "x"), ("concept", "y")


def test_a_column_level_with_a_concept_is_looked_up_at_its_source():
    (found,) = asked(*LEVEL)
    assert (found.kind, found.columns) == ("column", ("x",))
    assert found.what == f"look up “x” at its source for {found.rows} rows of the current window, drawn at random"
    assert found.between == ("“x” is wrong in the table", "the outcome follows the inputs otherwise")
    assert found.power >= 0.9


def test_nothing_is_proposed_for_a_sure_verdict():
    assert asked(("feature", "x", "shown"), ("concept", "y")) == ()


def test_nothing_is_proposed_where_nothing_happened_or_it_was_always_so():
    assert asked(*LEVEL, wrong=0.1) == ()
    windows = windows_of(*tables())
    harm = harm_with(windows, *LEVEL, always=True)
    season = Rival(kind="slice", name="hours", found="it was so", against="it was always so")
    assert would_decide(windows, replace(harm, rivals=(*harm.rivals, season))) == ()


def test_the_same_seed_proposes_the_same():
    windows = windows_of(*tables())
    harm = harm_with(windows, *LEVEL, ("model", "model"))
    assert would_decide(windows, harm, seed=4) == would_decide(windows, harm, seed=4)


def test_the_rule_decides_by_what_was_seen():
    (found,) = asked(*LEVEL)
    assert found.decide(found.rows) == found.between[0]
    assert found.decide(0) == found.between[1]
    with pytest.raises(ValueError, match="decides nothing"):
        found.decide(float("nan"))


def test_what_is_seen_is_the_number_of_rows_that_differ():
    windows = windows_of(*tables())
    (found,) = would_decide(windows, harm_with(windows, *LEVEL))
    at = np.arange(found.rows)
    same = windows.current.iloc[at]
    assert found.seen_of(windows, same, at) == 0
    assert found.seen_of(windows, same.assign(x=same["x"] + 1), at) == found.rows


def test_a_model_without_its_file_is_replayed():
    model, column = asked(("model", "model"), *LEVEL)
    assert (model.kind, column.kind) == ("answers", "column")
    assert "replay" in model.what


def test_a_model_at_hand_is_not_replayed():
    windows = windows_of(*tables(), model=lambda rows: 1.0 * (rows["x"] > 0))
    assert [one.kind for one in would_decide(windows, harm_with(windows, ("model", "model"), *LEVEL))] == ["column"]
    another = harm_with(windows, ("model", "model"), *LEVEL, model_agrees=(0.5, 0.5))
    assert [one.kind for one in would_decide(windows, another)] == ["answers", "column"]


def test_where_nothing_stands_the_outcome_is_measured_again():
    windows = windows_of(*tables())
    (found,) = would_decide(windows, harm_with(windows))
    assert (found.kind, found.columns) == ("again", ("y",))
    at = found.eligible(windows)
    assert found.decide(found.seen_of(windows, windows.current.iloc[at], at)).startswith("the world changed")
    truth = windows.current.iloc[at].assign(y=windows.current["said"].iloc[at])
    assert found.decide(found.seen_of(windows, truth, at)) == "how the outcome is measured changed"


@pytest.mark.parametrize("harm", ["higher", "lower"])
def test_whichever_direction_is_bad_the_worse_metric_speaks_for_a_change(harm):
    before, after = (pd.DataFrame({"y": 1.0 * (np.arange(500) < 500 * rate)}) for rate in (0.5, 0.5))
    after["y"] = 1.0 * (np.arange(500) < 500 * (0.8 if harm == "higher" else 0.2))
    windows = windows_from(before, after, metric={"name": "rate", "column": "y", "harm": harm})
    (found,) = would_decide(windows, harm_with(windows))
    assert found.decide(measured_of(windows).current).startswith("the world changed")
    assert found.decide(measured_of(windows).reference) == "how the outcome is measured changed"
    assert found.power >= 0.9


def lacking(**options):
    """Outcomes lost where the answers were right."""
    before, after = tables(1000, wrong=0.1)
    rng = np.random.default_rng(3)
    gone = (rng.random(1000) < 0.8) & (after["y"] == after["said"]).to_numpy()
    windows = windows_of(before, after.assign(y=after["y"].where(~gone)), **options)
    said = "outcomes are missing"
    lost = Rival(kind="labels", name="y", strength="suggested", found=said)
    return windows, replace(harm_with(windows), rivals=(lost,), undecided=said), after


def test_outcomes_that_are_missing_are_obtained_of_some_rows_that_lack_one():
    windows, harm, source = lacking()
    (found,) = would_decide(windows, harm)
    at = found.eligible(windows)
    assert windows.current["y"].iloc[at].isna().all()
    assert found.decide(found.seen_of(windows, source.iloc[at], at)).startswith("it is as in the reference")


def test_all_outcomes_obtained_give_the_metric_as_it_is():
    windows, harm, source = lacking()
    (found,) = would_decide(windows, harm)
    at = found.eligible(windows)
    assert found.seen_of(windows, source.iloc[at], at) == pytest.approx((source["y"] != source["said"]).mean())


def few():
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame({"paid": rng.normal(50, 9, 1000)}) for _ in range(2))
    after.loc[[7, 70], "paid"] = 1e6
    windows = windows_from(before, after, metric={"name": "mean", "column": "paid", "harm": "higher"})
    said = "2 of 1000 rows carry the change"
    measured = replace(measured_of(windows), interval=Interval(low=1.0, high=9e3))
    stands = Rival(kind="rows", name="outliers", found=said, against="so few rows show no pattern")
    return windows, Harm(measured=measured, contributions=(), unexplained=1.0, rivals=(stands,), undecided=said)


def test_a_few_rows_that_carry_it_all_are_waited_for():
    windows, harm = few()
    (found,) = would_decide(windows, harm)
    assert found.kind == "more"
    assert found.seen_of(windows, windows.current, found.eligible(windows)) == 2
    assert found.seen_of(windows, windows.reference, found.eligible(windows)) == 0
    assert found.rows > len(windows.current)


def test_a_change_only_just_beyond_chance_is_waited_for():
    before, after = (
        pd.DataFrame({"y": 1.0 * (np.arange(rows) < rows * rate)}) for rows, rate in ((6000, 0.1), (400, 0.14))
    )
    windows = windows_from(before, after, metric={"name": "rate", "column": "y"})
    *_, found = would_decide(windows, harm_with(windows))
    assert found.kind == "more"
    assert found.rates[1] > 0.99  # where there is none, 3 standard errors are seldom passed
    assert found.decide(0.14).startswith("it changed")
    assert found.decide(0.1) == "it was chance"


def test_a_visible_fault_is_looked_up_in_the_rows_it_hit():
    windows = windows_of(*tables())
    windows.current.loc[:39, "x"] = -999.0
    fault = ColumnFault(column="x", fault="default_value", share=0.08, evidence="-999", value="-999")
    (found,) = would_decide(windows, harm_with(windows, *LEVEL), faults=Faults(columns=(fault,)))
    assert found.of_hit
    assert found.eligible(windows, Faults(columns=(fault,))).tolist() == list(range(40))
    assert found.rows == 10


def test_the_more_of_a_columns_worth_is_lost_the_more_rows_are_wrong():
    rng, shares = np.random.default_rng(5), []
    for share in (0.2, 0.5, 1.0):
        before, after = tables(1500, wrong=0.1)
        hit = rng.random(1500) < share
        after["x"] = np.where(hit, rng.permutation(after["x"]), after["x"])
        shares.append(float(share_wrong(windows_of(before, after), "x", None, rng=rng).mean()))
    assert shares == sorted(shares)
    assert shares == pytest.approx([0.2, 0.5, 1.0], abs=0.15)


def test_values_that_coincide_do_not_differ():
    values = pd.Series(["a", "a", "a", "b"])
    assert coincidence(values, values) == pytest.approx(10 / 16)
    frozen = ColumnFault(column="c", fault="frozen", share=1.0, evidence="", value="a")
    assert coincidence(values, values, frozen) == 0.75


def test_numbers_differ_by_more_than_their_spelling():
    assert differing(pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1.0, 2.000001]})).tolist() == [False, False]
    assert differing(pd.DataFrame({"a": ["1", None]}), pd.DataFrame({"a": [1, 2]})).tolist() == [False, True]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\n\nb", "{0} %s {x}", "x" * 500, ""])
def test_hostile_names_stay_on_one_line_and_short(name):
    windows = windows_of(*tables(name=name))
    (found,) = would_decide(windows, harm_with(windows, ("feature", name), ("concept", "y")))
    assert found.columns == (name,)
    for text in (str(found), found.question, *found.between):
        assert "\n" not in text
        assert len(text) < 400


def test_a_column_that_is_not_there_is_not_looked_up():
    assert asked(("feature", "gone"), ("concept", "y")) == ()


def test_windows_without_rows_propose_nothing():
    windows = windows_of(*tables())
    harm, empty = harm_with(windows, *LEVEL, ("model", "model")), windows.current.head(0)
    assert would_decide(replace(windows, current=empty), harm) == ()
    assert would_decide(replace(windows, current=empty), replace(harm, contributions=(), rivals=())) == ()
    assert isinstance(would_decide(replace(windows, reference=empty), harm), tuple)


def test_an_observation_comes_back_from_json():
    (found,) = asked(*LEVEL)
    adapter = TypeAdapter(Observation)
    assert adapter.validate_json(adapter.dump_json(found)) == found


def test_what_decides_stands_by_its_question_or_as_a_question_of_its_own():
    (found,) = asked(*LEVEL)
    other = Unanswered(question="since when", why="no time")
    told = with_what_decides([other, Unanswered(question=found.question, why="both go")], [found])
    assert [one.would_decide for one in told] == ["", str(found)]
    alone = with_what_decides([other], [found])
    assert [one.question for one in alone] == ["since when", found.question]
    assert as_rows([found])[0]["rows"] == found.rows


def test_results_say_what_would_decide_with_rows_and_power():
    windows = windows_of(*tables())
    harm = harm_with(windows, *LEVEL)
    decisive = would_decide(windows, harm)
    told = results_json(
        incident="i", verdict=weigh_windows(harm), durations=(), findings=(), whys=(), decisive=decisive,
        unanswered=with_what_decides([Unanswered(question="since when", why="no time")], decisive),
    )["unanswered"]  # fmt: skip
    assert "would_decide" not in told[0]
    assert told[1]["would_decide"]["rows"] == decisive[0].rows
    assert told[1]["would_decide"]["power"] == decisive[0].power


def test_an_analysis_of_windows_asks_it_too():
    rng = np.random.default_rng(0)
    both = [pd.DataFrame({"x": rng.normal(size=400), "y": 1.0 * (rng.random(400) < rate)}) for rate in (0.1, 0.3)]
    told = window_answers(windows_from(*both, metric={"name": "rate", "column": "y"}))
    assert [one.kind for one in told.decisive] == ["again"]
