"""Executed notebooks in one form: what depends on the run is left out, and differences are named."""

import pytest

from rca.report.notebooks.canonical import canonical, differences, to_json
from tests.report.tiny_notebooks import notebook


def test_what_depends_on_the_run_is_left_out():
    made = notebook("1")
    made["metadata"]["papermill"] = {"start_time": "now", "output_path": "/here"}
    cell = made["cells"][1]
    cell["metadata"] = {"papermill": {"duration": 1}, "execution": {"iopub": 1}, "tags": ["injected-parameters"]}
    cell["id"] = "random"
    warning = {"output_type": "stream", "name": "stderr", "text": "Warning: /tmp/x"}
    shown = {"output_type": "display_data", "data": {"b": 1, "a": 2}, "metadata": {}, "transient": {"display_id": "r"}}
    cell["outputs"] = [warning, shown]
    kept, warnings = canonical(made, {"alpha": 0.05})
    text = to_json(kept).decode()
    assert not [word for word in ("now", "/here", "duration", "iopub", "random", "/tmp", "transient") if word in text]
    assert warnings == ["Warning: /tmp/x"]
    assert kept["metadata"]["papermill"] == {"parameters": {"alpha": 0.05}}


def test_numbers_that_json_lacks_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"a": float("nan")})


def test_differences_name_the_cell_and_the_values():
    before, after = (to_json({"cells": [{"id": "harm", "source": [source]}]}) for source in ("a", "b"))
    assert differences("n.ipynb", before, after) == ['n.ipynb: cells[harm].source[0] was "a", is "b"']
    assert differences("n.ipynb", b"{}", b"{} ") == ["n.ipynb: the same values, written otherwise"]
    assert differences("n.html", b"<p>", b"<b>") == ['n.html: "<p>" was there, is "<b>"']
