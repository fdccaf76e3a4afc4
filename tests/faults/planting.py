"""Six kinds of error, planted into what a run has left: the checker has to find each of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from activities.kernel.pool import Connection, Pool
from tests.faults.world import World

Planted = Callable[[World, Connection], Awaitable[str]]

_INVOICE = "select invoice_id from invoice order by invoice_id offset (select count(*) from invoice) / 2 limit 1"


async def _wrong_amount(world: World, connection: Connection) -> str:
    """A line of an invoice is a unit too much, and all sums go with it."""
    invoice = await connection.fetchval(_INVOICE)
    await connection.execute(
        "update invoice_line set amount = amount + 1 where invoice_id = $1 and number ="
        " (select min(number) from invoice_line where invoice_id = $1)",
        invoice,
    )
    await connection.execute("update invoice set net = net + 1, total = total + 1 where invoice_id = $1", invoice)
    return f"invoice {invoice} is over one more"


async def _doubled_invoice(world: World, connection: Connection) -> str:
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
    return f"invoice {invoice} twice"


async def _lost_mail(world: World, connection: Connection) -> str:
    """A mail that is on record as sent is not in the mailbox."""
    path = world.mailbox.folder / f"{world.mailbox.list()[0].id}.eml"
    path.unlink()
    return f"mail {path.name} is gone"


async def _doubled_mail(world: World, connection: Connection) -> str:
    """A mail once more, under another Message-ID."""
    first, *_, last = world.mailbox.list()
    raw = world.mailbox.raw(first.id)
    changed = re.sub(rb"(?im)^message-id: <", b"Message-ID: <again-", raw, count=1)
    path = world.mailbox.folder / f"{int(last.id) + 1:08d}.eml"
    path.write_bytes(changed)
    return f"mail {first.id} twice"


async def _lost_step(world: World, connection: Connection) -> str:
    """A step is on no record, as if it had never been done."""
    key = await connection.fetchval(
        "select e.key from effect e join journal j using (key) where e.asked is null and e.key ~ '^journey:.*/(welcome|day_1|month_1|term_end)$'"
        " or e.key ~ '^journey:[^/]*/adoption/' order by e.key limit 1"
    )
    await connection.execute("delete from journal where key = $1", key)
    await connection.execute("delete from effect where key = $1", key)
    return f"step {key} is gone"


async def _lost_order(world: World, connection: Connection) -> str:
    """An order that was accepted is on no record."""
    order = await connection.fetchval("select order_id from sales_order order by order_id desc limit 1")
    await connection.execute("set local session_replication_role = replica")
    for table in ("order_line", "sales_order"):
        await connection.execute(f"delete from {table} where order_id = $1", order)
    return f"order {order} is gone"


async def _lost_case(world: World, connection: Connection) -> str:
    """A case that was opened is on no record."""
    case = await connection.fetchval(
        "select case_id from service_case where case_id like 'S-%' order by case_id limit 1"
    )
    await connection.execute("set local session_replication_role = replica")
    await connection.execute("delete from service_case where case_id = $1", case)
    return f"case {case} is gone"


KINDS: dict[str, tuple[str, Planted]] = {
    "wrong_amount": ("wrong", _wrong_amount),
    "doubled_invoice": ("doubled", _doubled_invoice),
    "lost_mail": ("lost", _lost_mail),
    "doubled_mail": ("doubled", _doubled_mail),
    "lost_step": ("lost", _lost_step),
    "lost_order": ("lost", _lost_order),
    "lost_case": ("lost", _lost_case),
}
"""as what the checker has to count it, and how it is planted"""


async def plant(kind: str, world: World, pool: Pool) -> str:
    """Plants one; in words."""
    async with pool.acquire() as connection, connection.transaction():
        return await KINDS[kind][1](world, connection)
