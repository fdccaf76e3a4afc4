"""The asset ledger in tables: records as the pure library has them, read whole and appended to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from activities.store.pool import Connection
from domain.assets.model import AssetRecord
from domain.decision import AssetChange


class AssetChangedMeanwhileError(RuntimeError):
    """Somebody else changed the asset since it was read; the transaction is tried again."""


_RECORDS = """
select jsonb_build_object(
  'asset', to_jsonb(a) || jsonb_build_object('product', a.product_code),
  'version', a.version,
  'lock', a.lock,
  'actions', (
    select jsonb_agg(to_jsonb(c) || jsonb_build_object(
        'mrr_change', c.mrr_change::text, 'product_amount_change', c.product_amount_change::text,
        'adjustment_amount_change', c.adjustment_amount_change::text, 'amount_change', c.amount_change::text,
        'sources', coalesce((
          select jsonb_agg(jsonb_build_object(
              'lot', s.lot, 'start', s.starts_at, 'end', s.ends_at, 'quantity', s.quantity, 'unit_price', s.unit_price::text,
              'list_price', s.list_price::text, 'reference', s.reference, 'product_amount', s.product_amount::text)
            order by s.number)
          from asset_action_source s where s.asset_id = c.asset_id and s.sequence = c.sequence), '[]')) order by c.sequence)
    from asset_action c where c.asset_id = a.asset_id),
  'periods', (
    select jsonb_agg(jsonb_build_object(
        'start', p.starts_at, 'end', p.ends_at, 'quantity', p.quantity, 'mrr', p.mrr::text, 'amount', p.amount::text,
        'attributes', p.attributes) order by p.starts_at)
    from asset_state_period p where p.asset_id = a.asset_id))::text as record
from asset a where a.{by} = $1
"""
_OF_ACCOUNT, _OF_ASSET = (_RECORDS.replace("{by}", by) for by in ("account_id", "asset_id"))


async def load_record(connection: Connection, asset_id: str) -> AssetRecord | None:
    """The whole history of one asset."""
    text = await connection.fetchval(_OF_ASSET, asset_id)
    return AssetRecord.model_validate_json(text) if text else None


async def asset_ids(connection: Connection) -> list[str]:
    """Every asset's id."""
    return [row["asset_id"] for row in await connection.fetch("select asset_id from asset order by asset_id")]


async def load_records(connection: Connection, account_id: str) -> dict[str, AssetRecord]:
    """The whole history of every asset of an account, by asset id."""
    rows = await connection.fetch(_OF_ACCOUNT, account_id)
    records = [AssetRecord.model_validate_json(row["record"]) for row in rows]
    return {record.asset.asset_id: record for record in records}


async def save_changes(connection: Connection, changes: Sequence[AssetChange]) -> None:
    """What each change adds: its new actions with their lots, and the periods that follow from them.

    Raises:
        AssetChangedMeanwhileError: An asset has another version than the change began with.
    """
    known = [change for change in changes if change.before is not None]
    if known:
        await _advance(connection, known)
    await connection.executemany(_ACTION, [row for change in changes for row in _action_rows(change)])
    await connection.executemany(_SOURCE, [row for change in changes for row in _source_rows(change)])
    await connection.executemany(
        "insert into asset_state_period (asset_id, starts_at, ends_at, quantity, mrr, amount, attributes)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        [
            (change.after.asset.asset_id, p.start, p.end, p.quantity, p.mrr, p.amount, p.attributes)
            for change in changes
            for p in change.after.periods
        ],
    )


async def _advance(connection: Connection, changes: Sequence[AssetChange]) -> None:
    """The assets' own rows brought up to date, and their derived periods taken away."""
    for change in changes:
        after = change.after
        done = await connection.execute(
            "update asset set version = $3, lock = $4, unit_price = $5, lifecycle_start = $6, lifecycle_end = $7"
            " where asset_id = $1 and version = $2",
            after.asset.asset_id,
            change.before.version if change.before else 0,
            after.version,
            after.lock,
            change.unit_price,
            after.start,
            after.end,
        )
        if done != "UPDATE 1":
            raise AssetChangedMeanwhileError(f"asset {after.asset.asset_id} was changed by somebody else meanwhile")
    ids = [change.after.asset.asset_id for change in changes]
    await connection.execute("delete from asset_state_period where asset_id = any($1)", ids)


_ACTION = (
    "insert into asset_action (asset_id, sequence, request_id, category, type, subtype, effective, recorded_at, cuts,"
    " clears_from, lifecycle_start, lifecycle_end, attributes, quantity_change, mrr_change, product_amount_change,"
    " adjustment_amount_change, amount_change, undoes, can_roll_back, related_asset, order_id)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
)
_SOURCE = (
    "insert into asset_action_source (asset_id, sequence, number, lot, starts_at, ends_at, quantity, unit_price, list_price,"
    " reference, product_amount) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
)


def _new_actions(change: AssetChange) -> Iterable[Any]:
    known = len(change.before.actions) if change.before else 0
    return change.after.actions[known:]


def _action_rows(change: AssetChange) -> Iterable[Sequence[Any]]:
    for action in _new_actions(change):
        yield (
            change.after.asset.asset_id,
            action.sequence,
            action.request_id,
            action.category.value,
            action.type.value,
            action.subtype.value if action.subtype else None,
            action.effective,
            action.recorded_at,
            list(action.cuts),
            action.clears_from,
            action.lifecycle_start,
            action.lifecycle_end,
            [setting.model_dump(mode="json") for setting in action.attributes],
            action.quantity_change,
            action.mrr_change,
            action.product_amount_change,
            action.adjustment_amount_change,
            action.amount_change,
            action.undoes,
            action.can_roll_back,
            action.related_asset,
            action.order_id,
        )


def _source_rows(change: AssetChange) -> Iterable[Sequence[Any]]:
    for action in _new_actions(change):
        for number, source in enumerate(action.sources):
            yield (
                change.after.asset.asset_id,
                action.sequence,
                number,
                source.lot,
                source.start,
                source.end,
                source.quantity,
                source.unit_price,
                source.list_price,
                source.reference,
                source.product_amount,
            )
