"""How boosted trees are set: the same answer on every run, for classes and for means."""

import numpy as np
import pytest

from rca.methods.boosted_trees import ROUNDS, WIDE, classifier, on_one_thread, regressor, split_on

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
Y = X[:, 0] * X[:, 1] + RNG.normal(size=400)


@pytest.mark.parametrize("rounds", [ROUNDS, 20])
def test_the_same_rows_give_the_same_model(rounds):
    means = [regressor(rounds=rounds).fit(X, Y).predict(X) for _ in range(2)]
    chances = [classifier(rounds=rounds).fit(X, Y > 0).predict_proba(X) for _ in range(2)]
    assert (means[0] == means[1]).all()
    assert (chances[0] == chances[1]).all()


def test_every_row_asked_for_is_used_and_every_round_is_played():
    for model, target in ((regressor(rounds=30), Y), (classifier(rounds=30), Y > 0)):
        assert model.fit(X, target).n_iter_ == 30


def test_what_depends_on_two_columns_at_once_is_found():
    fresh = RNG.normal(size=(2000, 3))
    found = regressor().fit(X, Y).predict(fresh)
    assert np.corrcoef(found, fresh[:, 0] * fresh[:, 1])[0, 1] > 0.7


def test_a_question_runs_on_one_thread_and_keeps_its_name_and_words():
    from threadpoolctl import threadpool_info

    @on_one_thread
    def threads(kind="openmp"):
        """How many there are."""
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == kind}

    assert threads() == {1}
    assert (threads.__name__, threads.__doc__) == ("threads", "How many there are.")


def wide(seed=0, columns=3 * WIDE):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(400, columns))
    return rows, rows[:, 7] - rows[:, columns - 2] + 0.3 * rng.normal(size=400)


def test_of_many_columns_the_closest_teach_and_the_others_change_nothing():
    rows, target = wide()
    few = regressor().fit(rows, target)
    other = rows.copy()
    idle = [at for at in range(rows.shape[1]) if at not in few.columns]
    other[:, idle] = np.nan
    assert {7, rows.shape[1] - 2} <= set(few.columns)
    assert len(few.columns) == WIDE
    assert (few.predict(other) == few.predict(rows)).all()
    assert np.corrcoef(few.predict(rows), target)[0, 1] > 0.9


def test_many_columns_of_a_class_are_screened_likewise_and_missing_values_do_no_harm():
    rows, target = wide()
    rows[::9] = np.nan
    told = classifier().fit(rows, np.where(target > 0, "yes", "no"))
    assert list(told.classes_) == ["no", "yes"]
    right = np.where(told.decision_function(rows) > 0, "yes", "no") == told.predict(rows)
    assert right.all()
    assert told.predict_proba(rows).shape == (400, 2)


def test_a_few_columns_are_taught_by_the_learner_itself():
    rows, target = wide(columns=WIDE)
    assert type(regressor().fit(rows, target)).__name__ == "HistGradientBoostingRegressor"


def test_a_column_without_any_value_is_none_to_split_on() -> None:
    rows = np.column_stack([np.arange(100.0), np.full(100, np.nan)])
    model = regressor().fit(rows, rows[:, 0])
    assert split_on(model).tolist() == [0]
    assert np.isfinite(model.predict(rows)).all()
