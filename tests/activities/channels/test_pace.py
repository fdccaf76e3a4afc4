"""How many mails leave in a second, of all workers together."""

from __future__ import annotations

import asyncio
import time

import pytest

from activities.channels import pace
from activities.channels.errors import PacedError
from activities.channels.pace import MailPace
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
