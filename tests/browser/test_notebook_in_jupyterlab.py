"""A notebook of one's own in a real JupyterLab: run, edited, run again, saved; and a sealed one opened beside it."""

import shutil
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import yaml

import rca
from rca.report.manifest import integrity
from rca.report.notebooks import seal_keeper
from tests.browser.hostile import HOSTILE
from tests.browser.jupyterlab import OPEN, adds, cells, does, laboratory, opened
from tests.causal_case import written

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.prove,  # a real JupyterLab, half a minute
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

EVENTS, VALUES, COLUMNS, WHYS = HOSTILE[1:25], HOSTILE[25:45], HOSTILE[45:55], HOSTILE[55:]

SHOWS = """\
from rca.report import show
show.facts(case)
show.events(case)
show.why_tree(show.postmortem(case, found))
pd.set_option("display.max_colwidth", None, "display.max_columns", None)
display(found.verdict, found.drift, found.faults, case.current.head(40))"""
"""A cell that shows each text of the record and of its tables."""

ANSWER = "kept = 6 * 7; kept"

OWN = """\
known = rca.why(tree[0].question).because("No check", role="latent", evidence="timeline.detected")
rca.save_whys(case.folder, whys=[known, *tree[1:]])"""

REQUEST = "Network.requestWillBeSent"

TITLES = """
[...document.querySelectorAll('.jp-Notebook .gtitle')].map(title => {
  title.scrollIntoView({block: 'center'});
  const cell = title.closest('.jp-OutputArea-output').getBoundingClientRect(), box = title.getBoundingClientRect();
  const inside = box.height > 0 && box.top >= cell.top && box.right <= cell.right + 1 && box.bottom <= cell.bottom;
  const seen = document.elementFromPoint(box.left + 2, box.top + 6)?.closest('.jp-OutputArea-output');
  return [`${title.textContent}: ${box.top} ${box.right} in ${cell.top} ${cell.right}`, inside && !!seen];
})
"""


def hostile_case(folder):
    """A case with each hostile text in its record or its tables."""
    written(folder)
    for window in ("reference", "current"):
        rows, rng = pd.read_parquet(folder / f"{window}.parquet"), np.random.default_rng(1)
        more = {name: rng.normal(size=len(rows)) for name in COLUMNS}
        rows = rows.assign(branch=np.resize(np.array(VALUES, dtype=object), len(rows)), **more)
        rows.to_parquet(folder / f"{window}.parquet")
    record = yaml.safe_load((folder / "incident.yaml").read_text(encoding="utf-8"))
    at = record["timeline"]["events"][0]
    record["title"] = HOSTILE[0]
    record["timeline"]["events"] += [{**at, "what": text} for text in EVENTS]
    record["whys"] = [{"question": text} for text in WHYS]
    (folder / "incident.yaml").write_text(f"# mine\n{yaml.safe_dump(record)}", encoding="utf-8")
    return folder


def runs_all(lab):
    """Run every cell as the menu does; what was shown while the first answer was waited for."""
    lab.tab.js("jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.done = true }), 1")
    lab.tab.until(
        "[...document.querySelectorAll('.jp-OutputArea-output')].some(one => one.textContent.includes('rca: '))"
    )
    lab.tab.until("window.done && delete window.done", seconds=120)
    lab.tab.until(f"{OPEN}.sessionContext.session.kernel.status === 'idle'")


def at_work(base, report):
    """Everything that was seen of an hour's work."""
    case, mine, saw = hostile_case(base / "a-case"), base / "mine", SimpleNamespace()
    mine.mkdir()
    sealed = shutil.copytree(report.result.folder, mine / "sealed")
    with laboratory(CHROMIUM, base, "rca", "lab", str(case), "--in", str(mine), cwd=base) as lab:
        opened(lab, "a-case.ipynb")
        runs_all(lab)
        saw.first = cells(lab)
        lab.tab.until("document.querySelectorAll('.jp-Notebook .gtitle').length > 2")
        adds(lab, ANSWER)
        adds(lab, SHOWS)
        adds(lab, OWN)
        saw.titles = lab.tab.js(TITLES)
        does(lab, "docmanager:save")
        saw.saved = (mine / "a-case.ipynb").read_bytes()
        subprocess.run([sys.executable, "-m", "rca", "lab", str(case), "--in", str(mine), "--prepare"], check=True)
        saw.afterwards = (mine / "a-case.ipynb").read_bytes()
        runs_all(lab)
        saw.again, saw.case = cells(lab), case
        saw.hits = lab.tab.js("window.hits ?? []")
        adds(lab, "from IPython.display import HTML; HTML('<img src=x onerror=alert(1)>')")
        saw.hits_where_it_would_run = lab.tab.until("window.hits")
        opened(lab, "sealed/5_cascade.ipynb")
        saw.sealed = cells(lab)
        saw.writable = lab.tab.js(f"{OPEN}.context.contentsModel.writable")
        lab.tab.js(f"{OPEN}.content.activeCell.model.sharedModel.setSource('1'), 1")
        lab.tab.js("jupyterapp.commands.execute('docmanager:save'), 1")
        saw.warned = lab.tab.until("document.querySelector('.jp-Dialog, .Toastify__toast')?.textContent")
        saw.forced = lab.tab.js(f"{OPEN}.context.save().then(() => 'saved', error => String(error.message))")
        saw.damage = integrity.damage(sealed)
        saw.asked = [one["params"]["request"]["url"] for one in lab.tab.events if one["method"] == REQUEST]
    return saw


@pytest.fixture(scope="module")
def saw(report, tmp_path_factory):
    return at_work(tmp_path_factory.mktemp("lab"), report)


def test_it_runs_is_edited_runs_again_and_nothing_is_lost(saw):
    first, own = saw.again[: len(saw.first)], saw.again[len(saw.first) :]
    assert not [one.source for one in saw.again if one.failed]
    assert [one.source for one in first] == [one.source for one in saw.first]
    assert [one.source for one in own] == [ANSWER, SHOWS, OWN]
    assert own[0].shows == "42"
    assert saw.saved == saw.afterwards  # after `rca lab` once more
    assert "The error rate rose from" in saw.first[2].shows
    assert "rca: " not in saw.first[2].shows  # the line with the question is gone


def test_a_why_tree_that_is_edited_there_is_in_the_record(saw):
    whys = rca.load(saw.case).incident.whys
    assert [one.question for one in whys] == list(WHYS)
    assert whys[0].answer.statement == "No check"
    assert (saw.case / "incident.yaml").read_text().startswith("# mine\n")


def test_titles_of_figures_are_whole(saw):
    assert len(saw.titles) > 5
    assert [title for title, whole in saw.titles if not whole] == []


def test_hostile_texts_are_shown_and_do_nothing(saw):
    shown = "".join(" ".join(one.shows for one in saw.again).split())
    assert len(HOSTILE) == 65
    assert [text for text in HOSTILE if "".join(text.split()) not in shown] == []
    assert saw.hits == []
    assert {urlsplit(one).hostname for one in saw.asked} <= {"localhost", None, ""}
    assert saw.hits_where_it_would_run == ["1"]


def test_a_sealed_notebook_is_opened_to_read_says_so_and_stays_what_it_was(saw):
    assert saw.writable is False
    assert saw.sealed[0].source == seal_keeper.NOTE
    assert "read-only" in saw.warned
    assert "lies in a sealed report" in saw.forced
    assert saw.damage == []
