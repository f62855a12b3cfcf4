"""What lies in a sealed report is read-only to Jupyter, and nothing else is."""

import asyncio
import inspect
import json
import shutil
from types import SimpleNamespace

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
