"""Extension of a Jupyter server: what lies in a sealed report is opened read-only, says so, and is not saved.

A notebook is shown with a note above it that is in no file: all of Jupyter's front ends show cells, while of a notebook
that cannot be written each tells in its own way, or only when it is saved.

The package switches it on for every Jupyter of its environment, by `etc/jupyter/jupyter_server_config.d`.
"""

from inspect import isawaitable
from pathlib import Path
from typing import Any

SEAL = "manifest.sha256"
"""What a sealed folder has."""

WHY = "lies in a sealed report: saved, it would no longer be what was published. Work in your own: rca lab CASE"

NOTE = (
    "> **Read-only.** This notebook lies in a sealed report: saved, it would no longer be what was published, and"
    " `rca verify` would say so. To work on the case: `rca lab CASE`, which makes a notebook of your own."
    " This note is shown by your Jupyter server and is no part of the file."
)
"""What stands above a sealed notebook."""


def sealed_by(path: Path) -> Path | None:
    """The sealed folder that a path lies in, or is; None where there is none."""
    whole = path.resolve()
    return next((one for one in (whole, *whole.parents) if (one / SEAL).is_file()), None)


def _read_only(model: dict[str, Any]) -> dict[str, Any]:
    """What is read, not to be written; a notebook with the note above its cells."""
    if model["type"] == "notebook" and model["content"]:
        note = {"cell_type": "markdown", "id": "sealed", "metadata": {"editable": False}, "source": NOTE}
        model = {**model, "content": {**model["content"], "cells": [note, *model["content"]["cells"]]}}
    return {**model, "writable": False}


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Keep what is sealed from the manager of contents of a server, where its contents are files."""
    contents = server.contents_manager
    if not hasattr(contents, "_get_os_path"):  # of a store that has no folders
        return
    read, kept, listed = contents.get, contents.create_checkpoint, contents.list_checkpoints

    def sealed(path: str) -> bool:
        return sealed_by(Path(contents._get_os_path(path.strip("/")))) is not None  # noqa: SLF001 - no public one

    def marked(model: dict[str, Any], path: str) -> dict[str, Any]:
        return _read_only(model) if model["type"] != "directory" and sealed(path) else model

    async def awaited(model: Any, path: str) -> dict[str, Any]:
        return marked(await model, path)

    def get(path: str, *args: Any, **kwargs: Any) -> Any:
        model = read(path, *args, **kwargs)
        return (awaited if isawaitable(model) else marked)(model, path)

    def refuse(*, path: str, **_: Any) -> None:
        from tornado.web import HTTPError

        if sealed(path):
            raise HTTPError(403, f"'{path}' {WHY}", reason="sealed report")

    def create_checkpoint(path: str) -> Any:
        refuse(path=path)
        return kept(path)

    def list_checkpoints(path: str) -> Any:
        return [] if sealed(path) else listed(path)  # asked for a list, Jupyter makes a folder for it

    contents.get, contents.create_checkpoint, contents.list_checkpoints = get, create_checkpoint, list_checkpoints
    contents.register_pre_save_hook(refuse)
