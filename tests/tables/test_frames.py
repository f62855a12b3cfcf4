"""Tables of any engine: the same rows come out, and the same work gives the same sketch."""

import os
import sys
import warnings
from contextlib import contextmanager

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pad
import pyarrow.parquet as pq
import pytest

from rca.errors import InvalidCase
from rca.tables.frames import as_pandas, column_names, is_lazy, open_table
from rca.tables.sketch import sketch, sketches

N = 2_000
GROUP = 97
"""Rows of a row group: many, and the last is short."""


def rows():
    rng = np.random.default_rng(0)
    at = np.arange(N)
    return pd.DataFrame(
        {
            "number": np.where(at % 50 == 0, np.nan, np.where(at % 77 == 0, np.inf, rng.normal(size=N))),
            "heavy": np.exp(20 * rng.normal(size=N)),
            "zeros": np.where(at % 10 < 3, 0.0, rng.normal(size=N)),
            "whole": rng.integers(-3, 30, N),
            "whole, missing": pd.Series(np.where(at % 3 == 0, None, at % 11), dtype="Int64"),
            "single": rng.normal(size=N).astype("float32"),
            "flag": at % 2 == 0,
            "flag, missing": pd.Series(np.where(at % 7 == 0, None, at % 2 == 0), dtype="boolean"),
            "label": pd.Series(np.where(at % 13 == 0, None, [f"v{i}" for i in rng.integers(0, 40, N)]), dtype="str"),
            "code": rng.integers(0, 5, N).astype(float),
            "user.`id`": [f"u{i}" for i in at],
            "said": pd.Series(["é" * (i % 9) for i in at], dtype="str"),
            "at": pd.date_range("2024-02-27", periods=N, freq="5min", tz="UTC", unit="us"),
        }
    )


TABLE = rows()
OPTIONS = {"categorical": ["code"], "text": ["said"]}
FIRST = sketch(TABLE, **OPTIONS)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    """A file with many row groups, beside a folder of two files."""
    folder = tmp_path_factory.mktemp("parquet")
    pq.write_table(pa.Table.from_pandas(TABLE), folder / "all.parquet", row_group_size=GROUP)
    (folder / "parts").mkdir()
    for part, held in (("a", TABLE[: N // 3]), ("b", TABLE[N // 3 :])):
        pq.write_table(pa.Table.from_pandas(held), folder / "parts" / f"{part}.parquet", row_group_size=GROUP)
    return folder


@contextmanager
def of_spark():
    """Spark warns of pandas 3 wherever it is asked anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        yield


@pytest.fixture(scope="module")
def spark():
    pyspark = pytest.importorskip("pyspark.sql", reason="PySpark is not installed")
    if not any(os.access(f"{folder}/java", os.X_OK) for folder in os.get_exec_path()) and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java, and there is none")
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
        "spark.sql.codegen.wholeStage": "false",  # what takes a second is not worth compiling
        "spark.sql.shuffle.partitions": "4",
    }
    # A compiler that is done at once, and one thread of garbage: what takes a second is not worth more.
    os.environ["PYSPARK_SUBMIT_ARGS"] = "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' pyspark-shell"
    with of_spark():
        session = pyspark.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
        yield session
        session.stop()


def duck(parquet):
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    return duckdb.read_parquet(str(parquet / "all.parquet"))


def dask(parts):
    frames = pytest.importorskip("dask.dataframe", reason="Dask is not installed")
    return frames.from_pandas(TABLE, npartitions=parts)


ENGINES = {
    "pandas": lambda _: TABLE,
    "pandas, in another order": lambda _: TABLE.sample(frac=1, random_state=1)[list(TABLE)[::-1]],
    "pandas, index of one value": lambda _: TABLE.set_index(np.zeros(N)),
    "polars": lambda _: pl.from_pandas(TABLE),
    "lazy polars": lambda _: pl.from_pandas(TABLE).lazy(),
    "lazy polars of a file": lambda at: pl.scan_parquet(at / "all.parquet"),
    "Arrow table": lambda _: pa.Table.from_pandas(TABLE),
    "Arrow batch": lambda _: pa.RecordBatch.from_pandas(TABLE),
    "Arrow reader": lambda _: pa.Table.from_pandas(TABLE).to_reader(GROUP),
    "Arrow dataset of files": lambda at: pad.dataset(at / "parts"),
    "Arrow dataset in memory": lambda _: pad.dataset(pa.Table.from_pandas(TABLE)),
    "Parquet file": lambda at: at / "all.parquet",
    "Parquet folder": lambda at: at / "parts",
    "Parquet pattern": lambda at: f"{at}/parts/*.parquet",
    "DuckDB": duck,
    "Dask, 1 partition": lambda _: dask(1),
    "Dask, 50 partitions": lambda _: dask(50),
    "narwhals": lambda _: __import__("narwhals").from_native(pl.from_pandas(TABLE)),
}
LAZY = {"lazy", "reader", "dataset", "Parquet", "DuckDB", "Dask"}


def assert_same(found, expected):
    """Counts exactly, moments to rounding."""
    assert found.n == expected.n
    for name in expected.grid.columns:
        ours, theirs = found[name].to_dict(), expected[name].to_dict()
        for rounded in {"moments", "tails"} & ours.keys():
            assert ours.pop(rounded) == pytest.approx(theirs.pop(rounded), rel=1e-9), name
        assert ours == theirs, name


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_rows_give_the_same_sketch_on_every_engine(engine, parquet):
    assert_same(sketch(ENGINES[engine](parquet), FIRST), FIRST)


def test_the_same_rows_give_the_same_sketch_on_spark_however_they_are_partitioned(spark, parquet):
    with of_spark():
        table = spark.read.parquet(str(parquet / "all.parquet"))
        for held in (table, table.repartition(12)):
            assert_same(sketch(held, FIRST), FIRST)
        daily = sketches(table, FIRST, time="at")
        drawn = as_pandas(table, ["whole", "label"], limit=50)
    assert_same(sum(daily.values()), sketch(TABLE, FIRST, features=[name for name in TABLE if name != "at"]))
    assert list(drawn) == ["whole", "label"]
    assert 25 <= len(drawn) <= 50
    assert is_lazy(table)


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "Arrow reader"])
def test_a_grid_laid_by_any_engine_keeps_columns_and_kinds(engine, parquet):
    found = sketch(ENGINES[engine](parquet), **OPTIONS)
    assert found.grid.numeric.keys() == FIRST.grid.numeric.keys()
    assert found.grid.lengths.keys() == {"said"}
    assert found.grid.categories.keys() == FIRST.grid.categories.keys()
    assert found.n == N


def test_a_reader_is_read_once_so_that_its_grid_has_to_be_given():
    with pytest.raises(InvalidCase, match=r"read only once.*give `like`"):
        sketch(pa.Table.from_pandas(TABLE).to_reader())


@pytest.mark.parametrize("engine", [name for name in ENGINES if "order" not in name and "index" not in name])
def test_pandas_gets_the_same_values_from_every_engine(engine, parquet):
    names = ["number", "whole", "label", "user.`id`", "said", "at", "flag"]
    found = as_pandas(ENGINES[engine](parquet), names)
    assert list(found) == names
    for name in names:
        ours, theirs = ([None if pd.isna(x) else str(x) for x in held[name].tolist()] for held in (found, TABLE))
        assert ours == theirs


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "Arrow reader"])
def test_a_limited_number_of_rows_is_spread_over_the_table_and_the_same_every_time(engine, parquet):
    drawn = [as_pandas(ENGINES[engine](parquet), ["user.`id`"], limit=40) for _ in range(2)]
    assert drawn[0].equals(drawn[1])
    place = drawn[0]["user.`id`"].str[1:].astype(int)
    assert 20 <= len(place) <= 40
    assert place.max() - place.min() > 0.8 * N
    assert place.is_unique


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_lazy_is_known(engine, parquet):
    assert is_lazy(ENGINES[engine](parquet)) == any(word in engine for word in LAZY)
    assert sorted(column_names(ENGINES[engine](parquet))) == sorted(TABLE)


def test_a_frame_of_pandas_is_not_shared():
    found = as_pandas(TABLE)
    found["whole"] = 0
    assert not TABLE["whole"].eq(0).all()


STRANGE = {
    "whole numbers of 128 bits": lambda: pl.DataFrame({"a": pl.Series([1, 2, 3], dtype=pl.Int128)}),
    "the same, lazy": lambda: pl.LazyFrame({"a": pl.Series([1, 2, 3], dtype=pl.Int128)}),
    "views of text": lambda: pa.table({"a": pa.array(["1", "2", "3"], pa.string_view())}),
    "runs": lambda: pa.table({"a": pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3], pa.int32()), [1, 2, 3])}),
    "runs of a batch": lambda: pa.record_batch(
        {"a": pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3], pa.int32()), [1, 2, 3])}
    ),
}


@pytest.mark.parametrize("sort", STRANGE)
def test_types_that_only_one_engine_has_are_read_as_the_nearest_that_all_have(sort):
    assert [str(int(value)) for value in as_pandas(STRANGE[sort]())["a"]] == ["1", "2", "3"]
    assert sketch(STRANGE[sort]()).n == 3


@pytest.mark.parametrize(("value", "stored"), [(1, pa.time64("ns")), (2**31 - 1, pa.date32())])
def test_a_value_that_python_does_not_have_is_read_as_text(value, stored):
    table = pa.table({"a": pa.array([value, None], stored), "b": [1, 2]})
    found = as_pandas(table)
    assert isinstance(found["a"][0], str)
    assert found["a"].isna().tolist() == [False, True]
    assert found["b"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "table", [None, 1, [1, 2], {"a": [1]}, np.zeros(3), pd.Series([1]), pl.Series([1]), pa.array([1])]
)
def test_what_is_no_table_is_refused(table):
    with pytest.raises(InvalidCase, match=r"is no table.*Hint"):
        open_table(table)


def test_a_path_without_a_file_is_refused(tmp_path):
    with pytest.raises(InvalidCase, match="no such file"):
        sketch(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidCase, match=r"text\.parquet: cannot be read"):
        sketch(tmp_path / "text.parquet")


@pytest.mark.parametrize("engine", ["pandas", "polars", "lazy polars", "Parquet file", "DuckDB"])
def test_a_column_that_is_not_there_is_named_with_a_hint(engine, parquet):
    with pytest.raises(InvalidCase, match=r"no column 'lable'.*did you mean 'label'"):
        sketch(ENGINES[engine](parquet), features=["lable"])
    with pytest.raises(InvalidCase, match="no column 'lable'"):
        as_pandas(ENGINES[engine](parquet), ["lable"])


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(InvalidCase, match="there are 2 columns 'a'"):
        sketch(pd.DataFrame([[1, 2]], columns=["a", "a"]))
