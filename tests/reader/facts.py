"""What is on record of one customer, read from the tables by statements of its own; and what was so at an instant."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Self
from zoneinfo import ZoneInfo

import asyncpg

Row = dict[str, Any]
DAY = timedelta(days=1)
LISTED = 8
"""So many things at least are named of an order that has more."""
REPORTED_WITHIN = 8
"""Days after which the use of a day is on record at the latest."""

_OF_ACCOUNT = "select * from {table} where account_id = $1"
_STATEMENTS = {
    **{
        table: _OF_ACCOUNT.format(table=table)
        for table in (
            "account", "contact", "gone_contact", "sales_order", "contract", "asset", "onboarding_task", "onboarding_event", "usage_day", "offer",
            "survey", "reference_ask", "service_case", "invoice", "credit_memo", "refund_claim", "journal", "outbox", "quote", "staff_task",
            "people_change", "invoice_payment",
        )
    },
    "order_line": "select l.* from order_line l join sales_order o using (order_id) where o.account_id = $1",
    "contract_term": "select t.* from contract_term t join contract c using (contract_id) where c.account_id = $1 order by number",
    "source": "select s.* from asset_action_source s join asset a using (asset_id) where a.account_id = $1",
    "period": "select p.* from asset_state_period p join asset a using (asset_id) where a.account_id = $1 order by starts_at",
    "action": "select n.* from asset_action n join asset a using (asset_id) where a.account_id = $1 order by asset_id, sequence",
    "renewal_quote": "select q.* from renewal_quote q join contract c using (contract_id) where c.account_id = $1",
    "contract_churn": "select h.* from contract_churn h join contract c using (contract_id) where c.account_id = $1",
    "renewal_version": "select v.* from renewal_version v join contract c using (contract_id) where c.account_id = $1",
    "quote_version": "select v.* from quote_version v join quote q using (quote_id) where q.account_id = $1",
    "quote_event": "select e.* from quote_event e join quote q using (quote_id) where q.account_id = $1 order by number",
    "invoice_line": "select l.* from invoice_line l join invoice i using (invoice_id) where i.account_id = $1",
    "credit_memo_line": "select l.* from credit_memo_line l join credit_memo m using (credit_memo_id) where m.account_id = $1",
    "case_survey": "select s.* from case_survey s join service_case c using (case_id) where c.account_id = $1",
    "case_event": "select e.* from case_event e join service_case c using (case_id) where c.account_id = $1 order by sequence",
    "case_message": "select m.* from case_message m join service_case c using (case_id) where c.account_id = $1",
    "case_milestone": "select m.* from case_milestone m join service_case c using (case_id) where c.account_id = $1",
    "health_score": "select at, score, band from health_score where account_id = $1 order by at",
    "inbox_message": "select received_at, status from inbox_message where account_id = $1",
    "fulfilment": "select f.* from fulfilment_event f join sales_order o using (order_id) where o.account_id = $1",
    "product": "select * from product where $1::text is not null",
    "short_number": "select kind, thing_id, upper(translate(left(kind, 1), 'c', 'k')) || '-' || number as number"
    " from short_number where account_id = $1",
    "staff": "select * from staff where $1::text is not null",
    "playbook": "select p.* from playbook p join account a using (segment) where a.account_id = $1 order by version",
}  # fmt: skip


@dataclass
class Facts:
    """The rows of one customer by table, jsonb as Python values, and the local calendar that dates are counted in."""

    account_id: str
    tables: dict[str, list[Row]]
    orders: list[Row] = field(default_factory=list)
    """the documents by which the orders were placed, if whoever lived the customer knows them"""
    names: dict[str, str] = field(init=False)
    """products by code"""

    def __post_init__(self) -> None:
        self.names = {row["code"]: row["name"] for row in self.tables["product"]}
        [self.account] = self.tables["account"]
        self.zone = ZoneInfo(self.account["time_zone"])
        self.country: str = self.account["country"]

    def where(self, contact_id: str | None, zone: str) -> Self:
        """The same facts where the customer was when a contact's mails had this zone: an order may have come from elsewhere since."""
        contact = self.one("contact", contact_id=contact_id)
        if contact is None or contact["time_zone"] != self.account["time_zone"] or zone == self.account["time_zone"]:
            return self
        there = copy.copy(self)
        there.zone, there.country = ZoneInfo(zone), countries().get(zone, self.country)
        return there

    def since(self) -> date:
        """The day on which they became a customer, where they were then."""
        first = self.one("sales_order", activated_at=self.account["since"])
        return first["activated_on"] if first else self.day(self.account["since"])

    def rows(self, table: str, **wanted: Any) -> Iterator[Row]:
        """The rows of a table that have these values."""
        return (row for row in self.tables[table] if all(row[key] == value for key, value in wanted.items()))

    def one(self, table: str, **wanted: Any) -> Row | None:
        """The first of such rows."""
        return next(self.rows(table, **wanted), None)

    def day(self, at: datetime) -> date:
        """The customer's local day."""
        return at.astimezone(self.zone).date()

    def name_of(self, asset: Row) -> str:
        """What a thing that the customer has is called."""
        return self.names[asset["product_code"]]

    def held(self, at: datetime) -> dict[str, int]:
        """Units of each product that are in force at an instant, by its code."""
        found: dict[str, int] = {}
        for asset in self.tables["asset"]:
            for period in self.rows("period", asset_id=asset["asset_id"]):
                if (
                    period["quantity"]
                    and period["starts_at"] <= at
                    and (period["ends_at"] is None or at < period["ends_at"])
                ):
                    found[asset["product_code"]] = found.get(asset["product_code"], 0) + period["quantity"]
        return found

    def level(self, action: Row) -> tuple[int, Decimal]:
        """Units and monthly amount of an asset from an action's day on, by what was agreed up to it: a renewal says them anew."""
        earlier = [
            one
            for one in self.rows("action", asset_id=action["asset_id"])
            if one["sequence"] <= action["sequence"] and one["effective"] <= action["effective"]
        ]
        renewed = [one for one in earlier if one["category"] == "Renewals"]
        last = max(renewed, key=lambda one: (one["effective"], one["sequence"]), default=None)
        counts = [
            one
            for one in earlier
            if last is None
            or one is last
            or (one not in renewed and (one["effective"] >= last["effective"] or one["sequence"] > last["sequence"]))
        ]
        units = sum(one["quantity_change"] for one in counts)
        return units, sum((one["mrr_change"] or Decimal(0) for one in counts), Decimal(0))

    def known_by(self, at: datetime, table: str, column: str, **wanted: Any) -> list[Row]:
        """The rows that were on record at an instant."""
        return [row for row in self.rows(table, **wanted) if row[column] is None or row[column] <= at]

    def term_at(self, contract_id: str, at: datetime) -> Row | None:
        """The latest term of a contract that was sold by then, with the end that held for it then."""
        known = self.known_by(at, "contract_term", "recorded_at", contract_id=contract_id)
        if not known:
            return None
        term = dict(known[-1])
        if term["moves"] and (ends := self._end_known(contract_id, at)):
            term["ends_at"], term["until"] = ends, self.day(ends)
        return term

    def _end_known(self, contract_id: str, at: datetime) -> datetime | None:
        """The end of a contract's assets by what was agreed by then."""
        ends = []
        for asset in self.rows("asset", contract_id=contract_id):
            actions = [a for a in self.rows("action", asset_id=asset["asset_id"]) if (a["recorded_at"] or at) <= at]
            if actions and actions[-1]["lifecycle_end"]:
                ends.append(actions[-1]["lifecycle_end"])
        return max(ends, default=None)

    def last_notice_day(self, contract: Row, term: Row) -> date:
        """The last day on which a contract that renews by itself can be declined: so many days before its end, and a day of
        the term, of which 16 days, or half of a shorter one, are left to decline."""
        length = (term["until"] - term["start_on"]).days
        first, last = term["start_on"] + DAY * min(16, length - length // 2), term["until"] - DAY
        return min(last, max(first, term["until"] - DAY * contract["notice_days"]))  # type: ignore[no-any-return]

    def use(self, product: str, at: datetime) -> set[Decimal]:
        """Mean of daily active users over the 28 days up to the local day, else the last figure of the 28 before.

        Usage is reported some days later, and nobody knows when: so what it came to by any of the last reports.
        """
        today = self.day(at)
        rows = sorted(
            (r for r in self.rows("usage_day", product_code=product) if r["day"] <= today), key=lambda r: r["day"]
        )
        found = set()
        for late in range(REPORTED_WITHIN + 1):
            known = [row for row in rows if row["day"] <= today - late * DAY]
            recent = [row["active_users"] for row in known if row["day"] > today - 28 * DAY]
            if recent:
                found.add(Decimal(sum(recent)) / len(recent))
            elif known:
                found.add(Decimal(known[-1]["active_users"]))
        return found

    def terms_of_play(self) -> Row:
        """What the customer's playbook promises."""
        version = self.account["playbook_version"]
        found = self.one("playbook", version=version) or self.tables["playbook"][-1]
        body: Row = found["body"]
        return body


@cache
def countries() -> dict[str, str]:
    """The country of a zone, by the tables of the tz database."""
    rows = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8").splitlines()
    return {row.split("\t")[2]: row[:2] for row in rows if row[:1] != "#"}


async def read_facts(
    connection: asyncpg.pool.PoolConnectionProxy[Any], account_id: str, orders: list[Row] | None = None
) -> Facts:
    """Everything on record of one customer, with the documents of the orders if they are known."""
    tables = {
        table: [_plain(row) for row in await connection.fetch(statement, account_id)]
        for table, statement in _STATEMENTS.items()
    }
    return Facts(account_id, tables, orders or [])


def _plain(row: asyncpg.Record) -> Row:
    return {key: _value(value) for key, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
