"""What customers are asked about, by the names that they type: quotes, offers, contracts, and their short numbers."""

from __future__ import annotations

from collections.abc import Sequence

from activities.kernel.pool import Connection
from domain.frame.customer import ContractStatus
from domain.kernel.short_numbers import Numbered, number_of, spoken
from domain.mail.answering import Thing
from domain.mail.asks import Question

_NAME_LENGTH = 4
"""Letters of a word that tell a product by themselves."""
_QUESTIONS = {Numbered.CONTRACT: Question.RENEWAL, Numbered.QUOTE: Question.QUOTE, Numbered.OFFER: Question.OFFER}
_THINGS = """
select question, id, name, rank from (
  select 'quote' as question, quote_id as id, quote_id as name, 1 as rank from quote where account_id = $1
  union all select 'offer', offer_id, offer_id, 2 from offer where account_id = $1
  union all select 'renewal', contract_id, contract_id, 3 from contract where account_id = $1
  union all select 'renewal', c.contract_id, q.quote_id, 4 from renewal_quote q join contract c using (contract_id)
    where c.account_id = $1
) thing
"""
_NUMBERED = """
union all select kind, thing_id, $2, 0 from short_number where account_id = $1 and kind = $3 and number = $4
"""


async def short_numbers(connection: Connection, account_id: str, things: Sequence[tuple[Numbered, str]]) -> list[str]:
    """The short number of each of these, given now to those that have none. Holds the account."""
    rows = await connection.fetch(
        "select kind, number from short_numbers($1, $2, $3)",
        account_id,
        [kind.value for kind, _ in things],
        [thing_id for _, thing_id in things],
    )
    return [number_of(Numbered(row["kind"]), row["number"]) for row in rows]


async def numbers_of(connection: Connection, account_id: str) -> dict[str, str]:
    """What has a short number at a customer: the ids by the numbers, of each kind from the first one on."""
    rows = await connection.fetch(
        "select kind, number, thing_id from short_number where account_id = $1 and not given_up order by kind, number",
        account_id,
    )
    return {number_of(Numbered(row["kind"]), row["number"]): row["thing_id"] for row in rows}


async def thing_of(connection: Connection, account_id: str, thing_id: str) -> Thing | None:
    """The quote, offer or contract of an account with this id, in whatever case; a renewal's quote is its contract."""
    row = await connection.fetchrow(
        f"{_THINGS} where lower(name) = lower($2) order by rank limit 1", account_id, thing_id
    )
    return Thing(question=row["question"], id=row["id"], account_id=account_id) if row else None


async def thing_named(connection: Connection, account_id: str, name: str) -> Thing | None:
    """What people call by `name`, which is its own id or its short number; null if that is nothing, or two things."""
    number = spoken(name)
    if number is None:
        return await thing_of(connection, account_id, name)
    kind, count = number
    rows = await connection.fetch(
        f"{_THINGS} where plain_id(name) = plain_id($2) {_NUMBERED} order by rank", account_id, name, kind.value, count
    )
    numbered = {(_QUESTIONS[Numbered(row["question"])], row["id"]) for row in rows if row["rank"] == 0}
    own = [row for row in rows if row["rank"]]
    exactly = [row for row in own if row["name"].lower() == name.lower()][:1]
    found = numbered | {(Question(row["question"]), row["id"]) for row in exactly or own}
    if len(found) != 1:
        return None
    question, thing_id = found.pop()
    return Thing(question=question, id=thing_id, account_id=account_id)


async def contract_meant(connection: Connection, account_id: str, words: str) -> Thing | None:
    """The one contract that a wish to renew can mean: the only one that runs, or the only one of which `words` name a product. One that
    was declined is meant if there is no other."""
    rows = await connection.fetch(
        "select c.contract_id, c.status, array_agg(distinct lower(p.name)) filter (where p.name is not null) as products"
        " from contract c"
        " left join asset a using (contract_id) left join product p on p.code = a.product_code"
        " where c.account_id = $1 and c.status in ('active', 'grace', 'declined') group by c.contract_id order by c.contract_id limit 50",
        account_id,
    )
    said = words.lower()
    rows = [row for row in rows if row["status"] != ContractStatus.DECLINED] or rows
    named = [row for row in rows if any(_is_named(name, said) for name in row["products"] or [])]
    meant = rows if len(rows) == 1 else named
    if len(meant) != 1:
        return None
    return Thing(question=Question.RENEWAL, id=meant[0]["contract_id"], account_id=account_id)


def _is_named(product: str, said: str) -> bool:
    """True if a text names a product, or the last word of its name: "our Workspace"."""
    last = product.split()[-1]
    return product in said or (len(last) >= _NAME_LENGTH and last in said)
