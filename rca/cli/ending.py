"""How a command ends before its end: a signal unwinds it, so that it clears up, and an error has a hint."""

import errno
import logging
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Never

SAYS = {"SIGINT": "Interrupted", "SIGTERM": "Stopped", "SIGHUP": "The terminal was closed"}
"""Signals that end a command, and what it says."""

CHATTY = ("asyncio", "papermill", "traitlets")
"""Loggers that would tell of the kernel that ends along with a command."""

HINTS = {
    errno.EACCES: "is it yours to write?",
    errno.EDQUOT: "make room, or choose another --out",
    errno.EMFILE: "allow this process more open files (ulimit -n)",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.ENFILE: "the system has no more open files; end other programs",
    errno.ENOMEM: "allow this process more memory (ulimit -v)",
    errno.ENOSPC: "make room, or choose another --out, or another TMPDIR",
    errno.EROFS: "choose another --out",
}
"""What a person can do about an error of the system."""


USUAL = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(KeyboardInterrupt):
    """A signal asked this process to end; what unwinds for Ctrl-C unwinds for it."""

    def __init__(self, number: int) -> None:
        super().__init__(SAYS[signal.Signals(number).name])
        self.status = 128 + number


def hint_of(error: OSError) -> str:
    """What a person can do about an error of the system.

    >>> hint_of(OSError(errno.ENOSPC, "No space left on device"))
    'make room, or choose another --out, or another TMPDIR'
    """
    return HINTS.get(error.errno or 0, "is the place there, and yours to read and write?")


def limit_of_memory(error: Exception) -> str:
    """The limit of memory under which an error came; empty where there is none, and memory is not what it tells of."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return "where memory was used up" if isinstance(error, MemoryError) else ""
    return f"under a limit of {limit / 1e6:,.0f} MB of memory"


@contextmanager
def stoppable() -> Iterator[None]:
    """While this runs, a signal to end raises `Stopped`, once; one that is ignored, as under nohup, stays so."""
    numbers = [signal.Signals[name] for name in SAYS if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: was for number in numbers if (was := signal.getsignal(number)) in USUAL}
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


def _stop(number: int, _: FrameType | None) -> Never:
    for other in SAYS:
        if signal.getsignal(signal.Signals[other]) is _stop:
            signal.signal(signal.Signals[other], signal.SIG_IGN)  # a second one does not disturb the clearing up
    for name in CHATTY:
        logging.getLogger(name).disabled = True
    raise Stopped(number)
