"""Six kinds of error, planted into what a run has left: the checker has to find each of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from activities.kernel.pool import Connection, Pool
from domain.frame.keys import EffectKey
from tests.faults.checking import Finding
from tests.faults.world import World

Plant = Callable[[World, Connection], Awaitable[tuple[str, str]]]
"""what was done, in words, and what a finding about it has in it"""

_INVOICE = "select invoice_id from invoice order by invoice_id offset (select count(*) from invoice) / 2 limit 1"


async def _wrong_amount(world: World, connection: Connection) -> tuple[str, str]:
    """A line of an invoice is a unit too much, and all sums go with it."""
    invoice = await connection.fetchval(_INVOICE)
    await connection.execute(
        "update invoice_line set amount = amount + 1 where invoice_id = $1 and number ="
        " (select min(number) from invoice_line where invoice_id = $1)",
        invoice,
    )
    await connection.execute("update invoice set net = net + 1, total = total + 1 where invoice_id = $1", invoice)
    account = await connection.fetchval("select account_id from invoice where invoice_id = $1", invoice)
    return f"invoice {invoice} is over one more", f"amount: {account}"


async def _doubled_invoice(world: World, connection: Connection) -> tuple[str, str]:
    """An invoice once more, under the next number."""
    invoice = await connection.fetchval(_INVOICE)
    for table in ("invoice", "invoice_line", "invoice_tax"):
        await connection.execute(
            f"create temporary table again on commit drop as select * from {table} where invoice_id = $1", invoice
        )
        await connection.execute("update again set invoice_id = invoice_id || '-again'")
        if table == "invoice":
            await connection.execute(
                "update again set key = key || '-again', number ="
                " (select max(number) + 1 from invoice i where i.account_id = again.account_id)"
            )
        await connection.execute(f"insert into {table} select * from again")
        await connection.execute("drop table again")
    return f"invoice {invoice} twice", f"{invoice}-again"


async def _lost_mail(world: World, connection: Connection) -> tuple[str, str]:
    """A mail that is on record as sent is not in the mailbox."""
    mail = world.mailbox.list()[0]
    for one in world.mailbox.list():
        if one.message_id == mail.message_id:
            (world.mailbox.folder / f"{one.id}.eml").unlink()
    lead = "select delivery_id from outbox where message_id = $1 and left_with is null"
    return f"mail {mail.message_id} is gone", await connection.fetchval(lead, mail.message_id)


async def _doubled_mail(world: World, connection: Connection) -> tuple[str, str]:
    """A mail once more, under another Message-ID."""
    first, *_, last = world.mailbox.list()
    raw = world.mailbox.raw(first.id)
    changed = re.sub(rb"(?im)^message-id: <", b"Message-ID: <again-", raw, count=1)
    path = world.mailbox.folder / f"{int(last.id) + 1:08d}.eml"
    path.write_bytes(changed)
    return f"mail {first.id} twice", "<again-"


async def _lost_step(world: World, connection: Connection) -> tuple[str, str]:
    """A step is on no record, as if it had never been done."""
    key = await connection.fetchval(
        "select e.key from effect e join journal j using (key) where e.asked is null and e.key ~ '^journey:.*/(welcome|day_1|month_1|term_end)$'"
        " or e.key ~ '^journey:[^/]*/adoption/' order by e.key limit 1"
    )
    await connection.execute("delete from journal where key = $1", key)
    await connection.execute("delete from effect where key = $1", key)
    return f"step {key} is gone", f"{EffectKey.parse(key).what} was done"


async def _lost_order(world: World, connection: Connection) -> tuple[str, str]:
    """An order that was accepted is on no record."""
    order = await connection.fetchval("select order_id from sales_order order by order_id desc limit 1")
    await connection.execute("set local session_replication_role = replica")
    for table in ("order_line", "sales_order"):
        await connection.execute(f"delete from {table} where order_id = $1", order)
    return f"order {order} is gone", f"order {order}"


async def _lost_case(world: World, connection: Connection) -> tuple[str, str]:
    """A case that was opened is on no record."""
    case = await connection.fetchval(
        "select case_id from service_case where case_id like 'S-%' order by case_id limit 1"
    )
    await connection.execute("set local session_replication_role = replica")
    await connection.execute("delete from service_case where case_id = $1", case)
    return f"case {case} is gone", f"case {case}"


KINDS: dict[str, tuple[str, Plant]] = {
    "wrong_amount": ("wrong", _wrong_amount),
    "doubled_invoice": ("doubled", _doubled_invoice),
    "lost_mail": ("lost", _lost_mail),
    "doubled_mail": ("doubled", _doubled_mail),
    "lost_step": ("lost", _lost_step),
    "lost_order": ("lost", _lost_order),
    "lost_case": ("lost", _lost_case),
}
"""as what the checker has to count it, and how it is planted"""


@dataclass(frozen=True)
class Planted:
    """What was planted, and how it has to be found."""

    kind: str
    says: str
    counted_as: str
    mark: str

    def is_found(self, findings: Sequence[Finding]) -> bool:
        """Whether one of the findings is about it."""
        return any(one.kind == self.counted_as and self.mark in one.says for one in findings)


async def plant(kind: str, world: World, pool: Pool) -> Planted:
    """Plants one."""
    counted_as, how = KINDS[kind]
    async with pool.acquire() as connection, connection.transaction():
        says, mark = await how(world, connection)
    return Planted(kind, says, counted_as, mark)
