"""One word after `rca`, and the exit statuses that a pipeline can act on."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

DONE, FAILED, BAD_INPUT, NEEDS_A_PERSON, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141

Arguments = argparse.Namespace


@dataclass(frozen=True, kw_only=True)
class Command:
    """One word after `rca`: what it does, what it takes, and the function that does it."""

    name: str
    says: str
    takes: Callable[[argparse.ArgumentParser], None]
    does: Callable[[Arguments], int]
