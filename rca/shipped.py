"""Where the notebooks and the sample incidents are: beside the package in a checkout, inside it once installed."""

from pathlib import Path

from rca.errors import InvalidCase

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """The folder of the notebooks that a run executes.

    >>> templates().name
    'notebooks'
    """
    return _find("notebooks")


def incidents() -> Path:
    """The folder of the incidents that ship with the package.

    >>> incidents().name
    'incidents'
    """
    return _find("data/incidents")


def _roots() -> list[Path]:
    """The checkout comes first: who edits a notebook there means to run it."""
    checkout = _PACKAGE.parent
    return ([checkout] if (checkout / "pyproject.toml").is_file() else []) + [_PACKAGE / "_shipped"]


def _find(name: str) -> Path:
    for root in _roots():
        if (root / name).is_dir():
            return root / name
    raise InvalidCase.because(
        f"this installation lacks '{name}'", place="rca", hint="install from a release, or from a complete checkout"
    )
