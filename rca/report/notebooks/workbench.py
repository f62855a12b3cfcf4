"""A notebook of one's own, bound to a case: made once beside no report, and never written over."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from rca.errors import InvalidCase
from rca.record.case import Case
from rca.record.files.whole_file import write_whole
from rca.report.notebooks.held_folder import alone
from rca.report.notebooks.seal_keeper import sealed_by

NOTEBOOK = """\
# %% [markdown]
# Investigation of @ID

Your own notebook. Nothing writes over it: run it again when the case has changed. `rca run` makes what is sealed.
# %%
import pandas as pd

import rca

case = rca.load(@CASE)
case
# %%
found = rca.analyse(case)
found.verdict
# %% [markdown]
## Every explanation that was asked

What speaks for each, and what killed it.
# %%
rivals = found.harm.rivals if found.harm else ()
asked = pd.DataFrame([vars(one) for one in rivals])
asked[["kind", "name", "strength", "found", "against"]] if rivals else asked
# %% [markdown]
## Two of them side by side

Put in any numbers of the table above.
# %%
beside = [0, 1]
asked.iloc[[one for one in beside if one < len(asked)]].T
# %% [markdown]
## A column in both windows

Put in any name: without a column of this name the names are listed.
# %%
columns = {one.column: one for one in found.drift.columns} if found.drift else {}
name = found.verdict.causes[0].name if found.verdict.causes else None  # or any other
rca.plot(columns[name]) if name in columns else list(columns)
# %% [markdown]
## The rows behind a claim

Of a fault or a slice by its number here, what the verdict names first; or of one of `rivals`.
# %%
guilty = {one.name for one in found.verdict.causes}
claims = [*(found.faults.broken if found.faults else ()), *(found.slices.slices if found.slices else ())]
claims.sort(key=lambda one: getattr(one, "column", None) not in guilty)
print(*(f"{place}  {one}" for place, one in enumerate(claims)), sep="\\n")
# %%
rows = rca.rows_of(case, claims[0]) if claims else pd.DataFrame()
rows.head(20)
# %% [markdown]
## Why

The tree of the record, or a first one. `rca.save_whys(case, whys=tree)` writes it into the record.
# %%
tree = list(found.whys)
tree
"""
"""The cells of a new notebook, for its case's id and folder."""


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """A notebook of one's own.

    Attributes
    ----------
    notebook : pathlib.Path
    fresh : bool
        Whether it was made now; an older one is as its owner left it.
    """

    notebook: Path
    fresh: bool


def workbench(case: Case, folder: Path) -> Workbench:
    """Make a notebook bound to a case, unless there is one.

    Parameters
    ----------
    case : Case
    folder : pathlib.Path
        Where it lies, as `<id>.ipynb`.

    Raises
    ------
    InvalidCase
        If the folder lies in a report, whose seal it would break.
    OSError
        If nothing can be written there.
    """
    if (sealed := sealed_by(folder)) is not None:
        what = f"'{folder}' lies in the report {sealed.name}, which is sealed"
        raise InvalidCase.because(what, place="--in", hint="choose a folder outside of it")
    known, notebook = case.incident, folder / f"{case.incident.id}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    at = repr(os.path.relpath(case.folder.resolve(), folder.resolve()))
    text = NOTEBOOK.replace("@ID", known.id).replace("@CASE", at)
    cells = [_cell(one, place) for place, one in enumerate(text.split("# %%")[1:])]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    with alone(folder):
        fresh = not notebook.exists()
        if fresh:
            write_whole(notebook, json.dumps(content, indent=1, ensure_ascii=False).encode())
    return Workbench(notebook=notebook, fresh=fresh)


def _cell(text: str, place: int) -> dict[str, object]:
    kind, _, source = text.partition("\n")
    cell: dict[str, object] = {"id": f"cell-{place}", "metadata": {}, "source": source.strip()}
    if kind.strip() == "[markdown]":
        return {"cell_type": "markdown", **cell}
    return {"cell_type": "code", **cell, "execution_count": None, "outputs": []}
