"""Encoding of table columns as the float matrix that a model library reads."""

from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

from rca.errors import InvalidCase
from rca.record.files.yaml_document import show

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]


def matrix_of(frame: "pd.DataFrame", codes: dict[str, list[Any]], *, place: str) -> "Floats":
    """Columns as floats, categories by their index in the model's own list; unknown ones are NaN."""
    import numpy as np

    columns = [
        _coded(frame.iloc[:, at], codes[name]) if name in codes else numbers_of(frame.iloc[:, at], place)
        for at, name in enumerate(frame.columns)
    ]
    return np.column_stack(columns)


def _coded(column: "pd.Series[Any]", categories: list[Any]) -> "Floats":
    import numpy as np
    import pandas as pd

    values = column.astype(column.cat.categories.dtype) if isinstance(column.dtype, pd.CategoricalDtype) else column
    codes = pd.Index(categories).get_indexer(pd.Index(values))
    return np.where(codes < 0, np.nan, codes.astype(np.float64))


def numbers_of(column: "pd.Series[Any]", place: str) -> "Floats":
    """A column as floats, missing values as NaN; of a column of numbers written as text its other cells, too.

    Raises
    ------
    InvalidCase
        If it holds no number: text, times, lists.
    """
    import numpy as np
    import pandas as pd

    if column.isna().all():
        return np.full(len(column), np.nan)
    values = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    plain = not isinstance(values.dtype, np.dtype) or values.dtype.kind in "biuf"
    numbers = (
        values.dtype == object and values.dropna().map(lambda value: isinstance(value, Real | Decimal | np.bool_)).all()
    )
    if numbers or (plain and pd.api.types.is_numeric_dtype(values)):
        return np.asarray(pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan))
    if values.dtype == object or pd.api.types.is_string_dtype(values):
        text = values.where(np.array([isinstance(value, str | Real) for value in values], dtype=bool))
        read = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isfinite(read).any():
            return np.asarray(read)
    what = f"the model reads numbers in {show(str(column.name))}, and the table has {column.dtype} there"
    raise InvalidCase.because(what, place=place)
