"""What holds of the project as a whole, rather than of one module."""

import ast
import importlib
import importlib.metadata
import json
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import rca
from tests.conftest import ROOT

HERE = ROOT
MODULES = sorted((HERE / "rca").rglob("*.py"))
NOTEBOOKS = sorted((HERE / "notebooks").glob("*.ipynb"))
PYPROJECT = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))

HEAVY = {
    "dowhy", "IPython", "lightgbm", "nbformat", "numpy", "onnxruntime", "pandas", "papermill",
    "plotly", "polars", "pyarrow", "pydantic", "scipy", "shap", "skops", "sklearn",
}  # fmt: skip
"""What must not be loaded before it is needed."""

NUMERIC = {"numpy", "pandas", "scipy"}
"""What modules that compute may import at the top: they are themselves loaded late."""

LATE = {"analysis", "arrays.py", "methods", "tables"}
"""Where these modules lie."""

LATE_WITHIN = {("practice", "drill"), ("practice", "grammar"), ("practice", "lines")}
"""And these, within rooms that are not."""

NAMED_ELSEWHERE = {
    "IPython": "ipython", "docx": "python-docx", "markdown_it": "markdown-it-py", "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}  # fmt: skip
"""What is imported under another name than it is installed under."""

EXTRAS = ("docx", "engines", "models", "service", "sign", "dev")
"""Extras that every set-up has."""

TOO_LONG: dict[str, str] = {}
"""Functions of more than 40 lines, each with the reason."""

MACHINE = re.compile(
    r"(?<![\w.])/(?:root|home|Users|work|opt|private|mnt)/\w"  # a folder of somebody's machine
    r"|[A-Z]:\\Users"
    r"|file:/{2,3}\w"
    r"|--(?:extra-)?index-url"
    r"|pypi[.]org|pythonhosted[.]org"  # where packages come from is the reader's choice
)


def name(path):
    return path.relative_to(HERE).as_posix()


def canonical(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


# --- imports ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [["-c", "import rca"], ["-m", "rca", "--help"], ["-c", "import rca; dir(rca); rca.InvalidCase; rca.Finding"]],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded_before_it_is_needed(arguments):
    command = [sys.executable, "-X", "importtime", *arguments]
    shown = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in shown.stderr.splitlines()}
    assert "rca" in loaded
    assert not loaded & HEAVY


def imports(node: ast.AST, *, deferred: bool = False) -> Iterator[tuple[str, bool]]:
    """Every package that a module imports, and whether it does so in a function or for types only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name.partition(".")[0], deferred) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module.partition(".")[0], deferred
        else:
            for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from imports(child, deferred=deferred or for_types or isinstance(child, ast.FunctionDef))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_heavy_libraries_are_imported_where_they_are_used(module):
    room, *within = module.relative_to(HERE / "rca").parts
    late = room in LATE or (room, *within[:1]) in LATE_WITHIN
    allowed = {"record": {"pydantic"}, "importers": {"pydantic"}, "service": {"pydantic"}}.get(
        room, NUMERIC if late else set()
    )
    early = {package for package, deferred in imports(tree(module)) if package in HEAVY and not deferred}
    assert early <= allowed


def test_everything_imported_is_declared():
    project = PYPROJECT["project"]
    declared = {canonical(requirement) for requirement in project["dependencies"]}
    declared |= {canonical(each) for extra in project["optional-dependencies"].values() for each in extra}
    imported = {package for module in MODULES for package, _ in imports(tree(module))}
    foreign = imported - sys.stdlib_module_names - {"rca"}
    assert {NAMED_ELSEWHERE.get(package, canonical(package)) for package in foreign} <= declared


# --- the public names ------------------------------------------------------------------------------------------------


def test_the_public_names_are_the_same_to_readers_to_python_and_to_mypy():
    for_types = next(node for node in tree(HERE / "rca/__init__.py").body if isinstance(node, ast.If))
    homes = {alias.name: node.module for node in for_types.body for alias in node.names}
    assert homes == rca._HOMES
    assert {*homes, "__version__"} == set(rca.__all__) == set(dir(rca))


@pytest.mark.parametrize("public", rca.__all__)
def test_every_public_name_is_there_and_documented(public):
    assert getattr(rca, public) is getattr(importlib.import_module(rca._HOMES.get(public, "rca")), public)
    assert getattr(rca, public).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'rca' has no attribute 'analyze'"):
        rca.analyze  # noqa: B018  (the lookup is the test)


# --- how it reads ----------------------------------------------------------------------------------------------------


def functions() -> dict[str, int]:
    """Every function of the package and its number of lines, docstring left out."""
    return {
        f"{name(module)}:{node.name}:{node.lineno}": length(node)
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return node.end_lineno - node.lineno + 1 - (first.end_lineno - first.lineno + 1 if documented else 0)


def test_functions_are_short():
    lengths = sorted(functions().values())
    assert statistics.median(lengths) <= 8
    assert statistics.quantiles(lengths, n=10)[-1] <= 30


def test_no_function_is_long_without_a_reason():
    long = {where.rpartition(":")[0] for where, lines in functions().items() if lines > 40}
    assert long == set(TOO_LONG)


def test_every_module_says_what_it_is_for():
    assert [name(module) for module in MODULES if tree(module).body and not ast.get_docstring(tree(module))] == []


# --- the notebooks ---------------------------------------------------------------------------------------------------


def cells(notebook: Path) -> list[dict]:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def parameters(notebook: Path) -> list[str]:
    """The lines of the cells that hold parameters."""
    tagged = [cell for cell in cells(notebook) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    return [line for line in "".join(tagged[0]["source"]).splitlines() if line.strip()]


def test_there_are_notebooks():
    known = {"1_timeline", "2_drift", "3_explanation", "4_causes", "5_cascade", "6_postmortem", "7_notification"}
    assert known <= {notebook.stem for notebook in NOTEBOOKS}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_notebooks_are_committed_without_outputs(notebook):
    code = [cell for cell in cells(notebook) if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_every_parameter_has_a_type_a_default_and_a_word_of_help(notebook):
    lines = parameters(notebook)
    assert lines
    assert all(re.fullmatch(r"\w+: [^=]+ = .+  # .+", line) for line in lines)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_notebooks_show_and_define_nothing(notebook):
    source = "\n".join("".join(cell["source"]) for cell in cells(notebook) if cell["cell_type"] == "code")
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


# --- the files around the code ---------------------------------------------------------------------------------------


@cache
def committed() -> list[Path]:
    """The files of the repository, also those about to be added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs a git checkout")
    return [HERE / path for path in listed.split("\0") if (HERE / path).is_file()]


def test_no_file_names_a_machine_or_an_index():
    named = []
    for path in committed():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        named += [f"{name(path)}: {found[0]}" for found in MACHINE.finditer(text)]
    assert named == []


@pytest.mark.parametrize("text", ["/ho~me/ann", "/ro~ot/x", "pypi.~org", "file:/~//x", "--index-~url x", "C:\\Us~ers"])
def test_a_machine_would_be_found(text):
    assert MACHINE.search(f"see {text.replace('~', '')}")  # written apart, or this file would be found too
    assert not MACHINE.search(f"see {text}")


def pins() -> dict[str, set[str]]:
    """Package → the versions that constraints.txt allows, one a version of Python at most."""
    found: dict[str, set[str]] = {}
    for line in (HERE / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            package, version = re.fullmatch(r"([a-z0-9-]+)==([\w.+]+)(?: ; .+)?", line).groups()
            found.setdefault(package, set()).add(version)
    return found


def conda() -> dict[str, str]:
    """Package → the version that environment.yml installs."""
    text = (HERE / "environment.yml").read_text(encoding="utf-8")
    return {canonical(package): version for package, version in re.findall(r"- ([\w-]+)==(\S+)", text)}


def wanted() -> set[str]:
    """The packages that pyproject.toml asks for, without the extras that stand apart."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    asked = [*PYPROJECT["project"]["dependencies"], *(one for name in EXTRAS for one in extras[name])]
    return {canonical(requirement) for requirement in asked} - {PYPROJECT["project"]["name"]}


def test_conda_and_pip_install_the_same():
    assert set(conda()) == wanted()
    assert {package: version for package, version in conda().items() if version not in pins()[package]} == {}


def test_everything_asked_for_is_pinned():
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert wanted() | {canonical(each) for each in extras["xgboost"] + extras["spark"]} <= set(pins())


def test_what_is_installed_is_what_is_pinned():
    """Without this, tests would pass with one set and users get another."""
    direct = [canonical(requirement) for requirement in PYPROJECT["project"]["dependencies"]]
    versions = {package: importlib.metadata.version(package) for package in direct}
    assert {package: version for package, version in versions.items() if version not in pins()[package]} == {}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*##", (HERE / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


DOCUMENTS = [HERE / "README.md", HERE / "CONTRIBUTING.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_documents_name_only_commands_that_exist(document):
    from rca.cli.commands import COMMANDS

    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE)) <= targets()
    assert set(re.findall(r"(?:^|`)rca ([a-z]+)", text, flags=re.MULTILINE)) <= {command.name for command in COMMANDS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_documents_link_only_to_what_is_there(document):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (HERE / link).exists()] == []
