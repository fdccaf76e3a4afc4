"""`perennial asset …`: what a customer owns, why it costs what it costs, and whether the ledger holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table

from activities.store import reports
from activities.store.ledger import asset_ids, load_record, load_records
from activities.store.pool import Connection
from domain.assets.invariants import violations
from domain.assets.model import AssetRecord
from domain.assets.views import explain_at, totals_at
from domain.calendar import local_day, start_of_day
from domain.money import rounding_of
from domain.ownership import POLICY
from domain.refusals import Refusal
from workers.cli.common import Connections, UserError, connections, console, print_json, run

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]
At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        formats=["%Y-%m-%d"],
        help="The start of a day in the customer's zone; otherwise the customer's own now.",
    ),
]

FIRST_YEAR, LAST_YEAR = 1900, 2200

BAR = 30


@app.command("list")
def list_assets(account: str, at: At = None, as_json: Json = False) -> None:
    """What an account owns at a date, with quantity, MRR and ARR."""
    run(_list(account, at, as_json))


async def _list(account: str, day: datetime | None, as_json: bool) -> None:
    async with connections() as servers, servers.pool.acquire() as connection:
        zone = await _zone(connection, account)
        at = await _instant(servers, account, day, zone)
        records = await load_records(connection, account)
    totals = totals_at(records.values(), at)
    rows = [_row(record, at, zone) for record in records.values()]
    if as_json:
        sums = [{**total.model_dump(mode="json"), "arr": str(total.arr)} for total in totals.values()]
        print_json({"account": account, "at": at.isoformat(), "assets": rows, "totals": sums})
        return
    table = Table(
        "asset",
        "product",
        "quantity",
        "MRR",
        "until",
        title=f"{account} on {local_day(at, zone)}",
        title_justify="left",
    )
    for row in rows:
        table.add_row(
            row["asset"], row["product"], str(row["quantity"]), f"{row['mrr']} {row['currency']}", row["until"]
        )
    console.print(table)
    for total in totals.values():
        mrr, arr = _rounded(total.mrr, total.currency), _rounded(total.arr, total.currency)
        console.print(f"{total.assets} assets in force, MRR {mrr} {total.currency}, ARR {arr} {total.currency}")


def _row(record: AssetRecord, at: datetime, zone: str) -> dict[str, Any]:
    period = next((p for p in record.periods if p.start <= at and (p.end is None or at < p.end)), None)
    return {
        "asset": record.asset.asset_id,
        "product": record.asset.name,
        "quantity": period.quantity if period else 0,
        "mrr": str(_rounded(period.mrr if period else None, record.asset.currency)),
        "currency": record.asset.currency,
        "until": _last_day(record.end, zone),
    }


@app.command()
def show(asset: str, as_json: Json = False) -> None:
    """An asset's periods as a table and a chart, its actions and their lots."""
    run(_show(asset, as_json))


async def _show(asset: str, as_json: bool) -> None:
    async with connections() as servers, servers.pool.acquire() as connection:
        record = await _record(connection, asset)
        zone = await _zone(connection, record.asset.account_id)
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    _show_periods(record, zone)
    actions = Table(
        "#", "recorded", "category", "effective", "quantity", "MRR", "amount", "lots", title="Actions", box=None
    )
    for action in record.actions:
        lots = ", ".join(f"{s.quantity:+} x {s.unit_price}" for s in action.sources)
        actions.add_row(
            str(action.sequence),
            str(local_day(action.recorded_at, zone)) if action.recorded_at else "",
            action.category.value,
            str(local_day(action.effective, zone)),
            f"{action.quantity_change:+}",
            f"{action.mrr_change or 0:+}",
            "open" if action.amount_change is None else f"{action.amount_change:+}",
            lots,
        )
    console.print(actions)


def _show_periods(record: AssetRecord, zone: str) -> None:
    most = max((period.mrr or Decimal(0) for period in record.periods), default=Decimal(0)) or Decimal(1)
    table = Table("from", "until", "quantity", "MRR", "", "amount", title=record.asset.name, box=None)
    for period in record.periods:
        bar = "█" * int((period.mrr or 0) / most * BAR)
        table.add_row(
            str(local_day(period.start, zone)),
            _last_day(period.end, zone),
            str(period.quantity),
            f"{_rounded(period.mrr, record.asset.currency)} {record.asset.currency}",
            f"[green]{bar}[/green]",
            "open" if period.amount is None else str(_rounded(period.amount, record.asset.currency)),
        )
    console.print(table)


@app.command()
def explain(asset: str, at: At = None, as_json: Json = False) -> None:
    """Which rule and which lots made the amount of the period in force at a date."""
    run(_explain(asset, at, as_json))


async def _explain(asset: str, day: datetime | None, as_json: bool) -> None:
    async with connections() as servers, servers.pool.acquire() as connection:
        record = await _record(connection, asset)
        zone = await _zone(connection, record.asset.account_id)
        at = await _instant(servers, record.asset.account_id, day, zone)
    said = explain_at(record, at, POLICY)
    if said is None:
        raise UserError(
            f"asset {asset} is not in force on {local_day(at, zone)}; `perennial asset show {asset}` says when"
        )
    if as_json:
        print_json(said.model_dump(mode="json"))
        return
    until = _last_day(said.end, zone) or "open"
    console.print(
        f"{record.asset.name}, {local_day(said.start, zone)} to {until}: {said.quantity} units, MRR {said.mrr}"
    )
    table = Table("lot", "units", "price a month", "MRR", "sold by", box=None)
    for lot in said.lots:
        table.add_row(
            str(lot.lot),
            str(lot.quantity),
            str(lot.unit_price),
            str(lot.mrr),
            f"action {lot.opened_by}, {lot.category.value}",
        )
    console.print(table)
    console.print(f"Amount {said.amount}: {said.rule}" + (f" ({said.months} months)" if said.months else ""))


@app.command("check")
def check_assets(
    asset: Annotated[str | None, typer.Argument(help="All assets otherwise.")] = None,
) -> None:
    """Derives every period from its actions again and compares it with what is stored; writes nothing."""
    if not run(_check(asset)):
        raise typer.Exit(1)


async def _check(asset: str | None) -> bool:
    wrong = 0
    async with connections() as servers, servers.pool.acquire() as connection:
        ids = [asset] if asset else await asset_ids(connection)
        for asset_id in ids:
            record = await load_record(connection, asset_id)
            problems = violations(record, POLICY) if record else ["is not on record"]
            wrong += bool(problems)
            for problem in problems:
                console.print(f"[red]{asset_id}[/red]: {problem}")
    console.print(f"{len(ids)} assets rebuilt from their actions, {wrong} differ.")
    return not wrong


async def _record(connection: Connection, asset: str) -> AssetRecord:
    record = await load_record(connection, asset)
    if record is None:
        raise UserError(f"no asset {asset}; `perennial asset list ACCOUNT` names a customer's assets")
    return record


async def _zone(connection: Connection, account: str) -> str:
    zone = await reports.zone_of_account(connection, account)
    if zone is None:
        raise UserError(f"no account {account}; `perennial journey list` names the accounts that have a journey")
    return zone


async def _instant(servers: Connections, account: str, day: datetime | None, zone: str) -> datetime:
    """The start of the local `day`; without one the customer's own now, or the present if the server knows no journey."""
    if day is not None:
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise UserError(f"--at {day:%Y-%m-%d} is out of reach; give a day from {FIRST_YEAR} to {LAST_YEAR}")
        return start_of_day(day.date(), zone)
    try:
        return await servers.client.now(account)
    except Refusal:
        return datetime.now(UTC)


def _last_day(end: datetime | None, zone: str) -> str:
    """The last local day before `end`, which itself is excluded."""
    return str(local_day(end - timedelta(microseconds=1), zone)) if end else ""


def _rounded(amount: Decimal | None, currency: str) -> Decimal:
    return rounding_of(currency).apply(amount or Decimal(0))
