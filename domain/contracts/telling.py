"""What is said of a change of an asset: to the journal with its lots, to the customer with their days and prices, to the sender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.assets.ledger import period_at, rebuild
from domain.assets.model import ActionType, AssetAction, AssetRecord, Category, StatePeriod, Subtype
from domain.assets.writes import AssetChange
from domain.billing.billing import settled_on
from domain.frame.customer import Customer
from domain.frame.decision import JournalLine
from domain.frame.ownership import POLICY
from domain.frame.situation import Situation
from domain.kernel.money import rounding_of, to_minor_unit
from domain.kernel.shown import counted
from domain.orders.order import FirstInvoice

ZERO = Decimal(0)
_BY_SUBTYPE = {
    Subtype.ROLLBACK: "rolled_back",
    Subtype.FIELD_AMENDMENT: "fields",
    Subtype.START_DATE_ADJUSTMENT: "start",
    Subtype.TRANSFER_FROM: "handed_over",
    Subtype.TRANSFER_TO: "received",
    Subtype.SWAP_OUT: "swapped_out",
    Subtype.UPGRADE_FROM: "swapped_out",
    Subtype.DOWNGRADE_FROM: "swapped_out",
    Subtype.SWAP_IN: "swapped_in",
    Subtype.UPGRADE_TO: "swapped_in",
    Subtype.DOWNGRADE_TO: "swapped_in",
}


@dataclass(frozen=True)
class Told:
    """A change in words. `row` is what mails show, `answer` what the sender is told; `part` is what was done, of all at once."""

    part: AssetChange
    line: JournalLine
    row: dict[str, Any]
    answer: dict[str, Any]


def tell(situation: Situation, changes: Sequence[AssetChange]) -> list[Told]:
    """Each change of an asset, explained by what was done to it, one after the other."""
    names = {change.after.asset.asset_id: change.after.asset.name or change.after.asset.product for change in changes}
    return [
        _tell(situation, part, names, last=part.after is change.after) for change in changes for part in _parts(change)
    ]


def _parts(change: AssetChange) -> list[AssetChange]:
    """A change for each thing that was done to an asset at once."""
    found = [change]
    while len(found[0].new_actions) > 1 and (between := before_last(found[0].after)) is not None:
        found[:1] = [replace(found[0], after=between), replace(found[0], before=between)]
    return found


def kind_of(action: AssetAction, before: AssetRecord | None, quantity_change: int) -> str:
    """One word for what an action did: the word of mail templates."""
    if action.subtype in _BY_SUBTYPE:
        return _BY_SUBTYPE[action.subtype]
    if before is None:
        return "added"
    if action.type is ActionType.CANCEL:
        return "cancelled"
    if action.category is Category.RENEWALS:
        return "renewed"
    if before.end != action.lifecycle_end:
        return "end"
    return "more" if quantity_change > 0 else "fewer" if quantity_change < 0 else "price"


def _tell(situation: Situation, change: AssetChange, names: Mapping[str, str], *, last: bool) -> Told:
    """`names`: what the other assets of the request are called, by their ids; `last`: nothing more was done to this one."""
    customer, after = situation.customer, change.after
    action = after.actions[-1]
    old = _at(change.before, action.effective)
    new = _at(after, action.effective)
    if new is None and action.undoes is not None and after.periods:
        new = after.periods[-1]  # an end is taken back that would have come with the term's own
    was, now = (old.quantity if old else 0), (new.quantity if new else 0)
    kind = kind_of(action, change.before, now - was)
    asset, currency = after.asset, after.asset.currency
    name = asset.name or asset.product
    start = customer.day_of(action.effective)
    never = not after.periods  # given up before it began
    end = customer.day_of(after.end - timedelta(seconds=1)) if after.end and not never else None
    if end is not None and end < start and kind != "cancelled":  # nothing is left from then on, as the words for it say
        end = None
    other = names.get(str(action.related_asset), "")
    said = _said(kind, was, now, start.isoformat(), end.isoformat() if end else "", action, other)
    title = f"{name}: {said}{_money(action, currency)}"
    money = {
        "mrr_change": _text(action.mrr_change),
        "amount_change": _text(action.amount_change),
        "currency": currency,
    }
    detail = {
        "asset_id": asset.asset_id,
        "change": kind,
        "category": action.category.value,
        "version": after.version,
        "effective": action.effective.isoformat(),
        "quantity": [was, now],
        **money,
        "lots": [_lot(row) for row in action.sources],
    }
    row = {
        "product": name,
        "change": kind,
        "from": start.isoformat(),
        "until": end.isoformat() if end and (now or kind != "handed_over") else "",  # it runs for somebody else
        "quantity_before": was,
        "quantity": now,
        "mrr_before": to_minor_unit((old.mrr if old else None) or ZERO, currency).told(),
        "mrr": to_minor_unit((new.mrr if new else None) or ZERO, currency).told(),
        "fields": "; ".join(f"{key}: {value}" for s in action.attributes for key, value in s.values.items()),
    }
    answer = {
        "asset_id": asset.asset_id,
        "change": kind,
        "version": after.version,
        "effective": action.effective.isoformat(),
        "quantity": now,
        "until": end.isoformat() if end else None,
        "settled_on": _settled_on(situation, after).isoformat(),
        **money,
    }
    line_name = asset.asset_id if last else f"{asset.asset_id}/{action.sequence}"
    return Told(change, JournalLine(title, name=line_name, detail=detail), row, answer)


def _settled_on(situation: Situation, record: AssetRecord) -> date:
    contracts = situation.customer.contracts
    says = [c.first_invoice for c in contracts if c.contract_id == record.asset.contract_id]
    return settled_on(record, says[0] if says else FirstInvoice.START, situation.billing_day)


def before_last(record: AssetRecord) -> AssetRecord | None:
    """An asset as it was before its last action; null if that made it."""
    actions = record.actions[:-1]
    if not actions:
        return None
    return record.having(actions=actions, periods=rebuild(record.asset, actions, POLICY))


def _at(record: AssetRecord | None, at: datetime) -> StatePeriod | None:
    return period_at(record.periods, at) if record else None


def _said(kind: str, was: int, now: int, start: str, end: str, action: AssetAction, other: str) -> str:
    match kind:
        case "added" | "received":
            return f"{_units(now)} {kind} from {start}" + (f" until {end}" if end and action.lifecycle_end else "")
        case "more" | "fewer":
            return f"{was} to {_units(now)} from {start}"
        case "price":
            return f"another price from {start}"
        case "fields":
            return f"other terms from {start}"
        case "start":
            return f"begins on {start} now"
        case "end":
            return f"ends on {end} now"
        case "renewed":
            return f"{_units(now)} renewed from {start} until {end}"
        case "cancelled":
            return f"cancelled, ends on {end}" if end else f"cancelled before it began on {start}"
        case "swapped_out":
            return f"{_units(was - now)} swapped{f' for {other}' if other else ''} from {start}"
        case "swapped_in":
            return f"{_units(now)} in place of {other or 'another product'} from {start}"
        case "handed_over":
            return f"{_units(was - now)} handed over to another customer from {start}"
        case _:
            return f"what was planned for {start} is taken back, {_units(now)} {'stays' if now == 1 else 'stay'}"


def _units(number: int) -> str:
    return counted(number, "unit")


def _money(action: AssetAction, currency: str) -> str:
    change = rounding_of(currency).apply(action.mrr_change or ZERO)
    return f", {change:+} {currency} a month" if change else ""


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _lot(row: Any) -> dict[str, Any]:
    return {
        "lot": row.lot,
        "quantity": row.quantity,
        "unit_price": _text(row.unit_price),
        "from": row.start.isoformat(),
        "to": row.end.isoformat() if row.end else None,
        "amount": _text(row.product_amount),
    }


def takes_effect(records: Mapping[str, AssetRecord], customer: Customer, request_id: str, at: datetime) -> list[str]:
    """What a request of some time ago changes at `at`, a sentence for each asset; empty if it was taken back or overtaken."""
    said = []
    for record in records.values():
        found = next((action for action in record.active if action.request_id == request_id), None)
        if found is None or (record.cancelled and record.end is not None and record.end < found.effective):
            continue
        before, now = _at(record, at - timedelta(seconds=1)), _at(record, at)
        was, units = (before.quantity if before else 0), (now.quantity if now else 0)
        if before is None and not units:
            continue  # given up before it began
        name, currency = record.asset.name or record.asset.product, record.asset.currency
        change = ((now.mrr if now else None) or ZERO) - ((before.mrr if before else None) or ZERO)
        per_month = rounding_of(currency).apply(change)
        says = f"{name}: {was} to {_units(units)}" if was != units else f"{name}: {_units(units)}"
        said.append(f"{says}, {per_month:+} {currency} a month" if per_month else says)
    return said
