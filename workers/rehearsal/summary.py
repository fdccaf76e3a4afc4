"""What came of a rehearsed life: as one JSON object, and as tables and bars for people."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.text import Text

from activities.assets.ledger import load_records
from activities.journey import reports
from domain.assets.explaining import amount_lines
from domain.assets.model import AssetRecord
from domain.frame.customer import ContractStatus
from domain.frame.ownership import POLICY
from domain.frame.term_facts import UNTIL_NOTICE
from domain.kernel.calendar import add_months, local_day
from domain.kernel.money import rounding_of
from domain.kernel.shown import to_the_minute
from workers.cli.output import show_part
from workers.cli.stack import Up
from workers.rehearsal.life import Life

BAR = 24
SPARKS = "▁▂▃▄▅▆▇█"


async def summarise(up: Up, life: Life, timings: dict[str, float]) -> dict[str, Any]:
    """Everything that `--json` prints."""
    account_id = life.account_id
    async with up.pool.acquire() as connection:
        journal = await reports.journal_of(connection, account_id, 0)
        assets = await reports.assets_of(connection, account_id)
        health = await reports.health_of(connection, account_id)
        renewals = await reports.renewals_of(connection, account_id)
        sent = await reports.sent_to_customer(connection, account_id)
        months = await reports.asset_mrr_on(connection, account_id, _months(life.start, life.end))
        billed = await reports.billed_of(connection, account_id)
        cases = await reports.cases_of(connection, account_id)
        records = await load_records(connection, account_id)
    own = {message["message_id"] for message in sent if message["message_id"]}
    mails = [mail for mail in up.stack.mailbox.list() if mail.message_id in own]
    latest = health[-1] if health else None
    began = min((life.start, *(line["at"] for line in journal)))
    return {
        "account": {"id": account_id, "name": life.orders[0].account.name, "time_zone": life.zone},
        "virtual_start": _iso(began),
        "virtual_end": _iso(life.end),
        "steps": [
            {"key": line["key"], "at": _iso(line["at"]), "kind": line["kind"], "title": line["title"]}
            for line in journal
        ],
        "mails": [
            {"to": mail.to, "subject": mail.subject, "language": mail.language, "at": _iso(mail.at)} for mail in mails
        ],
        "assets": [_asset(asset) for asset in assets],
        "assets_by_month": [
            {**row, "day": row["day"].isoformat(), "mrr": _rounded(row["mrr"], row["currency"])} for row in months
        ],
        "explained": [line for record in records.values() for line in _explained(record, life.zone)],
        "billed": [{**row, "issued_on": row["issued_on"].isoformat()} for row in billed],
        "cases": [
            {key: _iso(value) if isinstance(value, datetime) else value for key, value in row.items()} for row in cases
        ],
        "health": {
            "score": latest["score"] if latest else None,
            "band": latest["band"] if latest else "unknown",
            "parts": latest["parts"] if latest else [],
            "history": [{"at": _iso(row["at"]), "score": row["score"], "band": row["band"]} for row in health],
        },
        "renewals": [
            {**row, "start_on": row["start_on"].isoformat(), "last_day": _day(row["last_day"])} for row in renewals
        ],
        "urls": {
            "temporal_ui": f"{up.stack.ui_url}/namespaces/default/workflows/journey-{account_id}",
            "mailbox": up.stack.mailbox_url,
        },
        "seconds": round(sum(timings.values()), 2),
        "timings": {name: round(seconds, 2) for name, seconds in timings.items()},
    }


def _asset(row: dict[str, Any]) -> dict[str, Any]:
    """An asset with its periods, amounts at the currency's minor unit."""
    periods = [{**period, "mrr": _rounded(period["mrr"], row["currency"])} for period in row["periods"] or []]
    return {**row, "periods": periods}


def _explained(record: AssetRecord, zone: str) -> list[dict[str, Any]]:
    """Why each period of an asset comes to its amount: lots, price and months."""
    found = []
    for period in record.periods:
        said = amount_lines(record, period.start, POLICY)
        if said is None or not period.quantity or said.explanation.months is None:
            continue
        found.append(
            {
                "asset": record.asset.asset_id,
                "product": record.asset.name,
                "from": local_day(period.start, zone).isoformat(),
                "until": (local_day(period.end, zone) - timedelta(days=1)).isoformat() if period.end else None,
                "lots": [
                    {"units": lot.units, "unit_price": str(lot.unit_price), "sold_by": lot.moves[0].category.value}
                    for lot in said.lots
                ],
                "months": str(round(said.explanation.months, 4).normalize()),
                "amount": _rounded(str(said.amount or 0), record.asset.currency),
                "currency": record.asset.currency,
            }
        )
    return found


def _rounded(amount: str | None, currency: str) -> str:
    return str(rounding_of(currency).apply(Decimal(amount or 0)))


def _months(start: datetime, end: datetime) -> list[date]:
    first = start.astimezone(UTC).date().replace(day=1)
    days: list[date] = []
    while add_months(first, len(days)) <= end.astimezone(UTC).date():
        days.append(add_months(first, len(days)))
    return days[1:]


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def show(summary: dict[str, Any], console: Console) -> None:
    """The summary for people: assets by month, mails, renewals, health, addresses."""
    _show_assets(summary, console)
    _show_explained(summary, console)
    _show_billed(summary, console)
    show_cases(summary, console)
    _show_mails(summary, console)
    _show_renewals(summary, console)
    history = [row["score"] for row in summary["health"]["history"] if row["score"] is not None]
    if history:
        sparks = "".join(SPARKS[min(7, score * 8 // 100)] for score in history)
        console.print(f"\n[bold]Health[/bold]  {sparks}  {history[-1]} {summary['health']['band']}")
    console.print(f"\n[bold]Temporal UI[/bold]  {summary['urls']['temporal_ui']}", soft_wrap=True)
    console.print(f"[bold]Mailbox[/bold]      {summary['urls']['mailbox']}", soft_wrap=True)
    console.print(f"\n{len(summary['steps'])} steps in {summary['seconds']} s of real time.")


def _show_assets(summary: dict[str, Any], console: Console) -> None:
    by_month: dict[str, list[dict[str, Any]]] = {}
    for row in summary["assets_by_month"]:
        by_month.setdefault(row["day"][:7], []).append(row)
    if not by_month:
        console.print("\n[bold]Assets[/bold]  none: nothing sold is kept as an asset")
        return
    totals = {month: sum((Decimal(row["mrr"]) for row in owned), Decimal(0)) for month, owned in by_month.items()}
    most = max(totals.values()) or Decimal(1)
    rows = []
    for month, owned in by_month.items():
        counts: Counter[str] = Counter()
        for row in owned:
            counts[row["product"]] += row["quantity"]
        said = ", ".join(f"{quantity} {product}" for product, quantity in counts.items() if quantity)
        bar = Text("█" * int(totals[month] / most * BAR), style="green")
        rows.append((month, said, f"{totals[month]:,} {owned[0]['currency']}", bar))
    show_part(("month", "owned", "MRR", ""), rows, console, title="Assets by month")


def _show_explained(summary: dict[str, Any], console: Console) -> None:
    names = ("product", "from", "until", "lots", "months", "amount")
    rows = []
    for row in summary["explained"]:
        lots = " + ".join(f"{lot['units']} x {Decimal(lot['unit_price']).normalize():,f}" for lot in row["lots"])
        rows.append((row["product"], row["from"], row["until"], lots, row["months"], Decimal(row["amount"])))
    show_part(names, rows, console, title="Why it costs what it costs")


def _show_billed(summary: dict[str, Any], console: Console) -> None:
    rows = []
    for row in summary["billed"]:
        credit = row["kind"] == "credit memo"
        total = f"{'-' if credit else ''}{Decimal(row['total']):,} {row['currency']}"
        lines = ", ".join(dict.fromkeys(line["description"] for line in row["lines"]))
        rows.append((row["issued_on"], row["id"], Text(total, style="yellow" if credit else ""), lines))
    show_part(("day", "document", "total", "for"), rows, console, title="Invoices and credits")


def show_cases(summary: dict[str, Any], console: Console) -> None:
    """The customer's cases, in their own time."""
    zone = summary["account"]["time_zone"]
    rows = []
    for row in summary["cases"]:
        opened, resolved = (
            at and to_the_minute(datetime.fromisoformat(at), zone) for at in (row["opened_at"], row["resolved_at"])
        )
        name = Text.from_markup(f"{row['id']} [red](escalated)[/red]") if row["escalated"] else row["id"]
        rows.append((name, row["priority"], opened, resolved, row["subject"]))
    names = ("case", "priority", "opened", "resolved", "subject")
    show_part(names, rows, console, title=f"Cases, times in {zone}")


def _show_mails(summary: dict[str, Any], console: Console) -> None:
    zone, mails = summary["account"]["time_zone"], summary["mails"]
    rows = [
        (local_day(datetime.fromisoformat(mail["at"]), zone), mail["to"], mail["language"], mail["subject"])
        for mail in mails
    ]
    show_part(("day", "to", "", "subject"), rows, console, title=f"Mails ({len(mails)})")


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _show_renewals(summary: dict[str, Any], console: Console) -> None:
    rows = []
    for row in summary["renewals"]:
        quote = f"{row['quote_id']}: {Decimal(row['total']):,} {row['currency']}" if row["quote_id"] else ""
        state = "" if row["status"] == ContractStatus.ACTIVE else f" ({row['status']}: {row['status_reason']})"
        term = Text(str(row["term"])).append(state, style="yellow")
        rows.append((row["contract_id"], term, row["start_on"], row["last_day"] or UNTIL_NOTICE, row["origin"], quote))
    show_part(("contract", "term", "from", "until", "sold", "quote"), rows, console, title="Contracts")
