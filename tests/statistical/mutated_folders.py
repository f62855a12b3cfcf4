"""Case folders changed as people and their tools change them: cells, types, names, columns, rows, roles, files."""

import random
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

START = pd.Timestamp("2026-05-01", tz="UTC")

FEATURES = ("income", "age", "purpose", "employed")

COLUMNS = (*FEATURES, "band", "probability", "declined", "defaulted", "at", "application")

WINDOWS = ("reference", "current")


@dataclass
class Folder:
    """A case that is not written yet."""

    tables: dict
    data: dict
    metric: dict
    separator: str | None = None
    encoding: str = "utf-8"
    decimal: str = "."
    path: str = "reference.parquet"
    source: str | None = None

    def write(self, home: Path) -> Path:
        """Write the record, both tables and a source."""
        home.mkdir(parents=True)
        for name in WINDOWS:
            table, path = self.tables[name], home / (self.path if name == "reference" else f"{name}.parquet")
            path.parent.mkdir(exist_ok=True)
            if self.separator is not None:
                asked = {"sep": self.separator, "encoding": self.encoding, "decimal": self.decimal, "index": False}
                table.to_csv(home / f"{name}.csv", **asked)
                self.data[name] = f"{name}.csv"
            elif path.suffix in (".arrow", ".feather"):
                table.to_feather(path)
            else:
                table.to_parquet(path)
        if self.separator is None:
            self.data["reference"] = self.path
        if self.source is not None:
            (home / "sources").mkdir()
            (home / "sources" / self.source).write_text("{}")
        record = {
            "schema": 1, "id": home.name, "title": "T", "severity": "sev2", "category": "model_drift",
            "status": "closed", "timeline": {"detected": "2026-05-15T09:10:00Z", "closed": "2026-05-20T16:00:00Z"},
            "data": self.data, "metric": self.metric,
        }  # fmt: skip
        (home / "incident.yaml").write_text(yaml.safe_dump(record, allow_unicode=True))
        return home


def table(rng: np.random.Generator, rows: int, start: pd.Timestamp) -> pd.DataFrame:
    """Applicants, whether they were declined, and whether they would have defaulted."""
    made = pd.DataFrame(
        {
            "at": start + pd.to_timedelta(np.sort(rng.random(rows)) * 10, unit="D"),
            "application": np.arange(rows),
            "income": rng.normal(50, 10, rows).round(2),
            "age": rng.integers(18, 80, rows),
            "purpose": rng.choice(["car", "home", "study"], rows),
            "employed": rng.random(rows) < 0.7,
            "band": rng.choice(["young", "old"], rows),
        }
    )
    chance = 1 / (1 + np.exp((50 - made["income"]) / 10 - (made["purpose"] == "car")))
    return made.assign(
        probability=chance.round(4),
        declined=(chance > 0.5).astype(int),
        defaulted=(rng.random(rows) < chance).astype(int),
    )


def folder(seed: int) -> Folder:
    """A sound case with one to three changes, the same for the same seed."""
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    tables = {"reference": table(numbers, 80, START), "current": table(numbers, 70, START + pd.Timedelta(days=10))}
    if seed % 4 == 0:
        tables["current"].loc[30:, "income"] = 0.0
    roles = {"time": "at", "label": "defaulted", "prediction": "declined", "score": "probability", "id": "application"}
    data = {"reference": "reference.parquet", "current": "current.parquet", "groups": ["band"], **roles}
    made = Folder(tables=tables, data=data, metric={"name": "error_rate"})
    for change in rng.choices(CHANGES, weights=WEIGHTS, k=rng.choice([1, 1, 2, 3])):
        change(made, rng)
    return made


# --- changes ----------------------------------------------------------------------------------------------------------

CELLS = (
    None, float("nan"), "n/a", "-", "", float("inf"), -float("inf"), 1e308, "日本\u202e", 0, -1, True, [1, 2], {"a": 1},
    b"\x00", "a\x00b", "2026-05-01", "y" * 5000,
)  # fmt: skip

TYPES = ("str", "category", "float32", "Int64", "Float64", "boolean", "string", "object", "int8")

NAMES = (
    "", "  ", " income", "a|b", "ü", "日本", "x" * 300, "__proto__", "index", "level_0", "0", "a\nb", "<b>x</b>",
    "$x$", "a&b", "a=b", "reference", "time", "label", "score", "P(y)",
)  # fmt: skip

PATHS = (
    "ref é.parquet", "-ref.parquet", " ref.parquet", "ref'\".parquet", "r#f.parquet", "CON.parquet", "ref.PARQUET",
    "ref.parquet.gz", "sub/ref.parquet", "ref.arrow", "ref.feather",
)  # fmt: skip

SOURCES = ("a b.json", "é.json", "x\ny.json", ".hidden", "#x", "a" * 200 + ".txt")


def cells(made, rng):
    """Another value in a cell, a few, or all of a column."""
    window, column = made.tables[rng.choice(WINDOWS)], rng.choice(COLUMNS)
    if column not in window:
        return
    rows = rng.sample(range(len(window)), min(rng.choice([1, 3, len(window)]), len(window)))
    value, held = rng.choice(CELLS), window[column].to_numpy(dtype=object, copy=True)
    for row in rows:
        held[row] = value
    window[column] = held


def types(made, rng):
    """A column of another type in one window or both."""
    column, sort = rng.choice(COLUMNS), rng.choice([*TYPES, "arrow", "decimal", "date", "naive", "text", "span"])
    for name in rng.choice([WINDOWS[:1], WINDOWS[1:], WINDOWS]):
        window = made.tables[name]
        try:
            made.tables[name] = window.assign(**{column: _as(window, column, sort)})
        except (ValueError, TypeError, KeyError, ArithmeticError):
            continue


def _as(window, column, sort):
    if sort == "arrow":
        return window[column].convert_dtypes(dtype_backend="pyarrow")
    if sort == "decimal":
        return [Decimal(str(value)) for value in window[column]]
    if sort in ("date", "naive", "text"):
        return {
            "date": window["at"].dt.date,
            "naive": window["at"].dt.tz_localize(None),
            "text": window["at"].astype(str),
        }[sort]
    return pd.to_timedelta(np.arange(len(window)), unit="h") if sort == "span" else window[column].astype(sort)


def names(made, rng):
    """A feature by another name."""
    column, name = rng.choice(FEATURES), rng.choice(NAMES)
    made.tables = {one: window.rename(columns={column: name}) for one, window in made.tables.items()}


def columns(made, rng):
    """A column too many or too few, one that never changes, or one that is empty."""
    name, column, sort = rng.choice(WINDOWS), rng.choice(COLUMNS), rng.choice(["more", "less", "constant", "empty"])
    window = made.tables[name]
    if sort == "less":
        made.tables[name] = window.drop(columns=column, errors="ignore")
    elif sort == "more":
        made.tables[name] = window.assign(more=1)
    elif column in window and len(window):
        made.tables[name] = window.assign(**{column: None if sort == "empty" else window[column].iloc[0]})


def rows(made, rng):
    """Few rows, or none."""
    name = rng.choice(WINDOWS)
    made.tables[name] = made.tables[name].head(rng.choice([0, 1, 2, 5, 9, 11, 30]))


def roles(made, rng):
    """Another role, metric or window."""
    single, data = ("time", "label", "prediction", "score", "id"), made.data
    sort = rng.choice(
        ["metric", "none", "other", "positive", "several", "weight", "entity", "blocks", "scores", "window"]
    )
    if sort == "metric":
        plain = ("error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier", "mae", "rmse")
        of = {"name": "group_gap", "of": rng.choice(plain)}
        made.metric = rng.choice(
            [{"name": rng.choice(plain)}, of, {"name": rng.choice(["rate", "mean"]), "column": rng.choice(COLUMNS)}]
        )
    elif sort == "none":
        data.pop(rng.choice(single), None)
    elif sort in ("other", "weight", "entity"):
        data[rng.choice(single) if sort == "other" else sort] = rng.choice(COLUMNS)
    elif sort == "positive":
        data["positive"] = rng.choice([0, 1, "1", True, "yes", 2])
    elif sort == "several":
        data[rng.choice(["groups", "text", "ignore", "categorical"])] = [rng.choice(COLUMNS)]
    elif sort == "blocks":
        data |= {"blocks": {"pay": ["income", "age"]}, "words": {"income": {"say": "yearly income", "unit": "EUR"}}}
    elif sort == "scores":
        data["score"] = {"0": "income", "1": "probability"}
    else:
        data["current"] = {
            "path": "current.parquet",
            "from": rng.choice(["2026-05-01", "2026-05-14", "2027-01-01"]) + "T00:00:00Z",
        }


def dialects(made, rng):
    """Tables as CSV, by the customs of some place."""
    made.separator, made.encoding = rng.choice(",;\t|"), rng.choice(["utf-8", "utf-8-sig", "latin-1", "utf-16"])
    made.decimal = rng.choice(".,") if made.separator != "," else "."


def files(made, rng):
    """A file by an odd name."""
    if rng.random() < 0.7:
        made.path = rng.choice(PATHS)
    else:
        made.source = rng.choice(SOURCES)


CHANGES, WEIGHTS = (cells, types, names, columns, rows, roles, dialects, files), (18, 15, 4, 5, 2, 10, 4, 3)
