"""Small notebooks, and the results that one shows."""

from rca.report.cells.output import RESULTS

PARAMETERS = 'case: str = "x"  # folder\nalpha: float = 0.05  # rate\nseed: int = 0  # seed\nnote: str = ""  # text'

RESULT = {
    "schema": 1,
    "incident": "tiny",
    "verdict": {"status": "no_incident", "summary": "Nothing.", "metric": None, "causes": [], "onset": None},
    "durations": {},
    "findings": [],
    "unanswered": [],
}

SHOW = f"from IPython.display import display\ndisplay({{{RESULTS!r}: {RESULT!r}, 'text/plain': 'ready'}}, raw=True)"


def notebook(*sources, parameters=PARAMETERS):
    cells = [("parameters", parameters), *((f"cell-{place}", source) for place, source in enumerate(sources))]
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": name,
                "metadata": {"tags": ["parameters"]} if name == "parameters" else {},
                "outputs": [],
                "source": source.splitlines(keepends=True),
            }
            for name, source in cells
        ],
        "metadata": {"kernelspec": {"display_name": "p", "language": "python", "name": "no-such-kernel"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
