"""Erasure: of a person through the customer's journey, whose state and runs name them; of a customer whose journey is over. The tables
at once, in one transaction; the engine after it, tried again by a batch for as long as it takes."""

from __future__ import annotations

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
    FoundAgain,
)
from domain.journey.requests import ErasePerson
from domain.kernel.ids import case_workflow_id, journey_id
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from domain.kernel.requests import read_request
from domain.mail.signing import Keys

_open_cases = Column[str](
    "select case_id from service_case where account_id = $1 and ($2::text is null or contact_id = $2)"
    " and status not in ('closed', 'merged', 'cancelled') order by case_id"
)
_cases = Column[str]("select case_id from service_case where account_id = $1 order by case_id")
_others = Column[str]("select contact_id from contact where account_id = $1 and contact_id <> $2 order by contact_id")
_standing = Query("select closed_at, merged_into from account where account_id = $1")
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
            over = 0
            for row in waiting:
                over += await finish(self._pool, self._temporal, row["erasure_id"]) is not None
            return BatchReport(counts={"over": over, "waiting": len(waiting) - over})


async def erase(connection: Connection, whom: Whom, at: datetime, by: str) -> Gone:
    """Takes somebody out of all tables, in the transaction of `connection`. Raises `Refusal` while something is open with them."""
    if await lock_account(connection, whom.account_id) is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {whom.account_id!r} is not on record")
    await _check(connection, whom)
    keys, key = await load_signing(connection)
    traces = await erasing_rows.traces_of(connection, whom)
    if before := await erasing_rows.find_erasure(connection, whom.erasure_id):
        traces = FoundAgain(erasing_rows.read_words(before[0]), keys, ids_of(before[0]), traces)
    gone = await erasing_rows.erase_rows(connection, whom, traces, at)
    await erasing_rows.record_erasure(connection, whom, traces, gone, at, by, key)
    return gone


async def _check(connection: Connection, whom: Whom) -> None:
    """Refuses what cannot go yet, in words that say what to do first."""
    known = bool(await erasing_rows.find_erasure(connection, whom.erasure_id))
    first: list[str] = []
    if cases := await _open_cases(connection, whom.account_id, whom.contact_id):
        first.append(f"close {'case' if len(cases) == 1 else 'cases'} {', '.join(cases[:5])}")
    if not known and whom.contact_id and not await erasing_rows.is_known(connection, whom.account_id, whom.contact_id):
        said = f"account {whom.account_id!r} has no contact {whom.contact_id!r}"
        raise Refusal(UNKNOWN_PERSON, f"{said}; `perennial journey show` lists those there are")
    if whom.contact_id is None or not (await _standing(connection, whom.account_id))[0]["closed_at"]:
        first += await _of_journey(connection, whom)
    if first:
        who = f"contact {whom.contact_id}" if whom.contact_id else f"customer {whom.account_id}"
        raise Refusal(NOT_YET, f"{who} cannot be erased yet: {'; '.join(first)}; then ask again")


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
    """Has the engine forget somebody, and issues the certificate; null while some run still names them, or the engine is away."""
    async with pool.acquire() as connection:
        row = next(iter(await erasing_rows.find_erasure(connection, erasure_id)))
        keys, key = await load_signing(connection)
    traces = None if row["contact_id"] is None else FoundAgain(erasing_rows.read_words(row), keys, ids_of(row))
    account_id, runs = row["account_id"], {one["run_id"]: ErasedRun.model_validate(one) for one in row["runs"]}
    try:
        found = await erased_runs.look_for_runs(temporal, account_id, traces)
        runs |= {run.run_id: run for run in found.gone}
        async with pool.acquire() as connection:  # before they are gone, so that none is left out of the certificate
            await connection.execute(_RUNS, erasure_id, [run.model_dump() for run in runs.values()])
        await erased_runs.forget_runs(temporal, account_id, found.gone)
        thrown = found.over()
        if row["contact_id"] is None:
            async with pool.acquire() as connection:
                thrown += [journey_id(account_id), *map(case_workflow_id, await _cases(connection, account_id))]
        keys_gone = await erased_runs.throw_keys_away(temporal, sorted(set(thrown)))
    except (RPCError, TimeoutError):
        return None
    if found.left:
        return None
    async with pool.acquire() as connection:
        kept = {name: str(value) for name, figure in FIGURES.items() if (value := await figure(connection, account_id))}
        cells = dict(row["cells"])
        search, mails = cells.pop("search", 0), cells.pop("mails", 0)
        certificate = Certificate(
            erasure_id=erasure_id,
            account_id=account_id,
            contact_id=row["contact_id"],
            at=row["at"],
            by=row["by"],
            over_at=present(),
            cells=dict(sorted(cells.items())),
            search_pieces=search,
            mails=mails,
            files=files,
            runs=list(runs.values()),
            keys=keys_gone,
            kept=kept,
            words=erasing_rows.read_words(row),
            key=key.number,
        ).signed(key)
        await connection.execute(_OVER, erasure_id, certificate.over_at, certificate.model_dump(mode="json"))
    return certificate


_RUNS = "update erasure set runs = $2 where erasure_id = $1"
_OVER = "update erasure set over_at = $2, certificate = $3 where erasure_id = $1"


def ids_of(row: dict[str, Any]) -> tuple[str, ...]:
    """The ids of whom an erasure is of: they stay."""
    return tuple(one for one in (row["account_id"], row["contact_id"]) if one is not None)


async def found_again(connection: Connection, certificate: Certificate, keys: Keys) -> list[str]:
    """Where something of somebody who was erased stands again, by table and column."""
    whom = Whom(certificate.account_id, certificate.contact_id)
    traces = FoundAgain(certificate.words, keys, ids_of(certificate.model_dump()))
    left = await erasing_rows.left_of(connection, whom, traces)
    return [f"{column} ({count})" for column, count in sorted(left.items())]
