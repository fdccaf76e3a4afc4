"""How many mails leave in a second, of all workers together."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.channels import pace
from activities.channels.attempts import not_yet
from activities.channels.errors import PacedError
from activities.channels.pace import MailPace
from activities.frame.unit_of_work import Performer
from activities.kernel.clock import present
from domain.frame.flight import DeliveryCall
from tests.conftest import Servers
from tests.own_database import own_database


async def test_two_workers_hold_one_rate(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced") as own:
        workers = [MailPace(own.pool, 20), MailPace(own.pool, 20)]
        began = time.monotonic()
        await asyncio.gather(*(workers[n % 2].turn() for n in range(21)))
        assert 1.0 <= time.monotonic() - began < 5, "the first at once, the others every 50 ms"
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await asyncio.gather(*(workers[0].turn() for _ in range(3)))
        assert time.monotonic() - began >= 0.1, "who was quiet gains no burst"


async def test_whose_turn_is_far_off_comes_again(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "paced_far") as own:
        slow = MailPace(own.pool, 1 / (2 * pace.WAITS_AT_MOST.total_seconds()))
        await slow.turn()
        with pytest.raises(PacedError, match="PERENNIAL_MAILS_PER_SECOND lets go for") as told:
            await slow.turn()
        assert pace.WAITS_AT_MOST < told.value.again_in <= 2 * pace.WAITS_AT_MOST


@pytest.mark.parametrize("late", [False, True])
async def test_a_mail_comes_again_when_it_is_its_turn(late: bool) -> None:
    """Not after the growing intervals of a server that is away: that one is there, and has more to do."""
    call = DeliveryCall(account_id="A", delivery_id="d", as_of=present(), late=late)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=9)
    again_in = timedelta(seconds=40)
    with pytest.raises(ApplicationError) as told:
        await environment.run(not_yet, cast(Performer, None), call, PacedError(again_in), "a mail", "mail")
    assert told.value.next_retry_delay == again_in
    assert not told.value.non_retryable
