"""Mails of our own people: which case they answer, and who else has them."""

from __future__ import annotations

from collections.abc import Callable

from activities.kernel.pool import Connection
from domain.mail.marks import Marks
from domain.mail.reading import InboundMail
from domain.mail.routing import FoundCase, MailAudience


async def noticed_case(connection: Connection, marks: Marks) -> FoundCase | None:
    """The case of a notice of ours that is answered, by its signed address or a signed id."""
    row = await connection.fetchrow(
        "select c.case_id, c.account_id, c.contact->>'email' as email from outbox o"
        " join service_case c on c.case_id = o.body->>'case_id'"
        " where o.channel = 'deliver_notice' and o.body->>'case_id' is not null"
        " and (delivery_digest(o.delivery_id) = any($1) or o.delivery_id = any($2)) "
        " order by o.created_at desc, o.delivery_id desc limit 1",
        list(marks.replied),
        [delivery_id for _, delivery_id in marks.answered],
    )
    if row is None:
        return None
    return FoundCase(case_id=row["case_id"], account_id=row["account_id"], email=row["email"] or "")


async def audience_of(
    connection: Connection, mail: InboundMail, case: FoundCase, takes: Callable[[str], bool]
) -> MailAudience:
    """Who else has what one of our people wrote about a case."""
    addresses = [one for one in mail.recipients if one != mail.sender]
    rows = await connection.fetch(
        "select a.address, exists (select 1 from staff where lower(email) = a.address) as staff,"
        " (a.address = lower($2) or exists (select 1 from contact where account_id = $3 and lower(email) = a.address)"
        "  or exists (select 1 from case_message where case_id = $4 and direction = 'inbound' and lower(sender) = a.address)"
        " ) as customer from unnest($1::text[]) as a(address)",
        addresses,
        case.email,
        case.account_id,
        case.case_id,
    )
    customers = {row["address"] for row in rows if row["customer"] and not row["staff"]}
    ours = {row["address"] for row in rows if not row["staff"] and takes(row["address"])}
    others = tuple(one for one in addresses if one not in customers and one not in ours)
    return MailAudience(customer=bool(customers), others=others)
