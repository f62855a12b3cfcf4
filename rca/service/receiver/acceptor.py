"""Acceptance of deliveries: one writer, which puts what came meanwhile on disk together."""

import asyncio

from rca.service.ledger import Ledger, Row


class Acceptor:
    """Writes rows to the ledger, many in one transaction when many come; each is answered after it is on disk."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._waiting: list[tuple[Row, asyncio.Future[tuple[str, bool]]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def accept(self, row: Row) -> tuple[str, bool]:
        """The id of the row that is on disk now, and whether it is new.

        Raises
        ------
        sqlite3.Error
            If it cannot be written.
        """
        future: asyncio.Future[tuple[str, bool]] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                answers = await asyncio.to_thread(self.ledger.accept, [row for row, _ in taken])
            except Exception as error:  # noqa: BLE001  (whoever waits is told, and the writer goes on)
                for _, future in taken:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(taken, answers, strict=True):
                if not future.done():  # its client has gone, and the row stays
                    future.set_result(answer)
