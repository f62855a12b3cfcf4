"""What every result can do: say itself in a sentence, become a frame or JSON and come back, list its findings."""

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from rca.finding import Finding

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Result:
    """A frozen answer of an analysis; subclasses say `__str__`, `rows` and `findings`."""

    def __str__(self) -> str:
        raise NotImplementedError

    def rows(self) -> list[Row]:
        """The answer as rows of plain values, ready for a table."""
        raise NotImplementedError

    def findings(self) -> tuple[Finding, ...]:
        """What the answer claims; empty where it only describes."""
        return ()

    def to_frame(self) -> "pd.DataFrame":
        """The rows as a new pandas frame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives the same result back."""
        from pydantic import TypeAdapter

        plain: dict[str, Any] = TypeAdapter(type(self)).dump_python(self, mode="json")
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The result that `to_dict` was called on.

        Raises
        ------
        pydantic.ValidationError
            If `plain` is not such a result.
        """
        from pydantic import TypeAdapter

        return TypeAdapter(cls).validate_python(plain)

    def _repr_html_(self) -> str:
        rows = self.rows()
        if not rows:
            return f"<p>{html.escape(str(self))}</p>"
        head = "".join(f"<th scope='col'>{html.escape(str(name))}</th>" for name in rows[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell(value))}</td>" for value in row.values()) + "</tr>" for row in rows
        )
        caption = f"<caption>{html.escape(str(self))}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cell(value: object) -> str:
    """A value as a person reads it in a table.

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
