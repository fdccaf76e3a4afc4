"""Writing what an order brings: products, people, the account, its order, contracts and assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from activities.frame.handlers import Gathers, Handlers, Place, inserted, on
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from activities.kernel.queries import Column
from domain.frame.customer import StaffFacts
from domain.journey.placing import OrderOnRecord
from domain.journey.writes import KeepPlaybook, PlaceOrder
from domain.kernel.base import unchecked
from domain.kernel.calendar import local_day
from domain.orders.order import Order, OrderedLine, OrderedProduct, ProductKind
from domain.orders.writes import AddProducts


def on_record(n: int) -> str:
    """The statement that has what is on record of what orders name; its parameters, see `named_by`, begin with $`n`."""
    account_id, orders, products, contracts, staff = (f"${number}" for number in range(n, n + 5))
    return f"""
with a as (select * from account where account_id = {account_id})
select jsonb_build_object(
  'placed', (select jsonb_object_agg(order_id, jsonb_build_array(account_id, digest)) from sales_order where order_id = any({orders})),
  'newest_at', (select max(activated_at) from sales_order where account_id = {account_id}),
  'products', (select jsonb_agg(jsonb_build_object('code', code, 'name', name, 'kind', kind)) from product where code = any({products})),
  'contracts', (select jsonb_object_agg(contract_id, order_id) from contract where contract_id = any({contracts})),
  'staff', (select jsonb_agg(to_jsonb(s)) from staff s where staff_id = any({staff})),
  'fields', (select to_jsonb(set_by_request) from a),
  'contacts', (select jsonb_agg(contact_id) from contact where account_id = {account_id} and set_by_request),
  'gone', (select jsonb_agg(jsonb_build_array(contact_id, lower(email))) from gone_contact where account_id = {account_id}),
  'unsubscribed', (select jsonb_agg(lower(email)) from (
    select email from contact where account_id = {account_id} and unsubscribed_at is not null
    union all select email from gone_contact where account_id = {account_id} and unsubscribed_at is not null) u))
"""


Placed = Mapping[str, tuple[str, str]]
"""Orders that were accepted, by their ids: the account and the digest of each."""


def named_by(*orders: Order) -> tuple[Any, ...]:
    """What orders of one account name, as `on_record` looks for it."""
    people = (person for order in orders for person in (order.account.owner, order.account.success_manager))
    return (
        orders[0].account.account_id,
        [order.order_id for order in orders],
        list(
            {of.product for order in orders for of in order.all_lines()} | {p.code for o in orders for p in o.products}
        ),
        [contract.contract_id for order in orders for contract in order.contracts],
        list({one.staff_id for one in people if one is not None}),
    )


async def load_on_record(connection: Connection, *orders: Order) -> tuple[OrderOnRecord, Placed]:
    """As `read_on_record`, in one look."""
    return read_on_record(await connection.fetchval(on_record(1), *named_by(*orders)))


def read_on_record(said: Mapping[str, Any]) -> tuple[OrderOnRecord, Placed]:
    """What is on record of what orders name; and those of them that were accepted."""
    found = {name: value for name, value in said.items() if value is not None}
    record = OrderOnRecord(
        newest_at=datetime.fromisoformat(found["newest_at"]) if "newest_at" in found else None,
        products={one["code"]: _known(one["code"], one["name"], one["kind"]) for one in found.get("products", ())},
        contracts=found.get("contracts", {}),
        staff={one["staff_id"]: StaffFacts.model_validate(one) for one in found.get("staff", ())},
        gone=frozenset((contact_id, email) for contact_id, email in found.get("gone", ())),
        **{name: frozenset(found.get(name, ())) for name in ("fields", "contacts", "unsubscribed")},
    )
    return record, {
        order_id: (account_id, digest) for order_id, (account_id, digest) in found.get("placed", {}).items()
    }


async def find_orders(connection: Connection, order_ids: Sequence[str]) -> Placed:
    """Those of these orders that were accepted."""
    rows = await connection.fetch(
        "select order_id, account_id, digest from sales_order where order_id = any($1)", list(order_ids)
    )
    return {row["order_id"]: (row["account_id"], row["digest"]) for row in rows}


async def known_products(connection: Connection, codes: Iterable[str]) -> dict[str, OrderedProduct]:
    """The catalogue's entries for `codes`."""
    rows = await connection.fetch("select code, name, kind from product where code = any($1)", list(codes))
    return {row["code"]: _known(row["code"], row["name"], row["kind"]) for row in rows}


def _known(code: str, name: str, kind: str) -> OrderedProduct:
    """An entry of the catalogue, which was checked when it came."""
    return _entry(code=code, name=name, kind=ProductKind(kind))


_entry = unchecked(OrderedProduct)


product_codes = Column[str]("select code from product order by code limit 5000")
"""Codes of the catalogue, to suggest from."""


async def introduce_products(connection: Connection, products: Iterable[OrderedProduct]) -> None:
    """Entries of the catalogue for what is not in it yet, ahead of the orders that name them: these then need not wait for each other."""
    rows = [(one.code, one.name, one.kind.value) for one in sorted(products, key=attrgetter("code"))]
    await PRODUCT.add(connection, rows)


async def add_products(place: Place, writes: list[AddProducts]) -> None:
    """New entries of the catalogue, in an order in which senders do not block each other."""
    products = [product for write in writes for product in write.products]
    await place.put(_NEW, sorted(products, key=attrgetter("code")))


PRODUCT = Insert("product", "code name kind", "on conflict do nothing")
_NEW = PRODUCT.of(OrderedProduct)
KEEP_PLAYBOOK = inserted(
    "playbook",
    "segment=playbook.segment version=playbook.version body",
    "on conflict do nothing",
    body=lambda _, write: write.playbook.model_dump(mode="json"),
)
ORDER = Insert(
    "sales_order",
    "order_id account_id digest activated_at activated_on currency sells_goods imported recorded_at",
)
LINE = Insert(
    "order_line",
    "order_id line_id product_code=product contract_id site quantity unit_price price_per=per tax_rates ramp usage",
)
_PLACED = ORDER.of(Order, "account_id digest activated_on sells_goods imported recorded_at")
_ORDERED = LINE.of(OrderedLine, "order_id contract_id site tax_rates ramp usage")


async def put_order(place: Place, sale: PlaceOrder) -> None:
    """The row of an order, with those of its lines."""
    order, account = sale.order, sale.order.account
    placed = {
        "account_id": account.account_id,
        "digest": order.digest(),
        "activated_on": local_day(order.activated_at, account.time_zone),
        "sells_goods": sale.goods,
        "imported": sale.imported,
        "recorded_at": place.as_of,
    }
    await place.put(_PLACED, [order], **placed)
    await place.add(LINE, _line_rows(order))


def _line_rows(order: Order) -> Iterable[tuple[Any, ...]]:
    for contract in order.contracts:
        for line in contract.lines:
            ramp = [step.model_dump(mode="json") for step in line.ramp] if line.ramp else None
            usage = line.usage.model_dump(mode="json") if line.usage else None
            yield _line_row(order, line, contract_id=contract.contract_id, site=None, ramp=ramp, usage=usage)
    for purchase in order.lines:
        yield _line_row(order, purchase, contract_id=None, site=purchase.site, ramp=None, usage=None)


def _line_row(order: Order, line: OrderedLine, **where: Any) -> tuple[Any, ...]:
    return _ORDERED.row(
        line, order_id=order.order_id, tax_rates=list(line.tax_rates) if line.tax_rates else None, **where
    )


HANDLERS: Handlers = dict([on(AddProducts, Gathers(add_products)), on(KeepPlaybook, KEEP_PLAYBOOK)])
