"""A kernel for a report: this very interpreter, in an environment that does not depend on the machine."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import rca

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

FIXED = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "MKL_NUM_THREADS": "2",
    "NUMBA_NUM_THREADS": "2",
    "POLARS_MAX_THREADS": "2",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
"""Sums depend on the number of threads, and texts on the language: both are the same everywhere."""

ARGV = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]


@contextmanager
def kernel() -> Iterator["AsyncKernelManager"]:
    """A manager of one kernel of this interpreter, whatever kernels are installed.

    It talks over sockets in a private folder, so that no port is taken and two runs cannot collide, and it reads no
    start-up files of the user.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync

    with TemporaryDirectory(prefix="rca-kernel-") as private:
        environment = {**FIXED, "PYTHONPATH": _python_path(), "IPYTHONDIR": private}
        spec = KernelSpec(argv=ARGV, display_name="Python 3 (ipykernel)", language="python", env=environment)
        manager = AsyncKernelManager(
            kernel_name="python3", transport="ipc", connection_file=str(Path(private, "kernel.json"))
        )
        manager._kernel_spec = spec  # noqa: SLF001 - the public way is a search over installed kernels, by name
        try:
            yield manager
        finally:
            if manager.has_kernel:
                run_sync(manager.shutdown_kernel)(now=True)


def _python_path() -> str:
    """The package that runs the report is the one that the notebooks import."""
    here = str(Path(rca.__file__).absolute().parent.parent)
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
