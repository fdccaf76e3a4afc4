"""What is forgotten after a time, and what never is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from activities.kernel.clock import present
from activities.kernel.pruning import Keeping, forget
from tests.builders import order
from tests.cases import case, case_client
from tests.conftest import Servers
from tests.e2e.lives import account_of, report_usage

KEEPING = Keeping(timedelta(days=400), timedelta(days=1100), timedelta(days=1100), timedelta(days=300))


async def test_old_events_and_usage_go_and_all_else_stays(servers: Servers) -> None:
    document = order()
    account, pool = account_of(document), servers.pool
    await servers.client.place_order(document)
    await report_usage(servers.client, account, 30)
    now = present()
    event = (
        "insert into outbox (delivery_id, account_id, channel, stage, body, created_at, status, settled_at)"
        " values ($1, $2, $3, '', '{}', $4, $5, $6)"
    )
    for name, channel, status, days in (
        ("old", "deliver_webhook", "sent", 401),
        ("refused", "deliver_webhook", "rejected", 500),
        ("young", "deliver_webhook", "sent", 399),
        ("on-its-way", "deliver_webhook", "waiting", 900),
        ("mail", "deliver_mail", "sent", 900),
    ):
        at = now - timedelta(days=days)
        await pool.execute(event, f"{account}/{name}", account, channel, at, status, at)
    await pool.execute("update usage_day set day = day - 1101 where account_id = $1", account)
    days = await pool.fetchval("select count(*) from usage_day where account_id = $1", account)
    async with pool.acquire() as connection:
        gone = await forget(connection, now, KEEPING, at_once=1)
        assert (gone["events"], gone["days of usage"]) == (2, days - 1)
        assert not any((await forget(connection, now, KEEPING)).values())
    left = await pool.fetch("select delivery_id from outbox where starts_with(delivery_id, $1)", f"{account}/")
    assert {row["delivery_id"].rpartition("/")[2] for row in left} == {"young", "on-its-way", "mail"}


async def test_settled_events_of_others_go_with_their_time_and_what_waits_stays(servers: Servers) -> None:
    pool, now = servers.pool, present()
    await pool.execute(
        "insert into event_source (source, mapping, made_at, made_by) values ('prune', '', now(), 't') on conflict do nothing"
    )
    event = (
        "insert into inbound_event (event_id, source, foreign_id, headers, body, received_at, status, try_at, settled_at)"
        " values ($1, 'prune', $1, '{}', '', $3, $2, $3, $4)"
    )
    for name, status, days in (
        ("prune-done", "done", 301),
        ("prune-ignored", "ignored", 301),
        ("prune-young", "done", 299),
        ("prune-failed", "failed", 900),
        ("prune-waits", "waiting", 900),
    ):
        at = now - timedelta(days=days)
        await pool.execute(event, name, status, at, None if status in ("failed", "waiting") else at)
    effect = "insert into inbound_effect values ('prune', $1, 'r', $2, 'place_order', 'account/x', now())"
    for name in ("prune-done", "prune-young"):
        await pool.execute(effect, name, name)
    async with pool.acquire() as connection:
        assert (await forget(connection, now, KEEPING, at_once=1))["events of others"] == 2
    left = await pool.fetch("select event_id from inbound_event where source = 'prune'")
    assert {row["event_id"] for row in left} == {"prune-young", "prune-failed", "prune-waits"}
    assert await pool.fetchval("select array_agg(item_id) from inbound_effect where source = 'prune'") == [
        "prune-young"
    ]


async def test_what_the_gateway_kept_goes_with_its_time(servers: Servers) -> None:
    now, staff_id = present(), "prune-s"
    async with servers.pool.acquire() as connection:
        await forget(connection, now, KEEPING)

        async def rows(statement: str, *cases: tuple[object, ...]) -> None:
            await connection.executemany(statement, cases)

        def ago(**past: float) -> datetime:
            return now - timedelta(**past)

        answer = "insert into kept_answer values ('prune', $1, '', 200, '{}', $2)"
        await rows(answer, ("old", ago(days=31)), ("young", ago(days=29)))
        claimed = "insert into claimed_key values ('prune', $1, '', $2)"
        await rows(claimed, ("old", ago(days=31)), ("young", ago(days=29)))
        entry = (
            "insert into audit_entry (at, actor, door, operation, subject, request_id, reason)"
            " values ($2, 'prune', 'api', $1, '', '', '')"
        )
        await rows(entry, ("old", ago(days=1101)), ("young", ago(days=1099)))
        act = (
            "insert into tool_act (act_id, actor, operation, subject_id, request, reason, takes_back, at, expires_at)"
            " values ($1, 'prune', 'x', '', '{}', '', $2, $3, $4)"
        )
        await rows(
            act,
            ("p-old", None, ago(days=1200), None),
            ("p-taken-back", None, ago(days=1200), None),
            ("p-takes-back", "p-taken-back", ago(days=100), None),
            ("p-waits", None, ago(days=1101), now),
        )
        await connection.execute("insert into staff (staff_id, name, email) values ($1, 'P', 'p@x.example')", staff_id)
        await rows(
            "insert into console_session values ($1, $2, $3, $3)", (b"o", staff_id, ago(days=3)), (b"y", staff_id, now)
        )
        await rows("insert into console_sign_in values ($1, '/', $2)", (b"o", ago(days=3)), (b"y", now))
        await rows("insert into console_form values ($1, $2, $3)", (b"o", staff_id, ago(days=3)), (b"y", staff_id, now))
        await rows(
            "insert into console_draft values ($1, $2, '/', '{}', $3)",
            (b"o", staff_id, ago(days=3)),
            (b"y", staff_id, now),
        )
        await rows("insert into mail_turn values (md5($1)::uuid, $2)", ("p-old", ago(days=3)), ("p-soon", now))
        gone = await forget(connection, now, KEEPING, at_once=1)
        assert {what: count for what, count in gone.items() if count} == {
            "turns of mails": 1,
            "kept answers": 2,
            "lines of the audit log": 1,
            "acts of tools": 1,
            "traces of sign-ins": 4,
        }
        left = await connection.fetch("select act_id from tool_act where actor = 'prune' order by 1")
        assert [row["act_id"] for row in left] == ["p-taken-back", "p-takes-back", "p-waits"]


@pytest.mark.parametrize("days", ["89", "-1", "x"])
def test_nobody_forgets_what_is_looked_at(days: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.settings import Settings

    monkeypatch.setenv("PERENNIAL_KEEP_USAGE_DAYS", days)
    with pytest.raises(ValueError, match="keep_usage_days"):
        Settings()


async def test_mails_and_words_of_closed_cases_go_where_a_period_is_set(servers: Servers) -> None:
    document = order()
    account, pool, now = account_of(document), servers.pool, present()
    await servers.client.place_order(document)
    opened = [await case_client(servers).open_case(case(document, body="the lamp is violet")) for _ in range(2)]
    first, second = (one.case_id for one in opened)
    gone_by = now - timedelta(days=200)
    await pool.execute("update service_case set closed_at = $2 where case_id = $1", first, gone_by)
    await pool.execute("update case_message set at = $2 where case_id = $1", first, gone_by)
    await pool.execute(
        "update timeline_item set at = $2 where account_id = $1 and key like '%' || $3 || '%'", account, gone_by, first
    )
    mail = (
        "insert into inbox_message (inbox_id, raw, recipients, received_at, status, attempts, try_at, settled_at, sender, sender_name,"
        " subject, reason, attachments) values ($1, 'violet', '{}', $2, $3, 0, $2, $2, 'x@y.example', 'X', 'violet', '', '[]')"
    )
    for name, status, days in (("old", "matched", 200), ("unknown", "unknown", 200), ("young", "matched", 10)):
        await pool.execute(mail, f"{account}-{name}", now - timedelta(days=days), status)
    keeping = replace(KEEPING, mails=timedelta(days=100), words=timedelta(days=100))
    async with pool.acquire() as connection:
        assert "words of closed cases" not in await forget(connection, now, KEEPING)
        gone = await forget(connection, now, keeping)
        assert gone["mails as they came"] >= 1
        assert gone["words of closed cases"] >= 2
    left = await pool.fetch(
        "select inbox_id, raw <> '' as whole from inbox_message where starts_with(inbox_id, $1)", account
    )
    assert {row["inbox_id"].rpartition("-")[2] for row in left if row["whole"]} == {"unknown", "young"}
    said = {
        row["case_id"]: row["body"]
        for row in await pool.fetch("select case_id, body from case_message where direction = 'inbound'")
    }
    assert (said[first], said[second]) == ("", "the lamp is violet")
