"""How many mails leave in a second, of all workers together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import cast

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.channels.attempts import not_yet, outside_errors
from activities.channels.batch_notices import BatchNotices
from activities.channels.errors import PacedError
from activities.channels.mail import KeyOf, MailChannel, SmtpSettings
from activities.channels.pace import WAITS_AT_MOST, MailPace
from activities.channels.rendering import Renderer
from activities.channels.samples import a_mail
from activities.frame.unit_of_work import Performer
from activities.journey.figures import NOW
from activities.kernel.clock import present
from activities.kernel.pool import open_pool
from domain.frame.flight import DeliveryCall
from domain.frame.keys import BATCH
from domain.frame.messages import StaffNotice
from tests.conftest import Servers
from tests.own_database import own_database


async def test_two_workers_hold_one_rate(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced") as own:
        workers = [MailPace(own.pool, 20), MailPace(own.pool, 20)]
        began = time.monotonic()
        await asyncio.gather(*(workers[n % 2].turn(f"m-{n}") for n in range(21)))
        assert 1.0 <= time.monotonic() - began < 5, "the first at once, the others every 50 ms"
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await asyncio.gather(*(workers[0].turn(f"n-{n}") for n in range(3)))
        assert time.monotonic() - began >= 0.1, "who was quiet gains no burst"


async def test_each_has_a_turn_of_its_own_and_comes_once_for_it(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced_far") as own:
        pace = MailPace(own.pool, 10)
        left: list[float] = []
        told: list[timedelta] = []

        async def comes(n: int) -> timedelta | None:
            try:
                await pace.turn(f"m-{n}")
            except PacedError as far:
                return far.again_in
            return None

        async def leaves(n: int) -> None:
            if (far := await comes(n)) is not None:
                told.append(far)
                again = await comes(n)
                assert again is not None
                assert abs(again - far) < timedelta(seconds=1), "who comes early has the same turn"
                await asyncio.sleep(far.total_seconds())
                assert await comes(n) is None
            left.append(time.monotonic())

        began = time.monotonic()
        await asyncio.gather(*(leaves(n) for n in range(40)))
        assert 3.9 <= max(left) - began < 8
        assert 10 <= len(told) <= 20, "those of the first two seconds wait where they are"
        told.sort()
        assert told[0] > WAITS_AT_MOST
        assert all(b - a > timedelta(milliseconds=50) for a, b in pairwise(told)), "nobody else comes then"
        assert await own.pool.fetchval("select count(*) from mail_turn") == 0


async def test_turns_for_which_nobody_came_make_no_burst(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced_late") as own:
        pace = MailPace(own.pool, 10)
        await own.pool.execute(
            "insert into mail_turn select md5('m-' || n)::uuid, now() - interval '1 hour' from generate_series(0, 39) n"
        )
        found = await asyncio.gather(*(pace.turn(f"m-{n}") for n in range(40)), return_exceptions=True)
        again = sorted(one.again_in for one in found if isinstance(one, PacedError))
        assert 10 <= len(again) <= 20, "the others have left, in two seconds"
        assert all(b - a > timedelta(milliseconds=50) for a, b in pairwise(again)), "each has its own turn once more"
        assert again[-1] < timedelta(seconds=6), "at the rate, and no later"


async def test_nothing_is_written_for_a_mail_that_comes_again(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced_early") as own:
        pace = MailPace(own.pool, 0.1)
        await pace.turn("first")
        settings = SmtpSettings(port=9, sender="success@perennial.example", mail_domain="perennial.example")
        channel = MailChannel(settings, cast(Renderer, None), cast(KeyOf, None), pace)
        mail = a_mail()
        with pytest.raises(PacedError, match="PERENNIAL_MAILS_PER_SECOND"):
            await channel.send(mail)
        waits = await channel.turn_of(mail.delivery_id)
        assert waits is not None
        assert WAITS_AT_MOST < waits < timedelta(seconds=11)
        assert await channel.turn_of("another") is None


async def test_a_mail_that_waits_for_its_turn_does_not_wait_for_the_server(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced_figures") as own, own.pool.acquire() as connection:
        now = present()
        await connection.execute(
            "insert into outbox (delivery_id, channel, stage, body, created_at, status)"
            " values ('paced', 'deliver_mail', '', '{}', $1, 'waiting')",
            now - timedelta(hours=3),
        )

        async def oldest() -> float:
            found = await NOW(connection, now)
            return float(next(row["value"] for row in found if row["figure"] == "deliveries_oldest_seconds"))

        assert await oldest() > 10_000
        await connection.execute("insert into mail_turn values (md5('paced')::uuid, $1)", now + timedelta(hours=1))
        assert await oldest() == 0


async def test_a_batch_waits_for_the_turns_of_its_notices(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced_batch") as own:
        pace = MailPace(own.pool, 0.4)
        at = present()
        for n in range(3):
            notice = StaffNotice(
                delivery_id=f"{BATCH}{n}", title="t", lines=[], to_name="n", to_email="a@example.com", company="",
                account_id="", time_zone="UTC", language="en", at=at,
            )  # fmt: skip
            await own.pool.execute(
                "insert into outbox (delivery_id, channel, stage, body, created_at, status)"
                " values ($1, 'deliver_notice', '', $2, $3, 'waiting')",
                notice.delivery_id,
                notice.model_dump(mode="json"),
                at,
            )

        class Paced:
            async def send(self, notice: StaffNotice, others: Sequence[StaffNotice] = ()) -> str:
                await pace.turn(notice.delivery_id)
                return "id"

        counts = await asyncio.wait_for(BatchNotices(own.pool, Paced()).leave(at, None), 30)
        assert counts == {"sent": 3, "refused": 0, "waiting": 0}


@pytest.mark.parametrize("late", [False, True])
async def test_a_mail_comes_again_when_it_is_its_turn(late: bool) -> None:
    """Not after the growing intervals of a server that is away: that one is there, and has more to do. Nothing of it is late."""
    call = DeliveryCall(account_id="A", delivery_id="d", as_of=present(), late=late)
    environment = ActivityEnvironment()
    began = environment.info.scheduled_time
    environment.info = replace(environment.info, attempt=9, current_attempt_scheduled_time=began + timedelta(hours=2))
    again_in = timedelta(seconds=40)
    with pytest.raises(ApplicationError) as told:
        await environment.run(not_yet, cast(Performer, None), call, PacedError(again_in), "a mail", "mail")
    assert told.value.next_retry_delay == again_in
    assert not told.value.non_retryable


async def test_a_database_that_is_away_when_a_mail_has_its_turn_is_met_again(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced_away") as own:
        pool = await open_pool(own.dsn)
        settings = SmtpSettings(port=9, sender="success@perennial.example", mail_domain="perennial.example")
        channel = MailChannel(settings, cast(Renderer, None), cast(KeyOf, None), MailPace(pool, 10))
        pool.terminate()

        async def leaves() -> None:
            async with outside_errors():
                await channel.send(a_mail())

        with pytest.raises(Exception, match="pool is") as failed:
            await ActivityEnvironment().run(leaves)
        assert not isinstance(failed.value, ApplicationError), "which nobody would try again"
