"""What drift detectors of other makers said, beside what the case's own windows say of the same columns.

A claim is the vendor's: it is told with strength `assumed`, accuses nothing, and no verdict rests on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rca.analysis.drift.univariate import Drift
from rca.finding import Finding
from rca.record.schema.imported import Detection
from rca.result import Result, Row


@dataclass(frozen=True, kw_only=True)
class DetectorClaim:
    """A detector's claim of one column, or of all together, and our own answer.

    Attributes
    ----------
    said : Detection
    ours : bool or None
        Whether the column, or any, moved between the windows of the case; None where it was not compared.
    """

    said: Detection
    ours: bool | None

    @property
    def what(self) -> str:
        """What it is of."""
        return self.said.column or "all columns together"

    def __str__(self) -> str:
        numbers = (("statistic", self.said.statistic), ("p", self.said.p_value), ("threshold", self.said.threshold))
        told = ", ".join([self.said.detector, *(f"{name} {value:.3g}" for name, value in numbers if value is not None)])
        claim = f"{self.said.vendor} says that {self.what} {'drifted' if self.said.drift else 'did not drift'} ({told})"
        if self.ours is None:
            return f"{claim}; the case has no windows to compare it with"
        return f"{claim}; the windows of the case {'agree' if self.ours == self.said.drift else 'do not bear it out'}"


@dataclass(frozen=True, kw_only=True)
class DetectorClaims(Result):
    """Claims of drift detectors, in order of the record."""

    claims: tuple[DetectorClaim, ...]

    def __str__(self) -> str:
        judged = [one for one in self.claims if one.ours is not None]
        held = sum(one.ours == one.said.drift for one in judged)
        return f"{held} of {len(judged)} claims of drift detectors agree with the windows of the case"

    def rows(self) -> list[Row]:
        return [
            {
                "vendor": one.said.vendor,
                "detector": one.said.detector,
                "column": one.what,
                "at": one.said.at.isoformat(),
                "drift": one.said.drift,
                "ours": one.ours,
            }
            for one in self.claims
        ]

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                id=f"detector.{one.said.vendor}.{number}",
                notebook="drift",
                claim=str(one),
                strength="assumed",
                assumptions=(
                    f"what {one.said.vendor} compared is not known here",
                    "its numbers were not computed again",
                ),
            )
            for number, one in enumerate(self.claims)
        )


def judged_claims(detections: Iterable[Detection], drift: Drift | None) -> DetectorClaims | None:
    """Compare detectors' claims with univariate drift between the windows of the case; None without claims.

    Parameters
    ----------
    detections : iterable of Detection
    drift : Drift or None
        None where the case has no windows.
    """
    compared = {row.column for row in (*drift.columns, *drift.answers)} if drift else set()
    moved = {row.column for row in (*drift.columns, *drift.answers) if row.moved} if drift else set()

    def ours(said: Detection) -> bool | None:
        if said.column is None:
            return bool(moved) if compared else None
        return said.column in moved if said.column in compared else None

    claims = tuple(DetectorClaim(said=said, ours=ours(said)) for said in detections)
    return DetectorClaims(claims=claims) if claims else None
