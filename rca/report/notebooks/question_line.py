"""A line that says which question is being asked, for who waits at a notebook or a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def question_line() -> Iterator[Callable[[str], object]]:
    """What to tell a question to; the line is gone at the end, and where nobody looks on there is none."""
    if not _in_a_notebook():
        from tqdm import tqdm

        with tqdm(bar_format="{desc}", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:
            yield lambda question: bar.set_description_str(f"rca: {question}?")
        return
    from IPython.display import display

    line = display({"text/plain": "rca: …"}, raw=True, display_id=True)
    try:
        yield lambda question: line.update({"text/plain": f"rca: {question}?"}, raw=True)
    finally:
        line.update({"text/plain": ""}, raw=True)


def _in_a_notebook() -> bool:
    """Whether a kernel runs this, so that what is displayed can be replaced."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None
