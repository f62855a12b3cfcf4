"""The one home of how boosted trees are set: shallow, slow, shrunk, and the same on every run.

Every model that is fitted anew (a domain classifier, a regression of the loss, a stand-in) is small on purpose: it is
asked about rows it has not seen, and what it says is averaged, so that a little bias costs less than overfitting.
"""

from typing import Any

ROUNDS = 80
"""Trees of a model; enough at the learning rate below for some thousand rows."""

LEAVES = 15

RATE = 0.08

SHRINKAGE = 5.0


def classifier(*, rounds: int = ROUNDS, leaves: int = LEAVES) -> Any:
    """Boosted trees for a chance; not fitted yet.

    Parameters
    ----------
    rounds, leaves : int
        Trees, and leaves of each.

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

    return HistGradientBoostingClassifier(**_settings(rounds, leaves))


def regressor(*, rounds: int = ROUNDS, leaves: int = LEAVES) -> Any:
    """Boosted trees for a mean; not fitted yet.

    Parameters
    ----------
    rounds, leaves : int
        Trees, and leaves of each.

    Returns
    -------
    sklearn.ensemble.HistGradientBoostingRegressor
        The same rows give the same model.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**_settings(rounds, leaves))


def _settings(rounds: int, leaves: int) -> dict[str, Any]:
    return {
        "max_iter": rounds,
        "max_leaf_nodes": leaves,
        "learning_rate": RATE,
        "l2_regularization": SHRINKAGE,
        "random_state": 0,
        "early_stopping": False,
    }
