"""Gradient-boosted trees with shared default settings: small, slow, L2-regularised and deterministic.

Models are small on purpose: they predict held-out rows, and predictions are averaged, so that a little bias costs less
than overfitting.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")

T = TypeVar("T")

ROUNDS = 80
"""Boosting rounds; enough at the learning rate below for some thousand rows."""

LEAVES = 15

RATE = 0.08

SHRINKAGE = 5.0


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
    sklearn.ensemble.HistGradientBoostingClassifier
        The same rows give the same model: nothing is drawn, since no row is held out to stop early.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(200.0)[:, None]
    >>> bool(classifier().fit(x, x[:, 0] > 99).predict_proba([[150.0]])[0, 1] > 0.95)
    True
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**_settings(rounds, leaves, rate, shrinkage=shrinkage))


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
    sklearn.ensemble.HistGradientBoostingRegressor
        The same rows give the same model.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**_settings(rounds, leaves, rate, shrinkage=shrinkage))


def surrogate_regressor() -> Any:
    """Unfitted boosted trees, large and unshrunk enough to repeat the scores of another model."""
    return regressor(rounds=200, leaves=31, rate=0.1, shrinkage=0.0)


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
