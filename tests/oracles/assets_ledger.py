"""The adapter of the ledger's operations: a run of requests, replayed until one is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger
from domain.assets.model import Asset, AssetAction, AssetRecord
from domain.assets.operations import AnyRequest, apply
from domain.assets.requests import CancelAsset, ChangePrice, ChangeQuantity, Generate, Line, Renew, Rollback, Transfer
from tests.oracles import Adapter, Unsupported
from tests.oracles.assets import Input, choice, moment, understood
from tests.oracles.dialects.detail_lines import detail_lines
from tests.oracles.dialects.moments import EndStyle, as_instant, read_end, write_end, write_moment
from tests.oracles.dialects.started_months import StartedMonths

UTC_ZONE = ZoneInfo("UTC")
PRODUCT = "product"


def instant(text: str | None) -> datetime | None:
    return None if text is None else as_instant(moment(text), UTC_ZONE)


def lines(given: Input, style: EndStyle) -> tuple[Line, ...]:
    return tuple(
        Line.model_validate(
            line
            | {
                "start": instant(line["start"]),
                "end": None if line["end"] is None else read_end(moment(line["end"]), style, UTC_ZONE),
            }
        )
        for line in given["lines"]
    )


def generate(given: Input, common: Input, run: Input) -> AnyRequest:
    asset = Asset.model_validate(
        {
            "asset_id": given["asset"],
            "account_id": given["account"],
            "product": PRODUCT,
            "currency": run["currency"],
            "selling_model": given["selling_model"],
        }
    )
    style = choice(EndStyle, run["end_style"])
    return Generate(**(common | {"asset": asset, "lines": lines(given, style)}))


def amendment(kind: Callable[..., AnyRequest], *keys: str) -> Callable[[Input, Input, Input], AnyRequest]:
    """A request of this kind with the operation's own keys; those that name an instant become one."""

    def make(given: Input, common: Input, _: Input) -> AnyRequest:
        own = {key: instant(given[key]) if key in ("effective", "start") else given[key] for key in keys}
        return kind(**common, asset_id=given["asset"], **own)

    return make


def hand_over(given: Input, common: Input, _: Input) -> AnyRequest:
    return Transfer(
        **common,
        asset_id=given["asset"],
        to_asset_id=given["to_asset"],
        to_account_id=given["to_account"],
        effective=instant(given["effective"]),
        quantity=given["quantity"],
    )


REQUESTS: dict[str, Callable[[Input, Input, Input], AnyRequest]] = {
    "generate": generate,
    "change_quantity": amendment(ChangeQuantity, "effective", "delta", "unit_price"),
    "change_price": amendment(ChangePrice, "effective", "unit_price"),
    "cancel": amendment(CancelAsset, "effective", "tail"),
    "renew": amendment(Renew, "start", "months", "segment_months"),
    "transfer": hand_over,
    "rollback": amendment(Rollback),
}


def request(number: int, given: Input, run: Input) -> AnyRequest:
    if given["op"] not in REQUESTS:
        raise Unsupported(f"no request for {given['op']}")
    common = {"request_id": f"operation-{number}", "recorded_at": instant(given["recorded_at"])}
    return REQUESTS[given["op"]](given, common, run)


def touched(before: Ledger, after: Ledger) -> list[AssetRecord]:
    """The records that an operation changed: first the asset it was asked of, then any that it made."""
    return [record for key, record in after.assets.items() if before.assets.get(key) != record]


def shown_period(record: AssetRecord, style: EndStyle) -> list[Input]:
    return [
        {
            "start": write_moment(period.start, style),
            "end": None if period.end is None else write_end(period.end, style),
            "quantity": period.quantity,
            "mrr": period.mrr,
            "amount": period.amount,
        }
        for period in record.periods
    ]


def shown_action(record: AssetRecord, action: AssetAction, style: EndStyle) -> Input:
    recorded = action.recorded_at
    return {
        "asset": record.asset.asset_id,
        "category": action.category,
        "subtype": action.subtype,
        "effective": write_moment(action.effective, style),
        "recorded_at": None if recorded is None else write_moment(recorded, style),
        "quantity_change": action.quantity_change,
        "mrr_change": action.mrr_change,
        "amount_change": action.amount_change,
    }


def shown_details(records: Iterable[AssetRecord], style: EndStyle) -> list[Input]:
    """The detail lines of an operation; those of an asset without a term carry no dates."""
    shown: list[Input] = []
    for record in records:
        for row in detail_lines(record, record.actions[-1]):
            dated = record.asset.selling_model == "termed"
            shown.append(
                {
                    "start": write_moment(row.start, style) if dated else None,
                    "end": write_end(row.end, style) if dated and row.end else None,
                    "quantity": row.quantity,
                }
            )
    return shown


def ledger_run(given: Input) -> Any:
    style = choice(EndStyle, given["end_style"])
    if (given["month_count"], given["reduction_order"]) != ("ceil", "lifo"):
        raise Unsupported(f"months are counted by {given['month_count']}, lots taken by {given['reduction_order']}")
    policy = StartedMonths(allow_backdate=given["allow_backdate"], most_segments=None)
    ledger, error = Ledger(policy=policy), None
    actions: list[Input] = []
    details: list[Input] = []
    for number, operation in enumerate(given["operations"], 1):
        try:
            after = apply(ledger, request(number, operation, given))
        except AssetError as refused:
            error, details = refused.code, []
            break
        changed = touched(ledger, after)
        actions += [shown_action(record, record.actions[-1], style) for record in changed]
        details = shown_details(changed, style)
        ledger = after
    return {
        "assets": {
            str(key): {"account": record.asset.account_id, "periods": shown_period(record, style)}
            for key, record in ledger.assets.items()
        },
        "asset_count": len(ledger.assets),
        "actions": actions,
        "detail_lines": details,
        "error": error,
    }


ADAPTERS: dict[str, Adapter] = {"ledger.run": understood(ledger_run)}
