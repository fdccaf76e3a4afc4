"""How an asset is shown on a terminal: its periods and a chart, its actions and lots, and why an amount is what it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from rich.markup import escape
from rich.table import Table

from domain.assets.explaining import AmountLines, LotLine
from domain.assets.ledger import period_at
from domain.assets.model import AssetRecord, StatePeriod
from domain.kernel.calendar import MONTHS_IN_YEAR, local_day
from domain.kernel.money import for_months, is_divided, rounding_of
from workers.cli.amounts import OPEN, last_day, money
from workers.cli.charts import Stretch, chart, horizon
from workers.cli.common import console
from workers.cli.output import PLAIN, table


def show_asset(record: AssetRecord, at: datetime, zone: str) -> None:
    """Everything about an asset, with the state at an instant first."""
    asset = record.asset
    console.print(
        f"[bold]{asset.asset_id}[/bold]  {escape(asset.name)}  ({escape(', '.join(_facts(record, zone)))})",
        highlight=False,
    )
    console.print(_state(record, at, zone), highlight=False)
    console.print(_periods(record, at, zone))
    if record.periods:
        for line in _chart(record, at, zone):
            console.print(line, highlight=False, markup=False)
    console.print(_actions(record, zone))
    console.print(_lots(record, zone))


def _facts(record: AssetRecord, zone: str) -> Iterator[str]:
    asset = record.asset
    yield f"account {asset.account_id}"
    yield f"product {asset.product}"
    if asset.contract_id:
        yield f"contract {asset.contract_id}"
    yield asset.selling_model.value.replace("_", "-")
    until = last_day(record.end, zone)
    yield f"from {local_day(record.start, zone)}" + (f" to {until}" if until else ", without an end")
    if record.lock:
        yield f"locked by {record.lock}"


def _state(record: AssetRecord, at: datetime, zone: str) -> str:
    period, currency, day = period_at(record.periods, at), record.asset.currency, local_day(at, zone)
    if period is None:
        return f"On {day}: not in force"
    arr = None if period.mrr is None else period.mrr * MONTHS_IN_YEAR
    return (
        f"On {day}: {period.quantity} units, MRR {money(period.mrr, currency)} {currency},"
        f" ARR {money(arr, currency)} {currency}, total so far {money(_total(record, period), currency)} {currency}"
    )


def _total(record: AssetRecord, until: StatePeriod) -> Decimal | None:
    """What the asset comes to from its first day to the end of a period."""
    amounts = [period.amount for period in record.periods if period.start <= until.start]
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), Decimal(0))


def _periods(record: AssetRecord, at: datetime, zone: str) -> Table:
    currency, current = record.asset.currency, period_at(record.periods, at)
    changing = any(period.attributes for period in record.periods)
    rows = []
    for period in record.periods:
        row = [
            ">" if period is current else "",
            local_day(period.start, zone),
            last_day(period.end, zone) or OPEN,
            period.quantity,
            "no price" if period.mrr is None else money(period.mrr, currency),
            money(period.amount, currency),
            money(_total(record, period), currency),
        ]
        if changing:
            row.append(", ".join(f"{name} {value}" for name, value in period.attributes.items()))
        rows.append(row)
    names = ["", "from", "until", ">quantity", f">MRR {currency}", ">amount", ">total"]
    return table([*names, "attributes"] if changing else names, rows, title="Periods", **PLAIN)


def _chart(record: AssetRecord, at: datetime, zone: str) -> list[str]:
    """MRR over time; quantity for what has no monthly price."""
    currency, periods = record.asset.currency, record.periods
    recurring = any(period.mrr for period in periods)
    values = [(period.mrr or Decimal(0)) if recurring else Decimal(period.quantity) for period in periods]
    stretches = [Stretch(p.start, p.end, value) for p, value in zip(periods, values, strict=True)]
    begin, end = horizon(stretches, at)
    top = money(max(values), currency) if recurring else f"{max(values):,}"
    title = f"MRR in {currency}" if recurring else "Quantity"
    days = (local_day(begin, zone), local_day(end - timedelta(microseconds=1), zone))
    return ["", title, *chart(stretches, begin=begin, end=end, labels=(top, "0"), days=days), ""]


def _actions(record: AssetRecord, zone: str) -> Table:
    currency = record.asset.currency
    undone = {action.undoes: action.sequence for action in record.actions if action.undoes is not None}
    rows = []
    for action in record.actions:
        told = [
            action.subtype.value if action.subtype else None,
            f"undoes {action.undoes}" if action.undoes is not None else None,
            f"undone by {undone[action.sequence]}" if action.sequence in undone else None,
            action.related_asset,
        ]
        rows.append(
            (
                action.sequence,
                local_day(action.recorded_at, zone) if action.recorded_at else "",
                action.category,
                local_day(action.effective, zone),
                f"{action.quantity_change:+,}",
                _signed(action.mrr_change, currency),
                _signed(action.amount_change, currency),
                ", ".join(one for one in told if one),
            )
        )
    names = (">#", "recorded", "category", "effective", ">quantity", ">MRR", ">amount", "")
    return table(names, rows, title="Actions", **PLAIN)


def _lots(record: AssetRecord, zone: str) -> Table:
    """What each action sold, took or moved."""
    currency = record.asset.currency
    found = ((source.lot, action.sequence, source) for action in record.actions for source in action.sources)
    rows = [
        (
            lot,
            sequence,
            local_day(source.start, zone),
            last_day(source.end, zone) or OPEN,
            f"{source.quantity:+,}",
            _unit_price(source.unit_price, currency),
            _signed(source.product_amount, currency),
        )
        for lot, sequence, source in sorted(found, key=lambda row: (row[0], row[1], row[2].start))
    ]
    return table((">lot", ">action", "from", "until", ">units", ">unit price", ">amount"), rows, title="Lots", **PLAIN)


def _signed(amount: Decimal | None, currency: str) -> str:
    return OPEN if amount is None else f"{rounding_of(currency).apply(amount):+,}"


def show_amount(record: AssetRecord, lines: AmountLines, zone: str) -> None:
    """An amount line by line: each lot, who sold it or took from it, and what makes up the rest."""
    said, currency = lines.explanation, record.asset.currency
    until = last_day(said.end, zone) or "no end"
    console.print(
        f"[bold]{record.asset.asset_id}[/bold]  {record.asset.name}, {local_day(said.start, zone)} to {until}:"
        f" {said.quantity} units, MRR {money(said.mrr, currency)} {currency}",
        highlight=False,
    )
    console.print(
        f"Rule: {said.rule}" + (f", here {_months(said.exact_months)}" if said.exact_months else ""), highlight=False
    )
    rows: list[tuple[str, str]] = []
    for line in lines.lots:
        rows.append((_lot_text(line, said.exact_months, currency), money(line.amount, currency)))
        for move in line.moves:
            did, day = "sold" if move.units > 0 else "taken", local_day(move.effective, zone)
            rows.append(
                (f"    {abs(move.units)} {did} by action {move.sequence}, {move.category.value}, from {day}", "")
            )
    if lines.counted_before:
        rows.append(("less what earlier periods count", f"-{money(lines.counted_before, currency)}"))
    if lines.rounding:
        rows.append(("rounding, of the sum so far", _signed(lines.rounding, currency)))
    shown = table(("", ">amount"), rows, **PLAIN)
    shown.add_section()
    shown.add_row("amount of the period", f"{money(lines.amount, currency)} {currency}")
    period = next((period for period in record.periods if period.start == said.start), None)
    if period is not None and period is not record.periods[0]:
        shown.add_row("with all periods before it", f"{money(_total(record, period), currency)} {currency}")
    console.print(shown)


def _lot_text(line: LotLine, months: str | None, currency: str) -> str:
    times = f" x {_months(months)}" if months else ""
    reference = f" ({line.reference})" if line.reference else ""
    return f"lot {line.lot}{reference}: {line.units} units x {_unit_price(line.unit_price, currency)}{times}"


def _unit_price(price: Decimal | None, currency: str) -> str:
    """A unit price as it was agreed, so that a calculator comes to the same amount; one by the year as a twelfth of it."""
    if price is None:
        return "no price"
    if is_divided(price):
        return f"{_at_minor_unit(for_months(price, MONTHS_IN_YEAR), currency)} / {MONTHS_IN_YEAR}"
    return _at_minor_unit(price, currency)


def _at_minor_unit(price: Decimal, currency: str) -> str:
    return f"{max(price.normalize(), rounding_of(currency).apply(price), key=_digits):,f}"


def _digits(price: Decimal) -> int:
    return -int(price.as_tuple().exponent)


def _months(months: str) -> str:
    return f"{months} month" if months == "1" else f"{months} months"
