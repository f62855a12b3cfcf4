"""Cache of the analysis of a case between the notebooks of one run, by the digest of its inputs.

Only the kernels of one run share the cache, in the folder of that run while it is derived; so a second run, and `rca
verify --rerun`, begin with an empty one.
"""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from rca.record.files.whole_file import write_whole
from rca.report.notebooks.question_line import question_line

if TYPE_CHECKING:
    from rca.analysis.conclusion.analysis import Analysis
    from rca.record.case import Case

KEPT = "RCA_KEPT"
"""The variable of the environment that names the folder; a kernel outside a run has none."""


def analyse(case: "Case", *, seed: int = 0, alpha: float = 0.05) -> "Analysis":
    """Run every analysis of a case; within a run, once for all of its notebooks.

    A line says which question is being asked, in a notebook and in a terminal; it is gone when all are answered.

    Parameters
    ----------
    case : Case
    seed : int
        Of every random draw; the same seed gives the same numbers.
    alpha : float
        False discovery rate of what is called moved.

    Returns
    -------
    Analysis
        A question that the data cannot answer is in `unanswered`; it is no error.

    Raises
    ------
    InvalidCase
        If a table, the model, or the graph is not what the record says.
    """
    from rca.analysis.conclusion.analyse import analyse as ask
    from rca.analysis.conclusion.analysis import Analysis

    kept = _place(case, seed, alpha)
    if kept is None:
        with question_line() as tell:
            return ask(case, seed=seed, alpha=alpha, tell=tell)
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)  # shared by kernels
        write_whole(kept, json.dumps(ask(case, seed=seed, alpha=alpha).to_dict()).encode())
    return Analysis.from_dict(json.loads(kept.read_bytes()))


def _place(case: "Case", seed: int, alpha: float) -> Path | None:
    """Cache file of these inputs and settings."""
    folder = os.environ.get(KEPT)
    if not folder:
        return None
    return Path(folder) / f"{sha256(repr((case.digest, seed, alpha)).encode()).hexdigest()}.json"
