"""Base class of all results: a one-sentence summary, a table, a JSON round trip, and the findings it makes."""

import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self, TypeVar

from rca.errors import Unanswerable
from rca.finding import Finding, Unanswered

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

T = TypeVar("T")

SHOWN = 60
"""Rows of a result that a notebook shows."""

PLOTLY = "application/vnd.plotly.v1+json"
"""Type of a figure among the outputs of a notebook."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Base class of the frozen result of an analysis; subclasses define `__str__`, `rows` and `findings`."""

    def __str__(self) -> str:
        raise NotImplementedError

    def rows(self) -> list[Row]:
        """The result as a list of records with plain values, ready for a table."""
        raise NotImplementedError

    def findings(self) -> tuple[Finding, ...]:
        """The claims that the result makes; empty where it only describes."""
        return ()

    def to_frame(self) -> "pd.DataFrame":
        """`rows` as a new pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def to_dict(self) -> dict[str, Any]:
        """Serialise to plain JSON values; `from_dict` is the inverse."""
        from pydantic import TypeAdapter

        plain: dict[str, Any] = TypeAdapter(type(self)).dump_python(self, mode="json")
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """Deserialise what `to_dict` gave.

        Raises
        ------
        pydantic.ValidationError
            If `plain` is not such a result.
        """
        from pydantic import TypeAdapter

        return TypeAdapter(cls).validate_python(plain)

    def _repr_html_(self) -> str:
        return table_of(self.rows(), str(self))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return displayed(self, self._repr_html_())


def table_of(rows: Sequence[Row], caption: str) -> str:
    """Rows as HTML, the first `SHOWN` of them; the caption alone where there is none; no `$` makes a formula."""
    if not rows:
        return f"<p class='mathjax_ignore'>{html.escape(caption)}</p>"
    head = "".join(f"<th scope='col'>{html.escape(str(name))}</th>" for name in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell(value))}</td>" for value in row.values()) + "</tr>"
        for row in rows[:SHOWN]
    )
    more = f"; {len(rows) - SHOWN:,} more rows in to_frame()" if len(rows) > SHOWN else ""
    told = f"<caption>{html.escape(caption + more)}</caption>"
    return f"<table class='mathjax_ignore'>{told}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def displayed(thing: object, markup: str) -> dict[str, Any]:
    """What a notebook shows of an object: its figure where there is one, its table, and its sentence."""
    plot = import_module("rca").plot  # by its public name, as a caller would: results know no report
    shown: dict[str, Any] = {"text/plain": str(thing), "text/html": markup}
    try:
        return {PLOTLY: json.loads(plot(thing).to_json()), **shown}
    except (TypeError, ValueError, Unanswerable):  # there is no picture of it
        return shown


def cell(value: object) -> str:
    """Format a value for a table cell: four significant digits, thousands separators, yes or no, a dash for None.

    >>> cell(0.123456), cell(None), cell(True), cell(1200)
    ('0.1235', '–', 'yes', '1,200')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


class Asking:
    """Runs analyses one by one; turns `Unanswerable` into None and keeps the reason in `unanswered`.

    Parameters
    ----------
    tell : callable, optional
        Told which question is being asked, in a few words, for who waits.

    Examples
    --------
    >>> ask = Asking()
    >>> ask(lambda: 7)
    7
    >>> def since():
    ...     raise Unanswerable("since when", "the case names no time column")
    >>> ask(since), ask.unanswered
    (None, [Unanswered(question='since when', why='the case names no time column', would_decide='')])
    """

    def __init__(self, tell: Callable[[str], object] = str) -> None:
        self.unanswered: list[Unanswered] = []
        self.tell = tell

    def __call__(self, question: Callable[[], T], about: str = "") -> T | None:
        """The answer; None, with the reason kept as a result, where the question is unanswerable."""
        if about:
            self.tell(about)
        try:
            return question()
        except Unanswerable as reason:
            self.unanswered.append(Unanswered(question=reason.question, why=reason.why))
            return None
