"""Tables of a case: the same rows in every format, cut to their window, and no path out of the folder."""

import os
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from rca.errors import InvalidCase
from rca.record.case import load
from tests.record.written_case import START, WINDOWS, only, table, told, write


def test_a_window_takes_its_first_moment_and_leaves_its_last(folder):
    case = load(write(folder, {"data": WINDOWS}, log=table()))
    assert len(case.reference) == len(case.current) == 24
    assert case.reference["at"].max() < case.current["at"].min() == pd.Timestamp("2026-05-02T00:00:00Z")
    assert list(case.current.index) == list(range(24))
    assert told(folder) == []


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather", "csv", "csv.gz"])
@pytest.mark.parametrize("times", ["typed", "text", "zoned"])
def test_every_format_gives_the_same_rows(folder, ending, times):
    frame = table()
    if times == "text":
        frame["at"] = [at.isoformat() for at in frame["at"]]
    elif times == "zoned":
        frame["at"] = frame["at"].dt.tz_convert("America/New_York")
    data = {name: {**window, "path": f"log.{ending}"} for name, window in WINDOWS.items()}
    write(folder, {"data": data}, reference=None, current=None)
    writer = frame.to_csv if "csv" in ending else frame.to_parquet if ending == "parquet" else frame.to_feather
    writer(folder / f"log.{ending}", **({"index": False} if "csv" in ending else {}))
    expected = table().iloc[24:48].reset_index(drop=True)
    pd.testing.assert_frame_equal(load(folder).current, expected, check_dtype=False)
    assert str(load(folder).current["at"].dtype) == "datetime64[us, UTC]"
    assert told(folder) == []


@pytest.mark.parametrize("path", ["days", "days/*.parquet", "days/day-[12].parquet", "**/*.parquet"])
def test_a_folder_and_a_glob_are_read_in_order_of_name(folder, path):
    write(folder, {"data": {"current": path}}, reference=None)
    (folder / "current.parquet").unlink()
    table().to_csv(folder / "reference.csv", index=False)
    (folder / "days").mkdir()
    table(start=START + timedelta(days=9)).iloc[30:].to_parquet(folder / "days" / "day-2.parquet")
    table(start=START + timedelta(days=9)).iloc[:30].to_parquet(folder / "days" / "day-1.parquet")
    (folder / "days" / "_README.md").write_text("not a table")
    (folder / "days" / ".day-0.parquet.swp").write_text("nor this")
    case = load(folder)
    assert case.current["application"].tolist() == list(range(60))


def test_the_files_of_a_table_have_the_same_columns(folder):
    write(folder, {"data": {"current": "days"}}, current=None)
    (folder / "days").mkdir()
    table().to_parquet(folder / "days" / "1.parquet")
    table().drop(columns="income").to_parquet(folder / "days" / "2.parquet")
    assert "'2.parquet' has other columns than '1.parquet'" in only(folder)


def test_the_files_of_a_table_may_keep_numbers_in_several_types(folder):
    write(folder, {"data": {"current": "days"}}, current=None)
    (folder / "days").mkdir()
    table().astype({"purpose": "int8"}).to_parquet(folder / "days" / "1.parquet")
    table().astype({"purpose": float}).assign(purpose=2.5).to_parquet(folder / "days" / "2.parquet")
    assert told(folder) == []
    assert load(folder).current["purpose"].tolist() == [*table()["purpose"].tolist(), *[2.5] * 60]


def test_truth_with_gaps_and_decimals_become_floats(folder):
    import decimal

    odd = {"income": [decimal.Decimal("1.50"), None] * 30, "purpose": pd.array([True, None] * 30, dtype="boolean")}
    case = load(write(folder, current=table().assign(**odd)))
    assert case.current["income"].dtype == case.current["purpose"].dtype == np.float64
    assert case.current["purpose"].isna().sum() == 30


def test_the_index_that_pandas_stored_is_no_column(folder):
    kept = table().set_index(pd.Index(np.arange(60) * 3))
    case = load(write(folder, reference=kept, current=kept))
    assert list(case.reference.columns) == list(table().columns)
    assert told(folder) == []


@pytest.mark.parametrize("written", ["index", "trailing", "odd"])
def test_a_csv_as_people_export_it_is_read_or_refused_and_never_shifted(tmp_path, written):
    from rca.record.files.table_files import Table

    lines = {
        "index": ",a,b\n0,1,2\n1,3,4\n",
        "trailing": "a,b\n1,2,\n3,4,\n",
        "odd": "a,NA\n1,2\n3,4\n",
    }
    file = tmp_path / "rows.csv"
    file.write_text(lines[written])
    table = Table(files=(file,), place="incident.yaml, data.current", time=None, start=None, end=None)
    if written == "trailing":
        with pytest.raises(InvalidCase, match="more fields than its header"):
            table.read()
    else:
        rows = table.read()
        assert rows.iloc[:, 0].tolist() == [1, 3]
        assert rows.iloc[:, 1].tolist() == [2, 4]
        assert list(rows.columns) == ["a", "b" if written == "index" else "NA"]


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        ("parquet", b"not parquet"),
        ("parquet", b""),
        ("csv", b""),
        ("csv", b"a,a\n1,2\n"),
        ("csv", b'a,b\n"1,2\n'),
        ("csv", b"\xff\xfe\x00"),
        ("arrow", b"ARROW1" * 9),
        ("txt", b"a\n1\n"),
        ("parquet", b"\x80\x04\x95."),
    ],
)
def test_a_table_that_cannot_be_read_is_a_problem_and_no_crash(folder, ending, content):
    write(folder, {"data": {"current": f"bad.{ending}"}})
    (folder / f"bad.{ending}").write_bytes(content)
    assert any("data.current" in line for line in told(folder))
    with pytest.raises(InvalidCase):
        _ = load(folder).current


@pytest.mark.parametrize(
    "path",
    ["../outside.parquet", "/etc/passwd", "a/../../outside.parquet", "..", "C:/x.parquet", "..\\x", "", ".", "\x00",
     "a\nb", ".hidden.parquet", "answer.yaml", "data.pkl", "m.joblib", "../*.parquet", "x" * 5000, "~/x.parquet"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["data", "model", "graph", "signals"])
def test_no_path_leads_out_of_the_folder(folder, key, path):
    window = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-02T00:00:00Z"}
    values = {"data": {"current": path}, "model": {"path": path, "format": "lightgbm"}, "graph": path,
              "signals": {"path": path, **window}}  # fmt: skip
    write(folder, {key: values[key]})
    table().to_parquet(folder.parent / "outside.parquet")
    lines = told(folder)
    assert lines
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("via", ["current.parquet", "days", "days/*.parquet"])
def test_a_link_that_leaves_the_folder_is_refused(folder, via):
    write(folder, {"data": {"current": via}})
    (folder / "current.parquet").unlink()
    table().to_parquet(folder.parent / "secret.parquet")
    if via == "current.parquet":
        (folder / via).symlink_to(folder.parent / "secret.parquet")
    else:
        (folder / "days").mkdir()
        (folder / "days" / "a.parquet").symlink_to(folder.parent / "secret.parquet")
    case = load(folder)
    with pytest.raises(InvalidCase, match="leaves the case folder through a link"):
        _ = case.current
    with pytest.raises(InvalidCase, match="leaves the case folder through a link"):
        case.inputs()


def test_a_link_within_the_folder_is_followed(folder):
    write(folder)
    (folder / "current.parquet").rename(folder / "real.parquet")
    (folder / "current.parquet").symlink_to("real.parquet")
    assert told(folder) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_keeps_nobody_waiting(folder):
    write(folder)
    for name in ("current.parquet", "incident.yaml"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
        assert told(folder)
