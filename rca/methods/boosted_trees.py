"""Gradient-boosted trees with shared default settings: small, slow, L2-regularised and deterministic.

Models are small on purpose: they predict held-out rows, and predictions are averaged, so that a little bias costs less
than overfitting.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from rca.arrays import Floats, Places

P = ParamSpec("P")

T = TypeVar("T")

ROUNDS = 80
"""Boosting rounds; enough at the learning rate below for some thousand rows."""

LEAVES = 15

RATE = 0.08

SHRINKAGE = 5.0

WIDE = 100
"""Most columns that a model is taught by."""


def classifier(*, rounds: int = ROUNDS, leaves: int = LEAVES, rate: float = RATE, shrinkage: float = SHRINKAGE) -> Any:
    """Unfitted gradient-boosted classifier (scikit-learn's histogram boosting), by default with the shared settings.

    Parameters
    ----------
    rounds, leaves : int
        Trees, and leaves of each.
    rate, shrinkage : float
        Learning rate, and L2 penalty of the leaves.

    Returns
    -------
    sklearn.ensemble.HistGradientBoostingClassifier, of the closest columns where there are many
        The same rows give the same model: nothing is drawn, since no row is held out to stop early.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(200.0)[:, None]
    >>> bool(classifier().fit(x, x[:, 0] > 99).predict_proba([[150.0]])[0, 1] > 0.95)
    True
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    return Screened(HistGradientBoostingClassifier(**_settings(rounds, leaves, rate, shrinkage=shrinkage)))


def regressor(*, rounds: int = ROUNDS, leaves: int = LEAVES, rate: float = RATE, shrinkage: float = SHRINKAGE) -> Any:
    """Unfitted gradient-boosted regressor of a conditional mean, by default with the shared settings.

    Parameters
    ----------
    rounds, leaves : int
        Trees, and leaves of each.
    rate, shrinkage : float
        Learning rate, and L2 penalty of the leaves.

    Returns
    -------
    sklearn.ensemble.HistGradientBoostingRegressor, of the closest columns where there are many
        The same rows give the same model.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    return Screened(HistGradientBoostingRegressor(**_settings(rounds, leaves, rate, shrinkage=shrinkage)))


class Screened:
    """A learner that is taught by the columns alone that go most closely with the target, where there are many.

    Its cost is then that of `WIDE` columns. They are chosen by the rows that teach it, so that other rows stay unseen.

    References
    ----------
    Fan & Lv (2008), J. R. Stat. Soc. B 70(5): sure independence screening.
    """

    def __init__(self, learner: Any) -> None:
        self.learner = learner

    def fit(self, rows: Floats, target: Any, **how: Any) -> Any:
        """Choose the columns, and learn; where they are no more than `WIDE`, the learner itself comes back."""
        rows = np.where(np.isnan(rows).all(axis=0), 0.0, rows)  # no tree splits on a column without a value
        if rows.shape[1] <= WIDE:
            return self.learner.fit(rows, target, **how)
        self.columns = closest(rows, np.unique(target, return_inverse=True)[1], WIDE)
        self.learner.fit(rows[:, self.columns], target, **how)
        return self

    def predict(self, rows: Floats) -> Any:
        """As the learner does."""
        return self.learner.predict(rows[:, self.columns])

    def predict_proba(self, rows: Floats) -> Any:
        """As the learner does."""
        return self.learner.predict_proba(rows[:, self.columns])

    def decision_function(self, rows: Floats) -> Any:
        """As the learner does."""
        return self.learner.decision_function(rows[:, self.columns])

    @property
    def classes_(self) -> Any:
        """Classes that the learner tells apart."""
        return self.learner.classes_


def closest(rows: Floats, target: Any, most: int) -> Places:
    """Columns whose correlation with a target is largest, in their order."""
    values = np.nan_to_num(rows - np.nanmean(rows, axis=0), posinf=0.0, neginf=0.0)
    target = np.asarray(target, dtype=float) - np.mean(target)
    close = np.abs(target @ values) / np.sqrt(np.maximum((values**2).sum(axis=0), np.finfo(float).tiny))
    return np.sort(np.argsort(-close, kind="stable")[:most])


def split_on(model: Any) -> Places:
    """Inputs that any tree of a fitted model splits on, ascending: of the others it says nothing."""
    chosen, learner = (model.columns, model.learner) if isinstance(model, Screened) else (None, model)
    nodes = [tree.nodes for stage in learner._predictors for tree in stage]  # noqa: SLF001 - nothing public tells
    split = [one["feature_idx"][one["is_leaf"] == 0] for one in nodes]
    found = np.unique(np.concatenate([np.zeros(0), *split])).astype(np.intp)
    return found if chosen is None else np.asarray(chosen[found])


def surrogate_regressor() -> Any:
    """Unfitted boosted trees, large and unshrunk enough to repeat the scores of another model."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**_settings(200, 31, 0.1, shrinkage=0.0))


def _settings(rounds: int, leaves: int, rate: float, *, shrinkage: float) -> dict[str, Any]:
    return {
        "max_iter": rounds,
        "max_leaf_nodes": leaves,
        "learning_rate": rate,
        "l2_regularization": shrinkage,
        "random_state": 0,
        "early_stopping": False,
    }


def on_one_thread(question: Callable[P, T]) -> Callable[P, T]:
    """Fit and predict on one OpenMP thread: idle threads spin, and sums depend on how many there are.

    Small models cost twenty times the CPU on two threads that wait for each other.
    """

    @wraps(question)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        import sklearn.ensemble  # noqa: F401 - its OpenMP has to be there before it is limited
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1, user_api="openmp"):
            return question(*args, **kwargs)

    return asked
