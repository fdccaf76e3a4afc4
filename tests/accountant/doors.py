"""Living stories through the doors, many customers at once on one stack, and reading what was billed from the tables."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import asyncpg

from activities.kernel.pool import Pool
from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from tests.accountant.story import Story, order_document


@dataclass(frozen=True)
class Line:
    """A line of a document; `source` is the asset, or `order/line` of what was bought once; a credit's names its invoice."""

    source: str
    amount: Decimal
    rates: tuple[Fraction, ...] = ()
    invoice: str = ""


@dataclass(frozen=True)
class Document:
    """An invoice or a credit memo (`credit`) of the product. Amounts are positive."""

    document_id: str
    account: str
    day: date
    credit: bool
    net: Decimal
    tax: Decimal
    gross: Decimal
    lines: tuple[Line, ...]
    taxes: dict[Fraction, Fraction]
    """tax by rate in percent, without those of nothing"""


@dataclass(frozen=True)
class Done:
    """An act that was carried out, at the customer's own local day; `refused` names the refusal if it was not."""

    act: dict[str, Any]
    day: date
    refused: str = ""
    words: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    """what the door said; only the ids of what is new are heard of it"""


@dataclass
class Lived:
    """What came of a story: what was carried out, up to which local day, and the documents."""

    story: Story
    done: list[Done] = field(default_factory=list)
    last_day: date = date.min
    documents: list[Document] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    """what no customer should get, whatever the sums"""

    @property
    def refusals(self) -> Counter[str]:
        """How often each refusal was heard."""
        return Counter(done.refused for done in self.done if done.refused)


async def live(client: PerennialClient, pool: Pool, story: Story) -> Lived:
    """Lives a story to its end; what is refused is noted and changes nothing."""
    lived = Lived(story)
    begun: set[str] = set()
    for act in story.acts:
        at = story.instant(act["day"], act["at"])
        for account in sorted(begun):
            await client.fast_forward_to(account, at)
        lived.done.append(await _do(client, pool, story, act, begun, at))
    end = story.instant(story.days, "12:00")
    for account in sorted(begun):
        await client.fast_forward_to(account, end)
    lived.last_day = story.first + timedelta(days=story.days)
    return lived


async def _do(
    client: PerennialClient, pool: Pool, story: Story, act: dict[str, Any], begun: set[str], at: datetime
) -> Done:
    cases = CaseClient(client.temporal, pool)
    try:
        if "order" in act:
            account = next(each for each in story.accounts if each["account_id"] == act["who"])
            answer = await client.place_order(order_document(story, account, act))
            begun.add(act["who"])
            return Done(act, answer.accepted_at.astimezone(at.tzinfo).date())
        if "price" in act:
            await client.publish_prices(act["price"], as_of=at)
        elif "open" in act:
            await cases.open_case({"account_id": act["who"], **act["open"], "case_id": act["case"]})
        elif "case" in act:
            await cases.ask(act["case"], act["ask"], act["request"])
        else:
            said = await client.ask(act["who"], act["ask"], act["request"])
            if act["ask"] == "transfer_assets":
                await _handed_over(pool, said["transfer_id"])
            return Done(act, at.date(), answer=said)
    except Refusal as refusal:
        return Done(act, at.date(), refusal.type, str(refusal))
    return Done(act, at.date())


async def _handed_over(pool: Pool, transfer_id: str) -> None:
    """Waits until both customers have heard of a transfer: their clocks are moved one after the other."""
    settled = "select 1 from journal where kind = 'amendment_settled' and key like '%' || $1"
    deadline = time.monotonic() + 100
    while not await pool.fetchval(settled, transfer_id):
        if time.monotonic() > deadline:
            raise TimeoutError(f"transfer {transfer_id} is not settled")
        await asyncio.sleep(0.03)


_DOCUMENTS = """
select d.{kind}_id as id, d.account_id, d.issued_on, d.net, d.tax, d.total, l.asset_id, l.order_id, l.line_id, l.amount, l.tax_rates,
       l.invoice_id as billed_by,
       (select jsonb_object_agg(rate::text, tax) from
           (select rate, sum(tax) as tax from {kind}_tax t where t.{kind}_id = d.{kind}_id group by rate) by_rate) as taxes
from {kind} d left join {kind}_line l using ({kind}_id) where d.account_id = any($1) order by d.number, l.number
"""


async def read_documents(connection: asyncpg.pool.PoolConnectionProxy[Any], accounts: list[str]) -> list[Document]:
    """All documents of accounts, invoices before credits, by number."""
    found: list[Document] = []
    for kind in ("invoice", "credit_memo"):
        rows: dict[str, list[Any]] = {}
        for row in await connection.fetch(_DOCUMENTS.format(kind=kind), accounts):
            rows.setdefault(row["id"], []).append(row)
        found += [_document(lines, kind == "credit_memo") for lines in rows.values()]
    return found


def _document(rows: list[Any], credit: bool) -> Document:
    first = rows[0]
    taxes = json.loads(first["taxes"]) if isinstance(first["taxes"], str) else first["taxes"] or {}
    return Document(
        first["id"],
        first["account_id"],
        first["issued_on"],
        credit,
        first["net"],
        first["tax"],
        first["total"],
        tuple(
            Line(
                row["asset_id"] or f"{row['order_id']}/{row['line_id']}",
                row["amount"],
                tuple(Fraction(rate) for rate in row["tax_rates"] or ()),
                row["billed_by"] if credit else "",
            )
            for row in rows
            if row["amount"] is not None
        ),
        {Fraction(rate): Fraction(str(tax)) for rate, tax in taxes.items() if tax},
    )


def demonstrated(lived: Lived) -> dict[str, Any]:
    """The story of one customer as `perennial demo --order FILE` takes it: what was refused before is to be refused again."""
    story = lived.story
    account = story.accounts[0]
    first = min(done.act["day"] for done in lived.done if "order" in done.act)  # from which the demo counts its days
    acts, orders = [], []
    for done in lived.done:
        if "order" in done.act:
            orders.append(order_document(story, account, done.act))
        else:
            act = {key: value for key, value in done.act.items() if key != "who"}
            act["day"] = max(act["day"] - first, 0)
            acts.append({**act, **({"refused": done.refused} if done.refused else {})})
    quiet: dict[str, Any] = {
        "usage": [],
        "tasks": "never",
        "offers": "ignore",
        "renewals": "ignore",
        "survey_score": None,
    }
    return {"orders": orders, "months": (story.days - first) // 28 + 1, "acts": acts, **quiet}


def read_demonstration(lived: Lived, summary: dict[str, Any]) -> list[Document]:
    """The documents that `perennial demo --json` shows, up to the story's last day."""
    found = [
        Document(
            row["id"],
            summary["account"]["id"],
            date.fromisoformat(row["issued_on"]),
            row["kind"] == "credit memo",
            Decimal(row["net"]),
            Decimal(row["tax"]),
            Decimal(row["total"]),
            tuple(Line(line["description"], Decimal(line["amount"])) for line in row["lines"]),
            {Fraction(tax["rate"]): Fraction(tax["tax"]) for tax in row["taxes"] or () if Decimal(tax["tax"])},
        )
        for row in summary["billed"]
    ]
    return [document for document in found if document.day <= lived.last_day]
