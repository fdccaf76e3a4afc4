"""Writing what an order brings: products, people, the account, its order, contracts and assets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from activities.contracts.holdings import add_contracts
from activities.journey.people_rows import Kept, save_customer
from activities.kernel.pool import Connection
from domain.frame.customer import AssetFacts
from domain.frame.playbook import Playbook
from domain.journey.activation import Sale
from domain.kernel.calendar import local_day
from domain.orders.order import Order, OrderedProduct, PricePer, ProductKind


async def newest_order_at(connection: Connection, account_id: str) -> datetime | None:
    """When the account's latest order was activated."""
    at: datetime | None = await connection.fetchval(
        "select max(activated_at) from sales_order where account_id = $1", account_id
    )
    return at


async def reach_back(connection: Connection, account_id: str, since: datetime) -> None:
    """An older order is taken over: the account began earlier than was known; all else about it stays."""
    await connection.execute(
        "update account set since = least(since, $2), closed_at = null, closed_reason = null where account_id = $1",
        account_id,
        since,
    )


async def find_order(connection: Connection, order_id: str) -> tuple[str, str] | None:
    """The account and the digest of an accepted order."""
    row = await connection.fetchrow("select account_id, digest from sales_order where order_id = $1", order_id)
    return (row["account_id"], row["digest"]) if row else None


async def contracts_elsewhere(connection: Connection, order: Order) -> dict[str, str]:
    """Those of the order's contract ids that other orders hold already, with these orders' ids."""
    ids = [contract.contract_id for contract in order.contracts]
    rows = (
        await connection.fetch("select contract_id, order_id from contract where contract_id = any($1)", ids)
        if ids
        else []
    )
    return {row["contract_id"]: row["order_id"] for row in rows}


async def known_products(connection: Connection, codes: Iterable[str]) -> dict[str, OrderedProduct]:
    """The catalogue's entries for `codes`."""
    rows = await connection.fetch("select code, name, kind from product where code = any($1)", list(codes))
    return {
        row["code"]: OrderedProduct(code=row["code"], name=row["name"], kind=ProductKind(row["kind"])) for row in rows
    }


async def product_codes(connection: Connection) -> list[str]:
    """Codes of the catalogue, to suggest from."""
    return [row["code"] for row in await connection.fetch("select code from product order by code limit 5000")]


async def add_products(connection: Connection, products: Iterable[OrderedProduct]) -> None:
    """New catalogue entries, in an order in which senders do not block each other; those that exist are left as they are."""
    rows = sorted((product.code, product.name, product.kind.value) for product in products)
    if rows:
        await connection.executemany(
            "insert into product (code, name, kind) values ($1, $2, $3) on conflict do nothing", rows
        )


async def keep_playbook(connection: Connection, playbook: Playbook) -> None:
    """The playbook's version on record, so that journeys planned with it can go on with it."""
    await connection.execute(
        "insert into playbook (segment, version, body) values ($1, $2, $3) on conflict do nothing",
        playbook.segment,
        playbook.version,
        playbook.model_dump(mode="json"),
    )


async def save_account(
    connection: Connection, order: Order, playbook: Playbook, as_of: datetime, billing_day: date | None
) -> Kept:
    """The account with its people and contacts, new or brought up to date; see `people.save_customer`."""
    return await save_customer(
        connection, order.account, order.contacts, playbook, order.activated_at, as_of, billing_day
    )


async def save_order(
    connection: Connection, order: Order, sale: Sale, *, goods: bool, imported: bool, as_of: datetime
) -> None:
    """The order with its lines, contracts and assets. Asset actions and periods follow as the decision says."""
    await connection.execute(
        "insert into sales_order (order_id, account_id, digest, activated_at, activated_on, currency, sells_goods, imported,"
        " recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        order.order_id,
        order.account.account_id,
        order.digest(),
        order.activated_at,
        local_day(order.activated_at, order.account.time_zone),
        order.currency,
        goods,
        imported,
        as_of,
    )
    await connection.copy_records_to_table("order_line", records=list(_line_rows(order)), columns=_LINE)
    if sale.contracts:
        await add_contracts(connection, order.account.account_id, ((one, "sold", as_of) for one in sale.contracts))
    if sale.assets:
        assets = [_asset_row(order, asset) for asset in sale.assets]
        await connection.copy_records_to_table("asset", records=assets, columns=_ASSET)


_LINE = (
    *("order_id", "line_id", "product_code", "contract_id", "site"),
    *("quantity", "unit_price", "price_per", "tax_rates"),
)
_ASSET = (
    *("asset_id", "account_id", "order_id", "line_id", "product_code", "name", "contract_id", "currency", "price_per"),
    *("unit_price", "selling_model", "lifecycle_start", "lifecycle_end", "time_zone"),
)


def _line_rows(order: Order) -> Iterable[Sequence[Any]]:
    for contract in order.contracts:
        for line in contract.lines:
            yield _line_row(order, line, contract.contract_id, None)
    for purchase in order.lines:
        yield _line_row(order, purchase, None, purchase.site)


def _line_row(order: Order, line: Any, contract_id: str | None, site: str | None) -> Sequence[Any]:
    return (
        order.order_id,
        line.line_id,
        line.product,
        contract_id,
        site,
        line.quantity,
        line.unit_price,
        line.per.value,
        list(line.tax_rates) if line.tax_rates else None,
    )


def _asset_row(order: Order, asset: AssetFacts) -> Sequence[Any]:
    period = asset.periods[0]
    return (
        asset.asset_id,
        order.account.account_id,
        order.order_id,
        asset.asset_id.removeprefix(f"{order.order_id}."),
        asset.product,
        asset.product_name,
        asset.contract_id,
        asset.currency,
        asset.per.value,
        asset.unit_price,
        "one_time" if asset.per is PricePer.ONCE else "termed",
        period.starts_at,
        period.ends_at,
        order.account.time_zone,
    )
