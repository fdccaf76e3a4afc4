"""Erasure: of a person through the customer's journey, whose state and runs name them; of a customer whose journey is over. The tables
at once, in one transaction; the engine after it, tried again by a batch for as long as it takes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from activities.frame.effects import JournalRow, write_journal
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Activities, Performer, Unit
from activities.holds.hold_rows import lock_account
from activities.journey import erased_runs, erasing_rows
from activities.journey.erased_runs import CannotFinishError
from activities.journey.erasing_rows import Gone, Whom
from activities.kernel.clock import present
from activities.kernel.heartbeats import heartbeats
from activities.kernel.pool import Connection, Pool
from activities.kernel.queries import Column, Query, Value
from activities.mail.keys import load_signing
from domain.frame.batches import Batch, BatchCall, BatchReport
from domain.frame.calls import RequestCall
from domain.frame.state import Outcome
from domain.journey.erasures import (
    NOT_YET,
    UNKNOWN_PERSON,
    Certificate,
    ErasedRun,
    ErasedWord,
    FoundAgain,
)
from domain.journey.requests import ErasePerson
from domain.journey.traces import Traces
from domain.kernel.ids import case_workflow_id, journey_id
from domain.kernel.refusals import UNKNOWN_ACCOUNT, MendableError, Refusal
from domain.kernel.requests import read_request
from domain.mail.signing import Keys

_log = logging.getLogger(__name__)
_open_cases = Column[str](
    "select case_id from service_case where account_id = $1 and ($2::text is null or contact_id = $2)"
    " and status not in ('closed', 'merged', 'cancelled') order by case_id"
)
_cases = Column[str]("select case_id from service_case where account_id = $1 order by case_id")
_others = Column[str]("select contact_id from contact where account_id = $1 and contact_id <> $2 order by contact_id")
_merged_customers = Column[str](
    "select account_id from account a where merged_into = $1"
    " and not exists (select from erasure e where e.account_id = a.account_id and e.contact_id is null) order by account_id"
)
_merged_people = Query(
    "with called as (select account_id, contact_id, lower(email) as email from contact"
    " union select account_id, contact_id, lower(email) from gone_contact"
    " union select account_id, contact_id, lower(contact->>'email') from service_case where contact_id is not null)"
    " select distinct c.account_id, c.contact_id from called c join account a using (account_id)"
    " where a.merged_into = $1 and c.email <> 'erased'"
    " and c.email in (select email from called where account_id = $1 and contact_id = $2)"
    " order by c.account_id, c.contact_id"
)
_standing = Query("select closed_at from account where account_id = $1")
_owed = Column[str](
    "select i.number::text from invoice i left join invoice_payment y using (invoice_id) where i.account_id = $1"
    " and y.status is distinct from 'paid' and i.total - credited_of(i) - paid_of(i) > 0"
    " and (y.status = 'overdue' or exists (select from payment p where p.account_id = $1)) order by i.number"
)
_claims = Column[str](
    "select claim_id from refund_claim where account_id = $1 and status = 'waiting' order by claim_id"
)
_figures = (
    "orders: select count(*) from sales_order where account_id = $1",
    "contracts: select count(*) from contract where account_id = $1",
    "assets: select count(*) from asset where account_id = $1",
    "invoices: select count(*) from invoice where account_id = $1",
    "invoiced: select string_agg(total || ' ' || currency, ', ' order by currency)"
    " from (select currency, sum(total) as total from invoice where account_id = $1 group by currency) i",
    "credited: select string_agg(total || ' ' || currency, ', ' order by currency)"
    " from (select currency, sum(total) as total from credit_memo where account_id = $1 group by currency) c",
    "paid: select string_agg(total || ' ' || currency, ', ' order by currency)"
    " from (select currency, sum(amount) as total from payment where account_id = $1 group by currency) p",
    "cases: select count(*) from service_case where account_id = $1",
    "days of usage: select count(*) from usage_day where account_id = $1",
    "lines of the journal: select count(*) from journal where account_id = $1",
)
"""What stays: figures by their names."""
FIGURES = {name: Value[int | str | None](text) for name, _, text in (one.partition(": ") for one in _figures)}


class Erasing(Activities):
    """What is erased by request, and what the batch finishes."""

    def __init__(self, performer: Performer, pool: Pool, temporal: Client) -> None:
        super().__init__(performer)
        self._pool = pool
        self._temporal = temporal

    @activity.defn
    async def erase_person(self, call: RequestCall) -> Outcome:
        """A person goes from the tables; the journey forgets what it was told in words, and its runs so far are deleted after it."""
        async with business_errors():
            request = read_request(ErasePerson, call.body)
            unit = Unit.of_request(call, request, "relationship")
            async with self._performer.begin(unit) as work:
                if work.before is not None:
                    return work.before
                whom = Whom(call.account_id, request.contact_id)
                gone = await erase(work.connection, whom, present(), request.by)
                line = JournalRow(
                    unit.key, call.as_of, unit.stage, "person_erased", f"Contact {request.contact_id} was erased", {}
                )
                await write_journal(work.connection, call.account_id, [line])
                answer = {
                    "erasure_id": whom.erasure_id,
                    "contact_id": request.contact_id,
                    "cells": sum(gone.cells.values()),
                }
                drop = f"address_rejected:{request.contact_id}"
                return await work.record(Outcome(answer=answer, attention={drop: None}, erased=request.contact_id))

    @activity.defn(name=Batch.ERASE.value)
    async def erase(self, call: BatchCall) -> BatchReport:
        """Has the engine forget whom the tables have forgotten, of every erasure that is not over."""
        async with business_errors(), heartbeats():
            async with self._pool.acquire() as connection:
                waiting = await erasing_rows.erasures_not_over(connection)
            return await finish_each(self._pool, self._temporal, [row["erasure_id"] for row in waiting])


async def finish_each(pool: Pool, temporal: Client, erasure_ids: Sequence[str]) -> BatchReport:
    """One that cannot go on stops no other: it is counted and logged if somebody can mend it, and else raised when all were tried."""
    counts, wrong = {"over": 0, "waiting": 0, "stuck": 0}, list[Exception]()
    for erasure_id in erasure_ids:
        try:
            done = await finish(pool, temporal, erasure_id)
            counts["waiting" if done is None else "over"] += 1
        except MendableError as error:
            counts["stuck"] += 1
            _log.warning("erasure %s cannot go on: %s", erasure_id, error)
        except Exception as error:
            wrong.append(error)
    if wrong:
        raise wrong[0]
    return BatchReport(counts=counts)


async def erase(connection: Connection, whom: Whom, at: datetime, by: str, words: Sequence[ErasedWord] = ()) -> Gone:
    """Takes somebody out of all tables, in the transaction of `connection`. words: the digests of a certificate, where the tables may
    know nothing of the erasure. Raises `Refusal` while something is open with them."""
    if await lock_account(connection, whom.account_id) is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {whom.account_id!r} is not on record")
    before = await erasing_rows.find_erasure(connection, whom.erasure_id)
    await _check(connection, whom, known=bool(before or words))
    keys, key = await load_signing(connection)
    traces = await erasing_rows.traces_of(connection, whom)
    words = _of_keys(words, keys, traces)
    if said := [*words, *(erasing_rows.read_words(before[0]) if before else ())]:
        traces = FoundAgain(said, keys, ids_of(whom), traces)
    gone = await erasing_rows.erase_rows(connection, whom, traces, at)
    await erasing_rows.record_erasure(connection, whom, traces, gone, at, by, key, words)
    return gone


def _of_keys(words: Sequence[ErasedWord], keys: Keys, traces: Traces) -> list[ErasedWord]:
    """The digests that can be looked for: a backup from before a key knows nothing of it, but still names whom they are of. Raises
    `Refusal` where nothing names them."""
    known = [word for word in words if word.key in keys]
    if words and not (known or traces.names or traces.addresses):
        said = f"signing key {words[0].key}, which made the digests of the certificate, is not on record"
        raise Refusal(
            NOT_YET, f"{said}, and nothing else tells how they were called: restore a backup that has that key"
        )
    return known


async def _check(connection: Connection, whom: Whom, *, known: bool) -> None:
    """Refuses what cannot go yet, in words that say what to do first."""
    first: list[str] = []
    if cases := await _open_cases(connection, whom.account_id, whom.contact_id):
        first.append(f"close {'case' if len(cases) == 1 else 'cases'} {', '.join(cases[:5])}")
    if not known and whom.contact_id and not await erasing_rows.is_known(connection, whom.account_id, whom.contact_id):
        there = ", ".join(await _others(connection, whom.account_id, whom.contact_id)) or "none"
        said = f"account {whom.account_id!r} has no contact {whom.contact_id!r}; its contacts: {there}"
        raise Refusal(UNKNOWN_PERSON, said)
    first += await _of_merged(connection, whom)
    if whom.contact_id is None or not (await _standing(connection, whom.account_id))[0]["closed_at"]:
        first += await _of_journey(connection, whom)
    if first:
        who = f"contact {whom.contact_id}" if whom.contact_id else f"customer {whom.account_id}"
        raise Refusal(NOT_YET, f"{who} cannot be erased yet: {'; '.join(first)}; then ask again")


async def _of_merged(connection: Connection, whom: Whom) -> list[str]:
    """What stands under accounts that became part of this one goes first, by its own ids."""
    if whom.contact_id is None:
        merged = await _merged_customers(connection, whom.account_id)
        return [f"erase customer {one}, which was merged into it (`perennial erase customer {one}`)" for one in merged]
    people = await _merged_people(connection, whom.account_id, whom.contact_id)
    asked = [f"{row['account_id']} {row['contact_id']}" for row in people]
    return [f"erase them where they came from by a merge (`perennial erase person {one}`)" for one in asked]


async def _of_journey(connection: Connection, whom: Whom) -> list[str]:
    account_id = whom.account_id
    if whom.contact_id is not None:
        if await _others(connection, account_id, whom.contact_id):
            return []
        return ["nobody would be left to write to, so name another contact (change_contacts), or close the journey"]
    first = []
    if numbers := await _owed(connection, account_id):
        first.append(f"book what is owed for invoice {', '.join(numbers[:5])} (`book_payment`), or credit it")
    if claims := await _claims(connection, account_id):
        first.append(f"decide about claim {', '.join(claims[:5])}")
    if (await _standing(connection, account_id))[0]["closed_at"] is None:
        first.append(f"close the journey (`perennial journey ask {account_id} close_journey reason=…`)")
    return first


async def finish(pool: Pool, temporal: Client, erasure_id: str, files: int = 0) -> Certificate | None:
    """Has the engine forget somebody, and issues the certificate; null while some run still names them, or the engine is away.

    Raises:
        CannotFinishError: somebody has to do something first; nothing more was deleted.
    """
    async with pool.acquire() as connection:
        row = next(iter(await erasing_rows.find_erasure(connection, erasure_id)))
        keys, _ = await load_signing(connection)
        ids = await case_runs(connection, row["account_id"])
    if row["over_at"] is not None:
        return Certificate.model_validate(row["certificate"])
    look = _Look(temporal, row["account_id"], row["contact_id"], found_again_of(row, keys), ids)
    try:
        if not await _forget(pool, look, erasure_id):
            return None
        async with pool.acquire() as connection, connection.transaction():
            return await _certify(connection, look, erasure_id, files)
    except (RPCError, TimeoutError):
        return None


async def case_runs(connection: Connection, account_id: str) -> list[str]:
    """The workflows of an account's cases."""
    return [case_workflow_id(case_id) for case_id in await _cases(connection, account_id)]


@dataclass(frozen=True)
class _Look:
    """Where the engine is looked through for somebody."""

    temporal: Client
    account_id: str
    contact_id: str | None
    traces: FoundAgain
    case_runs: list[str]

    async def runs(self) -> erased_runs.Forgotten:
        """What the engine knows of them."""
        traces = None if self.contact_id is None else self.traces
        return await erased_runs.look_for_runs(self.temporal, self.account_id, traces, self.case_runs)


async def _forget(pool: Pool, look: _Look, erasure_id: str) -> bool:
    """Deletes what is over, and throws its keys away; false while some run still names them."""
    temporal, account_id = look.temporal, look.account_id
    found = await look.runs()
    await erased_runs.check_keys(temporal, account_id, found.gone)
    async with pool.acquire() as connection:  # before they are gone, so that none is left out of the certificate
        await connection.execute(_RUNS, erasure_id, [run.model_dump() for run in found.gone])
    await erased_runs.forget_runs(temporal, account_id, found.gone, look.case_runs)
    thrown = found.over()
    if look.contact_id is None:
        thrown += [journey_id(account_id), *look.case_runs]
    if keys := await erased_runs.throw_keys_away(temporal, sorted(set(thrown))):
        async with pool.acquire() as connection:
            await connection.execute(_KEYS, erasure_id, keys)
    return not found.left


async def _certify(connection: Connection, look: _Look, erasure_id: str, files: int) -> Certificate | None:
    """Signs what tables and engine show once more, while nobody else finishes or reopens this erasure; null if a run came meanwhile."""
    row = next(iter(await _open(connection, erasure_id)), None)
    if row is None:
        return None  # another process was faster: its certificate is found at the next look
    whom = Whom(look.account_id, look.contact_id)
    if left := await erasing_rows.left_of(connection, whom, look.traces):
        columns = ", ".join(sorted(left))
        raise CannotFinishError(f"{erasure_id}: {columns} names them again; erase them once more")
    found = await look.runs()
    if found.gone or found.left:
        return None
    _, key = await load_signing(connection)
    figures = [(name, await figure(connection, look.account_id)) for name, figure in FIGURES.items()]
    cells = dict(row["cells"])
    search, mails, keys = (cells.pop(name, 0) for name in ("search", "mails", "keys"))
    certificate = Certificate(
        erasure_id=erasure_id,
        account_id=look.account_id,
        contact_id=look.contact_id,
        at=row["at"],
        by=row["by"],
        over_at=present(),
        cells=dict(sorted(cells.items())),
        search_pieces=search,
        mails=mails,
        files=files,
        runs=[ErasedRun.model_validate(one) for one in row["runs"]],
        keys=keys,
        kept={name: str(value) for name, value in figures if value},
        words=erasing_rows.read_words(row),
        key=key.number,
    ).signed(key)
    await connection.execute(_OVER, erasure_id, certificate.over_at, certificate.model_dump(mode="json"))
    return certificate


_open = Query("select * from erasure where erasure_id = $1 and over_at is null for update")
_RUNS = (
    "update erasure set runs = runs || (select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements($2::jsonb) r"
    " where not runs @> jsonb_build_array(r)) where erasure_id = $1"
)
_KEYS = (
    "update erasure set cells = cells || jsonb_build_object('keys', coalesce((cells->>'keys')::int, 0) + $2::int)"
    " where erasure_id = $1"
)
_OVER = "update erasure set over_at = $2, certificate = $3 where erasure_id = $1 and over_at is null"


def found_again_of(row: dict[str, Any], keys: Keys) -> FoundAgain:
    """What finds somebody again, by an erasure on record. Raises CannotFinishError if a key is missing."""
    whom = Whom(row["account_id"], row["contact_id"])
    return found_by(whom, erasing_rows.read_words(row), keys)


def found_by(whom: Whom, words: Sequence[ErasedWord], keys: Keys) -> FoundAgain:
    """What finds somebody again, by digests. Raises CannotFinishError if a key is missing."""
    try:
        return FoundAgain(words, keys, ids_of(whom))
    except LookupError as error:
        raise CannotFinishError(f"{whom.erasure_id} cannot be looked for: {error.args[0]}") from error


def ids_of(whom: Whom) -> tuple[str, ...]:
    """The ids of whom an erasure is of: they stay."""
    return tuple(one for one in (whom.account_id, whom.contact_id) if one is not None)


async def found_again(connection: Connection, certificate: Certificate, keys: Keys) -> list[str]:
    """Where something of somebody who was erased stands again, by table and column."""
    whom = Whom(certificate.account_id, certificate.contact_id)
    traces = found_by(whom, certificate.words, keys)
    left = await erasing_rows.left_of(connection, whom, traces)
    return [f"{column} ({count})" for column, count in sorted(left.items())]
