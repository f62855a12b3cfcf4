"""A notebook of one's own is bound to its case, runs, and is never written over; from claims one comes to rows."""

import json
from dataclasses import replace

import numpy as np
import pytest

import rca
from rca.report.notebooks.workbench import workbench
from tests.conftest import INCIDENTS, ROOT


@pytest.fixture(scope="module")
def case():
    return rca.load(INCIDENTS / "credit-drift")


def test_its_cells_run_one_after_the_other_wherever_it_lies(case, analysis_of, tmp_path, monkeypatch, capsys):
    made = workbench(case, tmp_path / "mine")
    cells = json.loads(made.notebook.read_text())["cells"]
    monkeypatch.chdir(tmp_path / "mine")
    known = analysis_of("credit-drift")
    monkeypatch.setattr(rca, "analyse", lambda case: known)
    space = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "cell", "exec"), space)
    assert space["case"].incident.id == "credit-drift"
    assert space["name"] == "regional_unemployment"
    assert len(space["rows"]) > 1000
    assert space["claims"][0].column == "regional_unemployment"
    assert space["rows"].equals(rca.rows_of(space["case"], space["claims"][0]))
    assert f"0  {space['claims'][0]}" in capsys.readouterr().out


def test_what_its_owner_wrote_stays(case, tmp_path):
    first = workbench(case, tmp_path)
    first.notebook.write_text("mine")
    again = workbench(case, tmp_path)
    assert (first.fresh, again.fresh) == (True, False)
    assert again.notebook.read_text() == "mine"


def test_a_report_is_no_place_to_work_in(case):
    report = ROOT / "reports" / "sample" / "credit-drift"
    with pytest.raises(rca.InvalidCase, match="sealed"):
        workbench(case, report / "mine")
    assert not (report / "mine").exists()


def test_rows_of_a_slice_and_of_a_fault_are_those_that_it_is_made_of(case, analysis_of):
    known = analysis_of("credit-drift")
    fault = known.faults.get("regional_unemployment")
    hit = rca.rows_of(case, fault)
    assert set(hit["regional_unemployment"].round(3)) == {round(float(fault.value), 3)}
    one = known.slices.slices[0]
    for window, counted in (("reference", one.rows_reference), ("current", one.rows_current)):
        rows = rca.rows_of(case, one, window=window)
        assert len(rows) >= counted
        assert np.all([condition.holds(rows) for condition in one.conditions])
    assert str(one).startswith(f"{one.name}: ")
    with pytest.raises(rca.InvalidCase, match="no rows in the reference window"):
        rca.rows_of(case, fault, window="reference")


def test_rows_of_a_rival_are_those_that_it_accuses(case, analysis_of):
    known = analysis_of("credit-drift")
    rival = next(one for one in known.harm.rivals if one.name == "regional_unemployment")
    assert rca.rows_of(case, rival).equals(rca.rows_of(case, known.faults.get(rival.name)))
    lacking = replace(rival, kind="labels", name="missed_payment")
    assert len(rca.rows_of(case, lacking)) == case.current["missed_payment"].isna().sum()
    with pytest.raises(rca.InvalidCase, match="the concept label has no rows"):
        rca.rows_of(case, replace(rival, kind="concept", name="label"))
