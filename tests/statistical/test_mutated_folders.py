"""What `check` calls sound is answered, what would be refused is listed, and no column is lost in silence."""

import tempfile
import warnings
from collections import Counter
from pathlib import Path

import pytest

from rca.analysis.conclusion.analyse import analyse
from rca.errors import InvalidCase
from rca.methods.boosted_trees import on_one_thread
from rca.record.case import load
from rca.record.check import check
from rca.record.remarks import remarks
from tests.statistical.mutated_folders import folder
from tests.statistical.promises import noted


@pytest.mark.parametrize("draws", [10, pytest.param(2_000, marks=pytest.mark.prove)])
@on_one_thread
def test_whatever_is_called_sound_is_answered_and_whatever_is_refused_is_listed(draws):
    seen = Counter(agreed(seed) for seed in range(draws))
    for sort, count in seen.items():
        noted(sort, seen=f"{count:,} folders", draws=draws)
    assert seen["sound, answered"] > draws / 3
    assert seen["unsound, refused"]


def agreed(seed):
    """What was said of a folder, which is what came of it."""
    with tempfile.TemporaryDirectory() as home:
        try:
            path = folder(seed).write(Path(home) / "x")
        except (ValueError, TypeError, ArithmeticError, OverflowError, KeyError, UnicodeError, AttributeError):
            return "cannot be written"
        problems = check(path)
        try:
            case = load(path)
            remarked = [] if problems else list(map(str, remarks(case)))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = analyse(case)
                found.results()
        except InvalidCase:
            if not problems:
                raise
            return "unsound, refused"
        if problems:
            return "unsound, answered"
        if found.drift is not None:
            compared = {row.column for row in found.drift.columns}
            lost = [
                name
                for name in case.roles.features
                if name not in compared and not any(name in one for one in remarked)
            ]
            assert not lost, (seed, lost)
        return "sound, answered"
