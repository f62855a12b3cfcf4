"""Type aliases of NumPy arrays, by what they hold: numbers, masks, labels, counts, positions."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""Numbers; NaN where there is none."""

Mask = npt.NDArray[np.bool_]
"""Boolean mask: which rows, or which of anything."""

Labels = npt.NDArray[np.object_]
"""Names, each a string."""

Counts = npt.NDArray[np.int64]
"""Non-negative whole numbers of rows."""

Places = npt.NDArray[np.intp]
"""Positions in another array; codes are positions among labels."""
