import pytest

from rca import shipped
from rca.errors import InvalidCase


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package folder as an installation has it."""
    package = tmp_path / "rca"
    (package / "_shipped" / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    return package


def test_an_installation_uses_its_own_copy(package):
    assert shipped.templates() == package / "_shipped" / "notebooks"


def test_a_checkout_uses_the_files_that_its_owner_edits(package):
    (package.parent / "notebooks").mkdir()
    (package.parent / "pyproject.toml").touch()
    assert shipped.templates() == package.parent / "notebooks"


def test_a_folder_that_only_happens_to_stand_beside_an_installation_is_not_used(package):
    (package.parent / "notebooks").mkdir()
    assert shipped.templates() == package / "_shipped" / "notebooks"


def test_an_installation_without_incidents_says_so(package):
    with pytest.raises(InvalidCase, match="lacks 'data/incidents'"):
        shipped.incidents()
