"""What is odd about a sound case is remarked on, and what is as usual is not."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from rca.record.case import load
from rca.record.remarks import remarks
from tests.record.written_case import START, table, told, write

LATER = START + timedelta(days=30)


def remarked(folder, changes=None, **tables):
    """What is said of the case, which is sound."""
    written = write(folder, changes, **{"current": table(seed=1, start=LATER), **tables})
    assert told(written) == []
    return [str(one) for one in remarks(load(written))]


def test_windows_as_they_should_be_are_not_remarked_on(folder):
    assert remarked(folder) == []


def test_text_in_both_windows_is_no_number(folder):
    named = {f"{name}": table(seed=at, start=day).assign(city=["Rome", "Oslo"] * 30) for at, (name, day) in
             enumerate((("reference", START), ("current", LATER)))}  # fmt: skip
    assert remarked(folder, **named) == []


CURRENT = {
    "doubled ids": (
        lambda f: f.assign(application=7),
        r"data.id \(line \d+\): 60 of 60 current rows share their 'application' with another",
    ),
    "copies": (
        lambda f: pd.concat([f, f.head(10).assign(application=range(100, 110))]),
        "10 of 70 current rows are copies of others",
    ),
    "a dash among numbers": (
        lambda f: f.assign(income=["-" if at % 20 == 0 else f"{x:.3f}" for at, x in enumerate(f["income"])]),
        "3 of 60 cells of 'income' hold no number in the current table, such as '-'",
    ),
    "words where numbers were": (
        lambda f: f.assign(income="n/a"),
        "60 of 60 cells of 'income' hold no number",
    ),
}


@pytest.mark.parametrize("name", CURRENT)
def test_odd_rows_are_named_with_their_place(folder, name):
    change, message = CURRENT[name]
    lines = remarked(folder, current=change(table(seed=1, start=LATER)))
    assert any(pd.Series([line]).str.contains(message).item() for line in lines), lines
    assert len(lines) == 1


def test_a_column_of_text_that_is_nearly_all_numbers_is_remarked_on_in_both_windows(folder):
    def as_text(frame):
        return frame.assign(income=["?" if at % 30 == 0 else f"{x:.3f}" for at, x in enumerate(frame["income"])])

    lines = remarked(folder, reference=as_text(table()), current=as_text(table(seed=1, start=LATER)))
    assert [("in the reference table" in line, "in the current table" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]


def test_windows_that_are_reversed_overlap_or_are_the_same_are_remarked_on(folder, tmp_path):
    (line,) = remarked(folder, reference=table(start=LATER), current=table(seed=1))
    assert "the reference begins on 31 May 2026 00:00, after the last current row (3 May 2026 11:00)" in line
    half = table(seed=1, start=START + timedelta(hours=30))
    (line,) = remarked(tmp_path / "overlap" / "sample", current=half)
    assert "30 of 60 current rows are from before the last one of the reference" in line
    lines = remarked(tmp_path / "same" / "sample", current=table())
    assert any("60 of 60 current rows are rows of the reference too" in line for line in lines)


@pytest.mark.parametrize(("hours", "odd"), [(0, True), (-48, True), (30, False)])
def test_a_window_that_begins_with_the_incident_is_remarked_on(folder, hours, odd):
    began = (LATER + timedelta(hours=hours)).isoformat()
    changes = {"timeline": {"onset": began, "detected": (LATER + timedelta(days=1, hours=12)).isoformat(),
                            "closed": (LATER + timedelta(days=9)).isoformat()}}  # fmt: skip
    lines = remarked(folder, changes)
    assert [("no earlier than the incident" in line) for line in lines] == [True] * odd


def test_rows_that_no_window_takes_are_counted(folder):
    late = {"path": "current.parquet", "from": LATER.isoformat(), "to": (LATER + timedelta(hours=40)).isoformat()}
    (line,) = remarked(folder, {"data": {"current": late}})
    assert "20 rows of the current table lie outside of its `from` and `to`, and are not used" in line


def test_a_column_of_remarks_that_is_nearly_empty_is_not_taken_for_numbers(folder):
    said = [None if at % 20 else "call back" for at in range(60)]
    both = {name: table(seed=at, start=day).assign(said=said) for at, (name, day) in
            enumerate((("reference", START), ("current", LATER)))}  # fmt: skip
    assert remarked(folder, **both) == []


def test_equal_rows_of_a_few_values_are_no_copies(folder):
    few = table(n=60).assign(income=np.arange(60) % 3, probability=0.5, at=START)
    assert all("copies" not in line for line in remarked(folder, reference=few))


def test_a_model_that_reads_codes_where_the_tables_have_text_is_remarked_on(folder):
    import lightgbm

    frame = table()
    data = lightgbm.Dataset(frame[["income", "purpose"]], label=frame["defaulted"])
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 2)
    folder.mkdir()
    booster.save_model(folder / "model.txt")
    named = {"reference": table(), "current": table(seed=1, start=LATER)}
    changes = {"model": {"path": "model.txt", "format": "lightgbm"}}
    assert remarked(folder, changes, **named) == []
    text = {name: one.assign(purpose="p" + one["purpose"].astype(str)) for name, one in named.items()}
    (line,) = remarked(folder, changes, **text)
    assert "the model cannot be asked of the reference rows: the model reads numbers in 'purpose'" in line


def test_evidence_that_names_no_moment_on_record_is_remarked_on(folder):
    cited = ["timeline.detected", "timeline.detectd", "timeline.events:2026-01-01T00:00:00Z", "finding.none"]
    whys = [{"question": "Why?", "answer": {"statement": "It broke", "evidence": cited}}]
    changes = {"whys": whys, "timeline": {"detected": "2026-03-20T00:00:00Z"}}
    lines = remarked(folder, changes, reference=table(), current=table(seed=1, start=LATER))
    assert len(lines) == 2
    assert "whys[0].answer.evidence[1]" in lines[0]
    assert "'timeline.detectd' names no moment and no event of the timeline" in lines[0]
    assert "did you mean 'timeline.detected'" in lines[0]
