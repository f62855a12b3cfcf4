"""`rca lab` and the JupyterLab that it starts, with a tab open in it, as a data scientist has them."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

from tests.browser.chromium import tab
from tests.conftest import ROOT

OPEN = "jupyterapp.shell.currentWidget"
HOOK = ROOT / "rca" / "report" / "notebooks" / "jupyter_server_config.json"


@contextmanager
def laboratory(browser, base, *command, cwd):
    """A tab of a browser and the address of the server that a command started; both end with the block."""
    configured = {
        "ServerApp": {"token": "", "password": "", **json.loads(HOOK.read_text())["ServerApp"]},
        "LabApp": {"open_browser": False, "expose_app_in_browser": True},
    }
    folders = {name: base / name for name in ("config", "runtime", "data", "settings", "workspaces", "ipython")}
    for folder in folders.values():
        folder.mkdir()
    (folders["config"] / "jupyter_server_config.json").write_text(json.dumps(configured))
    quiet = folders["settings"] / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    where = {
        "JUPYTER_CONFIG_DIR": folders["config"],
        "JUPYTER_RUNTIME_DIR": folders["runtime"],
        "JUPYTER_DATA_DIR": folders["data"],
        "JUPYTERLAB_SETTINGS_DIR": folders["settings"],
        "JUPYTERLAB_WORKSPACES_DIR": folders["workspaces"],
        "IPYTHONDIR": folders["ipython"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    settings = {**os.environ, **{name: str(value) for name, value in where.items()}}
    settings.pop("RCA_KEPT", None)
    with (base / "said").open("wb") as said:
        server = subprocess.Popen([sys.executable, "-m", *command], env=settings, cwd=cwd, stdout=said, stderr=said)
    try:
        with tab(browser, base / "profile") as page:
            yield SimpleNamespace(tab=page, url=_address(folders["runtime"], server, base / "said"))
    finally:
        server.terminate()
        server.wait(timeout=30)


def _address(runtime, server, said):
    """Where the server answers: what it wrote of itself once it had a port."""
    deadline = time.monotonic() + 60
    while not (written := list(runtime.glob("jpserver-*.json"))):
        assert server.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)
    return json.loads(written[0].read_text())["url"]


def opened(lab, path):
    """Open a notebook of the server's folder and wait for its kernel."""
    if lab.tab.js("window.jupyterapp === undefined"):
        lab.tab("Page.navigate", url=f"{lab.url}lab/tree/{path}")
        lab.tab.until("window.jupyterapp !== undefined")
    else:
        lab.tab.js(f"jupyterapp.commands.execute('docmanager:open', {{path: {json.dumps(path)}}}).then(() => 1)")
    lab.tab.until(f"{OPEN}?.context?.path === {json.dumps(path)}")
    lab.tab.until(f"{OPEN}.sessionContext?.session?.kernel?.status === 'idle'")


def does(lab, command, **given):
    """Run a command of JupyterLab, as its menus do."""
    return lab.tab.js(f"jupyterapp.commands.execute({json.dumps(command)}, {json.dumps(given)}).then(() => 1)")


def cells(lab):
    """What each cell of the open notebook is: kind, source, number of its run, and every word that it shows."""
    seen = lab.tab.js(
        f"""{OPEN}.content.widgets.map(one => ({{
            kind: one.model.type, source: one.model.sharedModel.getSource(), ran: one.model.executionCount,
            shows: [...one.node.querySelectorAll('.jp-OutputArea-output')].map(out => out.textContent).join(' '),
            failed: (one.model.outputs?.toJSON() ?? []).some(out => out.output_type === 'error')}}))"""
    )
    return [SimpleNamespace(**one) for one in seen]


def adds(lab, source):
    """Type a cell at the end of the notebook, and run it."""
    lab.tab.js(f"{OPEN}.content.activeCellIndex = {OPEN}.content.widgets.length - 1")
    does(lab, "notebook:insert-cell-below")
    does(lab, "notebook:enter-edit-mode")
    lab.tab.until("document.activeElement?.closest('.cm-content') !== null")
    lab.tab.type(source)
    does(lab, "notebook:run-cell")
