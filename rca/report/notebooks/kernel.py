"""Notebook kernel of this very interpreter, in an environment that does not depend on the machine."""

import os
import platform
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import rca
from rca.errors import RunFailed
from rca.report.notebooks.analysis_cache import KEPT
from rca.report.notebooks.held_folder import own
from rca.report.rendering.masking import WHERE

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

NARROW = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
"""Registers of 256 bits at most, in products of matrices and in numpy's own loops: processors have at least these."""

FIXED = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    **(NARROW if platform.machine() in ("x86_64", "AMD64") else {}),
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
"""Sums depend on the number of threads and on how wide a processor's registers are, and texts on the language: all are
the same everywhere, where the machine allows it. One thread does not spin."""

MASKING = "masking.json"
"""File among what the notebooks of one run share: what their texts are masked by."""

LONGEST = 70
"""Bytes of the path of a folder for temporary files in which sockets can be put."""

MEMORY = 1_000_000_000
"""Bytes of addresses that a kernel is to have at least; half of it is taken by what it imports."""

FILES = 128
"""Open files that a run and its kernel are to have each; 40 were seen to be too few."""

ARGV = [
    sys.executable,
    "-m",
    "ipykernel_launcher",
    "-f",
    "{connection_file}",
    "--HistoryManager.enabled=False",
    "--log-level=CRITICAL",
]


@contextmanager
def kernel(kept: Path) -> Iterator["type[AsyncKernelManager]"]:
    """A kernel manager class that starts this interpreter, whatever kernels are installed.

    Its kernels talk over sockets in a private folder, so that no port is taken and two runs cannot collide, and they
    read no start-up files of the user. However this ends, in the midst of a start too, no kernel outlives it: one
    that did would write into folders that are cleared.

    Parameters
    ----------
    kept : Path
        Folder in which the notebooks of one run keep what they established.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    with own(_room(), "rca-kernel-") as private:
        environment = {
            **FIXED,
            KEPT: str(kept),
            WHERE: str(kept / MASKING),
            "PYTHONPATH": _python_path(),
            "IPYTHONDIR": str(private),
        }
        started: list[AsyncKernelManager] = []
        spec = KernelSpec(argv=ARGV, display_name="Python 3 (ipykernel)", language="python", env=environment)

        class ThisInterpreter(AsyncKernelManager):
            """Starts this interpreter."""

            def __init__(self, **settings: Any) -> None:
                where = str(private / "kernel.json")
                super().__init__(**settings, transport="ipc", connection_file=where)
                started.append(self)

            async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
                with signals_held():  # until the process is known, which has to end as well
                    await super()._async_launch_kernel(kernel_cmd, **kw)

            @property
            def kernel_spec(self) -> KernelSpec:
                """The one kernel there is, found by no search."""
                return spec

        try:
            yield ThisInterpreter
        finally:
            for manager in started:
                process = getattr(manager.provisioner, "process", None)
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait()


@contextmanager
def signals_held() -> Iterator[None]:
    """While this runs, no signal to end is acted on; the first that came is afterwards."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in numbers if main}
    held = {number: was for number, was in before.items() if callable(was) or was == signal.SIG_DFL}
    for number in held:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, was in held.items():
            signal.signal(number, was)
        if came:
            signal.raise_signal(came[0])


def take_limits() -> None:
    """Take what is allowed of open files: without, sockets end the process where it stands.

    Raises
    ------
    RunFailed
        If files or memory are limited so low that no kernel can start.
    """
    memory = resource.getrlimit(resource.RLIMIT_AS)[0]
    if memory != resource.RLIM_INFINITY and memory < MEMORY:
        what = f"a kernel needs {MEMORY / 1e6:,.0f} MB of memory, and this process may have {memory / 1e6:,.0f}"
        raise RunFailed(f"{what}; allow it more (ulimit -v)")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES and (hard >= FILES or hard == resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    elif soft < FILES:
        raise RunFailed(
            f"a kernel needs {FILES} open files, and this process may have {hard}; allow it more (ulimit -n)"
        )


def _room() -> Path:
    """The folder for temporary files, or another whose path is short: a socket's may have about a hundred letters."""
    places = map(Path, (gettempdir(), "/tmp", "/var/tmp", "/dev/shm"))  # noqa: S108 - folders in them are private
    for place in places:
        if len(os.fsencode(place)) <= LONGEST and os.access(place, os.W_OK | os.X_OK):
            return place
    raise RunFailed(f"no folder for the sockets of a kernel; set TMPDIR to one of at most {LONGEST} letters")


def _python_path() -> str:
    """PYTHONPATH with the package of this process first, so that notebooks import the same."""
    here = str(Path(rca.__file__).absolute().parent.parent)
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
