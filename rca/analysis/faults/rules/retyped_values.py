"""Numbers that became text: with another decimal sign, a unit, or cells that hold no number."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rule import FaultRule, Scene
from rca.arrays import Floats, Labels, Mask
from rca.tables.column_pair import ColumnPair
from rca.tables.columns import as_labels, as_numbers, in_short, kind_of

NUMBER = r"[-+]?(?:(?:\d{1,3}(?:[.,'’\s]\d{3})+|\d+)(?:[.,]\d+)?|[.,]\d+)(?:[eE][-+]?\d+)?"
"""A number in any country's writing."""

UNIT = r"[^\d.,+\-]{0,8}"
"""What may stand before or after it: a currency, a unit, a per cent sign."""


def retyped(pair: ColumnPair, scene: Scene) -> ColumnFault | None:
    """Text where the reference has numbers: cells with a number in another writing, or without any.

    Examples
    --------
    >>> rows = [pd.DataFrame({"price": column}) for column in ([1.5, 2.5, 3.0], ["1,5", "2,5", "3,0"])]
    >>> scene = Scene(reference=rows[0], current=rows[1], codes=frozenset(), names=("price",), moved=frozenset(),
    ...               ordered=False)
    >>> print(retyped(scene.pair("price"), scene))
    price: retyped (text in 100% of the rows, such as 1,5, where numbers were)
    """
    del scene
    if kind_of(pair.reference) != "numeric" or not _is_text(pair.current):
        return None
    hit = _hit(pair.current)
    if not hit.any():
        return None
    share, some = float(hit.mean()), in_short(str(pair.current[hit].value_counts().index[0]), limit=20)
    evidence = f"text in {share:.0%} of the rows, such as {some}, where numbers were"
    return ColumnFault(column=pair.name, fault="retyped", share=share, evidence=evidence)


def _is_text(values: "pd.Series[Any]") -> bool:
    return not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_datetime64_any_dtype(values)


def _hit(values: "pd.Series[Any]") -> Mask:
    """Cells with text that is no plain number; where there is none, cells with text."""
    words = np.array([isinstance(value, str) for value in values.to_numpy(dtype=object)], dtype=bool)
    strange = words & np.isnan(as_numbers(values))
    return strange if strange.any() else words


def numbers_in(labels: Labels | Sequence[str]) -> Floats:
    """Numbers in texts, whatever sign they have for decimals and thousands, and with or without a unit.

    Parameters
    ----------
    labels : sequence of str
        Written alike: where one of them shows that a comma is the decimal sign, it is in all.

    Returns
    -------
    ndarray of shape (labels,)
        NaN where there is no number.

    Examples
    --------
    >>> numbers_in(["1.234,5", "2,75", "12 kg", "n/a"]).tolist()
    [1234.5, 2.75, 12.0, nan]
    >>> numbers_in(["1,234.5", "1,000", "$12"]).tolist()
    [1234.5, 1000.0, 12.0]
    """
    texts = pd.Series(labels, dtype=object).astype(str).str.strip()
    bare = texts.str.extract(rf"^{UNIT}({NUMBER}){UNIT}$", expand=False).str.replace(r"[\s'’  ]", "", regex=True)
    if _decimal_comma(bare.dropna()):
        bare = bare.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    else:
        bare = bare.str.replace(",", "", regex=False)
    return np.asarray(pd.to_numeric(bare, errors="coerce").to_numpy(float))


def _decimal_comma(bare: "pd.Series[Any]") -> bool:
    """Whether a comma stands before decimals: it comes last, and once, and not only before groups of three digits."""
    comma, point = bare.str.rfind(","), bare.str.rfind(".")
    decimals = (comma > point) & (bare.str.count(",") == 1) & ~bare.str.match(r"^[-+]?\d{1,3}(,\d{3})+$")
    others = (point > comma) & (bare.str.count(r"\.") == 1)
    return bool(decimals.sum() > others.sum())


def _again(values: "pd.Series[Any]") -> Floats:
    """The numbers of a column whatever they are written like."""
    numbers = as_numbers(values)
    unread = np.isnan(numbers) & values.notna().to_numpy()
    numbers[unread] = numbers_in(as_labels(values[unread]))
    return numbers


def _read_again(fault: ColumnFault, rows: pd.DataFrame, wrong: Mask) -> "pd.Series[Any]":
    values = rows[fault.column]
    return pd.Series(np.where(wrong, _again(values), as_numbers(values)), index=values.index, name=values.name)


RETYPED = FaultRule(
    kind="retyped",
    clause="{name} came as text and not as numbers",
    check="its type",
    detect={"everywhere": retyped, "by_relation": retyped},
    affected=lambda fault, rows: _hit(rows[fault.column]),
    undo=_read_again,
    undoable=lambda fault, rows: np.isfinite(_again(rows[fault.column])),
    dated_by="rows",
    unheard=True,
)
