"""The verbs of a module of cells, and those that a notebook uses."""

import ast
import inspect
import json


def verbs_of(module):
    """By name, the functions that a module of cells gives to notebooks: its own, with a public name."""
    return {
        name: verb
        for name, verb in inspect.getmembers(module, inspect.isfunction)
        if verb.__module__ == module.__name__ and not name.startswith("_")
    }


def used_by(notebook):
    """The verbs that a notebook uses: (the module that it imports them from, name)."""
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    nodes = [node for cell in cells for node in ast.walk(ast.parse("".join(cell["source"])))]
    known = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module.startswith("rca.report")
        for alias in node.names
    }
    return {
        (known[node.value.id], node.attr)
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known
    }
