"""Reproduce a report from its manifest in a fresh folder, without any cached result."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import gettempdir
from typing import Any

from rca.analysis.portfolio.question import portfolio
from rca.errors import InvalidCase
from rca.record.case import Case
from rca.report.manifest.provenance import RunRequest
from rca.report.notebooks.held_folder import own
from rca.report.notebooks.templates import choose, fit, for_case
from rca.report.rendering.plotly_adapter import FILE
from rca.report.run import publish
from rca.report.run.case_run import derive
from rca.report.run.portfolio_run import NAME, derive_portfolio


@contextmanager
def derive_again(made: Mapping[str, Any], case: Path) -> Iterator[Path]:
    """Context manager: the folder of a fresh report made from a manifest; it is deleted afterwards.

    The case is linked to where the report's own notebooks look for it, so that the parameters are the same text.

    Raises
    ------
    InvalidCase
        If the manifest asks for what cannot be run.
    RunFailed
        If a notebook fails.
    """
    order = None if made.get("kind") == NAME else _order(made, case)
    with own(Path(gettempdir()), "rca-rerun-") as root:
        inside = made["inputs"] if order is None else ()
        stage = _stage(root.resolve(), made["case"], case, inside=inside)
        if order is None:
            _derive_portfolio(made, stage)
        else:
            derive(order, stage)
        yield stage / publish.REPORT


def _derive_portfolio(made: Mapping[str, Any], stage: Path) -> None:
    """Derive a report on many incidents again."""
    file, settings = made.get("file"), dict(made["parameters"])
    known = {"as_of", "split", "targets", "appetite", "columns", "zone", "drills"}
    sound = all(name in known and isinstance(said, str) for name, said in settings.items())
    if not sound or not (file is None or file in made["inputs"]):
        raise InvalidCase.because("file or parameters are not what they have to be", place="manifest.json")
    home = Path(os.path.normpath(stage / made["case"]))
    source = home / file if file else home
    derive_portfolio(source, stage, portfolio(source, **settings), settings=settings)


def _order(made: Mapping[str, Any], case: Path) -> RunRequest:
    settings = {name: value for name, value in made["parameters"].items() if name != "seed"}
    only, seed = made.get("only"), made["parameters"].get("seed")
    if type(seed) is not int or not (
        only is None or (isinstance(only, list) and all(isinstance(name, str) for name in only))
    ):
        raise InvalidCase.because("seed or only are not what they have to be", place="manifest.json")
    templates = tuple(choose(only))
    problems = fit(settings, templates)
    if problems:
        raise InvalidCase(problems)
    loaded = Case.load(case)
    return RunRequest(
        case=loaded,
        written=made["case"],
        templates=for_case(templates, loaded.incident, asked=only is not None),
        settings=settings,
        seed=seed,
        only=None if only is None else tuple(only),
        beside=FILE in made["outputs"],
    )


def _stage(root: Path, written: str, case: Path, *, inside: Iterable[str] = ()) -> Path:
    """A folder from which the path in the report leads to the case, by a link.

    A report on many incidents may lie below them; then what is `inside` their folder is linked one by one.
    """
    parts = PurePosixPath(written).parts
    up = sum(part == ".." for part in parts)
    down = parts[up:]
    if inside and up and up == len(parts):
        home = root / case.resolve().name
        stage = home.joinpath(*[".below"] * up)
        stage.mkdir(parents=True)
        for name in sorted({PurePosixPath(name).parts[0] for name in inside}):
            (home / name).symlink_to(case.resolve() / name)
        return stage
    if not down or ".." in down or any(part != ".." for part in parts[:up]):
        raise InvalidCase.because("the path of the case is not one that a run writes", place="manifest.json, case")
    stage = root.joinpath(*["here"] * (up + 1))
    stage.mkdir(parents=True)
    link = stage.joinpath(*[".."] * up, *down).parent.resolve() / down[-1]
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(case.resolve(), target_is_directory=True)
    return stage
