"""The asset ledger in tables: records as the pure library has them, read whole and appended to."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from activities.frame.handlers import Gathers, Handlers, Place, on, updated
from activities.kernel.computing import computed
from activities.kernel.gathering import Gathered
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from activities.kernel.queries import Column
from domain.assets.model import Asset, AssetAction, AssetRecord
from domain.assets.writes import AssetChange, SetUnitPrice
from domain.frame.unreadable import Readable, Unreadable, why_not


class AssetChangedMeanwhileError(RuntimeError):
    """Somebody else changed the asset since it was read; the transaction is tried again."""


_SUMS = frozenset(
    {"mrr_change", "product_amount_change", "adjustment_amount_change", "amount_change", "uplift_percent"}
)
_ASSET = ", ".join("a.product_code as product" if name == "product" else f"a.{name}" for name in Asset.model_fields)
_ACTED = ", ".join(
    f"c.{name}::text as {name}" if name in _SUMS else f"c.{name}"
    for name in AssetAction.model_fields
    if name != "sources"
)
# As text that is put together once: jsonb is taken apart and sorted at each level, which takes three times as long.
_RECORDS = """
select json_build_object(
  'asset', (select row_to_json(x) from (select {asset}) x),
  'version', a.version,
  'lock', a.lock,
  'actions', coalesce((
    select json_agg(row_to_json(x) order by x.sequence) from (
      select {action}, coalesce((
          select json_agg(json_build_object(
              'lot', s.lot, 'start', s.starts_at, 'end', s.ends_at, 'quantity', s.quantity, 'unit_price', s.unit_price::text,
              'list_price', s.list_price::text, 'reference', s.reference, 'product_amount', s.product_amount::text)
            order by s.number)
          from asset_action_source s where s.asset_id = c.asset_id and s.sequence = c.sequence), '[]') as sources
      from asset_action c where c.asset_id = a.asset_id) x), '[]'),
  'periods', coalesce((
    select json_agg(json_build_object(
        'start', p.starts_at, 'end', p.ends_at, 'quantity', p.quantity, 'mrr', p.mrr::text, 'amount', p.amount::text,
        'attributes', p.attributes) order by p.starts_at)
    from asset_state_period p where p.asset_id = a.asset_id), '[]'))::text as record
from asset a where a.{by}
""".replace("{asset}", _ASSET).replace("{action}", _ACTED)
_OF_ACCOUNT, _OF_SOME, _OF_ASSET, _OF_ASSETS = (
    _RECORDS.replace("{by}", by)
    for by in (
        "account_id = $1",
        "account_id = $1 and (a.contract_id = any($2) or a.asset_id = any($3))",
        "asset_id = $1",
        "asset_id = any($1) order by asset_id",
    )
)

RECORDS = f"select coalesce(array_agg(r.record), '{{}}') from ({_OF_ACCOUNT}) r"
"""The records of the account $1, as one value."""
RECORDS_OF_CONTRACT = RECORDS.replace("a.account_id = $1", "a.account_id = $1 and a.contract_id = $7")
"""The same of its contract $7 alone."""


async def load_record(connection: Connection, asset_id: str) -> AssetRecord | None:
    """The whole history of one asset."""
    text = await connection.fetchval(_OF_ASSET, asset_id)
    return AssetRecord.model_validate_json(text) if text else None


asset_ids = Column[str]("select asset_id from asset order by asset_id")
"""Every asset's id."""


async def load_many(connection: Connection, ids: Sequence[str]) -> list[AssetRecord]:
    """The whole histories of some assets, by asset id."""
    return [AssetRecord.model_validate_json(row["record"]) for row in await connection.fetch(_OF_ASSETS, ids)]


async def load_records(
    connection: Connection,
    account_id: str,
    contracts: Collection[str] | None = None,
    assets: Collection[str] = (),
) -> dict[str, AssetRecord]:
    """The whole history of every asset of an account, or of some `contracts` and some other `assets` alone, by asset id and in the
    order of these ids.

    One that cannot be read is not among them; to ask for it by its id raises `UnreadableError`.
    """
    if contracts is None:
        rows = await connection.fetch(_OF_ACCOUNT, account_id)
    else:
        rows = await connection.fetch(_OF_SOME, account_id, list(contracts), list(assets))
    return await computed(len(rows), read_records, [row["record"] for row in rows])


def read_records(texts: Sequence[str]) -> dict[str, AssetRecord]:
    """What `RECORDS` has read, as `load_records` gives it."""
    records: list[AssetRecord] = []  # the tables give them in any order, which changes with every write
    unreadable: list[Unreadable] = []
    for text in texts:
        try:
            records.append(AssetRecord.model_validate_json(text))
        except ValidationError as error:
            asset = json.loads(text)["asset"]
            fact = {"kind": "asset", "id": asset["asset_id"], "contract_id": asset["contract_id"]}
            unreadable.append(Unreadable(**fact, why=why_not(error)))
    found = {record.asset.asset_id: record for record in sorted(records, key=lambda one: one.asset.asset_id)}
    return Readable(found, unreadable) if unreadable else found


async def save_changes(connection: Connection, changes: Sequence[AssetChange]) -> None:
    """What each change adds: its new actions with their lots, and the periods that follow from them.

    Raises:
        AssetChangedMeanwhileError: An asset has another version than the change began with.
    """
    await _save(Gathered(connection), changes)


async def _save(gathered: Gathered, changes: Sequence[AssetChange]) -> None:
    """As `save_changes`, with what waits there."""
    if known := [change for change in changes if change.before is not None]:
        await gathered.write()
        await _advance(gathered.connection, known)
    await gathered.add(_ACTION, (row for change in changes for row in _action_rows(change)))
    await gathered.add(_SOURCE, (row for change in changes for row in _source_rows(change)))
    await gathered.write()
    await _write_periods(gathered.connection, [(change.after, _unchanged(change)) for change in changes])


async def replace_periods(connection: Connection, record: AssetRecord) -> None:
    """The stored periods of an asset become those of `record`, whatever they were; the asset's version counts up.

    Raises:
        AssetChangedMeanwhileError: The asset has another version than `record`.
    """
    done = await connection.execute(
        "update asset set version = version + 1, lifecycle_start = $3, lifecycle_end = $4"
        " where asset_id = $1 and version = $2",
        record.asset.asset_id,
        record.version,
        record.start,
        record.end,
    )
    if done != "UPDATE 1":
        raise _changed_meanwhile([record.asset.asset_id])
    await connection.execute("delete from asset_state_period where asset_id = $1", record.asset.asset_id)
    await _write_periods(connection, [(record, 0)])


async def _advance(connection: Connection, changes: Sequence[AssetChange]) -> None:
    """The assets' own rows brought up to date, and those of their periods that change taken away."""
    rows = sorted(
        (
            change.after.asset.asset_id,
            change.before.version if change.before else 0,
            change.after.version,
            change.after.lock,
            change.unit_price,
            change.after.start,
            change.after.end,
        )
        for change in changes
    )
    done = await connection.fetch(_ADVANCE, *zip(*rows, strict=True))
    if len(done) != len(rows):
        raise _changed_meanwhile(sorted({row[0] for row in rows} - {row["asset_id"] for row in done}))
    cuts = [
        (change.after.asset.asset_id, change.before.periods[kept].start)
        for change in changes
        if change.before is not None and (kept := _unchanged(change)) < len(change.before.periods)
    ]
    if cuts:
        await connection.execute(
            "delete from asset_state_period p using unnest($1::text[], $2::timestamptz[]) x(asset_id, starts_at)"
            " where p.asset_id = x.asset_id and p.starts_at >= x.starts_at",
            *zip(*cuts, strict=True),
        )


async def _change_assets(place: Place, writes: list[AssetChange]) -> None:
    await _save(place.gathered or Gathered(place.connection), writes)


HANDLERS: Handlers = dict(
    [on(AssetChange, Gathers(_change_assets)), on(SetUnitPrice, updated("asset", "unit_price", "asset_id"))]
)


def _changed_meanwhile(asset_ids: Sequence[str]) -> AssetChangedMeanwhileError:
    return AssetChangedMeanwhileError(f"asset {', '.join(asset_ids)} was changed by somebody else meanwhile")


def _unchanged(change: AssetChange) -> int:
    """How many periods from the first on the change leaves as they are."""
    before = change.before.periods if change.before else ()
    pairs = enumerate(zip(before, change.after.periods, strict=False))
    return next((n for n, (old, new) in pairs if old != new), min(len(before), len(change.after.periods)))


async def _write_periods(connection: Connection, records: Sequence[tuple[AssetRecord, int]]) -> None:
    """The periods of each record from the given number on, each with its slice of the portfolio and the running total."""
    rows = [row for record, kept in records for row in _period_rows(record, kept)]
    if rows:
        ids = list({row[0] for row in rows})
        await connection.execute(_PERIODS, ids, *zip(*rows, strict=True))


def _period_rows(record: AssetRecord, kept: int) -> Iterable[Sequence[Any]]:
    total: Decimal | None = Decimal(0)
    for number, p in enumerate(record.periods):
        total = None if total is None or p.amount is None else total + p.amount
        if number >= kept:
            attributes = json.dumps(p.attributes, ensure_ascii=False)
            yield (record.asset.asset_id, p.start, p.end, p.quantity, p.mrr, p.amount, total, attributes)


_ADVANCE = (
    "update asset a set version = x.version, lock = x.lock, unit_price = x.unit_price,"
    " lifecycle_start = x.lifecycle_start, lifecycle_end = x.lifecycle_end"
    " from unnest($1::text[], $2::integer[], $3::integer[], $4::text[], $5::numeric[], $6::timestamptz[], $7::timestamptz[])"
    " x(asset_id, before, version, lock, unit_price, lifecycle_start, lifecycle_end)"
    " where a.asset_id = x.asset_id and a.version = x.before returning a.asset_id"
)
# A slice that is new is made on the way; whoever makes the same one at the same time waits and then finds it.
_PERIODS = """
with kind as (
    select a.asset_id, a.product_code, c.segment, a.currency, s.slice_id
    from asset a join account c using (account_id)
    left join portfolio_slice s using (product_code, segment, currency)
    where a.asset_id = any($1)),
made as (
    insert into portfolio_slice (product_code, segment, currency)
    select distinct product_code, segment, currency from kind where slice_id is null order by 1, 2, 3
    on conflict (product_code, segment, currency) do update set segment = excluded.segment returning *)
insert into asset_state_period (asset_id, starts_at, ends_at, quantity, mrr, amount, total, attributes, slice_id)
select g.asset_id, g.starts_at, g.ends_at, g.quantity, g.mrr, g.amount, g.total, g.attributes::jsonb,
       coalesce(k.slice_id, m.slice_id)
from unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::integer[], $6::numeric[], $7::numeric[], $8::numeric[],
            $9::text[]) g(asset_id, starts_at, ends_at, quantity, mrr, amount, total, attributes)
join kind k using (asset_id)
left join made m using (product_code, segment, currency)
"""
_ACTION = Insert(
    "asset_action",
    "asset_id sequence request_id category type subtype effective recorded_at cuts clears_from lifecycle_start "
    "lifecycle_end attributes quantity_change mrr_change product_amount_change adjustment_amount_change "
    "amount_change undoes can_roll_back related_asset order_id months_from uplift_percent terms",
)
_SOURCE = Insert(
    "asset_action_source",
    "asset_id sequence number lot starts_at ends_at quantity unit_price list_price reference product_amount",
)


def _action_rows(change: AssetChange) -> Iterable[Sequence[Any]]:
    for action in change.new_actions:
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
            action.months_from,
            action.uplift_percent,
            [term.model_dump(mode="json") for term in action.terms],
        )


def _source_rows(change: AssetChange) -> Iterable[Sequence[Any]]:
    for action in change.new_actions:
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
