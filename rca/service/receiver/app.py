"""Receiver of webhooks: signed deliveries in, 202 with an id out; nothing that a payload names is fetched."""

import asyncio
import hmac
import sqlite3
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rca.service.configuration import Configuration, Hook
from rca.service.ledger import Ledger, Row, case_id
from rca.service.receiver.acceptor import Acceptor
from rca.service.receiver.delivery import Unreadable, said
from rca.service.receiver.metrics import Metrics
from rca.service.receiver.patience import Rate, TooMuch, whole
from rca.service.receiver.signatures import Headers, Unsigned, verified

if TYPE_CHECKING:
    from rca.service.store import Store
    from rca.service.sweep import Sweep

LOCAL = ("localhost", "127.0.0.1", "[::1]")

SOON = 5
"""Seconds after which to try again what could not be written, or what there was no room for."""

CLOSE = {"Connection": "close"}

Log = Callable[..., None]


class Receiver:
    """What the routes of the service do."""

    def __init__(
        self, configuration: Configuration, ledger: Ledger, *, store: "Store", sweep: "Sweep", log: Log
    ) -> None:
        self.set, self.ledger, self.store, self.sweep, self.log = configuration, ledger, store, sweep, log
        self.hooks = {hook.name: (hook, tuple(one.read() for one in hook.secret)) for hook in configuration.hooks}
        self.token = configuration.token.read() if configuration.token else None
        self.rate = Rate(rate=configuration.limits.rate, burst=configuration.limits.burst)
        self.acceptor = Acceptor(ledger)
        self.metrics = Metrics(ledger)

    def app(self) -> Starlette:
        """The ASGI application."""
        read = self._for_readers
        routes = [
            Route("/hooks/{name}", self.receive, methods=["POST"]),
            Route("/health", self.health),
            Route("/metrics", read(self.measured)),
            Route("/incidents", read(self.incidents)),
            Route("/incidents/{case}", read(self.incident)),
            Route("/incidents/{case}/cancel", read(self.cancel), methods=["POST"]),
            Route("/search", read(self.search)),
            Route("/", read(self.index)),
            Mount("/reports", _Guarded(self, StaticFiles(directory=self.store.folder, check_dir=False))),
        ]
        hosts = [*LOCAL, self.set.bind, *self.set.hosts]
        guard = Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
        return Starlette(routes=routes, middleware=[guard])

    # --- deliveries --------------------------------------------------------------------------------------------------

    async def receive(self, request: Request) -> Response:
        """Take a delivery."""
        known = self.hooks.get(request.path_params["name"])
        if known is None:
            return self._answer(None, 404, "there is no such hook")
        hook, secrets = known
        if wait := self.rate.wait(hook.name):
            return self._answer(hook, 429, "too many at once", headers={"Retry-After": str(wait), **CLOSE})
        if self.sweep.full:
            return self._answer(hook, 503, "too many incidents wait", headers={"Retry-After": str(SOON), **CLOSE})
        if request.headers.get("content-encoding", "identity") != "identity":
            return self._answer(hook, 415, "a body comes as it is, not packed", headers=CLOSE)
        if not secrets and "json" not in request.headers.get("content-type", ""):
            return self._answer(
                hook, 415, "a hook without a secret takes application/json", headers=CLOSE
            )  # no form of a page
        body = await self._body(hook, request)
        return body if isinstance(body, Response) else await self._taken(known, request.headers, body)

    async def _body(self, hook: Hook, request: Request) -> bytes | Response:
        most, seconds = self.set.limits.body, self.set.limits.read
        try:
            length = request.headers.get("content-length")
            return await whole(request.stream(), length=length, most=most, seconds=seconds)
        except TooMuch:
            return self._answer(hook, 413, f"more than {most} bytes", headers=CLOSE)
        except TimeoutError:
            return self._answer(hook, 408, f"not there after {seconds:g} seconds", headers=CLOSE)

    async def _taken(self, known: tuple[Hook, tuple[str, ...]], headers: Headers, body: bytes) -> Response:
        (hook, secrets), now = known, time.time()
        window = self.set.limits.window
        try:
            stamp = verified(hook, headers, body, secrets=secrets, now=now, window=window)
        except Unsigned:
            return self._answer(hook, 401, "the signature does not fit")
        try:
            told = await asyncio.to_thread(said, hook, body)
        except Unreadable:
            return self._answer(hook, 400, "no JSON")
        if told.ignored:
            self.log("ignored", hook=hook.name, why=told.ignored)
            return self._answer(hook, 200, told.ignored, kind="ignored")
        row = Row(
            id=uuid.uuid4().hex,
            hook=hook.name,
            incident=told.incident,
            state=told.state,
            at=told.at,
            priority=hook.priority,
            delivery=stamp.delivery,
            received=now,
            body=body,
        )
        return await self._written(hook, row)

    async def _written(self, hook: Hook, row: Row) -> Response:
        try:
            name, new = await self.acceptor.accept(row)
        except sqlite3.Error as error:
            self.log("not_written", hook=hook.name, why=str(error))
            return self._answer(hook, 503, "it could not be written", headers={"Retry-After": str(SOON)})
        case = case_id(row.hook, row.incident) if row.incident else None
        self.metrics.delivery(hook.name, "accepted" if new else "repeated")
        self.log("accepted" if new else "repeated", hook=hook.name, delivery=name, case=case, state=row.state)
        return JSONResponse({"id": name, "case": case, "new": new}, status_code=202 if new else 200)

    def _answer(
        self, hook: Hook | None, status: int, why: str, *, headers: dict[str, str] | None = None, kind: str = ""
    ) -> Response:
        self.metrics.delivery(hook.name if hook else "", kind or str(status))
        key = "ignored" if kind else "error"
        return JSONResponse({key: why}, status_code=status, headers=headers)

    # --- readers -----------------------------------------------------------------------------------------------------

    def allowed(self, authorization: str) -> bool:
        """Whether a reader may read: everybody on loopback where there is no token."""
        given = authorization.removeprefix("Bearer ").encode()
        return self.token is None or hmac.compare_digest(given, self.token.encode())

    def _for_readers(self, does: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if not self.allowed(request.headers.get("authorization", "")):
                return JSONResponse({"error": "a token is needed"}, 401, {"WWW-Authenticate": "Bearer"})
            return await asyncio.to_thread(does, request)

        return guarded

    async def health(self, _: Request) -> Response:
        """Whether deliveries can be taken."""
        try:
            await asyncio.to_thread(self.ledger.waiting)
        except sqlite3.Error:
            return JSONResponse({"healthy": False}, 503)
        return JSONResponse({"healthy": not self.sweep.full}, 503 if self.sweep.full else 200)

    def measured(self, _: Request) -> Response:
        """Figures for Prometheus."""
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def incidents(self, _: Request) -> Response:
        """What became of every incident."""
        return JSONResponse([_shown(one) for one in self.ledger.incidents()])

    def incident(self, request: Request) -> Response:
        """What became of an incident."""
        found = self.ledger.incident(request.path_params["case"])
        return JSONResponse(_shown(found) if found else {"error": "no such incident"}, 200 if found else 404)

    def cancel(self, request: Request) -> Response:
        """Do no more for an incident."""
        if "json" not in request.headers.get("content-type", ""):
            return JSONResponse({"error": "application/json is asked for"}, 415)  # no form of a page
        found = self.sweep.cancel(request.path_params["case"])
        return JSONResponse({"cancelled": found}, 200 if found else 404)

    def search(self, request: Request) -> Response:
        """Reports in which words stand; with `like`, those alike."""
        words, like = (request.query_params.get(key, "")[:500] for key in ("q", "like"))
        return JSONResponse(self.store.like(like) if like else self.store.search(words))

    def index(self, request: Request) -> Response:
        """The page over all reports."""
        return HTMLResponse(self.store.page(request.query_params.get("q", "")[:500]))


class _Guarded:
    """Files for readers alone."""

    def __init__(self, receiver: Receiver, files: StaticFiles) -> None:
        self.receiver, self.files = receiver, files

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, as ASGI has it."""
        given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        refused = partial(JSONResponse, {"error": "a token is needed"}, 401, {"WWW-Authenticate": "Bearer"})
        allowed = scope["type"] == "http" and self.receiver.allowed(given)
        await (self.files if allowed else refused())(scope, receive, send)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """What a reader is told of an incident."""
    state = "cancelled" if row["cancelled"] else "dead" if row["dead"] >= row["count"] else (
        "reported" if row["done"] >= row["count"] else "running" if row["task"] else "waiting"
    )  # fmt: skip
    keys = ("case_id", "hook", "incident", "state", "count", "done", "outcome", "reason", "failed", "lost")
    return {**{key: row[key] for key in keys}, "work": state, "report": f"/reports/{row['case_id']}/report.html"}
