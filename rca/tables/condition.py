"""Predicates on rows, by which slices and subgroup faults are named: `column=value`, `age>=65`, `text~word`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from rca.arrays import Labels, Mask
from rca.tables.columns import as_labels, as_numbers, holds

Operator = Literal["=", "<", ">=", "~"]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A predicate on one column: equality, a threshold, or a phrase in a text.

    Attributes
    ----------
    column : str
    operator : {'=', '<', '>=', '~'}
        `~` asks whether a text holds a word or a phrase, whatever its case.
    value : str or float
        A number for `<` and `>=`.

    Examples
    --------
    >>> rows = pd.DataFrame({"age": [20, 70], "said": ["Thank you", "you there"]})
    >>> old = Condition(column="age", operator=">=", value=65.0)
    >>> thanks = Condition(column="said", operator="~", value="thank you")
    >>> str(old), old.holds(rows).tolist(), str(thanks), thanks.holds(rows).tolist()
    ('age>=65', [False, True], 'said~thank you', [True, False])
    """

    column: str
    operator: Operator
    value: str | float

    def __str__(self) -> str:
        value = f"{self.value:.6g}" if isinstance(self.value, float) else self.value
        return f"{self.column}{self.operator}{value}"

    def holds(self, rows: pd.DataFrame) -> Mask:
        """Mask of the rows that fulfil it, of shape (rows,); a row without a value fulfils nothing."""
        values = rows[self.column]
        if self.operator == "=":
            return holds(values, self.value)
        if self.operator == "~":
            return _spoken(as_labels(values), str(self.value))
        numbers = as_numbers(values)
        with np.errstate(invalid="ignore"):
            return np.asarray(numbers < float(self.value) if self.operator == "<" else numbers >= float(self.value))


def _spoken(texts: Labels, phrase: str) -> Mask:
    """Mask of the texts that contain a phrase as whole words, whatever its case."""
    words = re.compile(r"(?<!\w)" + r"\W+".join(map(re.escape, phrase.casefold().split())) + r"(?!\w)")
    return np.array([isinstance(text, str) and words.search(text.casefold()) is not None for text in texts], dtype=bool)


def all_hold(conditions: Sequence[Condition], rows: pd.DataFrame) -> Mask:
    """Mask of the rows that fulfil a conjunction; all rows for an empty one."""
    masks = [condition.holds(rows) for condition in conditions]
    return np.logical_and.reduce(masks) if masks else np.ones(len(rows), dtype=bool)


def conjunction(conditions: Sequence[Condition]) -> str:
    """The name of a slice: its conditions joined by ` & `."""
    return " & ".join(map(str, conditions))
