"""Rivals are shown where some were asked."""

from dataclasses import replace

import pytest

from rca.analysis.conclusion.analysis import Analysis
from rca.analysis.harm.rivals.rival import Rival
from rca.report.cells import drift, output


@pytest.fixture
def shown(monkeypatch, verdict):
    """What the cell shows of a division of the harm."""

    def of(harm):
        seen = []
        monkeypatch.setattr(output, "display", seen.append)
        analysis = Analysis(incident="i", seed=0, alpha=0.05, verdict=verdict, harm=harm)
        drift.rivals(analysis)
        return [bundle["text/plain"] for bundle in seen]

    return of


@pytest.fixture
def asked(harm):
    return replace(harm, rivals=(Rival(kind="model", name="m", against="it answers as before"),))


def test_what_was_asked_is_shown(shown, asked):
    assert shown(asked) == ["1 explanation asked"]


def test_where_no_rival_was_asked_nothing_is_shown(shown, harm):
    assert shown(harm) == shown(None) == []
