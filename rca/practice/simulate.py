"""Simulated incidents with a known cause: six that ship, and small ones for tests.

Every incident is a pure function of a seed. Building one proves its answer: the fault taken back has to remove at
least 80 % of the metric's change, a decoy less than 5 %, and a quiet case has to stay within chance. What fails its
proof is not written.

    python -m rca.practice.simulate OUT [NAME ...]

rebuilds the shipped incidents below the folder OUT.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Literal

from rca.errors import RunFailed, did_you_mean
from rca.practice import planted, planted_flights, planted_systems
from rca.practice.proof import Made

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TEXTS = Path(__file__).parent / "scenarios"
"""The hand-written part of each scenario: record, answer, datasheet and graph, with places for what was measured."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario with a known cause: its simulation, and the seed of the one that ships."""

    name: str
    title: str
    make: "Callable[[np.random.Generator], Made]"
    seed: int
    real: bool = False
    """Whether the rows are real; then only the split of rows depends on the seed."""


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="credit-drift",
            title="A lost economic indicator turns good applicants into high risks",
            make=planted.credit_drift,
            seed=20260224,
        ),
        Scenario(
            name="chatbot-update",
            title="After a model update, some words in a question draw offensive replies",
            make=planted_systems.chatbot_update,
            seed=20260511,
        ),
        Scenario(
            name="line-cascade",
            title="A defect detector loses its sight, and a factory line follows",
            make=planted_systems.line_cascade,
            seed=20260305,
        ),
        Scenario(
            name="hiring-bias",
            title="Qualified applicants from abroad are no longer invited",
            make=planted.hiring_bias,
            seed=20260316,
        ),
        Scenario(
            name="quiet-quarter",
            title="An alarm rings in a quarter in which nothing happened",
            make=planted.quiet_quarter,
            seed=20260704,
        ),
        Scenario(
            name="flights-storm",
            title="A delay model meets the storms of 8-10 December 2013",
            make=planted_flights.flights_storm,
            seed=20131208,
            real=True,
        ),
    )
}
"""The incidents that ship, by name."""


def build(name: str, out: Path, *, seed: int | None = None) -> Path:
    """Write the incident `name` below the folder `out`, whole or not at all.

    Parameters
    ----------
    name : str
        A key of `SCENARIOS`.
    out : Path
        The folder that holds the incidents; an older build of the same name is replaced.
    seed : int, optional
        Default: the seed of the incident that ships.

    Returns
    -------
    Path
        The case folder, `out/name`; the same bytes for the same seed and library versions.

    Raises
    ------
    KeyError
        If there is no such scenario.
    RunFailed
        If a proof of the answer fails.
    """
    import numpy as np

    if name not in SCENARIOS:
        raise KeyError(f"no scenario {name!r}; {did_you_mean(name, SCENARIOS)}")
    scenario = SCENARIOS[name]
    made = scenario.make(np.random.default_rng(scenario.seed if seed is None else seed))
    if not made.holds:
        raise RunFailed(f"{name}: the answer could not be proved. {made.proof_lines()}")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=out) as work:
        fresh = Path(work) / name
        _write(fresh, made, TEXTS / name)
        _replace(out / name, fresh)
    return out / name


def _write(folder: Path, made: Made, texts: Path) -> None:
    folder.mkdir()
    for stem, table in made.tables.items():
        write_parquet(table, folder / f"{stem}.parquet")
    if made.model is not None:
        (folder / "model.txt").write_text(made.model, encoding="utf-8", newline="\n")
    facts = made.facts | {"proofs": made.proof_lines()}
    for text in sorted(path for path in texts.rglob("*") if path.is_file()):
        filled = Template(text.read_text(encoding="utf-8")).substitute(facts)
        written = folder / text.relative_to(texts)
        written.parent.mkdir(exist_ok=True)
        written.write_text(filled, encoding="utf-8", newline="\n")


def _replace(target: Path, fresh: Path) -> None:
    """Put `fresh` where `target` is: a folder cannot be renamed onto a filled one, so the older steps aside."""
    if target.exists():
        target.rename(fresh.parent / "older")
    fresh.rename(target)


def write_parquet(table: "pd.DataFrame", path: Path) -> None:
    """Write a table with fixed settings and without pandas' notes, so that the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, path, compression="zstd", compression_level=9, version="2.6", row_group_size=1 << 20)


TabularFault = Literal["frozen", "default_value", "scaled", "shifted", "missing", "distribution", "concept", "none"]

WEIGHTS = (1.5, -1.0, 0.7, -0.4, 0.2, 0.0)
"""Log-odds per unit of the features of `tabular`, repeated for more than six; the last one does nothing."""


def score_of(frame: "pd.DataFrame") -> "np.ndarray":
    """Score rows by the model of `tabular`: the logistic of the weighted sum of x0, x1, …; missing counts as 0.

    Parameters
    ----------
    frame : DataFrame
        With columns x0 … x(k-1); others are not read.

    Returns
    -------
    ndarray of shape (n,)
        Probabilities of the label 1.

    Examples
    --------
    >>> import pandas as pd
    >>> float(score_of(pd.DataFrame({"x0": [0.0], "x1": [None]}))[0])
    0.5
    """
    import numpy as np

    names = [name for name in frame.columns if name[:1] == "x" and name[1:].isdigit()]
    weights = [WEIGHTS[int(name[1:]) % len(WEIGHTS)] for name in names]
    values = frame[names].to_numpy(dtype=float, na_value=np.nan)
    log_odds = np.nan_to_num(values) @ np.array(weights)
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds.clip(-700.0, 700.0))), dtype=float)


def tabular(
    rng: "np.random.Generator",
    *,
    rows: int = 2000,
    features: int = 6,
    fault: TabularFault | None = None,
    column: str = "x0",
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Draw two windows of standard normal features with label, score and prediction; plant a fault in the second.

    Parameters
    ----------
    rng : Generator
    rows, features : int
        Rows of each window; number of columns x0, x1, …
    fault : str, optional
        How `column` broke. `distribution`: it truly moved, and the label with it; `concept`: the label follows `column`
        the other way round; `none` or None: nothing happened.
    column : str
        The column that is hit.

    Returns
    -------
    reference, current : DataFrame
        Columns x0 …, `label` (0 or 1), `score` (`score_of` the row as recorded) and `prediction`.

    Examples
    --------
    >>> import numpy as np
    >>> reference, current = tabular(np.random.default_rng(0), fault="frozen")
    >>> reference["x0"].nunique(), current["x0"].nunique()
    (2000, 1)
    """
    reference = _labelled(rng, _normals(rng, rows, features), None)
    clean = _normals(rng, rows, features)
    if fault == "distribution":
        clean[column] = 1.5 + clean[column]
    current = _labelled(rng, clean, column if fault == "concept" else None)
    current[column] = _broken(reference[column], current[column], fault)
    return _scored(reference), _scored(current)


def _normals(rng: "np.random.Generator", rows: int, features: int) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(rng.normal(size=(rows, features)), columns=[f"x{i}" for i in range(features)])


def _labelled(rng: "np.random.Generator", frame: "pd.DataFrame", reversed_column: str | None) -> "pd.DataFrame":
    """Draw the label from the true features; `reversed_column` acts on it with the opposite sign."""
    acting = frame.copy()
    if reversed_column is not None:
        acting[reversed_column] = -acting[reversed_column]
    return frame.assign(label=(rng.random(len(frame)) < score_of(acting)).astype("int8"))


def _broken(usual: "pd.Series[float]", values: "pd.Series[float]", fault: TabularFault | None) -> "pd.Series[float]":
    match fault:
        case "frozen":
            return values * 0 + usual.sort_values().iloc[int(0.9 * len(usual))]
        case "default_value":
            return values * 0 + 999.0
        case "scaled":
            return values * 100.0
        case "shifted":
            return values + 3.0
        case "missing":
            return values * float("nan")
        case _:
            return values


def _scored(frame: "pd.DataFrame") -> "pd.DataFrame":
    score = score_of(frame)
    return frame.assign(score=score, prediction=(score >= 0.5).astype("int8"))


def main(arguments: list[str]) -> int:
    """Rebuild the named incidents, or all, below a folder; say how each was proved."""
    if not arguments:
        print("usage: python -m rca.practice.simulate OUT [NAME ...]", file=sys.stderr)
        return 2
    out, *names = arguments
    for name in names or SCENARIOS:
        print(build(name, Path(out)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
