"""What lies in a sealed report is read-only to Jupyter, and nothing else is."""

import asyncio
import inspect
import json
import os
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager, LargeFileManager
from tornado.web import HTTPError

from rca.report.manifest import integrity
from rca.report.notebooks import seal_keeper
from tests.conftest import ROOT


async def answer(given):
    return await given if inspect.isawaitable(given) else given


@pytest.fixture(params=[LargeFileManager, AsyncLargeFileManager])
def contents(request, report, tmp_path):
    shutil.copytree(report.result.folder, tmp_path / "sealed")
    shutil.copy(tmp_path / "sealed" / "5_cascade.ipynb", tmp_path / "own.ipynb")
    manager = request.param(root_dir=str(tmp_path))
    seal_keeper._load_jupyter_server_extension(SimpleNamespace(contents_manager=manager))
    return manager


def read(contents, path):
    return asyncio.run(answer(contents.get(path)))


def save(contents, path):
    model = read(contents, path)
    return asyncio.run(answer(contents.save({"type": "notebook", "content": model["content"]}, path)))


def test_a_notebook_of_a_report_is_read_only_and_a_save_is_refused_with_what_to_do(contents, tmp_path):
    assert read(contents, "sealed/5_cascade.ipynb")["writable"] is False
    with pytest.raises(HTTPError, match="rca lab CASE"):
        save(contents, "sealed/5_cascade.ipynb")
    with pytest.raises(HTTPError, match="sealed report"):
        asyncio.run(answer(contents.create_checkpoint("sealed/5_cascade.ipynb")))
    assert asyncio.run(answer(contents.list_checkpoints("sealed/5_cascade.ipynb"))) == []
    assert integrity.damage(tmp_path / "sealed") == []


def test_a_notebook_of_a_report_says_above_its_cells_why_it_is_read_only(contents, tmp_path):
    shown, kept = read(contents, "sealed/5_cascade.ipynb")["content"], read(contents, "own.ipynb")["content"]
    assert shown["cells"][0]["source"] == seal_keeper.NOTE
    assert shown["cells"][1:] == kept["cells"]
    nbformat.validate(nbformat.from_dict(shown))
    assert asyncio.run(answer(contents.get("sealed/5_cascade.ipynb", content=False)))["content"] is None
    page = asyncio.run(answer(contents.get("sealed/results.json")))
    assert (page["writable"], page["content"]) == (False, (tmp_path / "sealed" / "results.json").read_text("utf-8"))


def test_a_notebook_elsewhere_is_as_writable_as_ever(contents):
    assert read(contents, "own.ipynb")["writable"] is True
    assert save(contents, "own.ipynb")["path"] == "own.ipynb"
    assert "id" in asyncio.run(answer(contents.create_checkpoint("own.ipynb")))
    assert len(asyncio.run(answer(contents.list_checkpoints("own.ipynb")))) == 1
    assert read(contents, "")["type"] == "directory"


def test_a_store_without_folders_is_left_alone():
    store = SimpleNamespace(get=None)
    seal_keeper._load_jupyter_server_extension(SimpleNamespace(contents_manager=store))
    assert vars(store) == {"get": None}


def test_every_jupyter_of_the_environment_loads_it():
    placed = ROOT / "rca" / "report" / "notebooks" / "jupyter_server_config.json"
    assert json.loads(placed.read_text()) == {"ServerApp": {"jpserver_extensions": {seal_keeper.__name__: True}}}
    assert seal_keeper._jupyter_server_extension_points() == [{"module": seal_keeper.__name__}]


@pytest.mark.prove
def test_the_wheel_brings_it_along_switched_on(tmp_path):
    built = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    if subprocess.run(built, check=False, capture_output=True).returncode:
        pytest.skip("no wheel can be built here")
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    data = next((tmp_path / "site").glob("*.data")) / "data"  # what pip lays into the environment's own folder
    where = {"JUPYTER_CONFIG_DIR": str(data / "etc" / "jupyter"), "PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-m", "jupyter", "server", "extension", "list"]
    said = subprocess.run(
        command, env={**os.environ, **where}, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    heard = f"{said.stdout}{said.stderr}"
    lines = heard.split(f"Config dir: {where['JUPYTER_CONFIG_DIR']}")[1].splitlines()[1:4]
    assert [seal_keeper.__name__ in line for line in lines] == [True] * 3, heard
    assert "enabled" in lines[0]
    assert "OK" in lines[2]
