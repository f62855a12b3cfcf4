"""The house keeps its plan: rooms, their size, who imports whom, and where their tests lie."""

import ast
import tomllib
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import rca
from tests.conftest import ROOT

PACKAGE = ROOT / "rca"
TESTS = ROOT / "tests"
ROOMS = sorted({module.parent for module in PACKAGE.rglob("*.py")})
MODULES = sorted(module for module in PACKAGE.rglob("*.py") if module.name != "__init__.py")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]

ENTRIES = {"rca": 15, "rca.analysis": 15}
"""Entries that a room may have, where it may have more than the 13 of the others."""

TESTED_ELSEWHERE = {
    "rca.__main__": "a process of its own, which tests/cli/test_commands.py starts",
    "rca.arrays": "types alone, which mypy holds",
}
"""Modules that no test of their room imports, each with the reason."""


def dotted(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def is_module(name):
    return ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file()


@cache
def imported(path: Path) -> frozenset[str]:
    """The modules of rca that a file imports, wherever the import stands; a public name is its home."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "rca":
            found |= {rca._HOMES[node.attr]} if node.attr in rca._HOMES else set()
        if isinstance(node, ast.ImportFrom) and node.module == "rca":
            found |= {rca._HOMES[alias.name] for alias in node.names if alias.name in rca._HOMES}
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if is_module(name) else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return frozenset(name for name in found if is_module(name) and name.startswith("rca."))


def entries(room):
    """What a listing of the room shows, but for what every package has."""
    return {
        entry.stem
        for entry in room.iterdir()
        if not entry.name.startswith(("__init__", "__pycache__", ".")) and entry.suffix in ("", ".py")
    }


def test_no_module_imports_itself_by_a_detour():
    graph = {dotted(module): imported(module) for module in MODULES}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))


@pytest.mark.parametrize("room", ROOMS, ids=dotted)
def test_a_room_can_be_seen_at_a_glance(room):
    assert len(entries(room)) <= ENTRIES.get(dotted(room), 13), sorted(entries(room))


@pytest.mark.parametrize("room", ROOMS, ids=dotted)
def test_a_name_has_one_home(room):
    if room != PACKAGE:
        assert not (room / "__init__.py").read_text(encoding="utf-8"), "packages are empty; names live in modules"


def layered(container):
    """The rooms that a contract puts in order, those to come left out."""
    contract = next((one for one in CONTRACTS if container in one.get("containers", ()) and one["exhaustive"]), None)
    assert contract is not None, f"{container} has rooms, and no exhaustive contract puts them in order"
    names = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
    return {name for name in names if not name.startswith("(")}


@pytest.mark.parametrize("room", [room for room in ROOMS if any(other.parent == room for other in ROOMS)], ids=dotted)
def test_no_room_lies_outside_a_contract(room):
    independent = {name for one in CONTRACTS if one["type"] == "independence" for name in one["modules"]}
    if f"{dotted(room)}.*" not in independent:
        assert layered(dotted(room)) == entries(room) - {"_shipped", "assets", "scenarios"}


def test_a_room_to_come_has_its_contract_already():
    named = " ".join(layer for one in CONTRACTS for layer in one.get("layers", ()))
    assert {"(guards)", "(language)"} <= set(named.split())


def not_reached(room):
    """Modules of a room that no test of the same room imports, nor a module of the room that one does."""
    mirror = TESTS.joinpath(*room.relative_to(PACKAGE).parts)
    own = {dotted(module): module for module in room.glob("*.py") if module.name != "__init__.py"}
    found, fresh = set(), {name for test in mirror.glob("*.py") for name in imported(test)} & own.keys()
    while fresh:
        found |= fresh
        fresh = {name for one in fresh for name in imported(own[one])} & own.keys() - found
    return own.keys() - found


@pytest.mark.parametrize("room", ROOMS, ids=dotted)
def test_a_room_is_tested_where_it_is_mirrored(room):
    assert not_reached(room) == {name for name in TESTED_ELSEWHERE if name.rpartition(".")[0] == dotted(room)}
