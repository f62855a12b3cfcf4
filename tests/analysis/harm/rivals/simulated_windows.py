"""Two windows whose law is known, and a model that knows it: what tests of rivals share."""

import numpy as np
import pandas as pd

from rca.analysis.drift.question import drift_of
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.rescoring import scorer_of
from rca.analysis.harm.rivals.bench import Weighing
from rca.analysis.harm.surrogate_model import fit_surrogate
from rca.analysis.inputs.windows import measured_of, windows_from

FEATURES = ("a", "b", "c", "hour", "shop")
ROLES = {"label": "y", "prediction": "said", "score": "score", "time": "at"}


def world(rows):
    """Log-odds of a yes: a and b go together, c stands alone, at night there are more."""
    return 1.6 * rows["a"] - 1.4 * rows["c"] + 0.8 * rows["b"] + 1.5 * (rows["hour"] < 6)


def chance(odds):
    """Probability of a yes."""
    return 1 / (1 + np.exp(-np.nan_to_num(np.asarray(odds, dtype=float))))


def model(rows):
    """The deployed model, which knows the world."""
    return chance(world(rows))


def inputs(rng, n=1200, start="2026-01-05", days=28):
    """Inputs of one window, in time order."""
    seconds = np.sort(rng.uniform(0, days * 86400, n)).round()
    at = pd.DatetimeIndex(pd.Timestamp(start, tz="UTC") + pd.to_timedelta(seconds, unit="s"))
    both = rng.normal(size=n)
    return pd.DataFrame(
        {
            "at": at,
            "a": both + 0.5 * rng.normal(size=n),
            "b": both + 0.5 * rng.normal(size=n),
            "c": rng.normal(size=n),
            "hour": at.hour.astype(float),
            "shop": rng.choice(list("pqr"), n),
        }
    )


def happened(rng, rows, law=world):
    """The rows with what happened."""
    return rows.assign(y=(rng.random(len(rows)) < chance(law(rows))).astype(int))


def answered(rows, answer=model, *, threshold=0.5):
    """The rows with what the model said of them."""
    score = np.asarray(answer(rows), dtype=float)
    return rows.assign(score=score, said=(score > threshold).astype(int))


def drawn(seed, n=1200, *, law=world, broken=lambda rows, rng: rows, threshold=0.5, answer=model):
    """The reference, and a current window with another law, with inputs that broke, or with another model."""
    rng = np.random.default_rng(seed)
    before = answered(happened(rng, inputs(rng, n)))
    after = happened(rng, inputs(rng, n, "2026-02-02"), law)
    return before, answered(broken(after, rng), answer, threshold=threshold)


def windows(before, after, metric="error_rate", **how):
    """The windows of two such tables."""
    return windows_from(before, after, metric=metric, **{**ROLES, **how})


def weighing(before, after, metric="error_rate", **how):
    """What every rival is asked with, as the attribution of harm asks it."""
    asked = windows(before, after, metric, **how)
    moved = drift_of(asked)
    faults = faults_of(asked, moved)
    stood = fit_surrogate(asked, faults.columns, classes=True)
    asker = scorer_of(asked) or (stood.usable if stood is not None else None)
    return Weighing(
        windows=asked, drift=moved, faults=faults, measured=measured_of(asked), asker=asker, gains={},
        stand_in=stood.scorer if stood is not None else None,
        answers_same=asked.model is not None or (stood is not None and stood.same),
    )  # fmt: skip


def numbers(seed, n=1000, *, spoilt=lambda rows, rng: rows):
    """Two windows of a number that the model predicts up to noise."""
    rng = np.random.default_rng(seed)
    both = [inputs(rng, n, start) for start in ("2026-01-05", "2026-02-02")]
    both = [rows.assign(y=world(rows) + rng.normal(size=n), said=world(rows)) for rows in both]
    return both[0], spoilt(both[1], rng)


def standing(rivals):
    """Kind and name of the rivals that stand, in their order."""
    return [(one.kind, one.name) for one in rivals if not one.rejected]
