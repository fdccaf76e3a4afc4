"""What a customer owns: each asset with its periods on the time axis; of one, all that was done to it as well."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime

from activities.assets.asset_pages import assets_of
from activities.assets.ledger import load_record
from activities.kernel.pool import Connection
from domain.assets.ledger import period_at
from domain.assets.model import AssetAction, AssetRecord
from domain.frame.access import FieldGroup
from domain.journey.customer_timeline import Cursor
from gateway.views.pages import Page, page_of
from gateway.views.shown import Exact, View
from gateway.views.whose import Whose


class Period(View):
    """A stretch with one quantity and one MRR, from `start` up to `end`; null for the end means for as long as it goes on."""

    start: AwareDatetime
    end: AwareDatetime | None
    quantity: int
    mrr: Annotated[Exact | None, FieldGroup.PRICES]
    amount: Annotated[Decimal | None, FieldGroup.PRICES]


class AssetLine(View):
    """An asset with its periods. `quantity` and `mrr` are those of now, null while it is not in force."""

    asset_id: str
    product: str
    name: str
    kind: str
    contract_id: str | None
    parent_id: str | None
    currency: str
    selling_model: str
    status: str
    serial_number: str | None
    lifecycle_start: AwareDatetime
    lifecycle_end: AwareDatetime | None
    quantity: int | None
    mrr: Annotated[Exact | None, FieldGroup.PRICES]
    periods: list[Period]


class Lot(View):
    """Units that an action sold, took or moved, with their price."""

    lot: int
    start: AwareDatetime
    end: AwareDatetime | None
    quantity: int
    unit_price: Annotated[Exact | None, FieldGroup.PRICES]
    list_price: Annotated[Exact | None, FieldGroup.PRICES]
    product_amount: Annotated[Exact | None, FieldGroup.PRICES]
    reference: str | None


class Action(View):
    """What was done to an asset. `undoes`: the number of the action that it takes back."""

    sequence: int
    request_id: str
    category: str
    type: str
    subtype: str | None
    effective: AwareDatetime
    recorded_at: AwareDatetime | None
    quantity_change: int
    mrr_change: Annotated[Exact | None, FieldGroup.PRICES]
    amount_change: Annotated[Decimal | None, FieldGroup.PRICES]
    undoes: int | None
    related_asset: str | None
    order_id: str | None
    lots: list[Lot]


class AssetOnRecord(View):
    """One asset, whole: what it is, its periods, and its actions in the order in which they were written."""

    asset_id: str
    account_id: str
    product: str
    name: str
    contract_id: str | None
    parent_id: str | None
    currency: str
    selling_model: str
    time_zone: str
    price_book: str
    start: AwareDatetime
    end: AwareDatetime | None
    cancelled: bool
    lock: str | None
    quantity: int | None
    mrr: Annotated[Exact | None, FieldGroup.PRICES]
    periods: list[Period]
    actions: list[Action]


async def assets_page(connection: Connection, whose: Whose, place: Cursor | None, limit: int) -> Page[AssetLine]:
    """What a customer owns or owned, what was sold last first."""
    return await page_of(AssetLine, assets_of, connection, place, limit, whose.account_id, whose.now)


async def asset(connection: Connection, asset_id: str, now: datetime) -> AssetOnRecord | None:
    """One asset at an instant; null if there is none of that id."""
    record = await load_record(connection, asset_id)
    return None if record is None else _asset(record, now)


def _asset(record: AssetRecord, now: datetime) -> AssetOnRecord:
    about, period = record.asset, period_at(record.periods, now)
    return AssetOnRecord(
        asset_id=about.asset_id,
        account_id=about.account_id,
        product=about.product,
        name=about.name,
        contract_id=about.contract_id,
        parent_id=about.parent_id,
        currency=about.currency,
        selling_model=about.selling_model.value,
        time_zone=about.time_zone,
        price_book=about.price_book,
        start=record.start,
        end=record.end,
        cancelled=record.cancelled,
        lock=record.lock,
        quantity=period.quantity if period else None,
        mrr=period.mrr if period else None,
        periods=[Period.model_validate(one.model_dump()) for one in record.periods],
        actions=[_action(one) for one in record.actions],
    )


def _action(action: AssetAction) -> Action:
    lots = [Lot.model_validate(source.model_dump()) for source in action.sources]
    return Action.model_validate({**action.model_dump(exclude={"sources"}), "lots": lots})
