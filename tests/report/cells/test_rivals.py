"""Rivals are shown where some were asked, and what it was not where there was an incident."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from rca.analysis.conclusion.analysis import Analysis
from rca.analysis.harm.rivals.rival import Rival
from rca.report.cells import drift, output, postmortem


@pytest.fixture
def shown(monkeypatch, verdict):
    """What both cells show of a division of the harm."""

    def of(harm, **changes):
        seen = []
        monkeypatch.setattr(output, "display", seen.append)
        analysis = Analysis(incident="i", seed=0, alpha=0.05, verdict=replace(verdict, **changes), harm=harm)
        drift.rivals(analysis)
        postmortem.ruled_out(SimpleNamespace(analysis=analysis))
        return [bundle["text/plain"] for bundle in seen]

    return of


@pytest.fixture
def asked(harm):
    return replace(harm, rivals=(Rival(kind="model", name="m", against="it answers as before"),))


@pytest.mark.parametrize("status", ["explained", "cannot_tell"])
def test_what_was_asked_and_what_it_was_not_are_shown_of_an_incident(shown, asked, status):
    assert shown(asked, status=status) == ["1 explanation asked", "What it was not"]


def test_where_there_was_no_incident_nothing_is_what_it_was_not(shown, asked):
    assert shown(asked, status="no_incident") == ["1 explanation asked"]


def test_where_no_rival_was_asked_nothing_is_shown(shown, harm):
    assert shown(harm) == shown(None) == []
