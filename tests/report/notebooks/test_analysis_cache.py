"""Within a run, one analysis serves all notebooks."""

import json

import pytest

import rca
from rca.analysis.conclusion import analyse
from rca.report.notebooks.analysis_cache import KEPT
from tests.conftest import INCIDENTS, SMALLEST

SHIPPED = INCIDENTS
NAMES = ("hiring-bias", "line-cascade", "quiet-quarter")


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """How often the engine was asked, with a folder to keep its answers in."""
    calls, ask = [], analyse.analyse

    def counted(case, **settings):
        calls.append(settings)
        return ask(case, **settings)

    monkeypatch.setattr(analyse, "analyse", counted)
    monkeypatch.setenv(KEPT, str(tmp_path / "kept"))
    return calls


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_what_was_said(asked, name, analysis_of, monkeypatch):
    case, said = rca.load(SHIPPED / name), analysis_of(name)
    monkeypatch.setattr(analyse, "analyse", lambda _, **settings: asked.append(settings) or said)
    first, second = rca.analyse(case), rca.analyse(case)
    assert len(asked) == 1
    assert first == second == said
    assert json.dumps(second.results()) == json.dumps(said.results())


def test_other_settings_are_another_question(asked):
    case = rca.load(SHIPPED / SMALLEST)
    assert [rca.analyse(case, seed=seed).seed for seed in (0, 1, 0)] == [0, 1, 0]
    assert len(asked) == 2


def test_outside_a_run_nothing_is_kept(asked, monkeypatch, tmp_path):
    monkeypatch.delenv(KEPT)
    case = rca.load(SHIPPED / SMALLEST)
    assert rca.analyse(case) == rca.analyse(case)
    assert len(asked) == 2
    assert not list(tmp_path.iterdir())
