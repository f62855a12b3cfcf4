"""The table of what was proved."""

from tests.conftest import proven

LAW = {"claim": "a law (a)", "promised": "at most 5.0%", "seen": "4.0%", "draws": "100"}


def test_laws_that_are_proved_again_replace_their_lines_and_others_stay():
    first = proven("", [LAW, LAW | {"claim": "another"}], "2026-01-01")
    again = proven(first, [LAW | {"seen": "4.5%"}], "2026-02-02")
    assert "| a law (a) | at most 5.0% | 4.5% | 100 | 2026-02-02 |" in again
    assert "4.0% | 100 | 2026-01-01" in again
    assert again.count("a law (a)") == 1
    assert proven(again, [], "2026-03-03") == again
