"""Of the rows of a customer what is somebody's goes, and what is somebody else's or names a thing stays as it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from activities.journey import erasing_rows
from activities.journey.erasing_rows import Gone, Whom
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of

LI = {"contact_id": "P-1", "name": "Li Na", "email": "li@acme.example", "phone": "+49 30 1234567"}
JET = {"contact_id": "P-2", "name": "Jet Li", "email": "jet.li@acme.example", "phone": "+49 30 1234567"}
SHARED = {"contact_id": "P-3", "name": "Max Fuji", "email": "info@acme.example"}


@asynccontextmanager
async def _undone(servers: Servers) -> AsyncIterator[Connection]:
    """A transaction of which nothing stays."""
    async with servers.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield connection
        finally:
            await transaction.rollback()


async def _customer(servers: Servers) -> str:
    document = order()
    domain = f"{account_of(document)}.example".lower()  # an address that another account has, too, may be theirs
    document["contacts"] = [{**one, "email": one["email"].replace("acme.example", domain)} for one in (LI, JET, SHARED)]
    await servers.client.place_order(document)
    return account_of(document)


async def _erased(connection: Connection, account: str, contact_id: str) -> Gone:
    whom = Whom(account, contact_id)
    traces = await erasing_rows.traces_of(connection, whom)
    return await erasing_rows.erase_rows(connection, whom, traces, present())


async def _contact(connection: Connection, account: str, contact_id: str) -> dict[str, Any]:
    names = "name, email, phone, phone_number"
    text = f"select {names} from contact where account_id = $1 and contact_id = $2"
    return dict((await connection.fetch(text, account, contact_id))[0])


async def _mail(connection: Connection, id: str, sender: str) -> None:
    await connection.execute(
        "insert into inbox_message (inbox_id, raw, received_at, status, try_at, sender, subject)"
        " values ($1, $2, now(), 'unknown', now(), $3, 'The lamp')",
        id,
        f"From: {sender}\n\nThe lamp".encode(),
        sender,
    )


async def test_who_stays_is_as_they_were_and_mails_that_nobody_matched_go(servers: Servers) -> None:
    account = await _customer(servers)
    at = f"{account}.example".lower()
    async with _undone(servers) as connection:
        before = await _contact(connection, account, "P-2")
        for id, sender in (("m-1", f"li@{at}"), ("m-2", f"jet.li@{at}")):
            await _mail(connection, f"{account}-{id}", sender)
        await _erased(connection, account, "P-1")
        assert await _contact(connection, account, "P-2") == before
        wanted = "select sender, subject from inbox_message where inbox_id like $1 || '-m-%'"
        left = {row["sender"]: row["subject"] for row in await connection.fetch(wanted, account)}
        assert left == {"erased": "erased", f"jet.li@{at}": "The lamp"}


async def test_an_event_of_nobody_that_names_them_loses_what_names_them(servers: Servers) -> None:
    account = await _customer(servers)
    at = f"{account}.example".lower()
    async with _undone(servers) as connection:
        await connection.execute(
            "insert into event_source (source, mapping, made_at, made_by) values ($1, '{}', now(), 'S-1')", account
        )
        bodies = {"e-1": {"by": f"LI@{at}", "count": 3}, "e-2": {"by": f"jet.li@{at}", "count": 4}}
        for id, body in bodies.items():
            await connection.execute(
                "insert into inbound_event (event_id, source, foreign_id, headers, body, received_at, try_at)"
                " values ($1, $2, $1, '{}', $3, now(), now())",
                f"{account}-{id}",
                account,
                json.dumps(body).encode(),
            )
        await _erased(connection, account, "P-1")
        rows = await connection.fetch("select body from inbound_event where source = $1 order by event_id", account)
        assert [json.loads(row["body"]) for row in rows] == [{"by": "erased", "count": 3}, bodies["e-2"]]


async def test_answers_about_other_accounts_stay(servers: Servers) -> None:
    account = await _customer(servers)
    async with _undone(servers) as connection:
        for key, body in (("k-1", account), ("k-2", f"{account}0"), ("k-3", f"X{account}"), ("k-4", f"{account}.")):
            await connection.execute(
                "insert into kept_answer (actor, key, digest, status, body, kept_at) values ($1, $2, '', 200, $3, now())",
                account,
                key,
                json.dumps({"account_id": body}),
            )
        await _erased(connection, account, "P-1")
        left = await connection.fetch("select key from kept_answer where actor = $1 order by key", account)
        assert [row["key"] for row in left] == ["k-2", "k-3"]


async def test_words_of_ours_stay_in_documents(servers: Servers) -> None:
    account = await _customer(servers)
    at = f"{account}.example".lower()
    outcome = {
        "stage": "Onboarding",
        "step": {"key": "onboarding"},
        "product_code": "Fuji-100",
        "product_kind": "support",
    }
    async with _undone(servers) as connection:
        await connection.execute(
            "update contact set name = 'Support' where account_id = $1 and contact_id = 'P-1'", account
        )
        document = {**outcome, "note": f"Max Fuji asked at info@{at}"}
        changed = "update effect set outcome = $2 where account_id = $1 returning key"
        assert await connection.fetch(changed, account, document)
        await _erased(connection, account, "P-1")
        gone = await _erased(connection, account, "P-3")
        rows = await connection.fetch("select distinct outcome from effect where account_id = $1", account)
        assert [row["outcome"] for row in rows] == [{**outcome, "note": "erased asked at erased"}]
        assert gone.doubtful["effect.outcome"] >= 1
