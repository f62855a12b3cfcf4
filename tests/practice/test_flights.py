"""The incident of the real flights, built alone."""

import pytest

from rca.practice import flights, simulate


def test_the_flights_are_built_below_the_folder_that_is_named_and_nothing_else(monkeypatch):
    asked = []
    monkeypatch.setattr(simulate, "main", lambda arguments: asked.append(arguments) or 0)
    assert flights.main(["OUT", "credit-drift"]) == 0
    assert asked == [["OUT", "flights-storm"]]
    assert asked[0][1] in simulate.SCENARIOS


def test_without_a_folder_nothing_is_built_and_the_use_is_said(monkeypatch, capsys):
    monkeypatch.setattr(simulate, "build", lambda *_, **__: pytest.fail("it was built"))
    assert flights.main([]) == 2
    assert "OUT" in "".join(capsys.readouterr())
