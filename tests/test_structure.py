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

HERE = Path(__file__).resolve().parent.parent
MODULES = sorted((HERE / "rca").rglob("*.py"))
NOTEBOOKS = sorted((HERE / "notebooks").glob("*.ipynb"))
PYPROJECT = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))

HEAVY = {
    "dowhy", "IPython", "lightgbm", "nbformat", "numpy", "onnxruntime", "pandas", "papermill",
    "plotly", "polars", "pyarrow", "pydantic", "scipy", "shap", "skops", "sklearn",
}  # fmt: skip
"""What must not be loaded before it is needed."""

NUMERIC = {"numpy", "pandas", "scipy"}
"""What modules of `analysis` may import at the top: they are themselves loaded late."""

NAMED_ELSEWHERE = {"IPython": "ipython", "markdown_it": "markdown-it-py", "sklearn": "scikit-learn", "yaml": "pyyaml"}
"""What is imported under another name than it is installed under."""

TESTED_ELSEWHERE = {
    "rca/__main__.py": "test_cli.py",
    "rca/argtypes.py": "test_cli.py",
    "rca/analysis/affine.py": "test_faults.py",
    "rca/analysis/ancestry.py": "test_causes.py",
    "rca/analysis/answering.py": "test_scenarios.py",
    "rca/analysis/arrays.py": "test_sketch.py",
    "rca/analysis/aspects.py": "test_causes.py",
    "rca/analysis/autocorrelated.py": "test_effect.py",
    "rca/analysis/chain.py": "test_robust.py",
    "rca/analysis/changepoint.py": "test_onset.py",
    "rca/analysis/cohorts.py": "test_explanation.py",
    "rca/analysis/column_fault.py": "test_faults.py",
    "rca/analysis/columns.py": "test_drift.py",
    "rca/analysis/comparison.py": "test_drift.py",
    "rca/analysis/composition.py": "test_slices.py",
    "rca/analysis/confirming.py": "test_slices.py",
    "rca/analysis/contribution.py": "test_harm.py",
    "rca/analysis/counting.py": "test_sketch.py",
    "rca/analysis/crossfit.py": "test_robust.py",
    "rca/analysis/crosstab.py": "test_segments.py",
    "rca/analysis/counterfactual.py": "test_whatif.py",
    "rca/analysis/curves.py": "test_explanation.py",
    "rca/analysis/decided.py": "test_whatif.py",
    "rca/analysis/donors.py": "test_mending.py",
    "rca/analysis/effects.py": "test_effect.py",
    "rca/analysis/engines.py": "test_frames.py",
    "rca/analysis/eventstudy.py": "test_effect.py",
    "rca/analysis/explain.py": "test_explanation.py",
    "rca/analysis/explained.py": "test_explanation.py",
    "rca/analysis/explainer.py": "test_explanation.py",
    "rca/analysis/grid.py": "test_sketch.py",
    "rca/analysis/lengths.py": "test_portfolio.py",
    "rca/analysis/happening.py": "test_effect.py",
    "rca/analysis/interrupted.py": "test_effect.py",
    "rca/analysis/meter.py": "test_metric.py",
    "rca/analysis/mingled.py": "test_recoded.py",
    "rca/analysis/mispaired.py": "test_stale.py",
    "rca/analysis/mix.py": "test_effect.py",
    "rca/analysis/nested.py": "test_robust.py",
    "rca/analysis/onestep.py": "test_decomposition.py",
    "rca/analysis/parted.py": "test_effect.py",
    "rca/analysis/periods.py": "test_effect.py",
    "rca/analysis/phrases.py": "test_literals.py",
    "rca/analysis/pooling.py": "test_slices.py",
    "rca/analysis/reasons.py": "test_explanation.py",
    "rca/analysis/response.py": "test_portfolio.py",
    "rca/analysis/reweighting.py": "test_harm.py",
    "rca/analysis/scanning.py": "test_slices.py",
    "rca/analysis/searching.py": "test_slices.py",
    "rca/analysis/season.py": "test_onset.py",
    "rca/analysis/shapes.py": "test_onset.py",
    "rca/analysis/shift.py": "test_explanation.py",
    "rca/analysis/spelling.py": "test_portfolio.py",
    "rca/analysis/stamps.py": "test_incidents.py",
    "rca/analysis/standin.py": "test_asking.py",
    "rca/analysis/stuck.py": "test_faults.py",
    "rca/analysis/summing.py": "test_portfolio.py",
    "rca/analysis/swapped.py": "test_faults.py",
    "rca/analysis/tally.py": "test_whatif.py",
    "rca/analysis/targets.py": "test_portfolio.py",
    "rca/analysis/treeshap.py": "references/test_shap.py",
    "rca/analysis/trends.py": "test_ranks.py",
    "rca/analysis/turned.py": "test_explanation.py",
    "rca/analysis/two_sample.py": "test_drift.py",
    "rca/analysis/witness.py": "test_stale.py",
    "rca/practice/flights.py": "test_simulate.py",
    "rca/practice/planted.py": "test_simulate.py",
    "rca/practice/planted_systems.py": "test_simulate.py",
    "rca/practice/proof.py": "test_simulate.py",
    "rca/record/check.py": "test_case.py",
    "rca/record/debrief.py": "test_postmortem.py",
    "rca/record/evidence.py": "test_whylint.py",
    "rca/record/forest.py": "references/test_shap.py",
    "rca/record/graph.py": "test_case.py",
    "rca/record/intake.py": "test_case.py",
    "rca/record/matrix.py": "test_model.py",
    "rca/record/moment.py": "test_incident.py",
    "rca/record/reading.py": "test_case.py",
    "rca/record/tables.py": "test_case.py",
    "rca/record/trees.py": "test_model.py",
    "rca/record/whyviews.py": "test_whys.py",
    "rca/report/afterwards.py": "test_postmortem.py",
    "rca/report/board.py": "test_postmortem.py",
    "rca/report/canonical.py": "test_execute.py",
    "rca/report/causalsections.py": "test_causalcharts.py",
    "rca/report/charts.py": "test_figures.py",
    "rca/report/curvecharts.py": "test_explanationcharts.py",
    "rca/report/effectcharts.py": "test_effect.py",
    "rca/report/harmcharts.py": "test_figures.py",
    "rca/report/integrity.py": "test_manifest.py",
    "rca/report/kernel.py": "test_execute.py",
    "rca/report/markup.py": "test_page.py",
    "rca/report/causalshow.py": "test_causalcharts.py",
    "rca/report/outputs.py": "test_explanationcharts.py",
    "rca/report/portfolioshow.py": "test_portfolioreport.py",
    "rca/report/publish.py": "test_execute.py",
    "rca/report/rerun.py": "test_manifest.py",
    "rca/report/rowcharts.py": "test_explanationcharts.py",
    "rca/report/sections.py": "test_page.py",
    "rca/report/show.py": "test_execute.py",
    "rca/report/slicecharts.py": "test_figures.py",
    "rca/report/templates.py": "test_execute.py",
    "rca/report/text.py": "test_page.py",
    "rca/report/told.py": "test_postmortem.py",
    "rca/report/timecharts.py": "test_figures.py",
}
"""A module that is a part of another → the test file that holds its laws."""

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
    allowed = {
        "rca/analysis": NUMERIC,
        "rca/record": {"pydantic"},
    }.get(name(module.parent), set())
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


def test_every_module_has_its_test_file():
    expected = {name(module): f"test_{module.name}" for module in MODULES if module.name != "__init__.py"}
    expected |= TESTED_ELSEWHERE
    missing = {module: test for module, test in expected.items() if not (HERE / "tests" / test).is_file()}
    assert missing == {}


def test_a_module_is_tested_elsewhere_only_where_it_has_no_test_file():
    known = {name(module) for module in MODULES}
    own = {module for module in TESTED_ELSEWHERE if (HERE / "tests" / f"test_{Path(module).name}").is_file()}
    assert TESTED_ELSEWHERE.keys() - known == own == set()


# --- the notebooks ---------------------------------------------------------------------------------------------------


def cells(notebook: Path) -> list[dict]:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def parameters(notebook: Path) -> list[str]:
    """The lines of the cells that hold parameters."""
    tagged = [cell for cell in cells(notebook) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    return [line for line in "".join(tagged[0]["source"]).splitlines() if line.strip()]


def test_there_are_notebooks():
    known = {"1_timeline", "2_drift", "3_explanation", "4_causes", "5_cascade", "6_postmortem"}
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
    asked = PYPROJECT["project"]["dependencies"] + extras["engines"] + extras["models"] + extras["dev"]
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
    from rca.cli import COMMANDS

    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE)) <= targets()
    assert set(re.findall(r"(?:^|`)rca ([a-z]+)", text, flags=re.MULTILINE)) <= {command.name for command in COMMANDS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_documents_link_only_to_what_is_there(document):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (HERE / link).exists()] == []
