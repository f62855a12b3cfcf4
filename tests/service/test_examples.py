"""The examples for orchestrators call commands that exist, with options that exist, and read what they print."""

import ast
import re
import shlex

import pytest
import yaml

from rca.cli.commands import _parser
from tests.conftest import ROOT

EXAMPLES = sorted((ROOT / "docs" / "examples").iterdir())
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES}


def commands():
    """Every command of `rca` that an example calls, as its words."""
    for name, text in TEXTS.items():
        if name.endswith(".py"):
            lists = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.List) and node.elts]
            words = [
                [getattr(one, "value", "x") if isinstance(one, ast.Constant) else "x" for one in each.elts]
                for each in lists
            ]
            yield from ((name, each[1:]) for each in words if each[0] == "rca" and each[1:])
        yield from ((name, shlex.split(found[1])) for found in re.finditer(r"(?:- run: |\")rca ([^\n|>\"]+)", text))
        if name == "kubernetes_job.yaml":
            yield name, yaml.safe_load(text)["spec"]["template"]["spec"]["containers"][0]["args"]


def test_every_example_but_the_image_calls_a_command():
    assert {name for name, _ in commands()} == set(TEXTS) - {"Containerfile"}


@pytest.mark.parametrize(("name", "words"), list(commands()), ids=lambda one: one if isinstance(one, str) else "")
def test_a_command_of_an_example_is_one(name, words):
    assert _parser().parse_args(words)


def test_the_examples_are_of_their_language():
    for name, text in TEXTS.items():
        if name.endswith(".py"):
            compile(text, name, "exec")
        elif name != "Containerfile":
            assert yaml.safe_load(text)
