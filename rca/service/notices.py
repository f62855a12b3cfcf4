"""Notices of a report, or of a dead letter: webhook (Standard Webhooks), Slack-compatible, e-mail.

Each channel is told once of each report, with an id that stays the same where a notice has to be sent again.
"""

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from rca.errors import InvalidCase
from rca.service.configuration import Notice, told

PATIENCE = 10.0
"""Seconds that a receiver of notices may take."""

TRIES = 8
"""How often a notice is tried."""

SLACK = 3_000
"""Letters of a text for Slack."""


class Undelivered(Exception):
    """A notice that did not arrive, with the reason; no secret is in it."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler())


def content(owed: Mapping[str, Any], link: str | None) -> dict[str, Any]:
    """What a notice says: the verdict and the brief, or why there is no report."""
    where = link.replace("{case}", owed["case_id"]) if link else None
    if owed["gone"]:
        return {"type": "rca.dead", "case": owed["case_id"], "reason": owed["reason"]}
    outcome = json.loads(owed["outcome"])
    keys = ("title", "digest", "verdict", "brief")
    return {"type": "rca.report", "case": owed["case_id"], "report": where, **{key: outcome.get(key) for key in keys}}


def text_of(said: Mapping[str, Any]) -> tuple[str, str]:
    """A notice as a line and a text."""
    if said["type"] == "rca.dead":
        return f"No report on {said['case']}", str(said["reason"])
    verdict = said.get("verdict") or {}
    head = f"{said.get('title') or said['case']}: {str(verdict.get('status', 'reported')).replace('_', ' ')}"
    parts = [verdict.get("summary", ""), said.get("report") or f"report: {said['case']}", said.get("brief") or ""]
    return head, "\n\n".join(part for part in parts if part)


def send(notice: Notice, said: Mapping[str, Any], *, name: str) -> None:
    """Send a notice.

    Parameters
    ----------
    notice : Notice
    said : mapping
        As `content` gives it.
    name : str
        Its id.

    Raises
    ------
    Undelivered
    """
    try:
        _SENDS[notice.kind](notice, said, name)
    except urllib.error.HTTPError as error:
        raise Undelivered(f"answered {error.code}") from None
    except (OSError, smtplib.SMTPException, InvalidCase, ValueError) as error:
        raise Undelivered(type(error).__name__) from None  # its text may name a secret address


def _webhook(notice: Notice, said: Mapping[str, Any], name: str) -> None:
    body = json.dumps(said).encode()
    headers = {"webhook-id": name, "webhook-timestamp": str(int(time.time()))}
    if notice.secret:
        headers["webhook-signature"] = signature(notice.secret.read(), headers, body)
    _post(str(told(notice.url)), body, headers)


def signature(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """The signature of a Standard Webhook; a secret that begins with `whsec_` is base 64 from there on."""
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    covered = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, covered, hashlib.sha256).digest()).decode()


def _slack(notice: Notice, said: Mapping[str, Any], _: str) -> None:
    head, text = text_of(said)
    safe = f"{head}\n{text}"[:SLACK].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    _post(str(told(notice.url)), json.dumps({"text": safe}).encode(), {})


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    if not url.startswith(("https://", "http://")):
        raise ValueError("no address of the web")
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})  # noqa: S310
    with _OPENER.open(asked, timeout=PATIENCE):
        pass


def _mail(notice: Notice, said: Mapping[str, Any], name: str) -> None:
    head, text = text_of(said)
    message = EmailMessage()
    message["From"], message["To"] = str(notice.sender), ", ".join(notice.to)
    message["Subject"] = " ".join(head.split())[:200]
    message["Message-ID"] = f"<{name}@rca.invalid>"
    message.set_content(text)
    with smtplib.SMTP(notice.server, notice.port, timeout=PATIENCE) as server:
        if notice.starttls:
            server.starttls(context=ssl.create_default_context())
        if notice.user and notice.secret:
            server.login(notice.user, notice.secret.read())
        server.send_message(message)


_SENDS = {"webhook": _webhook, "slack": _slack, "smtp": _mail}
