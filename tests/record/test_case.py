"""Case folders: loaded, told apart by a digest, scaffolded; whatever the record holds is a case or a refusal."""

import hashlib
import shutil

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rca.errors import InvalidCase
from rca.record.case import Case, load, scaffold
from rca.record.check import check
from tests.record.written_case import RECORD, table, told, write

# --- loading ----------------------------------------------------------------------------------------------------------


def test_a_column_without_a_role_that_no_other_key_names_is_a_feature(folder):
    case = load(write(folder, {"metric": {"name": "rate", "column": "declined"}, "data": {"prediction": None}}))
    assert case.roles.features == ("income", "purpose")
    assert case.roles.categorical == ("purpose",)
    assert case.roles.prediction is None


def test_loading_reads_no_table(folder):
    write(folder)
    (folder / "reference.parquet").unlink()
    case = load(folder)
    with pytest.raises(InvalidCase, match=r"data.reference.*no file 'reference.parquet'"):
        _ = case.reference


def test_what_a_case_has_not_is_none(folder):
    write(folder, {"data": None, "metric": None}, reference=None, current=None)
    case = load(folder)
    assert [case.reference, case.current, case.recovered, case.signals, case.graph, case.model] == [None] * 6
    assert case.roles.features == ()
    assert told(folder) == []


def test_what_a_caller_writes_into_a_table_stays_with_the_caller(folder):
    case = load(write(folder))
    mine = case.reference
    mine["income"] = 0.0
    mine.loc[:, "purpose"] = 9
    pd.testing.assert_frame_equal(case.reference, table(), check_dtype=False)


def test_the_record_itself_may_be_named(folder):
    write(folder)
    assert load(folder / "incident.yaml").incident == load(folder).incident


def test_a_folder_that_is_not_there_is_refused_with_a_hint(folder):
    write(folder)
    with pytest.raises(InvalidCase, match=r"no such folder.*did you mean 'sample'"):
        load(folder.parent / "sampel")


def test_a_case_reached_by_a_link_keeps_its_name(folder, tmp_path):
    write(folder)
    (tmp_path / "latest").symlink_to(folder)
    assert load(tmp_path / "latest").incident.id == "sample"
    assert told(tmp_path / "latest") == []


def test_load_raises_what_check_says_of_the_record(folder):
    write(folder, {"severity": "sev9", "colour": "red", "timeline": {"closed": "2026-01-01T00:00:00Z"}})
    with pytest.raises(InvalidCase) as caught:
        load(folder)
    assert list(caught.value.problems) == check(folder)
    assert len(caught.value.problems) == 3


# --- inputs and digest ------------------------------------------------------------------------------------------------


def test_inputs_are_the_files_and_their_sums_without_the_answer(folder):
    write(folder)
    for name in ("answer.yaml", ".hidden"):
        (folder / name).write_text("secret")
    (folder / "sources").mkdir()
    (folder / "sources" / "page.json").write_text("{}")
    inputs = load(folder).inputs()
    assert list(inputs) == ["current.parquet", "incident.yaml", "reference.parquet", "sources/page.json"]
    assert inputs["sources/page.json"] == hashlib.sha256(b"{}").hexdigest()


def test_the_digest_changes_with_any_input_and_with_nothing_else(folder, tmp_path):
    write(folder)
    digest = load(folder).digest
    (folder / "answer.yaml").write_text("status: explained")
    shutil.copytree(folder, tmp_path / "copy" / "sample")
    assert load(tmp_path / "copy" / "sample").digest == load(folder).digest == digest
    (folder / "note.txt").write_text("more")
    assert load(folder).digest != digest


# --- a new case -------------------------------------------------------------------------------------------------------


def test_a_new_case_is_sound_and_there_at_once(tmp_path):
    made = scaffold(tmp_path / "incidents", "credit-drift_2026.q2")
    assert made == tmp_path / "incidents" / "credit-drift_2026.q2"
    assert check(made) == []
    assert [entry.name for entry in made.parent.iterdir()] == [made.name]


@pytest.mark.parametrize("name", ["1e3", "true", "2026", "null", "0x10"])
def test_a_name_that_yaml_would_take_for_something_else_stays_a_name(tmp_path, name):
    assert load(scaffold(tmp_path, name)).incident.id == name


def test_a_new_case_overwrites_nothing(folder):
    write(folder)
    before = load(folder).digest
    with pytest.raises(InvalidCase, match="is there already"):
        scaffold(folder.parent, "sample")
    assert load(folder).digest == before


@pytest.mark.parametrize("name", ["../x", "", ".x", "a/b", "x" * 65, "a b", "a\n", "ä"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path, name):
    with pytest.raises(InvalidCase, match="no name for a case"):
        scaffold(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


# --- hostile records --------------------------------------------------------------------------------------------------


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["sev1", "x.pkl"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*RECORD, *RECORD["data"], "path", "from", "to", "at"]) | st.text(max_size=5), inner
        )
    ),
    max_leaves=12,
)
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def case_or_refusal(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "incident.yaml").write_bytes(text.encode("utf-8", errors="surrogatepass"))
    try:
        case = load(folder)
    except InvalidCase as refusal:
        said = [str(problem) for problem in refusal.problems] or ["\n"]  # a refusal says why
    else:
        said = [] if isinstance(case, Case) else ["\n"]
    assert all(line.isprintable() for line in said)
    assert all(str(problem).isprintable() for problem in check(folder))


@QUICK
@given(text=st.text())
@example(text="schema: 1\nid: \U0010ffff")
@example(text="? \n")
@example(text="%YAML 9.9\n---\na: 1")
def test_any_text_is_a_case_or_a_refusal(folder, text):
    case_or_refusal(folder, text)


@QUICK
@given(
    key=st.sampled_from([*RECORD, "signals", "model", "graph", "impact", "obligations", "whys", "actions", "as_of"]),
    value=JUNK,
)
def test_any_value_of_any_key_is_a_case_or_a_refusal(folder, key, value):
    case_or_refusal(folder, yaml.safe_dump({**RECORD, key: value}, allow_unicode=True))


@QUICK
@given(role=st.sampled_from([*RECORD["data"], "weight", "text", "positive", "recovered"]), value=JUNK)
def test_any_value_of_any_role_is_a_case_or_a_refusal(folder, role, value):
    case_or_refusal(folder, yaml.safe_dump({**RECORD, "data": {**RECORD["data"], role: value}}, allow_unicode=True))
