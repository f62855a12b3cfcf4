"""Signatures of a report as the file in every report reads them, and what a key has to do with them."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rca.report.audit.keys import signed_by
from rca.report.manifest.provenance import LONGEST
from rca.report.manifest.standalone import BROKEN, SIGNED, compact
from rca.report.rendering.plain_text import moment, plain


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One signature, and whether it holds for the report that was asked about.

    Attributes
    ----------
    role : str
    name : str or None
        A name or pseudonym.
    at : str
        When, ISO 8601 in UTC.
    digest : str
        SHA-256 of the manifest that was signed.
    after : str
        SHA-256 of the last line of the history of runs and signatures when it was signed; empty where it had none.
    key : str
        SHA-256 of the public key that it says it was made with; empty where there is none.
    void : str
        Why it does not hold; empty where it does.
    """

    role: str
    name: str | None
    at: str
    digest: str
    after: str = ""
    key: str = ""
    void: str = ""

    def __str__(self) -> str:
        who = plain(self.role, LONGEST) + (f" ({plain(self.name, LONGEST)})" if self.name else "")
        # eight letters of a digest: nine digits in a row would be masked, as an account number is
        by = f", by key {plain(self.key[:8])}" if self.key else ""
        state = f"VOID: {self.void}" if self.void else "holds"
        return f"{who}, {moment(self.at)}, of {self.digest[:8]}{by}: {state}"


def beside(folder: Path) -> Path:
    """The file of signatures of a run, beside its folder."""
    return folder.with_name(f"{folder.name}{SIGNED}")


@dataclass(frozen=True, kw_only=True)
class Signed:
    """The signatures of a report and of those it replaced.

    Attributes
    ----------
    signatures : tuple of Signature
        Those that do not hold say why.
    problems : tuple of str
        What is amiss about the runs and signatures on record: edited, gone, later than this one.
    """

    signatures: tuple[Signature, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no role's last word is void: each that signed once has signed this report as it is now."""
        holds = {one.role for one in self.signatures if not one.void}
        return not self.problems and all(one.role in holds for one in self.signatures)


def signed(found: Mapping[str, Any], keys: Iterable[bytes] = ()) -> Signed:
    """What was found about signatures; where keys are given, one that none of them made is void."""
    known = tuple(keys)
    read = [signature_of(one, known) for one in found["signatures"]]
    return Signed(signatures=tuple(sorted(read, key=lambda one: (one.at, one.role))), problems=tuple(found["signing"]))


def signature_of(told: Mapping[str, Any], keys: tuple[bytes, ...] = ()) -> Signature:
    """A signature as it is written, and whether it holds."""
    said = {key: told[key] for key in ("role", "name", "at", "digest", "after")}
    envelope: Any = told.get("envelope")
    void = told.get("void", "")
    try:
        key = str(envelope["signatures"][0]["keyid"]) if envelope else ""
        genuine = envelope is not None and base64.b64decode(envelope["payload"]) == statement(said)
        if keys and not void and not (genuine and signed_by(envelope, keys)):
            void = "none of the keys given signed this"
    except BROKEN:
        key, void = "?", void or "its envelope is none"
    return Signature(**said, key=key, void=void)


def statement(said: Mapping[str, Any]) -> bytes:
    """What a key signs: an in-toto statement on the digest of the manifest."""
    subject = [{"name": "manifest.json", "digest": {"sha256": said["digest"]}}]
    kinds = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:rca-postmortem:sign-off:1"}
    predicate = {key: said[key] for key in ("role", "name", "at", "after")}
    return compact({**kinds, "subject": subject, "predicate": predicate})
