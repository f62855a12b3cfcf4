"""SHAP values of rows and their base value, from this package, from shap, or from columns of a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from rca.arrays import Floats, Mask
from rca.errors import InvalidCase, did_you_mean
from rca.record.model.forest import Scale
from rca.tables.columns import as_numbers

Method = Literal["exactly, from its trees", "in closed form", "by its own library", "by asking", "as given"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Explained:
    """SHAP values of some rows, with the base value (mean margin) that they are measured from.

    Attributes
    ----------
    features : tuple of str
        Columns that the model reads at all; of every other column the value is 0.
    values : ndarray of shape (rows, features, outputs)
        With `base` they add up to the margin.
    base : ndarray of shape (outputs,)
        Mean margin that the values are measured from.
    scale : {'log-odds', 'probability', 'prediction'}
        What the margin is; log-odds are in nats.
    method : str
    error : float
        Mean standard error of a value that is sampled; 0 where it is exact.
    """

    features: tuple[str, ...]
    values: Floats
    base: Floats
    scale: Scale
    method: Method
    error: float = 0.0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def margin(self) -> Floats:
        """Margin of each row, base value plus SHAP values: (rows, outputs)."""
        return np.asarray(self.base + self.values.sum(axis=1))

    @property
    def sizes(self) -> Floats:
        """|SHAP| of each row and feature, summed over outputs: (rows, features)."""
        return np.asarray(np.abs(self.values).sum(axis=2))

    def take(self, rows: Any) -> "Explained":
        """The values of some of the rows."""
        return replace(self, values=self.values[rows])

    def frame(self) -> pd.DataFrame:
        """The values as a table, a column a feature (and output)."""
        many = self.values.shape[2] > 1
        names = [f"{name} → {at}" if many else name for name in self.features for at in range(self.values.shape[2])]
        return pd.DataFrame(self.values.reshape(len(self), -1), columns=names)


PLACE = "SHAP values"
"""Where messages say that something is wrong with values that were given."""

# --- SHAP values computed elsewhere ----------------------------------------------------------------------------------


def given(values: Any, rows: pd.DataFrame | None = None, *, scale: Scale = "log-odds") -> Explained:
    """Check and wrap SHAP values that were computed elsewhere.

    Parameters
    ----------
    values : shap.Explanation, pandas.DataFrame or Explained
        A frame has a column a feature.
    rows : pandas.DataFrame, optional
        Columns that the names of features have to be among.
    scale : {'log-odds', 'probability', 'prediction'}

    Raises
    ------
    InvalidCase
        If there is not one value for each row and feature, or a feature is no column.

    Examples
    --------
    >>> given(pd.DataFrame({"a": [0.5, -0.5]})).sizes.tolist()
    [[0.5], [0.5]]
    """
    if isinstance(values, Explained):
        return values
    names = (
        list(values.columns) if isinstance(values, pd.DataFrame) else list(getattr(values, "feature_names", []) or [])
    )
    numbers = _floats(values.to_numpy() if isinstance(values, pd.DataFrame) else values.values)
    numbers = numbers[:, :, None] if numbers.ndim == 2 else numbers
    _fits(numbers, names, rows)
    base = _base(_floats(getattr(values, "base_values", 0.0)), numbers.shape[2])
    return Explained(features=tuple(map(str, names)), values=numbers, base=base, scale=scale, method="as given")


def _floats(values: Any) -> Floats:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidCase.because(f"they are no numbers: {error}", place=PLACE, hint="give them as floats") from error


def _base(given: Floats, outputs: int) -> Floats:
    """One base value for each output, from one for all or one for each row."""
    mean = np.atleast_1d(given.mean(axis=0) if given.ndim else given)
    if len(mean) not in {1, outputs}:
        what = f"base_values have {len(mean)} outputs, and the values {outputs}"
        raise InvalidCase.because(what, place=PLACE, hint="give one mean for each output")
    return np.broadcast_to(mean, (outputs,)).copy()


def _fits(numbers: Floats, names: Sequence[Any], rows: pd.DataFrame | None) -> None:
    if numbers.ndim != 3 or numbers.shape[1] != len(names):
        what = f"they have the shape {numbers.shape[:2]}, and {len(names)} features have a name"
        raise InvalidCase.because(what, place=PLACE, hint="give feature_names, one for each column")
    if len(set(names)) < len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise InvalidCase.because(f"two features are called {twice!r}", place=PLACE, hint="name each differently")
    if rows is None:
        return
    if len(rows) != len(numbers):
        raise InvalidCase.because(f"there are {len(numbers)}, for {len(rows)} rows", place=PLACE)
    for name in names:
        if name not in rows:
            raise InvalidCase.because(f"no column {name!r}", place=PLACE, hint=did_you_mean(str(name), map(str, rows)))


PREFIXES = ("shap_", "shap:", "shap.")
"""How columns of SHAP values begin; the column that they explain follows."""


def among(rows: pd.DataFrame, features: Sequence[str]) -> Explained | None:
    """SHAP values from columns of a table such as `shap_income`; None where it has none."""
    found = {
        name: prefix + name for name in features for prefix in PREFIXES if prefix + name in rows
    }  # fmt: skip
    if not found:
        return None
    return given(pd.DataFrame({name: as_numbers(rows[column]) for name, column in found.items()}))


def known_rows(explained: Explained) -> Mask:
    """Mask of the rows whose SHAP values are all finite."""
    return np.asarray(np.isfinite(explained.values).all(axis=(1, 2)))
