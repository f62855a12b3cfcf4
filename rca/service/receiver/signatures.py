"""Signatures of deliveries, by each vendor's scheme, compared in constant time.

Sources: PagerDuty, *Verifying Signatures* of webhooks v3; Svix, *Verifying Webhooks Manually*, which incident.io
follows; MLflow, `webhooks/delivery.py`; Grafana, *Configure webhook notifications*, HMAC signature. Opsgenie, Jira
Service Management and Alertmanager sign nothing and send what was put into their `Authorization` header.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rca.service.configuration import Hook, Vendor

Headers = Mapping[str, str]
"""Names in lower case → what they say."""

SVIX = ("webhook", "svix")
"""What the names of a Standard Webhook's headers begin with."""


class Unsigned(Exception):
    """A delivery that its vendor cannot have sent, or too old a one; whoever sent it is not told why."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a sound signature covers beside the body: the delivery's id, where the vendor gives one."""

    delivery: str | None = None


def verified(hook: Hook, headers: Headers, body: bytes, *, secrets: Sequence[str], now: float, window: float) -> Stamp:
    """What the signature of a delivery covers.

    Parameters
    ----------
    hook : Hook
    headers : mapping of str to str
    body : bytes
        As it came.
    secrets : sequence of str
        Of which one has to fit; none: everything fits.
    now, window : float
        Seconds since 1970; by how many a signed time may differ.

    Raises
    ------
    Unsigned
    """
    return _SCHEMES[hook.vendor](_Signed(hook, headers, body, secrets, now, window)) if secrets else Stamp()


@dataclass(frozen=True)
class _Signed:
    hook: Hook
    headers: Headers
    body: bytes
    secrets: Sequence[str]
    now: float
    window: float

    def said(self, name: str) -> str:
        if not (value := self.headers.get(name, "")):
            raise Unsigned(f"no {name}")
        return value

    def on_time(self, stamp: str) -> str:
        """The time that is signed along, if the clock shows about the same."""
        if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 12 or abs(int(stamp) - self.now) > self.window:
            raise Unsigned("signed at another time")
        return stamp

    def fits(self, given: Iterable[str], content: bytes, key: Callable[[str], bytes] = str.encode) -> None:
        """Refuse what no secret signs; every pair is compared, whichever fits."""
        wanted = [hmac.new(key(one), content, hashlib.sha256).digest() for one in self.secrets]
        found = [_raw(one) for one in given]
        if not sum(hmac.compare_digest(one, want) for one in found for want in wanted):
            raise Unsigned("no signature fits")


def _raw(signature: str) -> bytes:
    """A signature in hexadecimal digits or base 64 as bytes; nothing where it is neither."""
    text = signature.strip()
    try:
        return bytes.fromhex(text) if len(text) == 64 else _from_base64(text)
    except ValueError:
        return b""


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _pagerduty(one: _Signed) -> Stamp:
    """HMAC-SHA256 of the body, hexadecimal, after `v1=`; several between commas."""
    given = (part.strip() for part in one.said("x-pagerduty-signature").split(","))
    one.fits((part[3:] for part in given if part.startswith("v1=")), one.body)
    return Stamp()


def _standard(one: _Signed) -> Stamp:
    """HMAC-SHA256 of id, time and body, base 64, after `v1,`; the key is base 64 after `whsec_`."""
    names = next((name for name in SVIX if f"{name}-signature" in one.headers), SVIX[0])
    delivery, stamp = one.said(f"{names}-id"), one.on_time(one.said(f"{names}-timestamp"))
    given = one.said(f"{names}-signature").split()
    content = b".".join((delivery.encode(), stamp.encode(), one.body))
    one.fits((part[3:] for part in given if part.startswith("v1,")), content, _standard_key)
    return Stamp(delivery=delivery)


def _standard_key(secret: str) -> bytes:
    return _from_base64(secret.removeprefix("whsec_")) or secret.encode()


def _mlflow(one: _Signed) -> Stamp:
    """As a Standard Webhook, under headers of its own; the key is the secret as it stands."""
    delivery, stamp = one.said("x-mlflow-delivery-id"), one.on_time(one.said("x-mlflow-timestamp"))
    given = one.said("x-mlflow-signature").split()
    content = b".".join((delivery.encode(), stamp.encode(), one.body))
    one.fits((part[3:] for part in given if part.startswith("v1,")), content)
    return Stamp(delivery=delivery)


def _grafana(one: _Signed) -> Stamp:
    """HMAC-SHA256 of the body, or of time, colon and body, hexadecimal; without a signature, the token."""
    given = one.headers.get(one.hook.header.lower())
    if given is None:
        return _token(one)
    before = one.on_time(one.said(one.hook.stamp.lower())).encode() + b":" if one.hook.stamp else b""
    one.fits([given], before + one.body)
    return Stamp()


def _token(one: _Signed) -> Stamp:
    """The secret itself: as a bearer token, as `user:password` of basic access, or alone."""
    whole = one.said("authorization")
    scheme, _, rest = whole.partition(" ")
    given = (rest if scheme.lower() in ("bearer", "geniekey") else whole).encode()
    if scheme.lower() == "basic":
        given = _from_base64(rest)
    if not sum(hmac.compare_digest(given, want.encode()) for want in one.secrets):
        raise Unsigned("no token fits")
    return Stamp()


def _generic(one: _Signed) -> Stamp:
    """A Standard Webhook, or the token."""
    return _standard(one) if any(f"{name}-signature" in one.headers for name in SVIX) else _token(one)


_SCHEMES: Mapping[Vendor, Callable[[_Signed], Stamp]] = {
    "pagerduty": _pagerduty,
    "opsgenie": _token,
    "jira_service_management": _token,
    "incident_io": _standard,
    "alertmanager": _token,
    "grafana": _grafana,
    "mlflow": _mlflow,
    "generic": _generic,
}
