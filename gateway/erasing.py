"""Erasure as people ask for it: foreseen, done, finished, checked, and done again after a backup was restored. Admins only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.journey import erasing, erasing_rows
from activities.journey.erased_runs import CannotFinishError, names_in, runs_of
from activities.journey.erasing_rows import Whom
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from activities.mail.keys import load_signing
from domain.frame.access import Principal, WriteAct, require_act
from domain.journey.erasures import Certificate, ErasedWord, FoundAgain
from domain.journey.requests import ErasePerson
from domain.kernel.refusals import MendableError
from domain.kernel.requests import read_request
from gateway.acting import new_request_id, noted, of_account
from gateway.client import PerennialClient
from gateway.entity import MayBeGone

UNFINISHED = 0.5
"""Seconds between two looks whether the engine has forgotten somebody."""


class _NotReallyError(Exception):
    """Ends a transaction that was only to be looked at."""


@dataclass(frozen=True)
class Foreseen:
    """What an erasure would take: cells by table and column, pieces of the search, our mails that lose their words, and the runs whose
    histories are deleted, by the ids of their workflows; `doubtful`: what may name them and is left, by table and column."""

    cells: Mapping[str, int]
    search_pieces: int
    mails: int
    runs: Mapping[str, int]
    doubtful: Mapping[str, int] = field(default_factory=dict)


class Erasures:
    """Erasures by one door."""

    def __init__(self, client: PerennialClient, pool: Pool, door: str) -> None:
        self._client = client
        self._temporal: Client = client.temporal
        self._pool = pool
        self._door = door

    async def foresee(self, whom: Whom) -> Foreseen:
        """What would go; nothing is changed. Raises `Refusal` as the erasure itself does."""
        gone, cases = erasing_rows.Gone(), list[str]()
        async with self._pool.acquire() as connection:
            try:
                async with connection.transaction():
                    gone = await erasing.erase(connection, whom, present(), "nobody")
                    cases = await erasing.case_runs(connection, whom.account_id)
                    raise _NotReallyError
            except _NotReallyError:
                pass
        runs: dict[str, int] = {}
        async for run in runs_of(self._temporal, whom.account_id, cases):
            runs[run.id] = runs.get(run.id, 0) + 1
        doubtful = dict(sorted(gone.doubtful.items()))
        return Foreseen(dict(sorted(gone.cells.items())), gone.search_pieces, gone.mails, runs, doubtful)

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
            by_journey = whom.contact_id is not None and await self._goes_on(whom.account_id)
            if again is not None or not by_journey:  # of digests the journey knows nothing
                async with self._pool.acquire() as connection, connection.transaction():
                    await erasing.erase(connection, whom, present(), who.by, again or ())
            if by_journey:
                read_request(ErasePerson, asked)
                await self._client.ask(whom.account_id, "erase_person", asked)
        return whom.erasure_id

    async def _goes_on(self, account_id: str) -> bool:
        with MayBeGone():
            return await self._client.is_running(account_id)
        return False  # nor is its history there any more

    async def finish(self, erasure_id: str, within: float = 0.0, files: int = 0) -> Certificate | None:
        """The certificate once the engine has forgotten them too, waited for so many seconds; null if the batch will have to.

        Raises:
            CannotFinishError: somebody has to do something before anybody can.
        """
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
        return erasing.found_again_of(row, keys)

    async def check(self, certificate: Certificate) -> list[str]:
        """What speaks against a certificate: it was changed, or something of whom it is of is back, in tables or histories."""
        async with self._pool.acquire() as connection:
            keys, _ = await load_signing(connection)
            if not certificate.is_true(keys):
                return [f"the certificate is not as it was signed, or signing key {certificate.key} is not on record"]
            try:
                traces = erasing.found_by(Whom(certificate.account_id, certificate.contact_id), certificate.words, keys)
            except CannotFinishError as error:
                return [str(error)]
            back = await erasing.found_again(connection, certificate, keys)
            cases = await erasing.case_runs(connection, certificate.account_id)
        found = [f"{column} names them again" for column in back]
        return [*found, *await self._in_histories(certificate, traces, cases)]

    async def _in_histories(self, certificate: Certificate, traces: FoundAgain, cases: Sequence[str]) -> list[str]:
        whole = certificate.contact_id is None
        try:
            return [
                f"run {run.run_id} of {run.id} names them"
                async for run in runs_of(self._temporal, certificate.account_id, cases)
                if (whole and run.status is WorkflowExecutionStatus.RUNNING)
                or await names_in(self._temporal, run, traces)
            ]
        except (RPCError, MendableError) as error:
            return [f"the histories could not be looked through: {error}"]
