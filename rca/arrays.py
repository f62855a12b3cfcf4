"""The types of arrays, in one home: what an array holds, and not how it is laid out."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""Numbers; NaN where there is none."""

Mask = npt.NDArray[np.bool_]
"""Which rows, or which of anything."""

Labels = npt.NDArray[np.object_]
"""Names, each a string."""

Counts = npt.NDArray[np.int64]
"""How many."""

Places = npt.NDArray[np.intp]
"""Positions in another array; codes are positions among labels."""
