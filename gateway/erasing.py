"""Erasure as people ask for it: foreseen, done, finished, checked, and done again after a backup was restored. Admins only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.journey import erasing, erasing_rows
from activities.journey.erased_runs import names_in, runs_of
from activities.journey.erasing_rows import Whom
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.mail.keys import load_signing
from domain.frame.access import Principal, WriteAct, require_act
from domain.journey.erasures import Certificate, ErasedWord, FoundAgain
from domain.journey.requests import ErasePerson
from domain.journey.traces import Traces
from domain.kernel.requests import read_request
from gateway.acting import new_request_id, noted, of_account
from gateway.client import PerennialClient

UNFINISHED = 0.5
"""Seconds between two looks whether the engine has forgotten somebody."""


class _NotReallyError(Exception):
    """Ends a transaction that was only to be looked at."""


@dataclass(frozen=True)
class Foreseen:
    """What an erasure would take: cells by table and column, pieces of the search, our mails that lose their words, and the runs whose
    histories are deleted, by the ids of their workflows."""

    cells: Mapping[str, int]
    search_pieces: int
    mails: int
    runs: Mapping[str, int]


class Erasures:
    """Erasures by one door."""

    def __init__(self, client: PerennialClient, pool: Pool, door: str) -> None:
        self._client = client
        self._temporal: Client = client.temporal
        self._pool = pool
        self._door = door

    async def foresee(self, whom: Whom) -> Foreseen:
        """What would go; nothing is changed. Raises `Refusal` as the erasure itself does."""
        gone = erasing_rows.Gone()
        async with self._pool.acquire() as connection:
            try:
                async with connection.transaction():
                    gone = await erasing.erase(connection, whom, present(), "nobody")
                    raise _NotReallyError
            except _NotReallyError:
                pass
        runs: dict[str, int] = {}
        async for run in runs_of(self._temporal, whom.account_id):
            runs[run.id] = runs.get(run.id, 0) + 1
        return Foreseen(dict(sorted(gone.cells.items())), gone.search_pieces, gone.mails, runs)

    async def erase(
        self, who: Principal, whom: Whom, reason: str = "", *, again: Sequence[ErasedWord] | None = None
    ) -> str:
        """Takes somebody out of the tables, by the customer's journey while it runs; the id of the erasure. again: the digests of a
        certificate, after a backup was restored which may know nothing of the erasure, or of them.

        Raises:
            Refusal: NotAllowed, UnknownAccount, UnknownPerson; NotYetErasable, which says what is to be done first.
        """
        require_act(who, WriteAct.ERASE)
        request_id = new_request_id()
        asked = {"contact_id": whom.contact_id, "reason": reason, "by": who.by, "request_id": request_id}
        about = of_account(whom.account_id)
        async with noted(self._pool, self._door, who, about, WriteAct.ERASE, request_id, reason):
            if again is not None:
                await self._remember(whom, who.by, again)
            if whom.contact_id is not None and await self._client.is_running(whom.account_id):
                read_request(ErasePerson, asked)
                await self._client.ask(whom.account_id, "erase_person", asked)
            else:
                async with self._pool.acquire() as connection, connection.transaction():
                    await erasing.erase(connection, whom, present(), who.by)
        return whom.erasure_id

    async def _remember(self, whom: Whom, by: str, words: Sequence[ErasedWord]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if not await erasing_rows.find_erasure(connection, whom.erasure_id):
                _, key = await load_signing(connection)
                gone = erasing_rows.Gone()
                await erasing_rows.record_erasure(connection, whom, Traces(), gone, present(), by, key, words)

    async def finish(self, erasure_id: str, within: float = 0.0, files: int = 0) -> Certificate | None:
        """The certificate once the engine has forgotten them too, waited for so many seconds; null if the batch will have to."""
        waited = 0.0
        while True:
            found = await erasing.finish(self._pool, self._temporal, erasure_id, files)
            if found is not None or waited >= within:
                return found
            await asyncio.sleep(UNFINISHED)
            waited += UNFINISHED

    async def words_of(self, erasure_id: str) -> FoundAgain:
        """What finds somebody's names again, in files."""
        async with self._pool.acquire() as connection:
            row = (await erasing_rows.find_erasure(connection, erasure_id))[0]
            keys, _ = await load_signing(connection)
        return FoundAgain(erasing_rows.read_words(row), keys, erasing.ids_of(row))

    async def check(self, certificate: Certificate) -> list[str]:
        """What speaks against a certificate: it was changed, or something of whom it is of is back, in tables or histories."""
        async with self._pool.acquire() as connection:
            keys, _ = await load_signing(connection)
            if not certificate.is_true(keys):
                return [f"the certificate is not as it was signed, or signing key {certificate.key} is not on record"]
            found = [f"{column} names them again" for column in await self._in_tables(connection, certificate, keys)]
        return [*found, *await self._in_histories(certificate, keys)]

    async def _in_tables(self, connection: Connection, certificate: Certificate, keys: Any) -> list[str]:
        return await erasing.found_again(connection, certificate, keys)

    async def _in_histories(self, certificate: Certificate, keys: Any) -> list[str]:
        traces = FoundAgain(certificate.words, keys, erasing.ids_of(certificate.model_dump()))
        whole = certificate.contact_id is None
        try:
            return [
                f"run {run.run_id} of {run.id} names them"
                async for run in runs_of(self._temporal, certificate.account_id)
                if (whole and run.status is WorkflowExecutionStatus.RUNNING)
                or await names_in(self._temporal, run, traces)
            ]
        except RPCError as error:
            return [f"the histories could not be looked through: {error}"]
