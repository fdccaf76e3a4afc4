"""Imported assets in the tables: rows, histories and contracts of one asset, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.assets.ledger import load_records, save_changes
from activities.contracts.holdings import open_assets, open_contracts
from activities.frame.handlers import Place
from activities.kernel.pool import Connection
from activities.kernel.queries import Value
from domain.assets.model import AssetRecord
from domain.journey.installed_base import TakenOver

account_of_contract = Value[str | None]("select account_id from contract where contract_id = $1")
"""Whose contract this is, if it is on record."""


async def save_taken_over(
    connection: Connection, taken: TakenOver, serial_number: str | None, *, contract: bool, as_of: datetime
) -> None:
    """An asset with its history; `contract`: its contract with the term, too. Call it within a transaction."""
    record = taken.change.after
    asset = record.asset
    place = Place(connection, asset.account_id, as_of)
    if contract and taken.contract:
        await open_contracts(place, [taken.contract])
    await open_assets(place, [taken.asset])
    await connection.execute(
        "update asset set version = $2, serial_number = $3 where asset_id = $1",
        asset.asset_id,
        record.version,
        serial_number,
    )
    await save_changes(connection, [taken.change])
    await connection.execute(
        "insert into imported_asset (asset_id, account_id, contract_id, recorded_at) values ($1, $2, $3, $4)",
        asset.asset_id,
        asset.account_id,
        asset.contract_id if contract else None,
        as_of,
    )


@dataclass(frozen=True)
class Pending:
    """Imported contracts and assets that no journey was told of yet."""

    contracts: list[str]
    assets: list[str]


async def not_taken_up(connection: Connection, account_id: str) -> Pending:
    """What imports have written for an account and its journey does not look after yet."""
    rows = await connection.fetch(
        "select asset_id, contract_id from imported_asset where account_id = $1 and not taken_up order by asset_id",
        account_id,
    )
    contracts = {row["contract_id"] for row in rows if row["contract_id"] is not None}
    return Pending(sorted(contracts), [row["asset_id"] for row in rows])


async def note_taken_up(connection: Connection, pending: Pending) -> None:
    """The journey has answered."""
    await connection.execute("update imported_asset set taken_up = true where asset_id = any($1)", pending.assets)


_EXPORT = """
select jsonb_strip_nulls(jsonb_build_object(
    'asset_id', a.asset_id, 'account_id', a.account_id, 'product', a.product_code, 'name', nullif(a.name, ''),
    'currency', a.currency, 'per', a.price_per, 'price_book', a.price_book, 'renewal_months', a.renewal_months,
    'renewal_pricing', a.renewal_pricing, 'serial_number', a.serial_number, 'unit_price', a.unit_price::text,
    'account', jsonb_build_object(
        'account_id', c.account_id, 'name', c.name, 'country', c.country, 'time_zone', c.time_zone,
        'language', c.language, 'segment', c.segment, 'owner', (select to_jsonb(s) from staff s where s.staff_id = c.owner_id),
        'success_manager', (select to_jsonb(s) from staff s where s.staff_id = c.success_manager_id)),
    'contacts', (
        select jsonb_agg(jsonb_build_object('contact_id', p.contact_id, 'name', p.name, 'email', p.email, 'role', p.role,
            'language', p.language, 'time_zone', p.time_zone) order by p.position)
        from contact p where p.account_id = a.account_id),
    'products', (select jsonb_build_array(jsonb_build_object('code', p.code, 'name', p.name, 'kind', p.kind))
        from product p where p.code = a.product_code),
    'contract', (
        select jsonb_build_object('contract_id', k.contract_id, 'auto_renew', k.auto_renew,
            'renewal_months', k.renewal_months, 'notice_days', k.notice_days, 'uplift_percent', k.uplift_percent::text,
            'billing', k.billing, 'first_invoice', k.first_invoice, 'term', jsonb_build_object('start', t.start_on,
                'end', nullif(t.until, '2999-12-31') - 1, 'evergreen', case when t.until = '2999-12-31' then k.evergreen end))
        from contract k join lateral (
            select * from contract_term t where t.contract_id = k.contract_id order by number desc limit 1) t on true
        where k.contract_id = a.contract_id)))
from asset a join account c using (account_id) where a.account_id = $1 order by a.asset_id
"""


async def export_assets(connection: Connection, account_id: str) -> list[dict[str, Any]]:
    """The documents by which another installation takes over everything that an account holds or held, histories included."""
    records = await load_records(connection, account_id)
    rows = [row[0] for row in await connection.fetch(_EXPORT, account_id)]
    return [{**row, "ledger": _exported(records[row["asset_id"]])} for row in rows]


def _exported(record: AssetRecord) -> dict[str, Any]:
    """An asset as it goes elsewhere, where other days are invoiced."""
    return record.model_dump(mode="json", exclude={"asset": {"invoiced_from"}})
