"""A fault rule is one file: what it says there is all that faults, harm, verdict and why-tree need to know of it."""

import json
import os
import shutil
import subprocess
import sys
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from rca.analysis.faults.application import can_be_inflicted, hit, inflict, mend
from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rules.order import RULE_OF, RULES
from rca.finding import Fault
from tests.conftest import ROOT

NEGATED = '''
"""Values that arrive with the other sign."""

from rca.analysis.faults.column_fault import ColumnFault
from rca.analysis.faults.rule import FaultRule
from rca.methods.two_sample_tests import kolmogorov_distance


def detect(pair, scene):
    if not pair.ordered or kolmogorov_distance(pair.numbers[0], -pair.numbers[1]) > 0.1:
        return None
    return ColumnFault(column=pair.name, fault="negated", share=1.0, evidence="every sign is turned", factor=-1.0)


def turn(fault, rows, which):
    return rows[fault.column].where(~which, -rows[fault.column])


NEGATED = FaultRule(
    kind="negated",
    clause="{name} arrived with the other sign",
    check="numbers below zero",
    detect={"everywhere": detect},
    undo=turn,
    inject=turn,
)
'''

QUESTION = """
import json, sys
import numpy as np, pandas as pd
import rca
from rca.analysis.conclusion.verdict import weigh_windows
from rca.analysis.conclusion.why_tree_draft import draft_why_tree
from rca.analysis.drift.question import drift_of
from rca.analysis.faults.question import faults_of
from rca.analysis.harm.question import harm_of
from rca.analysis.inputs.windows import windows_from
from rca.record.schema.incident import Incident

rng = np.random.default_rng(0)
before, after = (pd.DataFrame({"size": rng.lognormal(0, 0.5, 800), "age": rng.normal(size=800)}) for _ in range(2))
model = lambda rows: 1 / (1 + np.exp(-3 * (rows["size"] - 1)))
for rows in (before, after):
    rows["label"] = (rng.random(800) < model(rows)).astype(int)
after["size"] *= -1
for rows in (before, after):
    rows["score"] = model(rows)
windows = windows_from(before, after, model=model, label="label", score="score", metric="brier")
drift = drift_of(windows)
faults = faults_of(windows, drift)
harm = harm_of(windows, drift, faults)
verdict = weigh_windows(harm, None)
incident = Incident.model_validate({"schema": 1, "id": "toy", "title": "Toy", "severity": "sev3", "category": "other",
    "status": "closed", "timeline": {"detected": "2026-03-05T12:00:00Z"}})
whys = draft_why_tree(incident, verdict, harm=harm, moved=drift.moved())
print(json.dumps({"faults": str(faults), "harm": [harm.contributions[0].name, harm.contributions[0].fault],
    "verdict": verdict.summary, "why": json.dumps([why.model_dump(mode="json") for why in whys])}))
"""


def test_a_rule_in_a_file_of_its_own_is_heard_everywhere(tmp_path):
    shutil.copytree(ROOT / "rca", tmp_path / "rca")
    (tmp_path / "rca/analysis/faults/rules/negated.py").write_text(NEGATED, encoding="utf-8")
    order, words = tmp_path / "rca/analysis/faults/rules/order.py", tmp_path / "rca/finding.py"
    text = order.read_text(encoding="utf-8").replace("    MISSING,\n", "    NEGATED,\n    MISSING,\n")
    text = text.replace(
        "\nfrom rca.finding", "\nfrom rca.analysis.faults.rules.negated import NEGATED\nfrom rca.finding"
    )
    order.write_text(text, encoding="utf-8")
    known = words.read_text(encoding="utf-8")
    words.write_text(known.replace('    "frozen",\n', '    "negated",\n    "frozen",\n', 1), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", QUESTION]
    asked = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    told = json.loads(asked.stdout)
    assert "size: negated (every sign is turned)" in told["faults"]
    assert told["harm"] == ["size", "negated"]
    assert "size arrived with the other sign" in told["verdict"]
    assert "numbers below zero" in told["why"]


def test_every_kind_of_fault_has_one_rule_and_a_move_has_none():
    assert [rule.kind for rule in RULES] == list(dict.fromkeys(rule.kind for rule in RULES))
    assert {*RULE_OF, "distribution"} == set(get_args(Fault))


FAULTS = {
    "missing": {},
    "frozen": {"value": "30"},
    "default_value": {"value": "999"},
    "scaled": {"factor": 12.0, "cut": 100.0},
    "shifted": {"offset": 400.0, "cut": 200.0},
    "recoded": {"recoding": (("30", "40"), ("40", "30"))},
    "new_values": {"names": ("50",), "recoding": (("50", "40"),)},
    "swapped": {"partner": "height"},
    "stale": {"lag": 1},
    "clipped": {"value": "25", "edge": 25.0},
    "truncated": {"step": 25.0, "offset": 0.0},
    "retyped": {},
}
"""One fault of every kind, as its rule would tell it."""

ROWS = pd.DataFrame({"age": [30.0, 40.0, 30.0, 40.0], "height": [170.0, 180.0, 190.0, 200.0]})


def of_kind(kind):
    return ColumnFault(column="age", fault=kind, share=1.0, evidence="", **FAULTS[kind])


@pytest.mark.parametrize("kind", RULE_OF)
def test_a_fault_that_can_be_undone_has_a_rule_that_undoes_it(kind):
    fault = of_kind(kind)
    assert fault.invertible == (RULE_OF[kind].undo is not None)
    if fault.invertible:
        assert len(mend(fault, ROWS)) == len(ROWS)
    else:
        with pytest.raises(ValueError, match="no trace of its true values"):
            mend(fault, ROWS)


@pytest.mark.parametrize("kind", RULE_OF)
def test_what_is_inflicted_is_seen_and_undone(kind):
    fault = of_kind(kind)
    broken = ROWS.assign(age=inflict(fault, ROWS, np.ones(len(ROWS), dtype=bool)))
    assert can_be_inflicted(fault) == (not broken.equals(ROWS))
    if can_be_inflicted(fault):
        assert hit(fault, broken).all()
    if can_be_inflicted(fault) and fault.invertible and fault.partner is None and fault.step is None:
        assert pd.to_numeric(mend(fault, broken)).tolist() == ROWS["age"].tolist()
