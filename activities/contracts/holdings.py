"""What changes in a customer's holdings without an order: assets and contracts that come, terms that move, transfers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities.frame.telling import telling
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from domain.contracts.consignments import Consignment, Receiver, Transferred, TransferStatus
from domain.contracts.writes import BeginTerm, DropTerm, MoveTerm, OpenAsset, SendAssets, SettleTransfer
from domain.frame.customer import ContractFacts, TermFacts
from domain.journey.telling import term_told


async def open_assets(connection: Connection, writes: Sequence[OpenAsset]) -> None:
    """The rows of new assets; their actions and periods follow."""
    await connection.executemany(
        "insert into asset (asset_id, account_id, product_code, name, contract_id, parent_id, currency, price_per, unit_price,"
        " price_book, selling_model, pricing_source, renewal_pricing, renewal_months, ramped, derived_price, time_zone,"
        " lifecycle_start, lifecycle_end, months_from, carried, carried_first, invoiced_from, tax_rates)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,"
        " $22, $23, case when $24::text is null then tax_rates_for($2, $3, $5) else tax_rates_of($24) end)",
        [_asset_row(write) for write in writes],
    )


def _asset_row(write: OpenAsset) -> Sequence[Any]:
    asset = write.asset
    return (
        asset.asset_id,
        asset.account_id,
        asset.product,
        asset.name,
        asset.contract_id,
        asset.parent_id,
        asset.currency,
        write.per.value,
        write.unit_price,
        asset.price_book,
        asset.selling_model.value,
        asset.pricing_source.value,
        asset.renewal_pricing.value,
        asset.renewal_months,
        asset.ramped,
        asset.derived_price,
        asset.time_zone,
        write.start,
        write.end,
        asset.months_from,
        str(asset.carried),
        None if asset.carried_first is None else str(asset.carried_first),
        write.invoiced_from,
        write.taxed_as,
    )


CONTRACT = Insert(
    "contract",
    "contract_id account_id order_id currency auto_renew renewal_months notice_days uplift_percent status status_at billing"
    " first_invoice anchor_day billed_from",
)
TERM = telling(
    "insert into contract_term (contract_id, number, start_on, until, starts_at, ends_at, origin, recorded_at)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8)",
    9,
)
_MOVED = telling(
    "update contract_term set start_on = $3, until = $4, starts_at = $5, ends_at = $6, moves = moves + 1"
    " where contract_id = $1 and number = $2",
    7,
)
_DROPPED = telling("delete from contract_term where contract_id = $1 and number = $2", 3)


def term_row(
    term: TermFacts | BeginTerm, contract_id: str, account_id: str, origin: str, at: datetime
) -> tuple[Any, ...]:
    """A term of a contract for `TERM`."""
    told = list(term_told(account_id, contract_id, term.number, term.starts_at, term.ends_at))
    dates = (term.start_on, term.until, term.starts_at, term.ends_at)
    return (contract_id, term.number, *dates, origin, at, told)


async def add_contracts(
    connection: Connection, account_id: str, opened: Iterable[tuple[ContractFacts, str, datetime]]
) -> None:
    """New contracts, each with its term, where that comes from, and since when the contract stands as it does."""
    opened = list(opened)
    rows = [CONTRACT.row(contract, account_id=account_id, status_at=at) for contract, _, at in opened]
    await CONTRACT.add(connection, rows)
    terms = [term_row(one.term, one.contract_id, account_id, origin, at) for one, origin, at in opened]
    await connection.executemany(TERM, terms)


async def move_terms(connection: Connection, account_id: str, writes: Sequence[MoveTerm]) -> None:
    """Terms get other dates."""
    await connection.executemany(
        _MOVED,
        [
            (
                *(w.contract_id, w.number, w.start_on, w.until, w.starts_at, w.ends_at),
                list(term_told(account_id, w.contract_id, w.number, w.starts_at, w.ends_at)),
            )
            for w in writes
        ],
    )


async def drop_terms(connection: Connection, account_id: str, writes: Sequence[DropTerm]) -> None:
    """Terms that have not begun are taken back; their quotes stay on record."""
    told = [list(term_told(account_id, w.contract_id, w.number, None, None)) for w in writes]
    rows = [(w.contract_id, w.number, gone) for w, gone in zip(writes, told, strict=True)]
    await connection.executemany(_DROPPED, rows)


async def standing_quotes(connection: Connection, account_id: str, as_of: datetime) -> dict[str, Decimal]:
    """What the next terms of contracts were quoted at, by contract id, while the present ones run and nobody has accepted."""
    rows = await connection.fetch(
        "select q.contract_id, q.total from contract c join renewal_quote q using (contract_id)"
        " join contract_term t on t.contract_id = c.contract_id and t.number = q.term - 1 and t.ends_at > $2"
        " where c.account_id = $1 and c.status = 'active' and not exists"
        " (select from contract_term n where n.contract_id = c.contract_id and n.number = q.term) order by q.contract_id",
        account_id,
        as_of,
    )
    return {row["contract_id"]: row["total"] for row in rows}


async def send_assets(connection: Connection, account_id: str, writes: Sequence[SendAssets]) -> None:
    """Assets are on their way to another account."""
    await connection.executemany(
        "insert into conveyance (transfer_id, from_account, to_account, body, asked_at) values ($1, $2, $3, $4, $5)",
        [(w.transfer_id, account_id, w.to_account, w.body, w.at) for w in writes],
    )


async def settle_transfers(connection: Connection, writes: Sequence[SettleTransfer]) -> None:
    """What came of transfers."""
    await connection.executemany(
        "update conveyance set status = $2, reason = $3, settled_at = $4 where transfer_id = $1",
        [(w.transfer_id, w.status, w.reason, w.at) for w in writes],
    )


async def find_transfer(connection: Connection, transfer_id: str) -> Transferred | None:
    """A transfer by its id, locked until the transaction ends."""
    row = await connection.fetchrow(
        "select transfer_id, from_account, to_account, status, reason, body from conveyance where transfer_id = $1"
        " for update",
        transfer_id,
    )
    if row is None:
        return None
    return Transferred(
        transfer_id=row["transfer_id"],
        from_account=row["from_account"],
        to_account=row["to_account"],
        status=TransferStatus(row["status"]),
        reason=row["reason"],
        consignment=Consignment.model_validate(row["body"]),
    )


async def is_answered(connection: Connection, transfer_id: str) -> bool:
    """True once the target has taken the assets of a transfer, or refused them."""
    status = await connection.fetchval("select status from conveyance where transfer_id = $1", transfer_id)
    return bool(status != "under_way")


async def refuse_transfer(connection: Connection, transfer_id: str, reason: str, as_of: datetime) -> str:
    """The target of a transfer refused for good, unless it has the assets already. Returns how the transfer stands."""
    await connection.execute(
        "update conveyance set status = 'refused', reason = $2, settled_at = $3"
        " where transfer_id = $1 and status = 'under_way'",
        transfer_id,
        reason,
        as_of,
    )
    status: str = await connection.fetchval("select status from conveyance where transfer_id = $1", transfer_id)
    return status


async def taken_assets(connection: Connection, asset_ids: Sequence[str]) -> set[str]:
    """Those of the asset ids that exist already, whatever account holds them."""
    rows = await connection.fetch("select asset_id from asset where asset_id = any($1)", list(asset_ids))
    return {row["asset_id"] for row in rows}


async def find_receiver(connection: Connection, account_id: str, asset_ids: Sequence[str]) -> Receiver | None:
    """An account that is to receive assets under these new ids, if there is one."""
    row = await connection.fetchrow("select closed_at from account where account_id = $1", account_id)
    if row is None:
        return None
    contracts = await connection.fetch(
        "select contract_id from contract where account_id = $1 and status <> 'ended'", account_id
    )
    return Receiver(
        account_id,
        closed=row["closed_at"] is not None,
        contracts=frozenset(contract["contract_id"] for contract in contracts),
        taken=frozenset(await taken_assets(connection, asset_ids)),
    )
