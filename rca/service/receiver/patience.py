"""How much a sender may take: deliveries a second, bytes, and seconds for a request to be there whole."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any


class TooMuch(Exception):
    """A body that is larger than allowed."""


class Rate:
    """Token bucket of each hook: `burst` deliveries at once, `rate` a second in the long run.

    >>> now = iter([0.0, 0.0, 0.0, 1.0])
    >>> rate = Rate(rate=1.0, burst=2, clock=lambda: next(now))
    >>> [rate.wait("a") for _ in range(4)]
    [0, 0, 1, 0]
    """

    def __init__(self, *, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self.clock = rate, burst, clock
        self._held: dict[str, tuple[float, float]] = defaultdict(lambda: (float(burst), -math.inf))

    def wait(self, hook: str) -> int:
        """Seconds to wait before another delivery; 0 where this one may come."""
        held, before = self._held[hook]
        now = self.clock()
        held = min(float(self.burst), held + (now - before) * self.rate)
        if held < 1:
            self._held[hook] = held, now
            return math.ceil((1 - held) / self.rate)
        self._held[hook] = held - 1, now
        return 0


async def whole(stream: AsyncIterator[bytes], *, length: str | None, most: int, seconds: float) -> bytes:
    """The body of a request.

    Raises
    ------
    TooMuch
        If it is, or says it is, larger than `most` bytes.
    TimeoutError
        If it is not there in time.
    """
    if length and (not length.isascii() or not length.isdigit() or len(length) > 15 or int(length) > most):
        raise TooMuch
    found = bytearray()
    async with asyncio.timeout(seconds):
        async for part in stream:
            found += part
            if len(found) > most:
                raise TooMuch
    return bytes(found)


def impatient(seconds: float) -> type[asyncio.Protocol]:
    """The protocol of uvicorn, which also cuts whoever sends the head of a request too slowly."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Impatient(H11Protocol):
        """Closes a connection on which no request begins in time."""

        late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._expect(begun=False)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._expect(begun=_busy(self) or not self.conn.trailing_data[0])  # what is there of the next head

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect(begun=True)
            super().connection_lost(exc)

        def _expect(self, *, begun: bool) -> None:
            """Wait for the head of a request, from its first byte on, or no more."""
            if begun and self.late is not None:
                self.late.cancel()
                self.late = None
            elif not begun and self.late is None:
                self.late = self.loop.call_later(seconds, self._cut)

        def _cut(self) -> None:
            self.late = None
            if not _busy(self):
                self.transport.close()

    return Impatient


def _busy(connection: Any) -> bool:
    """Whether a request is being answered."""
    return connection.cycle is not None and not connection.cycle.response_complete
