"""The model that failed: a file that cannot run code → scores. The only door to lightgbm, xgboost, onnxruntime and skops."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rca.errors import InvalidCase, Unanswerable, did_you_mean
from rca.record.incident import ModelFormat
from rca.record.reading import plain, show
from rca.record.tables import ACTIVE, REFUSED

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Matrix = np.ndarray[Any, np.dtype[np.float64]]
