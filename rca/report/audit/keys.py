"""Keys of those who sign: an Ed25519 key signs a payload in a DSSE envelope; the one door to cryptography."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.errors import InvalidCase
from rca.report.rendering.plain_text import plain

if TYPE_CHECKING:
    from types import ModuleType

PAYLOAD = "application/vnd.in-toto+json"
"""What is in an envelope: an in-toto statement."""

HINT = "make one by: openssl genpkey -algorithm ed25519 -out key.pem; its public half: openssl pkey -in key.pem -pubout"


def envelope(payload: bytes, key: Path) -> dict[str, Any]:
    """A payload signed with a private key, as a DSSE envelope; `keyid` is the SHA-256 of the public key's 32 bytes.

    Raises
    ------
    InvalidCase
        If the file is no Ed25519 key that can be read without a password, or the package is not installed.
    """
    private = _read(key, "Ed25519PrivateKey")
    signature = base64.b64encode(private.sign(_encoded(payload))).decode()
    keyid = hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()
    return {
        "payloadType": PAYLOAD,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": keyid, "sig": signature}],
    }


def public(key: Path) -> bytes:
    """The 32 bytes of a public key, or of the public half of a private one.

    Raises
    ------
    InvalidCase
        If the file is no Ed25519 key, or the package is not installed.
    """
    read = _read(key, "Ed25519PublicKey", "Ed25519PrivateKey")
    half = read.public_key() if hasattr(read, "public_key") else read
    return bytes(half.public_bytes_raw())


def signed_by(signed: Mapping[str, Any], keys: Iterable[bytes]) -> bool:
    """Whether one of the public keys signed what is in a DSSE envelope."""
    from cryptography.exceptions import InvalidSignature

    ed25519 = _library()
    payload, signatures = base64.b64decode(signed["payload"]), [one["sig"] for one in signed["signatures"]]
    for key, signature in ((key, base64.b64decode(one)) for key in keys for one in signatures):
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, _encoded(payload))
        except InvalidSignature:
            continue
        return bool(signed["payloadType"] == PAYLOAD)
    return False


def _encoded(payload: bytes) -> bytes:
    """A payload as DSSE has it signed (its pre-authentication encoding)."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)


def _read(file: Path, *kinds: str) -> Any:
    ed25519 = _library()
    from cryptography.hazmat.primitives import serialization

    try:
        content = file.read_bytes()
        if b"PRIVATE KEY" in content:
            key: Any = serialization.load_pem_private_key(content, None)
        else:
            key = serialization.load_pem_public_key(content)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidCase.because(f"no key: {plain(error, 120)}", place=plain(file.name), hint=HINT) from None
    if type(key).__name__ not in kinds or not isinstance(key, (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey)):
        raise InvalidCase.because(f"not an {kinds[0]}", place=plain(file.name), hint=HINT)
    return key


def _library() -> "ModuleType":
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        hint = "install it: pip install 'rca-postmortem[sign]'"
        raise InvalidCase.because("keys need the package cryptography", place="--key", hint=hint) from None
    module: ModuleType = ed25519
    return module
