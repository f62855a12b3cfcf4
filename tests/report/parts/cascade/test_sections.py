"""The blast radius as a table: what passed through each system while it failed, or that it is not known."""

from dataclasses import replace

from rca.report.parts.cascade.sections import touched


def test_what_passed_through_a_system_stands_with_how_long_it_failed(cascade, hostile):
    first, second = cascade.touched
    told = touched([replace(first, counted={"parts": 1234.4, hostile: 2.0}), second])
    assert "1,234 parts" in told
    assert "2 May 2026, 09:00" in told
    assert "1 h" in told
    assert "56 min" in told
    assert told.count("not known") == 1
    assert "<script" not in told
