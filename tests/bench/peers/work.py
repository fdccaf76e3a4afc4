"""What is to be done at a customer's, without an engine: rows are written, messages leave. Each engine calls the same two functions."""

from __future__ import annotations

import asyncio
from pathlib import Path

from activities.channels.mail import MailChannel
from activities.channels.notices import MailNotices
from activities.channels.rendering import Renderer
from activities.frame import outbox
from activities.frame.customers import load_customer
from activities.kernel.pool import Connection, Pool
from activities.mail.signing import Signing
from activities.playbooks import FOLDER, read_playbooks
from domain.frame.flight import Channel
from domain.frame.messages import OutgoingMail, StaffNotice
from tests.bench.recording import After, kept
from workers.settings import Settings


class Work:
    """The lives that a worker carries out, one act at a time."""

    def __init__(self, pool: Pool, settings: Settings, lives: Path) -> None:
        self._pool = pool
        self.lives = kept(lives)
        self._mail = MailChannel(settings.smtp(), Renderer(), Signing(pool).key)
        self._notices = MailNotices(self._mail, settings.staff_language, read_playbooks(FOLDER).titles())

    async def carry_out(self, account: str, number: int) -> After:
        """A request or a step: the customer is read, the rows are written, in one transaction. Says what follows."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await self.carry_out_within(connection, account, number)

    async def carry_out_within(self, connection: Connection, account: str, number: int) -> After:
        """The same within a transaction of whoever calls."""
        life = self.lives[account]
        act = life.acts[number]
        await load_customer(connection, account, act.at)
        for statement in (one for statements in act.transactions for one in statements):
            await connection.execute(statement.text, *statement.values)
        return life.after(number)

    async def deliver(self, account: str, number: int) -> None:
        """The messages of an instant leave, and that they did is written."""
        act = self.lives[account].acts[number]
        async with self._pool.acquire() as connection:
            rows = await outbox.find_messages(connection, list(act.left))
        await asyncio.gather(*(self._send(row) for row in rows))
        async with self._pool.acquire() as connection:
            for statements in act.transactions:
                async with connection.transaction():
                    for statement in statements:
                        await connection.execute(statement.text, *statement.values)

    async def _send(self, row: outbox.Waiting) -> None:
        if row.channel is Channel.MAIL:
            await self._mail.send(OutgoingMail.model_validate(row.body))
        elif row.channel is Channel.NOTICE:
            await self._notices.send(StaffNotice.model_validate(row.body))
