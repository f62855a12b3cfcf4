"""Many incidents on record, read from folders of cases and from tables."""

import gzip
import shutil

import pandas as pd
import pytest
import yaml

from rca.analysis.portfolio.incident_log import incidents_of
from rca.errors import InvalidCase
from rca.record.log import field_of, read_log
from tests.conftest import INCIDENTS

ROWS = "id,start,end\na,2026-03-01T01:00Z,2026-03-01T02:00Z\nb,2026-03-01T01:00Z,2026-03-01T04:00Z\n"


@pytest.fixture
def folder(tmp_path):
    """Two cases of those that ship."""
    for name in ("credit-drift", "line-cascade"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        shutil.copyfile(INCIDENTS / name / "incident.yaml", tmp_path / "cases" / name / "incident.yaml")
    return tmp_path / "cases"


def edit(case, change):
    record = yaml.safe_load((case / "incident.yaml").read_text(encoding="utf-8"))
    change(record)
    (case / "incident.yaml").write_text(yaml.safe_dump(record), encoding="utf-8")


def csv(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def names(path):
    return incidents_of(read_log(path).table).names.tolist()


# --- cases -----------------------------------------------------------------------------------------------------------


def test_a_folder_of_cases_is_read_in_order_of_name_and_one_case_by_itself(folder):
    assert names(folder) == ["credit-drift", "line-cascade"]
    assert names(folder / "line-cascade") == ["line-cascade"]
    assert set(read_log(folder).sources) == {"credit-drift/incident.yaml", "line-cascade/incident.yaml"}


def test_a_case_that_cannot_be_read_is_listed_with_its_problem_and_the_others_are_read(folder):
    (folder / "broken").mkdir()
    (folder / "broken" / "incident.yaml").write_text("schema: 1\ntitle: \x1b[31m", encoding="utf-8")
    (folder / "no-case").mkdir()
    found = read_log(folder)
    assert incidents_of(found.table).names.tolist() == ["credit-drift", "line-cascade"]
    assert found.problems
    assert all(problem.place.startswith("broken/") for problem in found.problems)


def test_a_folder_without_cases_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InvalidCase, match=r"no cases here|no such file or folder"):
            read_log(path)


@pytest.mark.parametrize("named", ["events[{place}]", "timeline.events:{at}", "{what}", None])
def test_only_a_deployment_that_a_trigger_names_is_a_failed_one(folder, named):
    case = folder / "line-cascade"
    deploy = yaml.safe_load((case / "incident.yaml").read_text(encoding="utf-8"))["timeline"]["events"]
    place = next(at for at, event in enumerate(deploy) if event["kind"] == "deploy")
    edit(case, lambda record: record.pop("whys", None))
    assert read_log(case).table["deployed"].isna().all()
    evidence = ["timeline.events:soon", "timeline.events:2026-03-04"]
    evidence += [named.format(place=place, **deploy[place])] if named else []
    at = None if named else deploy[place]["at"]

    def blame(record):
        trigger = {"statement": "b", "role": "trigger", "evidence": evidence, "at": at}
        below = {"question": "Why?", "answer": trigger}
        record["whys"] = [{"question": "Why?", "answer": {"statement": "a"}, "whys": [below]}]

    edit(case, blame)
    found = read_log(case)
    assert found.table["deployed"].tolist() == ["2026-03-04T21:00:00+00:00"]
    assert [(noted.what, noted.state) for noted in found.factors] == [("a", "contributing"), ("b", "trigger")]


def test_the_actions_on_record_are_read_with_owner_date_and_state(folder):
    actions = read_log(folder / "credit-drift").actions
    record = yaml.safe_load((folder / "credit-drift" / "incident.yaml").read_text(encoding="utf-8"))
    assert [action.what for action in actions] == [action["what"] for action in record["actions"]]
    assert all(action.incident == "credit-drift" and action.state for action in actions)


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".arrow", ".csv.gz", "[1].parquet"])
def test_a_table_is_read_by_its_ending(tmp_path, ending):
    path = tmp_path / f"log{ending}"
    rows = pd.DataFrame({"id": ["007", "7"], "start": pd.to_datetime(["2026-03-01T01:00Z"] * 2)})
    if "csv" in ending:
        rows.to_csv(path, index=False)
    else:
        rows.to_parquet(path) if "parquet" in ending else rows.to_feather(path)
    assert names(path) == ["007", "7"]


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_a_csv_file_may_be_separated_otherwise_and_begin_with_a_mark(tmp_path, comma):
    assert names(csv(tmp_path, ("\ufeff" + ROWS).replace(",", comma))) == ["a", "b"]


def test_texts_with_lines_and_commas_and_stamps_that_are_none_are_read(tmp_path):
    text = 'id,note,start,end\n"a,1","two\nlines",2026-03-01T01:00Z,2026-03-01T02:00Z\nb,,2026-03-01T01:00Z,n/a?\n'
    read = incidents_of(read_log(csv(tmp_path, text)).table)
    assert read.names.tolist() == ["a,1", "b"]
    assert [(one.kind, one.incidents) for one in read.oddities] == [("unreadable", ("b",))]


def test_stamps_of_a_csv_file_without_an_offset_are_refused(tmp_path):
    with pytest.raises(InvalidCase, match="without an offset"):
        names(csv(tmp_path, ROWS.replace("Z", "")))


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("id,start,start\na,b,c\n", "log.csv", "the column 'start' comes twice"),
        ("id,start\na,b,c,d\n", "log.csv", "cannot be read as CSV"),
        (b"\xff\xfe\x00", "log.csv", "no UTF-8"),
        (b"no gzip", "log.csv.gz", "no UTF-8"),
        ("", "log.csv", "cannot be read as CSV"),
        ("{}", "log.json", "no table that can be read"),
        (b"\x80\x04\x95", "log.csv", "can run code"),
        (b"PAR0", "log.parquet", "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, text, name, said):
    with pytest.raises(InvalidCase, match=said):
        names(csv(tmp_path, text, name))


def test_a_compressed_file_is_read(tmp_path):
    assert names(csv(tmp_path, gzip.compress(ROWS.encode()), "log.csv.gz")) == ["a", "b"]


def test_a_table_without_rows_has_no_incidents(tmp_path):
    assert names(csv(tmp_path, "id,start,end\n")) == []


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ("started_at", "start"),
        ("incident_impact_level", "severity"),
        ("Service", "system"),
        ("failed_deployment_at", "deployed"),
        ("duration_min", "minutes"),
        ("resolved_flag", None),
        ("", None),
        ("_at", None),
    ],
)
def test_a_column_is_known_by_its_name(column, what):
    found = field_of(column)
    assert (found and found[0]) == what
