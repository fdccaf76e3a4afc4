"""Use that is charged, in tables: what was reported and is not charged yet, and the months that were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from domain.assets.model import AssetRecord
from domain.billing.use import Metered, UseCharge

# Of several assets by which one product's use is charged, a day counts for the one that began first.
_OF_ASSETS = """
from usage_day u cross join lateral (
  select a.asset_id from asset a
  where a.account_id = u.account_id and a.product_code = u.product_code and a.use_terms is not null
    and (a.lifecycle_start at time zone a.time_zone)::date <= u.day
    and (a.lifecycle_end is null or (a.lifecycle_end at time zone a.time_zone)::date > u.day)
  order by a.lifecycle_start, a.asset_id limit 1) x
where u.account_id = $1 and x.asset_id = any($2) and coalesce(u.units, 0) <> u.charged_units
"""
_DAYS = f"""
select x.asset_id, jsonb_agg(jsonb_build_array(u.day, coalesce(u.units, 0) - u.charged_units) order by u.day, u.product_code) as days
{_OF_ASSETS} group by x.asset_id
"""
_CHARGES = """
select asset_id, jsonb_agg(to_jsonb(c) - 'charged_at' || jsonb_build_object('amount', c.amount::text) order by c.start) as charges
from use_charge c where asset_id = any($1) group by asset_id
"""
_CHARGE = Insert("use_charge", "asset_id start until used granted prepaid over priced amount carried charged_at")
_ROW = _CHARGE.of(UseCharge, "priced charged_at")


async def metered(connection: Connection, account_id: str, records: Iterable[AssetRecord]) -> dict[str, Metered]:
    """What is known of the use of those assets whose use is charged; nothing is asked if there are none."""
    ids = [record.asset.asset_id for record in records if record.asset.use_terms is not None]
    if not ids:
        return {}
    days = {row["asset_id"]: row["days"] for row in await connection.fetch(_DAYS, account_id, ids)}
    charges = {row["asset_id"]: row["charges"] for row in await connection.fetch(_CHARGES, ids)}
    return {
        asset_id: Metered.model_validate({"days": days.get(asset_id, []), "charges": charges.get(asset_id, [])})
        for asset_id in ids
    }


async def note_charged(connection: Connection, account_id: str, charges: Sequence[UseCharge], as_of: datetime) -> None:
    """These months are charged, and so are the days in them; where less was used than was charged before, the days wait."""
    rows = [
        _ROW.row(one, priced=[[units, str(price)] for units, price in one.priced], charged_at=as_of) for one in charges
    ]
    await _CHARGE.copy(connection, rows)
    for asset_id in {one.asset_id for one in charges}:
        until = max(one.until for one in charges if one.asset_id == asset_id)
        await connection.execute("update asset set use_charged_until = $2 where asset_id = $1", asset_id, until)
        counted = [one.until for one in charges if one.asset_id == asset_id and not one.carried]
        if counted:
            await connection.execute(_COUNTED, account_id, [asset_id], max(counted))


_COUNTED = f"""
update usage_day d set charged_units = coalesce(d.units, 0) from (select u.account_id, u.product_code, u.day {_OF_ASSETS}) c
where (d.account_id, d.product_code, d.day) = (c.account_id, c.product_code, c.day) and d.day < $3
"""
