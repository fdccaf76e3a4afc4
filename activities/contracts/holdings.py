"""What changes in a customer's holdings without an order: assets and contracts that come, terms that move, transfers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from activities.contracts.joining_rows import MERGED_INTO, TAKE_CONTACTS, take_history
from activities.frame.handlers import Gathers, Handlers, Place, Sql, inserted, on, updated
from activities.frame.telling import AS_TOLD, COLUMNS, INTO, telling
from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Value
from domain.assets.model import Asset
from domain.contracts.consignments import Consignment, Receiver, Transferred, TransferStatus
from domain.contracts.writes import (
    BeginTerm,
    ClimbRung,
    DropTerm,
    ExpectRenewal,
    GiveTerm,
    MergedInto,
    MoveTerm,
    NoteChurn,
    OpenAsset,
    OpenContract,
    QuoteRenewal,
    SaveRenewalVersion,
    SendAssets,
    SetContractStatus,
    SettleRenewalVersion,
    SettleTransfer,
    TakeContacts,
    TakeHistory,
    Unmerge,
)
from domain.frame.customer import ContractStatus
from domain.journey.telling import term_told

ASSET = Insert(
    "asset",
    "asset_id account_id order_id line_id product_code=product name contract_id parent_id currency price_per=per unit_price"
    " price_book selling_model pricing_source renewal_pricing renewal_months ramped derived_price time_zone lifecycle_start"
    " lifecycle_end months_from carried carried_first invoiced_from tax_rates use_terms",
)
_OPENED = ASSET.of(
    Asset,
    "order_id line_id price_per unit_price lifecycle_start lifecycle_end carried carried_first invoiced_from tax_rates"
    " use_terms",
)
# Tax is that of the asset that goes on elsewhere, or of the customer's own orders.
_RATES = Column[list[Decimal] | None](
    "select case when taxed_as is null then rates else tax_rates_of(taxed_as) end"
    " from unnest($4::text[]) with ordinality x(taxed_as, n) join tax_rates_of_lines($1, $2, $3) using (n) order by n"
)


async def open_assets(place: Place, writes: Sequence[OpenAsset]) -> None:
    """The rows of new assets; their actions and periods follow."""
    rows = []
    for account_id, its in groupby(writes, key=lambda write: write.asset.account_id):
        opened = list(its)
        sold = [[getattr(write.asset, name) for write in opened] for name in ("product", "contract_id")]
        rates = await _RATES(place.connection, account_id, *sold, [write.taxed_as for write in opened])
        rows += [_asset_row(write, taxed) for write, taxed in zip(opened, rates, strict=True)]
    await ASSET.copy(place.connection, rows)


def _asset_row(write: OpenAsset, rates: Any) -> tuple[Any, ...]:
    first = write.asset.carried_first
    return _OPENED.row(
        write.asset,
        **dict.fromkeys(("order_id", "line_id")),
        price_per=write.per,
        unit_price=write.unit_price,
        lifecycle_start=write.start,
        lifecycle_end=write.end,
        carried=str(write.asset.carried),
        carried_first=None if first is None else str(first),
        invoiced_from=write.invoiced_from,
        tax_rates=rates,
        use_terms=None,
    )


def _told(place: Place, term: BeginTerm | MoveTerm) -> list[Any]:
    return list(term_told(place.account_id, term.contract_id, term.number, term.starts_at, term.ends_at))


BEGIN_TERMS = Sql(
    telling(
        "insert into contract_term (contract_id, number, start_on, until, starts_at, ends_at, origin, recorded_at)"
        " values (:contract_id, :number, :start_on, :until, :starts_at, :ends_at, :origin, :at)",
        ":told",
    ),
    told=_told,
)
_TERM = "contract_id, number, start_on, until, starts_at, ends_at, origin, recorded_at"
FIRST_TERMS = (
    f"term as (insert into contract_term ({_TERM}) select {_TERM} from jsonb_populate_recordset(null::contract_term, {{0}})),"
    f" ahead as ({INTO} select {COLUMNS} from jsonb_array_elements({{0}}) r(said)"
    f" cross join jsonb_populate_recordset(null::timeline_item, r.said->'told') where at is not null {AS_TOLD})"
)
"""Terms of contracts that are new themselves, together with what else waits."""
DROP_TERMS = Sql(
    telling("delete from contract_term where contract_id = :contract_id and number = :number", ":told"),
    told=lambda place, write: list(term_told(place.account_id, write.contract_id, write.number, None, None)),
)
"""Terms that have not begun are taken back; their quotes stay on record."""
_MOVE_TERMS = Sql(
    telling(
        "update contract_term set start_on = :start_on, until = :until, starts_at = :starts_at, ends_at = :ends_at,"
        " moves = moves + 1 where contract_id = :contract_id and number = :number",
        ":told",
    ),
    told=_told,
)
_CONTRACTS = inserted(
    "contract",
    "contract_id=contract.contract_id account_id order_id=contract.order_id currency=contract.currency"
    " auto_renew=contract.auto_renew renewal_months=contract.renewal_months notice_days=contract.notice_days"
    " uplift_percent=contract.uplift_percent status=contract.status status_at=at billing=contract.billing"
    " first_invoice=contract.first_invoice anchor_day=contract.anchor_day billed_from=contract.billed_from"
    " evergreen=contract.evergreen",
)
_STATUS = updated("contract", "status status_reason=reason status_at=at", "contract_id")
_EXPIRED = Sql(
    "insert into contract_event (contract_id, account_id, status, at, recorded_at)"
    " select distinct contract_id, account_id, 'expired', :as_of::timestamptz, :as_of::timestamptz from contract_event"
    " where contract_id = :contract_id and status = 'signed' on conflict do nothing"
)


_SAVE_VERSION = inserted(
    "renewal_version",
    "contract_id term version=made.version state=made.state months=made.months quantities=made.quantities"
    " discount_percent=made.discount_percent uplift_percent=made.uplift_percent role=made.role asked_by=made.asked_by reason"
    " asked_at=at saves=made.saves",
)
_SETTLE_VERSION = updated(
    "renewal_version",
    "state role decided_by=by decided_reason=reason decided_at=at",
    "contract_id term version",
)


async def open_contracts(place: Place, writes: list[OpenContract]) -> None:
    """New contracts, each with its term."""
    await _CONTRACTS(place, writes)
    begun = [
        BeginTerm(w.contract.contract_id, t.number, t.start_on, t.until, t.starts_at, t.ends_at, w.origin, w.at)
        for w, t in [(write, write.contract.term) for write in writes]
    ]
    if place.gathered is None:
        await BEGIN_TERMS(place, begun)
    else:
        await place.gathered.say(
            FIRST_TERMS, [{"recorded_at": one.at, "told": _told(place, one), **vars(one)} for one in begun]
        )


async def _set_statuses(place: Place, writes: list[SetContractStatus]) -> None:
    """A contract that came by a quote has run out on paper, too, once it has ended."""
    await _STATUS(place, writes)
    await _EXPIRED(place, [write for write in writes if write.status == ContractStatus.ENDED])


HANDLERS: Handlers = dict(
    [
        on(
            QuoteRenewal,
            inserted(
                "renewal_quote",
                "quote_id contract_id term currency total valid_until lines quoted_at=at",
                or_update("quote_id", "total lines quoted_at"),
            ),
        ),
        on(SaveRenewalVersion, _SAVE_VERSION),
        on(SettleRenewalVersion, _SETTLE_VERSION),
        on(
            NoteChurn,
            inserted(
                "contract_churn",
                "contract_id reason said given_by=by at",
                or_update("contract_id", "reason said given_by at"),
            ),
        ),
        on(
            ExpectRenewal,
            inserted("renewal_expectation", "contract_id term category reason expected_by=by at"),
        ),
        on(
            ClimbRung,
            inserted(
                "renewal_rung",
                "contract_id term rung due_on task opened_at=at",
                or_update("contract_id term rung", "due_on task opened_at"),
            ),
        ),
        on(GiveTerm, updated("contract", "auto_renew renewal_months uplift_percent evergreen", "contract_id")),
        on(OpenAsset, open_assets),
        on(OpenContract, Gathers(open_contracts)),
        on(BeginTerm, BEGIN_TERMS),
        on(MoveTerm, _MOVE_TERMS),
        on(DropTerm, DROP_TERMS),
        on(SetContractStatus, _set_statuses),
        on(SendAssets, inserted("conveyance", "transfer_id from_account=account_id to_account body asked_at=at")),
        on(TakeContacts, TAKE_CONTACTS),
        on(TakeHistory, take_history),
        on(MergedInto, MERGED_INTO),
        on(Unmerge, Sql("update account set merged_into = null where account_id = :account")),
        on(SettleTransfer, updated("conveyance", "status reason settled_at=at", "transfer_id")),
    ]
)


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
    return bool(status != TransferStatus.UNDER_WAY)


async def refuse_transfer(connection: Connection, transfer_id: str, reason: str, as_of: datetime) -> TransferStatus:
    """The target of a transfer refused for good, unless it has the assets already. Returns how the transfer stands."""
    await connection.execute(
        "update conveyance set status = 'refused', reason = $2, settled_at = $3"
        " where transfer_id = $1 and status = 'under_way'",
        transfer_id,
        reason,
        as_of,
    )
    return TransferStatus(
        await connection.fetchval("select status from conveyance where transfer_id = $1", transfer_id)
    )


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
        leaving=await is_leaving(connection, account_id),
    )


part_of = Value[str | None]("select merged_into from account where account_id = $1")
"""The account that an account went on as part of; null for all others."""

is_leaving = Value[bool](
    "select exists (select from conveyance where from_account = $1 and status = 'under_way' and body->'joining'->>'whole' = 'true')"
)
"""True while an account is on its way into another one."""
