"""What notebooks show: `show` has every verb of its cells under one name, and notebooks use no other."""

from collections import Counter
from importlib import import_module

import pytest

from rca.report import show
from rca.report.cells import cascade, common, drift, explanation, postmortem, timeline
from tests.conftest import ROOT
from tests.report.verbs import used_by, verbs_of

CELLS = (cascade, common, drift, explanation, postmortem, timeline)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_every_verb_of_the_cells_is_one_of_show_and_show_has_no_other():
    verbs = {name: verb for cells in CELLS for name, verb in verbs_of(cells).items()}
    assert {name: getattr(show, name) for name in show.__all__} == verbs


def test_no_two_cells_have_a_verb_of_one_name():
    counted = Counter(name for cells in CELLS for name in verbs_of(cells))
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_verb_that_a_notebook_uses_is_there(notebook):
    used = used_by(notebook)
    assert used
    assert [(module, name) for module, name in used if not callable(getattr(import_module(module), name, None))] == []


def test_every_verb_of_show_is_used_by_a_notebook():
    used = {name for notebook in NOTEBOOKS for module, name in used_by(notebook) if module == "rca.report.show"}
    assert set(show.__all__) - used == set()
