"""What the tests of a record share."""

import pytest


@pytest.fixture
def folder(tmp_path):
    """Where a sample case may be written."""
    return tmp_path / "sample"
